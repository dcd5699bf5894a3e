"""`Desk`: the asynchronous store over the gate. A database adds how a transaction runs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Self, TypeVar

from hitl.gate import checkpoint, decision, lease, ledger, name
from hitl.lifecycle import STATUSES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from types import TracebackType

    from hitl.gate.row import Rows
    from hitl.lifecycle import Status
    from hitl.store import (
        Claim,
        Effect,
        Request,
        Run,
        Save,
        Settlement,
        Stop,
        Stored,
        Verdict,
    )

T = TypeVar("T")


class Desk(ABC):
    """A store; every method does what `hitl.store.Store` says of it.

    A subclass gives `write` and `read`, and opens and closes.
    """

    @abstractmethod
    async def write(
        self, work: Callable[[Rows], T], *, back: Callable[[Rows, T], object] | None = None
    ) -> T:
        """Run `work` in one transaction for writing, commit and give what it gave.

        When it raises, nothing was written, but for `Kept`: that commits and raises its error. When
        the caller is cancelled meanwhile, the transaction is ended first, and what it gave, if that
        is a right nobody now holds, is given back by `back` in a second one.
        """

    @abstractmethod
    async def read(self, work: Callable[[Rows], T]) -> T:
        """Run `work` on one state of the database."""

    @abstractmethod
    async def __aenter__(self) -> Self:
        """Open."""

    @abstractmethod
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""

    @abstractmethod
    async def wipe(self) -> None:
        """Let what was deleted be gone from the medium too."""

    async def create(self, run_id: str, kickoff: bytes, *, worker: str, lease_s: float) -> Claim:
        """Begin a run."""
        work = partial(lease.create, run_id=run_id, kickoff=kickoff, worker=worker, lease_s=lease_s)
        return await self.write(work, back=_forget)

    async def claim(
        self, run_id: str, *, worker: str, lease_s: float, force: bool = False
    ) -> Claim:
        """Take a run."""
        work = partial(lease.claim, run_id=run_id, worker=worker, lease_s=lease_s, force=force)
        return await self.write(work, back=lease.release)

    async def renew(self, claim: Claim, *, lease_s: float) -> Claim:
        """Prolong the lease."""
        return await self.write(partial(lease.renew, claim=claim, lease_s=lease_s))

    async def save(self, claim: Claim, save: Save) -> Run:
        """Append a checkpoint."""
        return await self.write(partial(checkpoint.save, claim=claim, save=save))

    async def release(
        self,
        claim: Claim,
        *,
        reason: Stop | None = None,
        note: str | None = None,
        forget: Sequence[str] = (),
    ) -> Run:
        """End a claim without a checkpoint."""
        work = partial(lease.release, claim=claim, reason=reason, note=note, forget=forget)
        return await self.write(work)

    async def start(
        self, claim: Claim, call: str, *, tool: str, arguments_sha256: str, idempotent: bool = False
    ) -> Effect:
        """Write the intent row of a call."""

        def work(rows: Rows) -> Effect:
            return ledger.start(
                rows,
                claim,
                call,
                tool=tool,
                arguments_sha256=arguments_sha256,
                idempotent=idempotent,
            )

        def back(rows: Rows, effect: Effect) -> None:
            if effect.state == "started":
                ledger.undo(rows, claim, call)

        return await self.write(work, back=back)

    async def finish(self, claim: Claim, call: str, result: bytes) -> Effect:
        """Record the result of a call."""
        return await self.write(partial(ledger.finish, claim=claim, call=call, result=result))

    async def undo(self, claim: Claim, call: str) -> None:
        """Take back an intent."""
        await self.write(partial(ledger.undo, claim=claim, call=call))

    async def decide(self, run_id: str, call: str, verdict: Verdict) -> Request:
        """Record a verdict."""
        work = partial(decision.decide, run_id=run_id, call=call, verdict=verdict)
        return await self.write(work)

    async def expire(self) -> Sequence[Request]:
        """Give what is over its default verdict."""
        return await self.write(decision.expire)

    async def settle(
        self, run_id: str, call: str, settlement: Settlement, *, result: bytes | None = None
    ) -> Run:
        """Say what became of a call in doubt."""
        work = partial(
            ledger.settle, run_id=run_id, call=call, settlement=settlement, result=result
        )
        return await self.write(work)

    async def cancel(self, run_id: str, *, note: str | None = None) -> Run:
        """Give a run up."""
        return await self.write(partial(lease.cancel, run_id=run_id, note=note))

    async def load(self, run_id: str, *, checkpoint: int | None = None) -> Stored:
        """Read a run."""
        return await self.read(partial(_load, run_id=run_id, checkpoint=checkpoint))

    async def run(self, run_id: str) -> Run:
        """Read a run's row."""
        return await self.read(lambda rows: lease.known(rows, run_id).run)

    async def runs(
        self,
        *,
        status: Collection[Status] | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> Sequence[Run]:
        """List runs."""
        name.limit(limit)
        wanted = None if status is None else [each for each in STATUSES if each in status]

        def work(rows: Rows) -> Sequence[Run]:
            if after is not None:
                lease.known(rows, after)
            return rows.records(wanted, after, limit)

        return await self.read(work)

    async def waiting(self, *, run_id: str | None = None, limit: int = 100) -> Sequence[Request]:
        """List the calls that wait."""
        name.limit(limit)

        def work(rows: Rows) -> Sequence[Request]:
            if run_id is not None:
                lease.known(rows, run_id)
            return rows.waiting(run_id, limit)

        return await self.read(work)

    async def delete(self, run_id: str) -> None:
        """Remove a run."""
        await self.write(partial(lease.delete, run_id=run_id))
        await self.wipe()

    async def prune(self, *, older_than_s: float) -> int:
        """Delete the runs that ended long ago."""
        name.seconds(older_than_s)
        count = 0
        while batch := await self.write(partial(lease.prune, older_than_s=older_than_s)):
            count += batch
        if count:
            await self.wipe()
        return count


_load = checkpoint.load


def _forget(rows: Rows, claim: Claim) -> None:
    """Remove the run of a creator that is gone before it knew of it."""
    rows.remove(claim.run_id)
