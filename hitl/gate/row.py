"""What a database must do for the gate: rows in, rows out, one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from attrs import frozen

from hitl.store import Checkpoint, Effect, Request, Run

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from hitl.lifecycle import Status
    from hitl.store import Claim


class Kept(Exception):
    """What this transaction wrote stays, and its caller is told `error`.

    Raised where finding out is itself a change: a claim that finds a call in doubt.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


@frozen(kw_only=True)
class Record:
    """A run's row.

    Attributes:
        run: what everybody may see.
        pause: number of the checkpoint that paused last; 0 while there is none.
        undecided, decided: how many calls of that pause are without and with a verdict.
        asked, logged: how many requests and effects the run has; fewer rows than that is damage.
        starts: how many effects it ever had, with those that were undone.
    """

    run: Run
    pause: int = 0
    undecided: int = 0
    decided: int = 0
    asked: int = 0
    logged: int = 0
    starts: int = 0


@frozen(kw_only=True)
class Asked:
    """A request's row.

    Attributes:
        request: what everybody may see.
        pause: number of the checkpoint that asked last.
        position: place among all requests of the run.
        asked_at: when it was asked first.
        open: whether a verdict can be given: it has none, is of the newest pause, and the run has
            not ended.
    """

    request: Request
    pause: int
    position: int
    asked_at: float
    open: bool = True


@frozen(kw_only=True)
class Logged:
    """An effect's row.

    Attributes:
        run_id: the run.
        effect: what everybody may see.
        position: place among all effects of the run.
    """

    run_id: str
    effect: Effect
    position: int


class Rows(Protocol):
    """The rows of a store inside one transaction.

    `put_…` replaces a row that is there; `add_…` makes one.
    """

    def now(self) -> float:
        """Give the time by the database's clock, in seconds since 1970."""

    def record(self, run_id: str) -> Record | None:
        """Find a run."""

    def add_record(self, record: Record, kickoff: bytes) -> None:
        """Make a run."""

    def put_record(self, record: Record) -> None:
        """Replace a run's row."""

    def remove(self, run_id: str) -> None:
        """Remove a run and all its rows."""

    def records(
        self, status: Collection[Status] | None, after: str | None, limit: int
    ) -> Sequence[Run]:
        """List runs in the order they were made, beginning behind the run `after`."""

    def untouched(self, status: Collection[Status], before: float, limit: int) -> Sequence[str]:
        """List the ids of such runs that were not updated since."""

    def kickoff(self, run_id: str) -> bytes:
        """Give what a run was started with."""

    def add_checkpoint(self, claim: Claim, checkpoint: Checkpoint, new: Sequence[bytes]) -> None:
        """Append to the log and make the checkpoint bound to it."""

    def checkpoint(self, run_id: str, number: int) -> Checkpoint | None:
        """Find a checkpoint."""

    def entries(self, run_id: str, checkpoint: int) -> tuple[bytes, ...]:
        """Give the log as far as it belongs to a checkpoint, verified."""

    def asked(self, run_id: str, call: str) -> Asked | None:
        """Find a request."""

    def all_asked(self, run_id: str) -> Sequence[Asked]:
        """Give every request of a run, by pause and position."""

    def open_asked(self, run_id: str) -> Sequence[Asked]:
        """Give the open requests of a run, by position."""

    def add_asked(self, asked: Asked) -> None:
        """Make a request."""

    def put_asked(self, asked: Asked) -> None:
        """Replace a request's row."""

    def due(self, now: float) -> Sequence[Asked]:
        """Give the open requests whose time is over, by that time."""

    def waiting(self, run_id: str | None, limit: int) -> Sequence[Request]:
        """List the open requests of runs that wait, oldest first."""

    def effect(self, run_id: str, call: str) -> Logged | None:
        """Find an effect."""

    def effects(self, run_id: str) -> Sequence[Logged]:
        """Give every effect of a run, by position."""

    def unsettled(self, run_id: str) -> Sequence[Logged]:
        """Give the effects of a run that are started or in doubt, by position."""

    def add_effect(self, logged: Logged) -> None:
        """Make an effect."""

    def put_effect(self, logged: Logged) -> None:
        """Replace an effect's row."""

    def remove_effect(self, run_id: str, call: str) -> None:
        """Remove an effect."""
