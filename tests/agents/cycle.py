"""A run that pauses, is decided and goes on, time and again: inside the SDK, or through documents.

    assert await through_documents(cast, verdicts) == await within_the_sdk(cast, verdicts)

`within_the_sdk` never leaves the live objects of one process. `through_documents` writes a native
document at every pause, decides on the document, and goes on with agents built anew.
"""

# ruff: noqa: ANN401  (`options` are those of Runner.run)

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
from agents import RunConfig, Runner
from agents.exceptions import AgentsException

import hitl
from tests.agents.log import Log, ModelRequest, ToolRun
from tests.agents.model import plain
from tests.agents.oracle import call_id_of
from tests.agents.session import MemorySession

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agents import RunResult, RunResultStreaming

    from tests.agents.oracle import LiveState
    from tests.agents.scenario import Cast

_MAX_ROUNDS = 8


@attrs.frozen(kw_only=True)
class Verdict:
    """What a person says to one call.

    Attributes:
        approved: yes or no.
        always: whether it covers later calls.
        message: what the model is told of a no.
    """

    approved: bool = True
    always: bool = False
    message: str | None = None


YES, NO = Verdict(), Verdict(approved=False)
Round: TypeAlias = "Mapping[str, Verdict]"
"""Verdicts by name of the call, given at one pause; a call without one is left waiting."""


@attrs.frozen(kw_only=True)
class Seen:
    """What can be seen of a whole run.

    Attributes:
        requests: every model request, in order.
        tool_runs: every execution of a tool's own code, in order.
        waiting: the ids of the calls that waited, pause by pause.
        turns: the turn counter, pause by pause, and at the end.
        final_output: None when the run did not finish.
        usage: totals and entries per request at the end.
        session: what the session holds at the end.
        error: class and message of what the SDK raised; None when it raised nothing.
    """

    requests: tuple[ModelRequest, ...]
    tool_runs: tuple[ToolRun, ...]
    waiting: tuple[tuple[str | None, ...], ...]
    turns: tuple[int, ...]
    final_output: object
    usage: object
    session: tuple[object, ...]
    error: tuple[str, str] | None


async def go(
    agent: Any, given: Any, *, streamed: bool = False, **options: Any
) -> RunResult | RunResultStreaming:
    """Run to the next pause or the end, drained, without tracing."""
    options = {"run_config": RunConfig(tracing_disabled=True), **options}
    if not streamed:
        return await Runner.run(agent, given, **options)
    result = Runner.run_streamed(agent, given, **options)
    async for _ in result.stream_events():
        pass
    return result


class _Run:
    """One run, step by step."""

    def __init__(self, cast: Cast, *, streamed: bool, options: dict[str, Any]) -> None:
        self.cast, self.streamed, self.options = cast, streamed, options
        self.log = Log()
        self.session = MemorySession("s")
        self.waiting: list[tuple[str | None, ...]] = []
        self.turns: list[int] = []
        self.result: RunResult | RunResultStreaming | None = None
        self.error: tuple[str, str] | None = None

    async def go(self, agent: Any, given: Any, **first: Any) -> LiveState | None:
        """Go on; gives the state of the next pause, None at the end."""
        options = {"session": self.session, **self.options, **first}
        try:
            self.result = await go(agent, given, streamed=self.streamed, **options)
        except AgentsException as exc:
            self.result, self.error = None, (type(exc).__name__, str(exc))
            return None
        state = self.result.to_state()
        self.turns.append(state._current_turn)
        if not self.result.interruptions:
            return None
        self.waiting.append(tuple(call_id_of(item) for item in self.result.interruptions))
        return state

    def seen(self) -> Seen:
        result = self.result
        return Seen(
            requests=tuple(self.log.requests),
            tool_runs=tuple(
                attrs.evolve(each, arguments=plain(each.arguments)) for each in self.log.tool_runs
            ),
            waiting=tuple(self.waiting),
            turns=tuple(self.turns),
            final_output=None if result is None else _sorted(plain(result.final_output)),
            usage=None if result is None else result.to_state().to_json()["context"]["usage"],
            session=tuple(_sorted(plain(self.session.items))),
            error=self.error,
        )


def _sorted(value: Any) -> Any:
    """A last message names every output it saw; the order of keys in them is no difference."""
    if isinstance(value, dict):
        return {key: _sorted(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_sorted(each) for each in value]
    name, saw, outputs = str(value).partition(" saw {")
    if not saw:
        return value
    return f"{name} saw " + json.dumps(json.loads("{" + outputs), sort_keys=True)


async def within_the_sdk(
    cast: Cast,
    rounds: Sequence[Round],
    *,
    streamed: bool = False,
    max_turns: int = 10,
    **options: Any,
) -> Seen:
    """Play a run on live objects only; verdicts name calls as `through_documents` does."""
    run = _Run(cast, streamed=streamed, options=options)
    agent = cast(run.log)
    state = await run.go(agent, "go", max_turns=max_turns)
    for verdicts in (*rounds, {}):
        if state is None or (not verdicts and run.result and not run.result.interruptions):
            break
        for item in state.get_interruptions():
            _decide_live(state, item, verdicts)
        state = await run.go(agent, state)
    return run.seen()


def _decide_live(state: LiveState, item: Any, verdicts: Round) -> None:
    by_id = {name.rpartition("/")[2]: verdict for name, verdict in verdicts.items()}
    verdict = by_id.get(call_id_of(item) or "")
    if verdict is None:
        return
    if verdict.approved:
        state.approve(item, always_approve=verdict.always)
    else:
        state.reject(item, always_reject=verdict.always, rejection_message=verdict.message)


async def through_documents(
    cast: Cast,
    rounds: Sequence[Round],
    *,
    streamed: bool = False,
    codec: str = "json",
    max_turns: int = 10,
    **options: Any,
) -> Seen:
    """Play a run that is a native document at every pause, and has new agents after it."""
    run = _Run(cast, streamed=streamed, options=options)
    live = await run.go(cast(run.log), "go", max_turns=max_turns)
    for verdicts in (*rounds, {}):
        if live is None or run.result is None or (not verdicts and not run.result.interruptions):
            break
        data = hitl.dumps(hitl.capture(run.result), codec=codec)
        data = hitl.dumps(decided(hitl.loads(data), verdicts), codec=codec)
        agent = cast(run.log)
        live = await run.go(agent, await hitl.restore(agent, hitl.loads(data)))
    return run.seen()


def decided(state: hitl.RunState, verdicts: Round) -> hitl.RunState:
    """Give the state with these verdicts."""
    for name, verdict in verdicts.items():
        if verdict.approved:
            state = state.approve(name, always=verdict.always, by="ana")
        else:
            state = state.reject(name, always=verdict.always, message=verdict.message, by="ana")
    return state
