"""What is played: a scenario, a verdict, when it is given, and whether runs are streamed."""

from __future__ import annotations

from typing import NamedTuple

VERDICTS: dict[str, tuple[str, ...]] = {
    "plain": ("approve", "reject", "told", "always", "never"),
    "nested": ("approve", "reject", "always"),
    "handoff": ("approve",),
    "native": ("approve", "reject"),
    "hosted_mcp": ("approve", "reject", "always"),
    "local_mcp": ("approve",),
    "conversation": ("approve",),
    "previous": ("approve",),
    "auto": ("approve",),
    "session": ("approve",),
    "guardrails": ("approve",),
}
"""Scenario → the verdicts it is played with. told: rejected with a message; always and never: for
all later calls too."""


class Case(NamedTuple):
    """One way through a scenario.

    Attributes:
        scenario: a key of `VERDICTS`.
        verdict: what is decided at the pause.
        decided: whether by the SDK before the state is saved; else after it is read.
        streamed: whether both runs are streamed.
    """

    scenario: str
    verdict: str
    decided: bool
    streamed: bool

    @property
    def name(self) -> str:
        """The case as one word, to name it in JSON."""
        when = "before" if self.decided else "after"
        return f"{self.scenario}/{self.verdict}/{when}/{'streamed' if self.streamed else 'whole'}"

    @classmethod
    def named(cls, name: str) -> Case:
        """The case of that name."""
        scenario, verdict, when, how = name.split("/")
        return cls(scenario, verdict, when == "before", how == "streamed")


CASES: tuple[Case, ...] = tuple(
    Case(scenario, verdict, decided, streamed)
    for scenario, verdicts in VERDICTS.items()
    for verdict in verdicts
    for decided in (False, True)
    for streamed in (False, True)
)
