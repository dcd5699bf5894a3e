"""Random durable runs on the real SDK: each item received once and in order, or in doubt (law 7).

Every process is a new one, and may be killed at any step; every request may fail in any way.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as walk

from tests.conversation.api import BEFORE, UNKNOWN
from tests.conversation.world import TEXTS, Plan, Trouble, World

TURNS = st.lists(
    st.lists(st.sampled_from(["pay", "look"]), min_size=1, max_size=3).map(tuple), max_size=3
).map(tuple)
import os

MODES = (
    st.sampled_from(os.environ["MODES"].split(","))
    if "MODES" in os.environ
    else st.sampled_from(["local", "session", "conversation", "conversation", "chain", "auto"])
)
FAULTS = st.lists(st.sampled_from([None, None, *BEFORE, *UNKNOWN]), max_size=2).map(tuple)
KILLED_AT = st.one_of(st.none(), st.integers(1, 15), st.integers(1, 50))


class Walk(RuleBasedStateMachine):
    """A run, and what befalls it."""

    seen: ClassVar[Counter[str]] = Counter()
    world: World
    moves = 0

    @initialize(
        turns=TURNS,
        mode=MODES,
        gate=st.sampled_from(["approval", "all"]),
        max_turns=st.sampled_from([1, 2, 10]),
    )
    def begin(self, turns: Any, mode: Any, gate: str, max_turns: int) -> None:  # noqa: ANN401
        """Somebody has a plan."""
        self.world = World(Plan(turns=turns, mode=mode, gate=gate, max_turns=max_turns))
        self.seen[mode] += 1

    @rule(faults=FAULTS, killed_at=KILLED_AT, streamed=st.booleans(), retries=st.booleans())
    def work(self, faults: Any, killed_at: int | None, *, streamed: bool, retries: bool) -> None:  # noqa: ANN401
        """A process works on the run."""
        trouble = Trouble(faults=faults, killed_at=killed_at, streamed=streamed, retries=retries)
        outcome = self.world.process(trouble)
        self.seen[outcome] += 1
        if outcome == "limit":
            self.world.limit += 1

    @precondition(lambda self: self.world.waiting())
    @rule(data=st.data(), yes=st.sampled_from([True, True, False]))
    def decide(self, data: Any, *, yes: bool) -> None:  # noqa: ANN401 - hypothesis has no name
        """A person says yes or no to one call."""
        self.world.decide(data.draw(st.sampled_from(self.world.waiting())), yes=yes)

    @precondition(lambda self: self.world.doubt)
    @rule(listing=st.booleans())
    def settle(self, *, listing: bool) -> None:
        """Somebody says what became of what is in doubt, or the server lists it."""
        self.seen["settled by a listing" if listing else "settled by a person"] += 1
        self.world.settle(listing=listing)

    @precondition(lambda self: hasattr(__import__("hitl"), "add_input"))
    @rule(text=st.sampled_from(TEXTS))
    def say(self, text: str) -> None:
        """Somebody says something while the run is paused, often the same again."""
        self.seen["said" if self.world.say(text) else "not said"] += 1

    @precondition(lambda self: self.moves < 2 and self.world.places())
    @rule(data=st.data())
    def move(self, data: Any) -> None:  # noqa: ANN401 - hypothesis has no name
        """The history is kept elsewhere from now on."""
        self.moves += 1
        self.world.place = data.draw(st.sampled_from(self.world.places()))
        self.seen["moved"] += 1

    def teardown(self) -> None:
        """Undisturbed it comes to its end."""
        if hasattr(self, "world"):
            self.world.finish()
            self.seen["sequences"] += 1


def play(count: int, steps: int = 8) -> None:
    """Play so many runs."""
    Walk.seen.clear()
    walk(
        Walk,
        settings=settings(
            max_examples=count,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
    print(" | ".join(f"{what}: {n:,}" for what, n in sorted(Walk.seen.items())))  # noqa: T201


def test_runs() -> None:
    """Law 7: 500 runs."""
    play(500)
    assert Walk.seen["sequences"] >= 500


@pytest.mark.soak
def test_many_runs() -> None:
    """The same with 10,000 runs."""
    play(10_000)
