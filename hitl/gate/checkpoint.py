"""What is written of a run: save, and load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from hitl.errors import ArgumentsChanged, StoreCorrupt, Superseded, UnknownRun, ValueRefused
from hitl.gate import name
from hitl.gate.lease import close, forgotten, held, interrupt, known, moved
from hitl.gate.row import Asked
from hitl.lifecycle import ended
from hitl.store import Checkpoint, Request, Stored

if TYPE_CHECKING:
    from hitl.gate.row import Record, Rows
    from hitl.lifecycle import Event
    from hitl.store import Claim, Effect, NewRequest, Run, Save


def save(rows: Rows, claim: Claim, save: Save) -> Run:
    """Append a checkpoint; see `Store.save`."""
    _refuse_malformed(save)
    record = held(rows, claim)
    if save.base != record.run.entries:
        found, expected = record.run.entries, save.base
        raise Superseded(f"expected a log of {expected} entries, found {found}")
    record = forgotten(rows, record, save.forget)
    number = record.run.checkpoint + 1
    event: Event = save.event
    if save.event == "pause":
        record = _ask(rows, evolve(record, pause=number), save)
        event = "pause" if record.undecided else "settled_pause"
    if save.event != "save" and interrupt(rows, claim.run_id):
        event = "doubt"
    now = rows.now()
    run = moved(record.run, event, now, reason=save.reason, note=save.note)
    run = evolve(run, checkpoint=number, entries=save.base + len(save.new))
    point = Checkpoint(
        number=number,
        head=save.head,
        entries=run.entries,
        generation=claim.generation,
        status=run.status,
        at=now,
    )
    rows.add_checkpoint(claim, point, save.new)
    if ended(run.status):
        close(rows, run.run_id)
    rows.put_record(evolve(record, run=run))
    return run


def _refuse_malformed(save: Save) -> None:
    name.data(save.head)
    for entry in save.new:
        name.data(entry)
    calls = [each.call for each in save.requests]
    if calls and save.event != "pause":
        raise ValueRefused(f"expected no requests in a {save.event}, found {len(calls)}")
    if len(set(calls)) < len(calls):
        raise ValueRefused("expected requests of different names, found one twice")
    for each in save.requests:
        name.call(each.call)
        name.label(each.tool)
        if each.agent is not None:
            name.label(each.agent)
        name.sha256(each.arguments_sha256)
        name.data(each.body)
        if (each.expires_in_s is None) is not (each.default is None):
            raise ValueRefused("expected a default verdict with a time to expire, and only then")


def _ask(rows: Rows, record: Record, save: Save) -> Record:
    """Let the calls of a pause wait, and no others; give the record with them counted."""
    run_id = record.run.run_id
    close(rows, run_id)
    now = rows.now()
    undecided, count = 0, record.asked
    for new in save.requests:
        old = rows.asked(run_id, new.call)
        if old is None:
            rows.add_asked(_asked(run_id, new, record.pause, count, now))
            count += 1
            undecided += 1
            continue
        if _bound(old.request) != _bound(new):
            raise ArgumentsChanged("expected the call that was asked before, found another call")
        waits = old.request.verdict is None
        undecided += waits
        rows.put_asked(evolve(old, pause=record.pause, open=waits))
    decided = len(save.requests) - undecided
    return evolve(record, undecided=undecided, decided=decided, asked=count)


def _bound(request: Request | NewRequest) -> tuple[str, str | None, str]:
    return (request.tool, request.agent, request.arguments_sha256)


def _asked(run_id: str, new: NewRequest, pause: int, position: int, now: float) -> Asked:
    expires_at = None if new.expires_in_s is None else now + name.seconds(new.expires_in_s)
    request = Request(
        run_id=run_id,
        call=new.call,
        tool=new.tool,
        agent=new.agent,
        arguments_sha256=new.arguments_sha256,
        body=new.body,
        expires_at=expires_at,
        default=new.default,
    )
    return Asked(request=request, pause=pause, position=position, asked_at=now)


def load(rows: Rows, run_id: str, *, checkpoint: int | None = None) -> Stored:
    """Read a run; see `Store.load`."""
    record = known(rows, run_id)
    number = record.run.checkpoint if checkpoint is None else checkpoint
    point = None
    if number or checkpoint is not None:
        point = rows.checkpoint(run_id, number)
        if point is None and 0 < number <= record.run.checkpoint:
            raise StoreCorrupt(f"checkpoint {number} of the run is missing")
        if point is None:
            raise UnknownRun(f"expected a checkpoint from 1 to {record.run.checkpoint}")
    return Stored(
        run=record.run,
        kickoff=rows.kickoff(run_id),
        checkpoint=point,
        entries=rows.entries(run_id, point.number) if point else (),
        requests=_requests(rows, record),
        effects=_effects(rows, record),
    )


def _requests(rows: Rows, record: Record) -> tuple[Request, ...]:
    found = rows.all_asked(record.run.run_id)
    newest = [each for each in found if each.pause == record.pause]
    undecided = sum(each.request.verdict is None for each in newest)
    counted = (len(found), undecided, len(newest) - undecided)
    if counted != (record.asked, record.undecided, record.decided):
        raise StoreCorrupt("the requests of the run are not those that were written")
    return tuple(each.request for each in found)


def _effects(rows: Rows, record: Record) -> tuple[Effect, ...]:
    found = rows.effects(record.run.run_id)
    if len(found) != record.logged:
        raise StoreCorrupt("the effects of the run are not those that were written")
    return tuple(each.effect for each in found)
