"""T3: whatever ends a run after an approved tool ran, the tool ran once and the run goes on.

Each run is cut once, at each place, and taken up by new agents. What it did in all is held against
the same run undisturbed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from agents import MaxTurnsExceeded, UserError

import hitl
from hitl.errors import InDoubt
from hitl.store import Store
from tests.agents.disturbed import QUIET, SHAPES, Failing, Trouble
from tests.agents.durably import QUIET as CONFIG
from tests.agents.log import Log
from tests.agents.model import plain
from tests.agents.session import MemorySession

if TYPE_CHECKING:
    from collections.abc import Callable


RUN = "run_1"
PAID = ["call_1", "call_2"]


@attrs.define
class Play:
    """One run in a store, and what was seen of it."""

    shape: str
    store: Store
    log: Log = attrs.field(factory=Log)
    session: MemorySession = attrs.field(factory=lambda: MemorySession("s"))
    begun: bool = False
    errors: list[str] = attrs.field(factory=list)

    async def go(self, trouble: Trouble = QUIET, **options: Any) -> hitl.DurableRun:  # noqa: ANN401
        """Start the run, or take it up, with agents of its own."""
        agent = SHAPES[self.shape](self.log, trouble)
        shared: Any = {"run_config": CONFIG, "hooks": Failing(trouble), "store": self.store}
        shared["session"] = self.session
        if self.begun:
            return await hitl.resume(agent, RUN, **shared, **options)
        self.begun = True
        return await hitl.run(agent, "go", run_id=RUN, **shared, **options)

    async def approve(self) -> None:
        """Say yes to all that waits."""
        for request in await self.store.waiting(run_id=RUN):
            await self.store.decide(RUN, request.call, hitl.approve(by="ana"))

    async def through(self, trouble: Trouble = QUIET) -> hitl.DurableRun:
        """Play to the end, approving everything, taking the run up when it is cut."""
        for _ in range(12):
            try:
                run = await self.go(trouble)
            except (Boom, TimeoutError, UserError, asyncio.CancelledError) as exc:
                self.errors.append(type(exc).__name__)
                continue
            if run.status == "finished":
                return run
            await self.approve()
        raise AssertionError(run.status)

    def paid(self) -> list[str | None]:
        """The ids of the calls that ran, in order."""
        return [each.call_id for each in self.log.tool_runs if each.tool == "pay"]


class Boom(Exception):
    """What went wrong."""


async def _boom() -> None:
    raise Boom


async def _timeout() -> None:
    raise TimeoutError


async def _cancel() -> None:
    """Cancel whoever waits for the run, as a web server does when a client goes."""
    for task in asyncio.all_tasks():
        if task.get_name() == "caller":
            task.cancel()
    await asyncio.sleep(0.01)


WHAT: dict[str, Callable[[], Any]] = {"error": _boom, "timeout": _timeout, "cancel": _cancel}


async def _undisturbed(shape: str) -> tuple[Play, hitl.DurableRun]:
    async with hitl.connect("memory:") as store:
        play = Play(shape, store)
        return play, await play.through()


async def _disturbed(shape: str, trouble: Trouble) -> tuple[Play, hitl.DurableRun]:
    async with hitl.connect("memory:") as store:
        play = Play(shape, store)
        while True:
            task = asyncio.create_task(play.through(trouble), name="caller")
            try:
                return play, await task
            except asyncio.CancelledError:
                play.errors.append("CancelledError")


def _same(shape: str, trouble: Trouble) -> Play:
    one, expected = asyncio.run(_undisturbed(shape))
    other, actual = asyncio.run(_disturbed(shape, trouble))
    assert sorted(map(str, other.paid())) == sorted(map(str, one.paid())) == PAID
    assert actual.final_output == expected.final_output
    assert actual.state is not None
    assert expected.state is not None
    assert actual.state.turn == expected.state.turn
    assert plain(other.session.items) == plain(one.session.items)
    return other


@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("shape", SHAPES)
def test_cut_in_a_model_call(shape: str, number: int, what: str) -> None:
    """T3, R-2: a model call fails, times out or is cancelled; nothing is twice."""
    trouble = Trouble("model", number, WHAT[what])
    play = _same(shape, trouble)
    assert bool(play.errors) is (trouble.seen >= number)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("shape", SHAPES)
def test_cancelled_inside_the_tool(shape: str, number: int) -> None:
    """T3: a tool that has begun goes on to its result; the run is let go after that."""
    play = _same(shape, Trouble("tool", number, _cancel))
    assert play.errors == ["CancelledError"]


@pytest.mark.parametrize("place", ["tool_end", "tool_start"])
@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_hook_fails(shape: str, number: int, place: str) -> None:
    """T3: a hook of the user's fails beside a tool; the tool ran once, or not yet."""
    trouble = Trouble(place, number, _boom)
    assert _hooked(shape, trouble)


def _hooked(shape: str, trouble: Trouble) -> bool:
    """The SDK turns what a hook raises into an error of its own kind."""

    async def through() -> Play:
        async with hitl.connect("memory:") as store:
            play = Play(shape, store)
            for _ in range(12):
                try:
                    run = await play.go(trouble)
                except Exception as exc:  # noqa: BLE001 - of the SDK's kinds
                    play.errors.append(type(exc).__name__)
                    continue
                if run.status == "finished":
                    return play
                await play.approve()
            raise AssertionError

    play = asyncio.run(through())
    return sorted(map(str, play.paid())) == PAID


@pytest.mark.parametrize("shape", SHAPES)
def test_turn_limit(shape: str) -> None:
    """T3, R-15: at its limit a run stops whole; only a higher one lets it go on."""

    async def through() -> tuple[Play, hitl.DurableRun, list[str]]:
        async with hitl.connect("memory:") as store:
            play, stops = Play(shape, store), []
            limit = 1
            for _ in range(20):
                try:
                    run = await play.go(max_turns=limit)
                except MaxTurnsExceeded:
                    stops.append(str((await store.run(RUN)).reason))
                    limit += 1
                    continue
                if run.status == "finished":
                    return play, run, stops
                await play.approve()
            raise AssertionError

    one, expected = asyncio.run(_undisturbed(shape))
    other, actual, stops = asyncio.run(through())
    assert other.paid() == one.paid()
    assert actual.final_output == expected.final_output
    assert set(stops) == {"turn_limit"}
    assert len(other.log.requests) == len(one.log.requests)
    assert plain(other.session.items) == plain(one.session.items)


def test_a_tool_that_raises_is_in_doubt() -> None:
    """Rule 5: an approved tool that raised may have done something; somebody must say."""

    async def through() -> None:
        async with hitl.connect("memory:") as store:
            play = Play("parallel", store)
            await play.go()
            await play.approve()
            trouble = Trouble("tool", 1, _boom)
            agent = SHAPES["parallel"](play.log, trouble, failure_error_function=None)
            with pytest.raises(Exception, match="Error running tool"):
                await hitl.resume(agent, RUN, store=store, run_config=CONFIG, session=play.session)
            effects = (await store.load(RUN)).effects
            states = {each.call: each.state for each in effects if each.tool == "pay"}
            assert sorted(states.values()) == ["finished", "in_doubt"]
            with pytest.raises(InDoubt) as caught:
                await play.go()
            doubtful = caught.value.calls[0]
            assert states[doubtful] == "in_doubt"
            await store.settle(RUN, doubtful, "rerun")
            assert (await play.go()).status == "finished"
            assert sorted(map(str, play.paid())) == sorted([*PAID, doubtful])

    asyncio.run(through())
