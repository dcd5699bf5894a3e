"""Law 3 for states of older releases: they resume as the newest release's own state does.

What a run should do is taken from the SDK alone: the state that 0.24.0 itself wrote at the same
pause of the same agents, loaded and run by 0.24.0; only what was spent before the pause may differ.
Where 0.24.0 resumes the old state rightly by itself, that run is compared wholly.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import attrs
import pytest

import hitl
from hitl.errors import OlderRelease, RunFinished, UnknownRepair
from tests.agents import Outcome, Stage, approve, corpus, leave, reject, resume_native
from tests.agents.oracle import resume
from tests.agents.scenarios.older import SCENARIOS, twin

if TYPE_CHECKING:
    from hitl import RunState
    from tests.agents.oracle import Decide, LiveState

SDK = "openai-agents-python"
STICKY = ("sticky-owner",)


@cache
def label(name: str) -> str:
    """The version a state is labelled with."""
    return str(corpus.load(name)["$schemaVersion"])


def stem(name: str) -> str:
    """Which pause it is."""
    return name.rpartition("/")[2]


FINISHED = [name for name in SCENARIOS if stem(name) == "final"]
# Before 1.1 the run inside a call was not written down.
NO_INNER_RUN = [n for n in SCENARIOS if stem(n).startswith("nested") and label(n) == "1.0"]
GOES_ON = [name for name in SCENARIOS if name not in FINISHED + NO_INNER_RUN]
NUMBER = {name: tuple(map(int, label(name).split("."))) for name in SCENARIOS}
# Releases before these did not note whose a decision for good is.
OWNERLESS = [
    name
    for name in GOES_ON
    if (stem(name) in {"always", "always_rejected"} and NUMBER[name] < (1, 18))
    or (stem(name) == "hosted_mcp_always" and NUMBER[name] < (1, 14))
]
# Releases before 1.6 did not keep what a person said with a rejection.
WORDLESS = [name for name in GOES_ON if stem(name) == "rejected" and NUMBER[name] < (1, 6)]
# What 0.24.0 itself does wrong with old states (spec/openai-agents-python.md, 1.5).
SDK_WRONG = {
    *OWNERLESS,
    *(n for n in GOES_ON if stem(n) == "nested_approved" and NUMBER[n] < (1, 14)),
    *(n for n in GOES_ON if stem(n) == "local_mcp" and NUMBER[n] < (1, 18)),
}
ASIDE = ("restored", "document")
SPENT = "usage"


def load(name: str) -> RunState:
    """An old state, through a native document."""
    return hitl.loads(hitl.dumps(hitl.loads(corpus.read(name))))


@cache
def expected(name: str, decide: Decide, *, streamed: bool) -> Outcome:
    """What the SDK makes of its own newest state of that name."""
    scenario = SCENARIOS[f"{SDK}/0.23.1/{stem(name)}"]
    return asyncio.run(resume_native(scenario, corpus.load(name), decide=decide, streamed=streamed))


def outcome(name: str, state: RunState, *repairs: str, **options: Any) -> Outcome:  # noqa: ANN401
    """What restoring it and running gives."""

    async def restore(stage: Stage) -> LiveState:
        return await hitl.restore(stage.agent, state, repairs=repairs)

    scenario = options.pop("scenario", SCENARIOS[name])
    return asyncio.run(resume(scenario, restore, **options))


def same(name: str, wanted: Outcome, actual: Outcome, *aside: str) -> None:
    """Two runs do the same; the text of a rejection aside where the release kept none."""
    if name in WORDLESS:
        wanted, actual = (_wordless(each) for each in (wanted, actual))
    for field in attrs.fields(Outcome):
        if field.name not in (*ASIDE, *aside):
            assert getattr(actual, field.name) == getattr(wanted, field.name), field.name


def _wordless(given: Outcome) -> Outcome:
    def quiet(value: Any) -> Any:  # noqa: ANN401
        text = json.dumps(value, default=str)
        for said in ("Tool execution was not approved.", "not today", '"no"', '\\"no\\"'):
            text = text.replace(said, "...")
        return text.replace('"..."', "...").replace('\\"...\\"', "...")

    requests = tuple(attrs.evolve(each, input=(quiet(each.input),)) for each in given.requests)
    return attrs.evolve(given, requests=requests, final_output=quiet(given.final_output))


def asked_again(name: str) -> str:
    """The newest state in which nothing is decided yet."""
    return f"{SDK}/0.24.0/{'hosted_mcp' if 'hosted' in name else 'plain'}"


def undecided(name: str) -> Any:  # noqa: ANN401
    """The scenario of a state whose decision is not used."""
    return attrs.evolve(SCENARIOS[name], decided=frozenset())


class TestResumes:
    @pytest.mark.parametrize("name", GOES_ON)
    def test_decided_on_the_document(self, name: str) -> None:
        """What hitl approves in an old state runs, once; what was decided before stays decided."""
        state = load(name)
        for waiting in state.interruptions:
            if waiting.decision is None and waiting.call_id not in SCENARIOS[name].decided:
                state = state.approve(waiting.call, by="ana")
        scenario = SCENARIOS[name]
        told = frozenset(each.call_id for each in state.interruptions)
        scenario = attrs.evolve(scenario, decided=scenario.decided | told)
        wanted = expected(twin(name), approve, streamed=False)
        same(name, wanted, outcome(name, state, *STICKY, scenario=scenario, decide=approve), SPENT)

    @pytest.mark.parametrize("name", GOES_ON)
    def test_rejected_on_the_live_state(self, name: str) -> None:
        """A verdict given to the SDK's state counts, streamed."""
        wanted = expected(twin(name), reject, streamed=True)
        same(name, wanted, outcome(name, load(name), *STICKY, decide=reject, streamed=True), SPENT)

    @pytest.mark.parametrize("name", GOES_ON)
    def test_left_as_it_was(self, name: str) -> None:
        """Nothing is decided now: what was decided before runs, the rest waits and nothing runs."""
        wanted = expected(twin(name), leave, streamed=False)
        same(name, wanted, outcome(name, load(name), *STICKY, decide=leave), SPENT)

    @pytest.mark.parametrize("name", [name for name in GOES_ON if name not in SDK_WRONG])
    def test_as_the_sdk_where_it_is_right(self, name: str) -> None:
        """Every model request, tool run, turn, token and session entry of the SDK's own resume."""
        native = resume_native(SCENARIOS[name], corpus.load(name))
        same(name, asyncio.run(native), outcome(name, load(name)))

    @pytest.mark.parametrize("name", OWNERLESS)
    def test_decisions_for_good_ask_again(
        self, name: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A decision for good without an owner is not used, and that is said."""
        state = load(name)
        assert [each.decision for each in state.interruptions] == [None]
        wanted = expected(asked_again(name), leave, streamed=False)
        same(name, wanted, outcome(name, state, scenario=undecided(name), decide=leave), SPENT)
        assert "sticky-owner" in caplog.text

    @pytest.mark.matrix
    @pytest.mark.parametrize("streamed", [False, True])
    @pytest.mark.parametrize("decide", [approve, reject, leave])
    @pytest.mark.parametrize("name", GOES_ON)
    def test_all(self, name: str, decide: Decide, *, streamed: bool) -> None:
        """Every verdict, streamed and not."""
        wanted = expected(twin(name), decide, streamed=streamed)
        same(
            name,
            wanted,
            outcome(name, load(name), *STICKY, decide=decide, streamed=streamed),
            SPENT,
        )


class TestRefused:
    @pytest.mark.parametrize("name", NO_INNER_RUN)
    def test_no_inner_run(self, name: str) -> None:
        """1.0 did not write the run inside: the agent in it would start again, and its tools."""
        stage = SCENARIOS[name].stage()
        with pytest.raises(OlderRelease, match="start again") as caught:
            asyncio.run(hitl.restore(stage.agent, load(name)))
        assert caught.value.path == "/current_step/data/interruptions/0"
        assert (stage.log.requests, stage.log.tool_runs) == ([], [])
        told = asyncio.run(hitl.check_restore(stage.agent, load(name)))
        assert [type(each) for each in told] == [OlderRelease]

    @pytest.mark.parametrize("name", FINISHED)
    def test_finished(self, name: str) -> None:
        """There is nothing left to run."""
        stage = SCENARIOS[name].stage()
        with pytest.raises(RunFinished):
            asyncio.run(hitl.restore(stage.agent, load(name)))
        assert not stage.log.requests

    def test_unknown_name(self) -> None:
        """A repair nobody knows is refused, with those that are known."""
        name = f"{SDK}/0.19.0/always"
        stage = SCENARIOS[name].stage()
        with pytest.raises(UnknownRepair, match="sticky-owner"):
            asyncio.run(hitl.restore(stage.agent, load(name), repairs=["owners"]))
        with pytest.raises(UnknownRepair, match="sticky-owner"):
            hitl.dumps(load(name), dialect=SDK, repairs=["owners"])


def test_count(capsys: pytest.CaptureFixture[str]) -> None:
    """Every recorded older state goes on or is refused by name; none is skipped."""
    lines = []
    for each in sorted({*NUMBER.values()}):
        names = [name for name in SCENARIOS if NUMBER[name] == each]
        counted = Counter(
            "finished" if n in FINISHED else "no inner run" if n in NO_INNER_RUN else "resumed"
            for n in names
        )
        asks = sum(name in OWNERLESS for name in names)
        said = ", ".join(f"{what} {count}" for what, count in sorted(counted.items()))
        lines.append(f"  {each[0]}.{each[1]}: {said}; {asks} need sticky-owner")
    with capsys.disabled():
        sys.stdout.write("\nstates of older releases:\n" + "\n".join(lines) + "\n")
    assert len(GOES_ON) + len(FINISHED) + len(NO_INNER_RUN) == len(SCENARIOS) == 379
    assert (len(GOES_ON), len(FINISHED), len(NO_INNER_RUN)) == (353, 22, 4)
