"""Random runs that are paused, told things, decided, cut and taken up: each text once, in order."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hitl
from tests.conversation.durable import MODES, RUN, Stage, TurnedDown, short
from tests.conversation.server import called, replied

if TYPE_CHECKING:
    from collections.abc import Callable

    from hitl.store import Store

SEEN: Counter[str] = Counter()

TEXTS = st.sampled_from(["more", "more", "less"])  # mostly the same text again
STEPS = st.one_of(
    st.tuples(st.just("add"), TEXTS),
    st.tuples(st.just("decide"), st.integers(0, 1)),
    st.tuples(st.just("resume"), st.just("")),
    st.tuples(st.just("tell"), TEXTS),  # while a tool runs
    st.tuples(st.just("cut"), st.integers(1, 3)),  # the model turns so many requests down
)


@attrs.frozen
class Plan:
    """A run: how many calls each response makes, and what is done to it."""

    mode: str
    streamed: bool
    calls: tuple[int, ...]
    steps: tuple[tuple[str, Any], ...]


PLANS = st.builds(
    Plan,
    mode=st.sampled_from([*MODES]),
    streamed=st.booleans(),
    calls=st.lists(st.integers(1, 2), min_size=1, max_size=3).map(tuple),
    steps=st.lists(STEPS, max_size=12).map(tuple),
)


class Walk:
    """One run, step by step.

    Attributes:
        said: what was taken, in order.
    """

    def __init__(self, store: Store, plan: Plan) -> None:
        names = iter(range(10))
        answers = [[called(str(next(names))) for _ in range(count)] for count in plan.calls]
        self.turns = len(answers) + 1
        self.store, self.plan, self.said = store, plan, ["go"]
        end = [replied("end")]
        self.stage = Stage(store, plan.mode, *answers, end, streamed=plan.streamed)
        self.run: hitl.DurableRun | None = None

    async def play(self) -> None:
        """Play the plan, then go to the end."""
        self.run = await self.stage.step(max_turns=self.turns)
        for what, how in self.plan.steps:
            if self._over():
                break
            await getattr(self, what)(how)
            SEEN[what] += 1
        self.stage.model.busy = 0
        while not self._over():
            await self.decide(0)
            await self.decide(0)
            await self.resume("")
        self.check()

    def _over(self) -> bool:
        return self.run is not None and self.run.status == "finished"

    async def add(self, text: str) -> None:
        """Say something while the run rests."""
        self.run = await self.stage.add(text)
        self.said.append(text)

    async def decide(self, index: int) -> None:
        """Say yes to one of the calls that wait."""
        waiting = await self.store.waiting(run_id=RUN)
        if waiting:
            await self.stage.approve(waiting[index % len(waiting)].call)

    async def resume(self, _: object) -> None:
        """Go on, if the model lets it."""
        before = len(self.stage.ran)
        try:
            self.run = await self.stage.step()
        except TurnedDown:
            self.run = None
            SEEN["turned down"] += 1
        SEEN["calls"] += len(self.stage.ran) - before

    async def cut(self, count: int) -> None:
        """Let the model turn requests down from now on."""
        await self.decide(0)
        self.stage.model.busy = count
        await self.resume("")

    async def tell(self, text: str) -> None:
        """Go on, and say something while a tool runs."""

        async def say(_call_id: str) -> None:
            if self.stage.stream is not None:
                self.stage.stream.add_input(text)
                self.said.append(text)
                SEEN["told"] += 1

        await self.decide(1)
        self.stage.in_tool = say
        await self.resume("")
        self.stage.in_tool = _quiet

    def check(self) -> None:
        """Nothing is lost, nothing is twice, no turn is lost or won."""
        stage = self.stage
        assert [each for each in stage.told if each in {"go", "more", "less"}] == self.said
        calls = [str(number) for number in range(sum(self.plan.calls))]
        assert sorted(stage.ran) == calls
        assert self.run is not None
        assert self.run.state is not None
        assert self.run.state.turn.current == self.run.state.turn.max == self.turns
        assert len(self.run.state.pending_input) == 0
        assert len(stage.server.received) == self.turns
        if self.plan.mode == "session":
            assert sorted(short(stage.session.items)) == sorted(stage.told)
        SEEN["runs"] += 1


async def _quiet(_call_id: str) -> None:
    """Say nothing."""


def _walks(count: int) -> Callable[[], None]:
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(PLANS)
    def walk(plan: Plan) -> None:
        async def play() -> None:
            async with hitl.connect("memory:") as store:
                await Walk(store, plan).play()

        asyncio.run(play())

    def walks() -> None:
        SEEN.clear()
        walk()
        print(" | ".join(f"{what}: {n:,}" for what, n in sorted(SEEN.items())))  # noqa: T201
        assert SEEN["runs"] >= count
        assert min(SEEN.values()) > 10, SEEN

    return walks


def test_walks() -> None:
    """R-40, R-42, R-44, R-45, R-2, X-9: random runs, each text told once and in order."""
    _walks(60)()


@pytest.mark.soak
def test_many_walks() -> None:
    """The same with 2,000 runs."""
    _walks(2_000)()
