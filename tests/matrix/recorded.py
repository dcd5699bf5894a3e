"""States that older releases recorded, on the release of the tests: by hitl, and by the SDK alone.

What every release recorded in one scenario is the same run; so it goes on as the state that the
newest release recorded does, natively.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import hitl
from hitl.errors import ContextMismatch, HitlError, RunFinished
from tests.agents import SCENARIOS, Outcome, approve, corpus, leave, resume, resume_native
from tests.matrix.cells import PATHS, REPAIRED, RESUMED, WRONG, brief
from tests.matrix.play import opt_in
from tests.matrix.releases import NEWEST

if TYPE_CHECKING:
    from hitl import RunState
    from tests.agents.oracle import Decide, LiveState
    from tests.agents.scenario import Scenario, Stage
    from tests.matrix.cells import Row, Tables

_FOLDER = "openai-agents-python"
_RELEASE = re.compile(rf"{_FOLDER}/(\d+\.\d+\.\d+)/(\w+)")
_SEEN = ("requests", "tool_runs", "final_output", "last_agent", "turn", "session", "pending")
AGAIN = f"{WRONG}: asks again what was decided"
ENDED = "over: refused as finished"

RECORDED: dict[str, str] = {
    "recorded": f"recorded by the release, restored by hitl on {NEWEST}",
    "recorded_alone": f"without hitl: recorded by the release, read by {NEWEST}",
}
assert not RECORDED.keys() & PATHS.keys()


def states() -> dict[str, dict[str, str]]:
    """Release → scenario → corpus name of what it recorded; oldest release first."""
    found: dict[str, dict[str, str]] = {}
    for name in corpus.every():
        if match := _RELEASE.fullmatch(name):
            found.setdefault(match[1], {})[match[2]] = name
    return dict(sorted(found.items(), key=lambda each: _number(each[0])))


def _number(release: str) -> list[int]:
    return [int(part) for part in release.split(".")]


def play() -> Tables:
    """The cells of all recorded states."""
    tables: dict[str, dict[str, Row]] = {path: {} for path in RECORDED}
    for release, names in states().items():
        rows: dict[str, Row] = {path: {} for path in RECORDED}
        for scenario, name in names.items():
            for path, word in zip(RECORDED, (_restored(name), _alone(name)), strict=True):
                rows[path][scenario] = dict(Counter(word))
        for path, row in rows.items():
            tables[path][release] = row
    return tables


def _restored(name: str) -> list[str]:
    scenario, expected = SCENARIOS[_newest(name)], _expected(name)
    state = hitl.loads(corpus.read(name))

    options: dict[str, Any] = {}

    async def read(stage: Stage) -> LiveState:
        try:
            return await hitl.restore(stage.agent, state, **options)
        except ContextMismatch:
            return await hitl.restore(stage.agent, state, context=_context(state), **options)

    names = opt_in(corpus.read(name).decode())
    words = []
    for streamed in (False, True):
        try:
            played = resume(scenario, read, decide=_decide(scenario), streamed=streamed)
            outcome = asyncio.run(played)
        except RunFinished:
            words.append(ENDED)
        except HitlError as exc:
            words.append(f"refused: {type(exc).__name__}: {brief(exc.message)}")
        else:
            word = _judge(outcome, expected)
            if names and word == AGAIN:
                options["repairs"] = names
                played = resume(scenario, read, decide=_decide(scenario), streamed=streamed)
                if _judge(asyncio.run(played), expected) == RESUMED:
                    word = f"{REPAIRED} {', '.join(names)}; asks again otherwise"
                options.clear()
            words.append(word)
    return words


def _context(state: RunState) -> object:
    """The fields of a context that has lost its type, as the SDK gives them."""
    return state.context.value if state.context and state.context.data is not None else {}


def _alone(name: str) -> list[str]:
    scenario, expected = SCENARIOS[_newest(name)], _expected(name)
    options: dict[str, Any] = {"decide": _decide(scenario)}
    outcomes = [
        asyncio.run(resume_native(scenario, corpus.load(name), streamed=streamed, **options))
        for streamed in (False, True)
    ]
    if scenario.finished:
        return [f"{WRONG}: asks the model again although the run is over" for _ in outcomes]
    return [_judge(outcome, expected) for outcome in outcomes]


def _newest(name: str) -> str:
    """The scenario of the same name of the newest release."""
    return f"{_FOLDER}/{NEWEST}/{name.rpartition('/')[2]}"


def _expected(name: str) -> Outcome:
    """How the newest release's own state of the scenario goes on."""
    document: Any = corpus.load(_newest(name))
    if "rejection_message" not in json.dumps(corpus.load(name)):
        document = _untold(document)  # the older one was told no reason, and has none to tell
    scenario = SCENARIOS[_newest(name)]
    return asyncio.run(resume_native(scenario, document, decide=_decide(scenario)))


def _decide(scenario: Scenario) -> Decide:
    """What was decided before is not decided again; it must hold."""
    return leave if scenario.decided else approve


def _untold(value: Any) -> Any:  # noqa: ANN401  (JSON)
    if isinstance(value, list):
        return [_untold(each) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {key: each for key, each in value.items() if "rejection_message" not in key}
    return {key: _untold(each) for key, each in kept.items()}


def _judge(outcome: Outcome, expected: Outcome) -> str:
    if outcome.error:
        return f"{WRONG}: fails: {outcome.error[0]}: {brief(outcome.error[1])}"
    other = [name for name in _SEEN if getattr(outcome, name) != getattr(expected, name)]
    if "pending" in other or ("turn" in other and len(outcome.requests) > len(expected.requests)):
        return AGAIN
    return f"{WRONG}: other {', '.join(other)}" if other else RESUMED
