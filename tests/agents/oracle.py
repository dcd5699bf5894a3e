"""The oracle: what the SDK itself makes of a recorded state, in a form that can be compared.

A restored state resumes exactly if the outcome of running it equals the outcome of the SDK's own
load and run:

    expected = await resume_native(scenario, document, decide=approve, streamed=False)
    actual = await resume(scenario, restore, decide=approve, streamed=False)
    assert actual == expected

where `restore(stage)` makes an SDK RunState for the agents of that stage.
"""

from __future__ import annotations

import contextlib
import copy
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
from agents import RunConfig, Runner, RunState

from tests.agents.log import ModelRequest, ToolRun
from tests.agents.model import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from agents import RunResult, RunResultStreaming, ToolApprovalItem

    from tests.agents.scenario import Scenario, Stage

LiveState: TypeAlias = RunState[Any, Any]
Decide: TypeAlias = Callable[[LiveState, "ToolApprovalItem"], None]
Restore: TypeAlias = Callable[["Stage"], Awaitable[LiveState]]

_MAX_ROUNDS = 8
_RANDOM_ID = re.compile(
    r"(?<![0-9a-f])(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32})(?![0-9a-f])"
)


def approve(state: LiveState, interruption: ToolApprovalItem) -> None:
    """Approve this call."""
    state.approve(interruption)


def reject(state: LiveState, interruption: ToolApprovalItem) -> None:
    """Reject this call with a message."""
    state.reject(interruption, rejection_message="not today")


def always_approve(state: LiveState, interruption: ToolApprovalItem) -> None:
    """Approve this call and every later one of its tool."""
    state.approve(interruption, always_approve=True)


def always_reject(state: LiveState, interruption: ToolApprovalItem) -> None:
    """Reject this call and every later one of its tool."""
    state.reject(interruption, always_reject=True, rejection_message="never")


def leave(_state: LiveState, _interruption: ToolApprovalItem) -> None:
    """Decide nothing: what the state says already must do."""


@attrs.frozen(kw_only=True)
class Outcome:
    """Everything that can be seen of a resumed run.

    Ids that the resumed run made up are numbered in the order they appear; those that the state
    brought along stay as they are.

    Attributes:
        restored: the state before the run, as the SDK writes it; None when the SDK cannot load it.
        requests: every model request, nested agents included, in order.
        tool_runs: every execution of a tool's own code, in order.
        final_output: as JSON; None when the run did not finish.
        last_agent: name of the agent that spoke last; None after an error.
        turn: the turn counter at the end.
        usage: totals and entries per request, as the SDK's JSON says them.
        session: what the session holds at the end; None without a session.
        pending: (agent, tool, call id, arguments) of every interruption that is left.
        error: class and message of what the SDK raised; None when it raised nothing.
        document: the state at the end, as the SDK writes it; None when it cannot be written.
    """

    restored: object
    requests: tuple[ModelRequest, ...]
    tool_runs: tuple[ToolRun, ...]
    final_output: object
    last_agent: str | None
    turn: int | None
    usage: object
    session: tuple[object, ...] | None
    pending: tuple[tuple[object, ...], ...]
    error: tuple[str, str] | None
    document: object


async def resume_native(
    scenario: Scenario,
    document: Mapping[str, Any],
    *,
    decide: Decide = approve,
    streamed: bool = False,
) -> Outcome:
    """The outcome of the SDK's own `RunState.from_json` and run; `document` is left alone."""
    stage = scenario.stage()
    try:
        state = await RunState.from_json(stage.agent, copy.deepcopy(dict(document)))
    except Exception as exc:  # noqa: BLE001  (whatever the SDK raises is its outcome)
        return _outcome(stage, None, None, None, _said(exc))
    return await resume_state(stage, state, decide=decide, streamed=streamed)


async def resume(
    scenario: Scenario, restore: Restore, *, decide: Decide = approve, streamed: bool = False
) -> Outcome:
    """The outcome of `restore`, then a run. An error of `restore` itself passes to the caller."""
    stage = scenario.stage()
    return await resume_state(stage, await restore(stage), decide=decide, streamed=streamed)


async def resume_state(
    stage: Stage, state: LiveState, *, decide: Decide = approve, streamed: bool = False
) -> Outcome:
    """The outcome of running a state that was restored for the agents of `stage`.

    Calls that were decided before the state was written keep their decision; `decide` has the
    others, and those of later pauses. A pause that `decide` leaves undecided ends it.
    """
    restored = copy.deepcopy(state.to_json())
    result: RunResult | RunResultStreaming | None = None
    error: tuple[str, str] | None = None
    undecided = [
        item for item in state.get_interruptions() if call_id_of(item) not in stage.decided
    ]
    try:
        for _ in range(_MAX_ROUNDS):
            for interruption in undecided:
                decide(state, interruption)
            result = await _run(stage, state, streamed=streamed)
            state, undecided = result.to_state(), result.interruptions
            if not undecided or decide is leave:
                break
    except Exception as exc:  # noqa: BLE001  (whatever the SDK raises is its outcome)
        result, error = None, _said(exc)
    return _outcome(stage, restored, state, result, error)


async def _run(stage: Stage, state: LiveState, *, streamed: bool) -> RunResult | RunResultStreaming:
    options: dict[str, Any] = {
        "run_config": RunConfig(tracing_disabled=True),
        "session": stage.memory,
        **stage.options,
    }
    if not streamed:
        return await Runner.run(stage.agent, state, **options)
    result = Runner.run_streamed(stage.agent, state, **options)
    async for _ in result.stream_events():
        pass
    return result


def _outcome(
    stage: Stage,
    restored: object,
    state: LiveState | None,
    result: RunResult | RunResultStreaming | None,
    error: tuple[str, str] | None,
) -> Outcome:
    numbered = _Numbered(set(_random_ids(restored)))
    document = None
    with contextlib.suppress(Exception):  # some contexts cannot be written; that is no outcome
        document = None if state is None else state.to_json()
    left = [] if result is None else result.interruptions
    return Outcome(
        restored=numbered(restored),
        requests=tuple(
            attrs.evolve(
                request, input=tuple(numbered(request.input)), settings=numbered(request.settings)
            )
            for request in stage.log.requests
        ),
        tool_runs=tuple(
            attrs.evolve(tool_run, arguments=numbered(plain(tool_run.arguments)))
            for tool_run in stage.log.tool_runs
        ),
        final_output=None if result is None else numbered(plain(result.final_output)),
        last_agent=None if result is None else result.last_agent.name,
        turn=None if document is None else document["current_turn"],
        usage=None if document is None else numbered(document["context"]["usage"]),
        session=None if stage.session is None else tuple(numbered(plain(stage.session.items))),
        pending=tuple(
            (item.agent.name, item.name, call_id_of(item), item.arguments) for item in left
        ),
        error=error,
        document=numbered(document),
    )


def _said(error: Exception) -> tuple[str, str]:
    return type(error).__name__, str(error)


def call_id_of(item: ToolApprovalItem) -> str | None:
    """A hosted MCP request has no call id; its own id stands for it."""
    return item.call_id or plain(item.raw_item).get("id")


@attrs.frozen
class Exactly:
    """A number that equals only its own kind: 1 is not 1.0 nor True, and NaN is NaN."""

    text: str


class _Numbered:
    """Replaces ids that the run made up by their number in order of appearance.

    Floats and truth values become `Exactly`, since Python finds 1, 1.0 and True equal.
    """

    def __init__(self, brought: set[str]) -> None:
        self._names = {name: name for name in brought}

    def __call__(self, value: Any) -> Any:  # noqa: ANN401  (JSON)
        if isinstance(value, str):
            return _RANDOM_ID.sub(self._name, value)
        if isinstance(value, dict):
            return {self(key): self(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self(item) for item in value]
        return Exactly(repr(value)) if isinstance(value, bool | float) else value

    def _name(self, match: re.Match[str]) -> str:
        return self._names.setdefault(match[0], f"made-up-{len(self._names)}")


def _random_ids(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from _RANDOM_ID.findall(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _random_ids(key)
            yield from _random_ids(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _random_ids(item)
