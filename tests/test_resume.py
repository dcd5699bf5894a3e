"""Law 3: a state that went through hitl resumes exactly as the SDK resumes its own.

Every recorded state is run twice: loaded by the SDK itself, and restored by hitl. The two runs are
compared model request by request, tool run by tool run, session, turn, usage and final state.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import attrs
import pytest

import hitl
from hitl.errors import ContextMismatch, RestoreError, RunFinished
from tests.agents import SCENARIOS, Outcome, approve, corpus, reject, resume_native
from tests.agents.oracle import resume

if TYPE_CHECKING:
    from collections.abc import Callable

    from hitl import RunState
    from tests.agents.oracle import LiveState
    from tests.agents.scenario import Scenario, Stage

NAMES = corpus.names()
FINISHED = [name for name in NAMES if SCENARIOS[name].finished]
# The SDK loads these and fails once it runs; hitl says so before anything runs.
REFUSED = [
    "openai-agents-python/hitl/guards_final_write_failed",
    "openai-agents-python/hitl/turns_final_write_failed",
    "openai-agents-python/hitl/turns_nested_twins",
]
GOES_ON = [name for name in NAMES if name not in FINISHED + REFUSED]


def _load(name: str) -> RunState:
    return hitl.loads(json.dumps(corpus.load(name)))


async def _restored(stage: Stage, state: RunState) -> LiveState:
    """Restore; a context whose type is lost is given as the fields the SDK would give."""
    try:
        return await hitl.restore(stage.agent, state)
    except ContextMismatch:
        context = state.context
        value = context.value if context and context.data is not None else {}
        return await hitl.restore(stage.agent, state, context=value)


def _outcome(scenario: Scenario, state: RunState, **options: Any) -> Outcome:  # noqa: ANN401
    return asyncio.run(resume(scenario, lambda stage: _restored(stage, state), **options))


def _same(expected: Outcome, actual: Outcome, *aside: str) -> None:
    names = [field.name for field in attrs.fields(Outcome) if field.name not in aside]
    for name in names:
        assert getattr(actual, name) == getattr(expected, name), name


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("name", GOES_ON)
def test_resumes_as_the_sdk_does(name: str, *, streamed: bool) -> None:
    """Read, written as a native document, read and restored, a state runs as if it never left."""
    state = hitl.loads(hitl.dumps(_load(name)))
    native = resume_native(SCENARIOS[name], corpus.load(name), streamed=streamed)
    _same(asyncio.run(native), _outcome(SCENARIOS[name], state, streamed=streamed))


def _decided(state: RunState, verdict: Callable[[RunState, str], RunState]) -> RunState:
    for waiting in state.interruptions:
        if waiting.decision is None:
            state = verdict(state, waiting.call)
    return state


VERDICTS: dict[str, tuple[Any, Callable[[RunState, str], RunState]]] = {
    "approve": (approve, lambda state, call: state.approve(call, by="ana", reason="fine")),
    "reject": (reject, lambda state, call: state.reject(call, message="not today", by="ana")),
}


@pytest.mark.parametrize("verdict", VERDICTS)
@pytest.mark.parametrize("name", GOES_ON)
def test_decisions_without_the_agent_count(name: str, verdict: str) -> None:
    """A verdict given on the document alone is honoured like one given to the live SDK state."""
    scenario = SCENARIOS[name]
    by_sdk, by_hitl = VERDICTS[verdict]
    undecided = _load(name)
    state = hitl.loads(hitl.dumps(_decided(undecided, by_hitl)))
    told = frozenset(waiting.call_id for waiting in undecided.interruptions)
    decided = attrs.evolve(scenario, decided=scenario.decided | told)
    native = asyncio.run(resume_native(scenario, corpus.load(name), decide=by_sdk))
    actual = _outcome(decided, state, decide=by_sdk)
    _same(native, actual, "restored")


@pytest.mark.parametrize("name", FINISHED)
def test_a_finished_run_is_refused(name: str) -> None:
    """The SDK would call the model again; hitl runs nothing."""
    stage = SCENARIOS[name].stage()
    with pytest.raises(RunFinished):
        asyncio.run(hitl.restore(stage.agent, _load(name)))
    assert not stage.log.requests


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_resume_is_refused(name: str) -> None:
    """Where the SDK can only fail, hitl refuses before anything runs."""
    stage = SCENARIOS[name].stage()
    with pytest.raises(RestoreError):
        asyncio.run(hitl.restore(stage.agent, _load(name)))
    assert not stage.log.requests
    assert asyncio.run(resume_native(SCENARIOS[name], corpus.load(name))).error


def test_count(capsys: pytest.CaptureFixture[str]) -> None:
    """Every recorded state stands in one of the tests above."""
    folders = Counter(name.rpartition("/")[0] for name in NAMES)
    with capsys.disabled():
        sys.stdout.write(
            f"\nresumed as the SDK does: {len(GOES_ON)}, streamed and not; refused:"
            f" {len(FINISHED)} finished, {len(REFUSED)} that the SDK cannot resume;"
            f" recorded: {dict(folders)}\n"
        )
    assert len(GOES_ON) + len(FINISHED) + len(REFUSED) == len(NAMES) >= 170
