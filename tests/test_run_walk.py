"""Random durable runs on the real SDK: each item received once and in order, or in doubt (law 7).

Every process is a new one and is killed at any step; every request fails in any way. What a run
came to is read from what the server, the session and the tools received, see `World.check`.
"""

# ruff: noqa: ANN401  (hypothesis has no names for what it draws)

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from hypothesis.stateful import run_state_machine_as_test as walk

from tests.conversation.api import BEFORE, UNKNOWN
from tests.conversation.judge import TEXTS
from tests.conversation.plan import Plan, Trouble
from tests.conversation.world import World

TURN = st.lists(st.sampled_from(["pay", "pay", "look", "ask"]), min_size=1, max_size=3).map(tuple)
MODES = st.sampled_from(["conversation", "conversation", "session", "local", "chain", "auto"])
FAULTS = st.lists(st.sampled_from([None, *BEFORE, *UNKNOWN]), max_size=2).map(tuple)
# A process of one turn takes about twenty steps; one that begins to wait fewer.
KILLED_AT = st.one_of(st.none(), st.integers(1, 12), st.integers(1, 40))
TROUBLE = st.builds(
    Trouble,
    faults=FAULTS,
    inside=st.sampled_from([False, False, True]),
    killed_at=KILLED_AT,
    streamed=st.booleans(),
    retries=st.booleans(),
    late=st.sampled_from([False, False, True]),
)
# Which of several: drawn before anybody knows how many there are. What a process that is killed has
# done depends on the order of what it does at once, and no draw may depend on that.
NUMBER = st.integers(0, 11)
PARTS = 10
EVENTS = {
    "finished",
    "waiting",
    "killed",
    "failed",
    "doubt",
    "limit",
    "said",
    "moved",
    "replayed",
    "late",
    "others",
}


class Walk(RuleBasedStateMachine):
    """A run, and what befalls it."""

    seen: ClassVar[Counter[str]] = Counter()
    world: World
    moves = 0

    @initialize(
        turns=st.lists(TURN, min_size=1, max_size=3).map(tuple),
        mode=MODES,
        gate=st.sampled_from(["approval", "all"]),
        max_turns=st.sampled_from([10, 10, 1, 2]),
    )
    def begin(self, turns: Any, mode: Any, gate: str, max_turns: int) -> None:
        """Somebody has a plan."""
        self.world = World(Plan(turns=turns, mode=mode, gate=gate, max_turns=max_turns))
        self.world.seen = self.seen
        self.seen[mode] += 1

    @rule(trouble=TROUBLE)
    def work(self, trouble: Trouble) -> None:
        """A process works on the run."""
        if self.world.process(trouble) == "limit":
            self.world.limit += 1

    @rule(number=NUMBER, yes=st.sampled_from([True, True, False]))
    def decide(self, number: int, *, yes: bool) -> None:
        """A person says yes or no to one call."""
        waiting = self.world.waiting()
        if waiting:
            self.world.decide(waiting[number % len(waiting)], yes=yes)

    @rule(killed_at=KILLED_AT)
    def approve_all(self, killed_at: int | None) -> None:
        """A person says yes to all that waits, and a process goes on."""
        for call in self.world.waiting():
            self.world.decide(call, yes=True)
        if self.world.process(Trouble(killed_at=killed_at)) == "limit":
            self.world.limit += 1

    @rule(listing=st.booleans())
    def settle(self, *, listing: bool) -> None:
        """Somebody says what became of what is in doubt, or the server lists it."""
        self.world.settle(listing=listing)

    @rule(text=st.sampled_from(TEXTS))
    def say(self, text: str) -> None:
        """Somebody says something while the run is paused, often the same again (R-44)."""
        self.seen["said" if self.world.say(text) else "not said"] += 1

    @rule(whole=st.booleans())
    def others(self, *, whole: bool) -> None:
        """Somebody else writes to the session: a turn, its beginning, or the end of it."""
        self.world.others(whole=whole)

    @rule(number=NUMBER)
    def move(self, number: int) -> None:
        """The history is kept elsewhere from now on."""
        places = self.world.places() if self.moves < 2 else []
        if places:
            self.moves += 1
            self.world.move(places[number % len(places)])
            self.seen["moved"] += 1

    def teardown(self) -> None:
        """Undisturbed it comes to its end."""
        if hasattr(self, "world"):
            self.world.finish()
            self.seen["sequences"] += 1


def play(examples: int, steps: int = 8, part: int = 0) -> None:
    """Play runs; of each example hypothesis makes one at least. Each part plays others."""
    Walk.seen.clear()
    walk(
        seed(part)(Walk),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
    print(" | ".join(f"{what}: {n:,}" for what, n in sorted(Walk.seen.items())))  # noqa: T201


def test_runs() -> None:
    """Laws 7 and 8, R-2, R-3, R-44, R-50, X-9: 500 runs."""
    play(500)
    assert Walk.seen["sequences"] >= 500
    assert EVENTS - {event for event, times in Walk.seen.items() if times} == set()


@pytest.mark.soak
@pytest.mark.parametrize("part", range(1, PARTS + 1))
def test_many_runs(part: int) -> None:
    """The same with 10,000 runs, in parts that may be played side by side."""
    play(10_000 // PARTS, steps=14, part=part)
    assert Walk.seen["sequences"] >= 10_000 // PARTS
