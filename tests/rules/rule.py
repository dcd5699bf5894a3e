"""What a rule is: its number, where it applies, and the code that shows it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any, Literal, get_args

import attrs

if TYPE_CHECKING:
    from tests.rules.stage import Stage

Mode = Literal["plain", "session", "conversation", "chain"]
MODES: tuple[Mode, ...] = get_args(Mode)
SERVER: tuple[Mode, ...] = ("conversation", "chain")

Play = Callable[["Stage"], Coroutine[Any, Any, None]]
RULES: dict[str, Rule] = {}
"""Name → rule, those whose modules were imported."""


@attrs.frozen(kw_only=True)
class Rule:
    """One rule, as a play on a stage.

    Attributes:
        name: as in the specification.
        law: what it says, in a sentence.
        play: shows it; raises where it does not hold.
        absent: mode → why it does not apply there.
    """

    name: str
    law: str
    play: Play
    absent: Mapping[Mode, str]


@attrs.frozen(kw_only=True)
class Cell:
    """One rule in one mode, streamed or not."""

    rule: str
    mode: Mode
    streamed: bool

    @property
    def name(self) -> str:
        """What the cell is called in tests and tables."""
        return f"{self.rule} {self.mode} {'streamed' if self.streamed else 'whole'}"

    @property
    def absent(self) -> str | None:
        """Why the rule does not apply here; None where it does."""
        return RULES[self.rule].absent.get(self.mode)


def rule(name: str, **absent: str) -> Callable[[Play], Play]:
    """Register the play of a rule; `absent` says why it does not apply in a mode."""
    unknown = absent.keys() - set(MODES)
    if unknown:
        raise LookupError(f"expected modes, found {unknown}")

    def register(play: Play) -> Play:
        law = " ".join((play.__doc__ or "").split())
        if not law or name in RULES:
            raise LookupError(f"expected {name} once, with a docstring")
        reasons = {mode: absent[mode] for mode in MODES if mode in absent}
        RULES[name] = Rule(name=name, law=law, play=play, absent=reasons)
        return play

    return register


def cells() -> list[Cell]:
    """Every rule in every mode, streamed and not."""
    return [
        Cell(rule=name, mode=mode, streamed=streamed)
        for name in sorted(RULES, key=_place)
        for mode in MODES
        for streamed in (False, True)
    ]


def _place(name: str) -> tuple[str, int]:
    """Where a rule stands in the specification."""
    letter, _, number = name.partition("-")
    return letter, int(number)
