"""What is played: a definition, what is said to its calls and when, and whether it is streamed."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import attrs

from tests.node.definitions import DEFINITIONS
from tests.node.players import Job, Outcome, Verdict

DECIDED = ("apply_patch", "hosted_mcp", "nested", "parallel", "parallel_session", "plain", "shell")
"""Definitions that are played with every verdict: one per kind of call, and several at once."""
_SAID: tuple[Verdict, ...] = ("always", "reject", "told", "never")
PARTLY: Literal["partly"] = "partly"
"""Not a verdict: the first call is approved, the others are left, and the run goes on once."""
Said: TypeAlias = Verdict | Literal["partly"]

_PARTLY: dict[str, Verdict] = {"call_1": "approve"}


class Case(NamedTuple):
    """One way through a definition.

    Attributes:
        definition: a key of `DEFINITIONS`.
        verdict: what is said at the first pause; later pauses are approved.
        decided: whether it is said before the state is written; else after it is read.
        streamed: whether both runs are streamed.
    """

    definition: str
    verdict: Said = "approve"
    decided: bool = False
    streamed: bool = False

    @property
    def name(self) -> str:
        """The case as one word."""
        when = "before" if self.decided else "after"
        return f"{self.definition}/{self.verdict}/{when}/{'streamed' if self.streamed else 'whole'}"

    def pause(self) -> Job:
        """How it begins."""
        job = Job(definition=self.definition, streamed=self.streamed)
        if not self.decided:
            return job
        if self.verdict == PARTLY:
            return attrs.evolve(job, exact=_PARTLY)
        return attrs.evolve(job, verdict=self.verdict)

    def resume(self, paused: Outcome, state: str, session: list[object] | None) -> Job:
        """How it goes on from this state and session.

        Args:
            paused: what was seen of the pause: calls that are decided are not decided again.
            state: what is read, in the player's own form.
            session: what the session holds, in the player's own form.
        """
        waited: list[str] = [stop[2] for stop in paused["stops"][0]]
        job = Job(
            definition=self.definition, streamed=self.streamed, state=state, session=session or ()
        )
        if self.verdict == PARTLY:
            return attrs.evolve(job, exact={} if self.decided else _PARTLY, legs=1)
        said: Verdict = "leave" if self.decided else self.verdict
        return attrs.evolve(job, verdict="approve", exact=dict.fromkeys(waited, said))


def _every() -> list[Case]:
    cases = [Case(name, streamed=streamed) for name in DEFINITIONS for streamed in (False, True)]
    for name in DECIDED:
        said: tuple[Said, ...] = _SAID
        if name.startswith("parallel"):
            said = (*_SAID, PARTLY)
        for streamed in (False, True):
            cases += [Case(name, verdict, streamed=streamed) for verdict in said]
            cases += [
                Case(name, verdict, decided=True, streamed=streamed)
                for verdict in ("approve", *said)
            ]
    return sorted(cases)


CASES: tuple[Case, ...] = tuple(_every())
REDUCED: tuple[Case, ...] = tuple(
    case for case in CASES if not case.streamed and (case.verdict == "approve") != case.decided
)
"""Every definition approved after the state was read; every other verdict before it was written."""
