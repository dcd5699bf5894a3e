"""What a store is: paused runs in bytes, and the gate that lets one worker at a time go on.

A store sees bytes and names, never a dialect or an SDK. It holds, per run: one row that says who
may write (`Run`), checkpoints (a head and a length of the item log), the log in segments chained by
digest, one row per call that waits (`Request`), one per call that ran (`Effect`).

Every method is one transaction: it happened wholly or not at all. After a claim every write carries
it; the store compares its generation first and refuses a stale one with `Superseded`, before
anything is written. Times are seconds since 1970 by the store's own clock.

A cancelled await: the method happened, or not; it is never cut. A run that a cancelled `create`
made is gone again, a claim is given back, an intent of `start` is undone: the caller does not know
of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol, Self

from attrs import frozen

from hitl.lifecycle import Status

if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType

EffectState = Literal[
    "started",  # an intent row: from here on the tool may run
    "finished",  # its result is stored; it is never run again
    "in_doubt",  # its worker is gone, and nobody knows whether it happened
    "rerun",  # somebody said: run it again
]
Settlement = Literal["happened", "rerun", "abandon"]
Stop = Literal["error", "cancel", "turn_limit", "timeout", "kickoff"]


@frozen(kw_only=True)
class Verdict:
    """What a person says of a call; `hitl.approve(...)` and `hitl.reject(...)` make one.

    Attributes:
        approved: whether the call may run.
        always: whether it covers later calls of the same tool of the same agent.
        message: exactly what the model is told of a rejected call; None leaves it to the SDK.
        by, reason: who and why; None when not recorded.
        arguments_sha256: what the person saw, as in `Request`; when given, another call is refused.
    """

    approved: bool
    always: bool = False
    message: str | None = None
    by: str | None = None
    reason: str | None = None
    arguments_sha256: str | None = None


@frozen(kw_only=True)
class Request:
    """A call that waits, or waited, for a person.

    Attributes:
        run_id: the run.
        call: its name: the call id, or `outer/inner` inside an agent used as a tool.
        tool, agent: what a person is shown and the decision is bound to.
        arguments_sha256: SHA-256 of what will run, see `Interruption`.
        body: the call as JSON, for display: `{"kind", "arguments", "raw"}`.
        expires_at: when the default verdict is given; None: never.
        default: the verdict then; None when it never expires.
        verdict: what was said; None while it waits.
        decided_at: when, by the store's clock.
    """

    run_id: str
    call: str
    tool: str
    agent: str | None
    arguments_sha256: str
    body: bytes
    expires_at: float | None = None
    default: Verdict | None = None
    verdict: Verdict | None = None
    decided_at: float | None = None


@frozen(kw_only=True)
class NewRequest:
    """A call that begins to wait; see `Request`.

    Attributes:
        expires_in_s: seconds until the default verdict; None: never.
    """

    call: str
    tool: str
    agent: str | None
    arguments_sha256: str
    body: bytes
    expires_in_s: float | None = None
    default: Verdict | None = None


@frozen(kw_only=True)
class Run:
    """One run as the store knows it, without its content.

    Attributes:
        run_id: its name.
        status: see `hitl.lifecycle`.
        reason: why it stopped; None while it runs or waits.
        note: one line about it for people, such as the class of an error; never a payload.
        generation: how often it was claimed; the fencing token.
        checkpoint: number of the newest checkpoint; 0 while there is none.
        entries: length of the item log.
        worker: who has, or last had, the run.
        lease_until: until when; None when nobody has it.
        kickoff_sha256: digest of what it was started with.
        created_at, updated_at: by the store's clock.
    """

    run_id: str
    status: Status
    generation: int
    checkpoint: int
    entries: int
    kickoff_sha256: str
    created_at: float
    updated_at: float
    reason: Stop | None = None
    note: str | None = None
    worker: str | None = None
    lease_until: float | None = None


@frozen(kw_only=True)
class Effect:
    """One gated call in the effect ledger.

    Attributes:
        call: its name, see `Request`.
        tool, arguments_sha256: what ran.
        state: see `EffectState`.
        generation: the claim under which it started.
        key: the idempotency key: the same whenever this call is run again.
        idempotent: whether the tool said that running it twice under one key is running it once.
        attempt: how often it was started; what became of the times before is not known.
        result: what was recorded; the store does not look into it.
        started_at, finished_at: by the store's clock.
    """

    call: str
    tool: str
    arguments_sha256: str
    state: EffectState
    generation: int
    key: str
    idempotent: bool = False
    attempt: int = 1
    result: bytes | None = None
    started_at: float
    finished_at: float | None = None


@frozen(kw_only=True)
class Claim:
    """The right to go on with a run, until the lease ends or somebody else claims it.

    Attributes:
        run_id, generation: what every write carries.
        worker: who claimed it.
        lease_until: by the store's clock.
        created_at: when the run was made; a later run of the same id is another run.
    """

    run_id: str
    generation: int
    worker: str
    lease_until: float
    created_at: float


@frozen(kw_only=True)
class Checkpoint:
    """A run as it was at one moment.

    Attributes:
        number: counts from 1 within the run.
        head: everything but the log.
        entries: how much of the log belongs to it.
        generation: the claim that wrote it.
        status: the status it brought the run into.
        at: when, by the store's clock.
    """

    number: int
    head: bytes
    entries: int
    generation: int
    status: Status
    at: float


@frozen(kw_only=True)
class Stored:
    """What is needed to go on with a run, or to show it.

    Attributes:
        run: its row.
        kickoff: what it was started with.
        checkpoint: the one asked for; None when there is none yet.
        entries: the log up to that checkpoint, each entry as it was handed in.
        requests: every call that ever waited, in order; those of the newest pause last.
        effects: every gated call that started, in order.
    """

    run: Run
    kickoff: bytes
    checkpoint: Checkpoint | None
    entries: tuple[bytes, ...]
    requests: tuple[Request, ...]
    effects: tuple[Effect, ...]


@frozen(kw_only=True)
class Save:
    """What a checkpoint writes.

    Attributes:
        event: `save`, `pause`, `stop` or `finish`.
        head: everything but the log.
        base: how long the log must be; another length is refused as `Superseded`.
        new: the entries to append.
        requests: the calls that wait from now on. A call that has a row already keeps it, verdict
            and all; a request with other bytes under that name is refused.
        forget: effects whose results this checkpoint holds, or that will not be run again; their
            rows go.
        reason, note: see `Run`.
    """

    event: Literal["save", "pause", "stop", "finish"]
    head: bytes
    base: int
    new: Sequence[bytes] = ()
    requests: Sequence[NewRequest] = ()
    forget: Sequence[str] = ()
    reason: Stop | None = None
    note: str | None = None


class Cipher(Protocol):
    """Seals what a store writes (kickoff, head, log, bodies, results) and opens what it reads."""

    def seal(self, data: bytes) -> bytes:
        """Encrypt."""

    def open(self, data: bytes) -> bytes:
        """Decrypt; raises on anything `seal` did not make."""


class Store(Protocol):
    """Where paused runs live. `async with hitl.connect(url) as store`.

    Errors of the contract: `UnknownRun` from every method that names a run, `StoreUnavailable` when
    the database cannot do it now (busy, full, gone), `StoreCorrupt` when what is stored is not what
    was written, `ValueRefused` for an id, a name or a number that no store lets in (`hitl.gate`).
    """

    async def __aenter__(self) -> Self:
        """Open, and bring the schema up to date."""

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""

    async def create(self, run_id: str, kickoff: bytes, *, worker: str, lease_s: float) -> Claim:
        """Begin a run, claimed by its creator (generation 1).

        Raises:
            RunExists: there is one of that id; `same` says whether with the same kickoff.
        """

    async def claim(
        self, run_id: str, *, worker: str, lease_s: float, force: bool = False
    ) -> Claim:
        """Take a run and raise its generation: whoever had it can write no more.

        A dead worker's run can be claimed when its lease has ended. Its calls that started and have
        no result become in doubt, in this transaction; then nobody gets the run. Calls of tools
        that are idempotent become `rerun` instead.

        Args:
            run_id: the run.
            worker: who asks.
            lease_s: for how long.
            force: claim although no call has a verdict and nothing else can be done.

        Raises:
            AlreadyClaimed: somebody has it; says who, and until when.
            NotClaimable: it is finished or cancelled, or waits and no verdict is unused.
            InDoubt: a call was cut; says which.
        """

    async def renew(self, claim: Claim, *, lease_s: float) -> Claim:
        """Prolong the lease.

        Raises:
            Superseded: the run has been claimed by somebody else, cancelled or deleted.
        """

    async def save(self, claim: Claim, save: Save) -> Run:
        """Append a checkpoint; every event but `save` ends the claim.

        Verdicts that were given are kept: when every request of a pause has one the run is ready at
        once. To end a claim while a call is started and not finished brings the run in doubt,
        unless its tool is idempotent.

        Raises:
            Superseded: see `renew`; also when the log is not as long as `save.base`.
            UnknownCall: an effect to forget is not there, or it is not known what became of it.
        """

    async def release(
        self,
        claim: Claim,
        *,
        reason: Stop | None = None,
        note: str | None = None,
        forget: Sequence[str] = (),
    ) -> Run:
        """End a claim without a checkpoint: the run stays as its newest checkpoint says.

        With `reason`, it is stopped; without, it goes back to waiting or ready if its newest
        checkpoint is a pause, and is stopped otherwise. Calls in between become in doubt as in
        `save`. The effects in `forget` will be run anew: their rows go.

        Raises:
            Superseded: see `renew`.
            UnknownCall: see `save`.
        """

    async def start(
        self, claim: Claim, call: str, *, tool: str, arguments_sha256: str, idempotent: bool = False
    ) -> Effect:
        """Write the intent row of a gated call; the tool may run only when this has returned.

        Returns:
            The row: `started` now, or `finished` with the result of an earlier run of it.

        Raises:
            Superseded: see `renew`.
            InDoubt: it started before and has no result, under this claim too.
            ArgumentsChanged: it started before with another tool or other arguments, or people were
                asked about other arguments.
            NotApproved: people were asked, and the call has no verdict or was rejected; an approval
                for always of the same tool and agent speaks for a call without one.
        """

    async def finish(self, claim: Claim, call: str, result: bytes) -> Effect:
        """Record the result of a call that was started under this claim.

        Recording the same result again changes nothing, so that it can be tried again after
        `StoreUnavailable`.

        Raises:
            UnknownCall: it was not started under this claim, or has another result.
            Superseded: see `renew`.
        """

    async def undo(self, claim: Claim, call: str) -> None:
        """Take back the intent of a call of which it is sure that the tool was not entered.

        Raises:
            UnknownCall: it was not started under this claim, or has a result.
            Superseded: see `renew`.
        """

    async def decide(self, run_id: str, call: str, verdict: Verdict) -> Request:
        """Record a verdict; the first wins. With the last one missing a waiting run becomes ready.

        While a worker goes on with other calls of the newest pause, and while the run is stopped, a
        verdict is recorded and kept for the next pause.

        A verdict of a call that is already past its time is refused: the default was given.

        Raises:
            UnknownCall: no such call waits in this run.
            AmbiguousCall: more than one does under that last part of its name.
            AlreadyDecided: with the verdict that was first: who, and when.
            ArgumentsChanged: the verdict is for other arguments.
        """

    async def expire(self) -> Sequence[Request]:
        """Give every request whose time is over its default verdict; the ones that got it."""

    async def settle(
        self, run_id: str, call: str, settlement: Settlement, *, result: bytes | None = None
    ) -> Run:
        """Say what became of a call in doubt.

        Args:
            run_id: the run.
            call: the call.
            settlement: it `happened` with `result`; `rerun` it; or `abandon` the run, which
                cancels it.
            result: what is recorded as its result; with `happened` only.

        Raises:
            UnknownCall: no such call is in doubt.
        """

    async def cancel(self, run_id: str, *, note: str | None = None) -> Run:
        """Give a run up that nobody is working on; a dead worker's too.

        Raises:
            AlreadyClaimed: somebody is.
            NotClaimable: it is finished or cancelled.
        """

    async def load(self, run_id: str, *, checkpoint: int | None = None) -> Stored:
        """Read a run, as it is or as it was at a checkpoint; verifies every digest.

        Raises:
            UnknownRun: no such run, or no such checkpoint.
        """

    async def run(self, run_id: str) -> Run:
        """Read a run's row."""

    async def runs(
        self,
        *,
        status: Collection[Status] | None = None,
        limit: int = 100,
        after: str | None = None,
    ) -> Sequence[Run]:
        """List runs, oldest first; `after` is the id of the last one of the page before."""

    async def waiting(self, *, run_id: str | None = None, limit: int = 100) -> Sequence[Request]:
        """List the calls without a verdict of the runs that wait, oldest first."""

    async def delete(self, run_id: str) -> None:
        """Remove a run and everything of it, also from the free pages of the database.

        Raises:
            AlreadyClaimed: somebody is working on it.
        """

    async def prune(self, *, older_than_s: float) -> int:
        """Delete the runs that ended and were not touched for so long; gives how many.

        In transactions of at most a hundred runs, so that others can write in between.
        """


def digest(data: bytes) -> str:
    """Give the SHA-256 of `data`, in hex."""
    return hashlib.sha256(data).hexdigest()


def idempotency_key(run_id: str, call: str) -> str:
    """Give the key of a call: the same whenever it is run again, in any process."""
    return digest(f"{run_id}\n{call}".encode())[:32]
