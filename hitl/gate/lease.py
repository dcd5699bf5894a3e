"""Who may write: create, claim, renew, release, cancel, delete, prune."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from attrs import evolve

from hitl.errors import (
    AlreadyClaimed,
    InDoubt,
    NotClaimable,
    RunExists,
    Superseded,
    UnknownCall,
    UnknownRun,
)
from hitl.gate import name
from hitl.gate.row import Kept, Record
from hitl.lifecycle import STATUSES, Status, after, ended, taken, waits
from hitl.store import Claim, Run, digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.gate.row import Rows
    from hitl.lifecycle import Event
    from hitl.store import EffectState, Stop

BATCH = 100  # runs that `prune` deletes in one transaction: other writers wait for it

_RECONCILE = "say what became of it: `hitl reconcile`, or `store.settle`"


def moment(at: float | None) -> str | None:
    """Give a time of the database as ISO 8601."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def known(rows: Rows, run_id: str) -> Record:
    """Give the row of a run.

    Raises:
        UnknownRun: there is none.
    """
    record = rows.record(name.run_id(run_id))
    if record is None:
        raise UnknownRun("expected the id of a stored run, found none of that id")
    return record


def held(rows: Rows, claim: Claim) -> Record:
    """Give the row of a run that `claim` may still write.

    Raises:
        Superseded: it may not.
    """
    record = rows.record(name.run_id(claim.run_id))
    if record is None:
        raise Superseded("the run has been deleted")
    run = record.run
    mine = (run.generation, run.worker, run.created_at, taken(run.status))
    if mine != (claim.generation, claim.worker, claim.created_at, True):
        raise Superseded(
            f"expected generation {claim.generation} of the run in the hands of its worker, found "
            f"generation {run.generation}, {run.status}",
            hint="another worker, or a person, has taken the run: stop working on it",
        )
    return record


def refuse_live(run: Run, now: float) -> None:
    """Refuse when somebody is working on the run.

    Raises:
        AlreadyClaimed: somebody is.
    """
    if taken(run.status) and run.lease_until is not None and run.lease_until > now:
        until = moment(run.lease_until)
        message = f"the run is in the hands of {run.worker} until {until}"
        raise AlreadyClaimed(message, worker=run.worker, until=until)


def interrupt(rows: Rows, run_id: str) -> tuple[str, ...]:
    """Let calls that started and have no result be in doubt, or run again where that is harmless.

    Returns:
        The names of the calls that are in doubt now.
    """
    doubtful = []
    for logged in rows.unsettled(run_id):
        effect = logged.effect
        state: EffectState = "rerun" if effect.idempotent else "in_doubt"
        rows.put_effect(evolve(logged, effect=evolve(effect, state=state)))
        if not effect.idempotent:
            doubtful.append(effect.call)
    return tuple(doubtful)


def forgotten(rows: Rows, record: Record, calls: Sequence[str]) -> Record:
    """Remove the rows of effects that nothing depends on any more; give the run's row.

    Raises:
        UnknownCall: one is not there, or it is not known what became of it.
    """
    for call in calls:
        logged = rows.effect(record.run.run_id, name.call(call))
        if logged is None or logged.effect.state not in {"finished", "rerun"}:
            raise UnknownCall("expected a settled call to forget, found none of that name")
        rows.remove_effect(record.run.run_id, call)
    return evolve(record, logged=record.logged - len(calls)) if calls else record


def moved(
    run: Run,
    event: Event,
    now: float,
    *,
    reason: Stop | None = None,
    note: str | None = None,
) -> Run:
    """Give the run after an event that its status allows; nobody has it unless a worker kept it.

    Raises:
        NotClaimable: its status does not allow it.
    """
    status = after(run.status, event)
    if status is None:
        raise NotClaimable(f"expected a run that can {event.replace('_', ' ')}, found {run.status}")
    lease = run.lease_until if taken(status) else None
    return evolve(
        run, status=status, lease_until=lease, updated_at=now, reason=reason, note=name.text(note)
    )


def close(rows: Rows, run_id: str) -> None:
    """Let no call of the run wait any more."""
    for asked in rows.open_asked(run_id):
        rows.put_asked(evolve(asked, open=False))


def create(rows: Rows, run_id: str, kickoff: bytes, *, worker: str, lease_s: float) -> Claim:
    """Begin a run; see `Store.create`."""
    found = rows.record(name.run_id(run_id))
    sha256 = digest(name.data(kickoff))
    if found is not None:
        same = found.run.kickoff_sha256 == sha256
        what = "the same input" if same else "another input"
        raise RunExists(f"a run of that id was started before, with {what}", same=same)
    now = rows.now()
    run = Run(
        run_id=run_id,
        status=STATUSES[0],
        generation=1,
        checkpoint=0,
        entries=0,
        kickoff_sha256=sha256,
        created_at=now,
        updated_at=now,
        worker=name.worker(worker),
        lease_until=now + name.seconds(lease_s),
    )
    rows.add_record(Record(run=run), kickoff)
    return _claim_on(run)


def claim(rows: Rows, run_id: str, *, worker: str, lease_s: float, force: bool = False) -> Claim:
    """Take a run; see `Store.claim`."""
    name.worker(worker)
    record = known(rows, run_id)
    now = rows.now()
    until = now + name.seconds(lease_s)
    refuse_live(record.run, now)
    _refuse_resting(rows, record, force=force)
    if taken(record.run.status):
        bury(rows, record, now)
    run = moved(record.run, "claim", now)
    run = evolve(run, generation=run.generation + 1, worker=worker, lease_until=until)
    rows.put_record(evolve(record, run=run))
    return _claim_on(run)


def _refuse_resting(rows: Rows, record: Record, *, force: bool) -> None:
    run = record.run
    if after(run.status, "settle") is not None:
        calls = tuple(each.effect.call for each in rows.unsettled(run.run_id))
        raise in_doubt(calls)
    if ended(run.status):
        raise NotClaimable(f"expected a run that can go on, found one that is {run.status}")
    if waits(run.status) and not record.decided and not force:
        raise NotClaimable(
            f"the run waits for {record.undecided} calls and none has a verdict",
            hint="decide one first: `hitl approve`, `hitl reject`, or `store.decide`",
        )


def bury(rows: Rows, record: Record, now: float) -> None:
    """See what a worker left behind whose lease is over.

    Raises:
        Kept: with `InDoubt`, when a call was cut; the run is in doubt now.
    """
    doubtful = interrupt(rows, record.run.run_id)
    if doubtful:
        run = moved(record.run, "doubt", now, note="its worker's lease ended")
        rows.put_record(evolve(record, run=run))
        raise Kept(in_doubt(doubtful))


def in_doubt(calls: tuple[str, ...]) -> InDoubt:
    """Make the error that names the calls of which nobody knows whether they happened."""
    many = "a call was" if len(calls) == 1 else f"{len(calls)} calls were"
    message = f"{many} cut between start and result: nobody knows whether it happened"
    return InDoubt(message, calls=calls, hint=_RECONCILE)


def _claim_on(run: Run) -> Claim:
    return Claim(
        run_id=run.run_id,
        generation=run.generation,
        worker=run.worker or "",
        lease_until=run.lease_until or 0.0,
        created_at=run.created_at,
    )


def renew(rows: Rows, claim: Claim, *, lease_s: float) -> Claim:
    """Prolong the lease; see `Store.renew`."""
    record = held(rows, claim)
    run = evolve(record.run, lease_until=rows.now() + name.seconds(lease_s))
    rows.put_record(evolve(record, run=run))
    return _claim_on(run)


def release(
    rows: Rows,
    claim: Claim,
    *,
    reason: Stop | None = None,
    note: str | None = None,
    forget: Sequence[str] = (),
) -> Run:
    """End a claim without a checkpoint; see `Store.release`."""
    record = forgotten(rows, held(rows, claim), forget)
    event: Event = "stop"
    if reason is None and record.pause and record.pause == record.run.checkpoint:
        event = "pause" if record.undecided else "settled_pause"
    if interrupt(rows, claim.run_id):
        event = "doubt"
    run = moved(record.run, event, rows.now(), reason=reason, note=note)
    rows.put_record(evolve(record, run=run))
    return run


def cancel(rows: Rows, run_id: str, *, note: str | None = None) -> Run:
    """Give a run up; see `Store.cancel`."""
    record = known(rows, run_id)
    now = rows.now()
    refuse_live(record.run, now)
    if taken(record.run.status):
        interrupt(rows, run_id)
    run = moved(record.run, "cancel", now, note=note)
    close(rows, run_id)
    rows.put_record(evolve(record, run=run))
    return run


def delete(rows: Rows, run_id: str) -> None:
    """Remove a run; see `Store.delete`."""
    refuse_live(known(rows, run_id).run, rows.now())
    rows.remove(run_id)


def prune(rows: Rows, *, older_than_s: float) -> int:
    """Delete at most `BATCH` runs that ended; see `Store.prune`."""
    over: tuple[Status, ...] = tuple(status for status in STATUSES if ended(status))
    before = rows.now() - name.seconds(older_than_s)
    old = rows.untouched(over, before, BATCH)
    for run_id in old:
        rows.remove(run_id)
    return len(old)
