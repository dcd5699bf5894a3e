"""How a state of our own is recorded: a scenario, and what to play until the state is written."""

# ruff: noqa: ANN401  (`given` is any input, `options` are those of Runner.run)

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
from agents import RunConfig, Runner, RunState
from agents.exceptions import AgentsException

from tests.agents.oracle import Decide, LiveState, call_id_of
from tests.agents.scenario import Scenario, Stage

if TYPE_CHECKING:
    from agents import RunResult, RunResultStreaming

Play: TypeAlias = Callable[[Stage], Awaitable[LiveState]]
Step: TypeAlias = Callable[[Stage, LiveState], Awaitable[LiveState]]


@attrs.frozen(kw_only=True)
class Take:
    """One recording.

    Attributes:
        scenario: how the recorded state resumes.
        play: runs a fresh stage up to the state to write.
        then: what happens to the state before it is written, in order.
        write: keyword arguments of `RunState.to_json`.
        earlier: items the session holds before the run.
    """

    scenario: Scenario
    play: Play
    then: Sequence[Step] = ()
    write: dict[str, Any] = attrs.field(factory=dict)
    earlier: Sequence[Any] = ()

    async def document(self, stage: Stage) -> dict[str, Any]:
        """Play, and write the state down as the SDK does."""
        state = await self.play(stage)
        for step in self.then:
            state = await step(stage, state)
        return state.to_json(**self.write)


async def run(
    stage: Stage,
    given: Any,
    *,
    streamed: bool = False,
    **options: Any,
) -> RunResult | RunResultStreaming:
    """Run on a stage, drained; tracing is off unless `run_config` says otherwise."""
    quiet = RunConfig(tracing_disabled=True)
    options = {"run_config": quiet, "session": stage.memory, **stage.options, **options}
    if not streamed:
        return await Runner.run(stage.agent, given, **options)
    result = Runner.run_streamed(stage.agent, given, **options)
    async for _ in result.stream_events():
        pass
    return result


def pause(given: Any = "go", *, streamed: bool = False, **options: Any) -> Play:
    """Run until it asks for approval; `context` may be a function, for contexts made fresh."""

    async def play(stage: Stage) -> LiveState:
        result = await run(stage, given, streamed=streamed, **options)
        assert result.interruptions, result.final_output
        return result.to_state()

    return play


def decided(decide: Decide, *call_ids: str) -> Step:
    """Decide these calls."""

    async def step(_stage: Stage, state: LiveState) -> LiveState:
        for item in state.get_interruptions():
            if call_id_of(item) in call_ids:
                decide(state, item)
        return state

    return step


def resumed(*, streamed: bool = False, **options: Any) -> Step:
    """Go on until the next pause, or the end."""

    async def step(stage: Stage, state: LiveState) -> LiveState:
        return (await run(stage, state, streamed=streamed, **options)).to_state()

    return step


def broken_off(error: type[BaseException], **options: Any) -> Step:
    """Go on until this error; what is left in the state is written."""

    async def step(stage: Stage, state: LiveState) -> LiveState:
        try:
            await run(stage, state, **options)
        except error:
            return state
        raise AssertionError(error)

    return step


async def reloaded(stage: Stage, state: LiveState) -> LiveState:
    """Written and read by the SDK once."""
    return await RunState.from_json(stage.agent, state.to_json())


def staged_input(given: Any) -> Step:
    """Input that waits for the next turn."""

    async def step(_stage: Stage, state: LiveState) -> LiveState:
        state.add_input(given)
        return state

    return step


def streamed_failure(given: Any = "go", **options: Any) -> Play:
    """A streamed run that the SDK breaks off by an error of its own; its state is written."""

    async def play(stage: Stage) -> LiveState:
        result = Runner.run_streamed(
            stage.agent,
            given,
            session=stage.memory,
            **{"run_config": RunConfig(tracing_disabled=True), **stage.options, **options},
        )
        try:
            async for _ in result.stream_events():
                pass
        except (AgentsException, OSError):
            await asyncio.sleep(0)
            return result.to_state()
        raise AssertionError("the run did not fail")

    return play
