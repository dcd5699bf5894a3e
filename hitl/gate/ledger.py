"""What ran: the effect ledger. start, finish, undo, settle."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from hitl.errors import (
    AmbiguousCall,
    ArgumentsChanged,
    NotApproved,
    UnknownCall,
    ValueRefused,
)
from hitl.gate import name
from hitl.gate.lease import bury, close, held, in_doubt, known, moved
from hitl.gate.row import Kept, Logged
from hitl.lifecycle import after, taken
from hitl.store import Effect, idempotency_key

if TYPE_CHECKING:
    from hitl.gate.row import Record, Rows
    from hitl.lifecycle import Event
    from hitl.store import Claim, EffectState, Request, Run, Settlement


def start(
    rows: Rows,
    claim: Claim,
    call: str,
    *,
    tool: str,
    arguments_sha256: str,
    idempotent: bool = False,
) -> Effect:
    """Write the intent row of a call; see `Store.start`."""
    name.label(tool)
    name.sha256(arguments_sha256)
    record = held(rows, claim)
    old = rows.effect(claim.run_id, name.call(call))
    if old is not None:
        if (old.effect.tool, old.effect.arguments_sha256) != (tool, arguments_sha256):
            raise ArgumentsChanged("the call started before with another tool or other arguments")
        if old.effect.state == "finished":
            return old.effect
        if old.effect.state != "rerun":
            raise in_doubt((call,))
    _refuse_undecided(rows, claim.run_id, call, arguments_sha256)
    effect = Effect(
        call=call,
        tool=tool,
        arguments_sha256=arguments_sha256,
        state="started",
        generation=claim.generation,
        key=idempotency_key(claim.run_id, call),
        idempotent=idempotent,
        attempt=1 if old is None else old.effect.attempt + 1,
        started_at=rows.now(),
    )
    if old is None:
        rows.add_effect(Logged(run_id=claim.run_id, effect=effect, position=record.starts))
        rows.put_record(evolve(record, logged=record.logged + 1, starts=record.starts + 1))
    else:
        rows.put_effect(evolve(old, effect=effect))
    return effect


def _refuse_undecided(rows: Rows, run_id: str, call: str, arguments_sha256: str) -> None:
    """Refuse a call that people were asked about and did not approve, or not as it is now."""
    asked = rows.asked(run_id, call)
    if asked is None:
        return
    request = asked.request
    if request.arguments_sha256 != arguments_sha256:
        raise ArgumentsChanged("the call carries other arguments than those that were decided")
    if request.verdict is None:
        if any(_covers(each.request, request) for each in rows.all_asked(run_id)):
            return
        raise NotApproved("expected an approved call, found one that waits for a verdict")
    if not request.verdict.approved:
        raise NotApproved("expected an approved call, found one that was rejected")


def _covers(decided: Request, request: Request) -> bool:
    """Tell whether an approval for always speaks for this call too."""
    verdict = decided.verdict
    same = (decided.tool, decided.agent) == (request.tool, request.agent)
    return same and verdict is not None and verdict.approved and verdict.always


def finish(rows: Rows, claim: Claim, call: str, result: bytes) -> Effect:
    """Record the result of a call; see `Store.finish`."""
    name.data(result)
    held(rows, claim)
    logged = _mine(rows, claim, call)
    if logged.effect.state == "finished" and logged.effect.result == result:
        return logged.effect
    _refuse_not_started(logged)
    effect = evolve(logged.effect, state="finished", result=result, finished_at=rows.now())
    rows.put_effect(evolve(logged, effect=effect))
    return effect


def undo(rows: Rows, claim: Claim, call: str) -> None:
    """Take back an intent; see `Store.undo`."""
    record = held(rows, claim)
    logged = _mine(rows, claim, call)
    _refuse_not_started(logged)
    attempt = logged.effect.attempt - 1
    if attempt:
        rows.put_effect(
            evolve(logged, effect=evolve(logged.effect, state="rerun", attempt=attempt))
        )
    else:
        rows.remove_effect(claim.run_id, call)
        rows.put_record(evolve(record, logged=record.logged - 1))


def _mine(rows: Rows, claim: Claim, call: str) -> Logged:
    logged = rows.effect(claim.run_id, name.call(call))
    if logged is None or logged.effect.generation != claim.generation:
        raise UnknownCall("expected a call that was started under this claim, found none")
    return logged


def _refuse_not_started(logged: Logged) -> None:
    if logged.effect.state != "started":
        raise UnknownCall(f"expected a call that is started, found {logged.effect.state}")


def settle(
    rows: Rows, run_id: str, call: str, settlement: Settlement, *, result: bytes | None = None
) -> Run:
    """Say what became of a call in doubt; see `Store.settle`."""
    if (result is None) is (settlement == "happened"):
        raise ValueRefused("expected a result with `happened`, and only then")
    record = _uncovered(rows, known(rows, run_id))
    now = rows.now()
    open_to_say = after(record.run.status, "settle") is not None
    doubtful = [each for each in rows.unsettled(run_id) if open_to_say and _doubtful(each)]
    logged = _doubted(doubtful, name.call(call))
    run = record.run
    match settlement:
        case "abandon":
            run = moved(run, "cancel", now)
            close(rows, run_id)
        case "happened" | "rerun":
            state: EffectState = "finished" if settlement == "happened" else "rerun"
            given = None if result is None else name.data(result)
            at = None if result is None else now
            effect = evolve(logged.effect, state=state, result=given, finished_at=at)
            rows.put_effect(evolve(logged, effect=effect))
            event: Event = "settle" if len(doubtful) > 1 else "settle_last"
            run = moved(run, event, now, reason=run.reason)
    rows.put_record(evolve(record, run=run))
    return run


def _uncovered(rows: Rows, record: Record) -> Record:
    """Give the record as a claim would find it, when its worker is dead."""
    run, now = record.run, rows.now()
    if not taken(run.status) or (run.lease_until or 0.0) > now:
        return record
    try:
        bury(rows, record, now)
    except Kept:
        return known(rows, run.run_id)
    return record


def _doubtful(logged: Logged) -> bool:
    return logged.effect.state == "in_doubt"


def _doubted(doubtful: list[Logged], call: str) -> Logged:
    found = [each for each in doubtful if each.effect.call == call] or [
        each for each in doubtful if each.effect.call.endswith(f"/{call}")
    ]
    if len(found) > 1:
        raise AmbiguousCall(f"{len(found)} calls in doubt answer to that name")
    if not found:
        raise UnknownCall("expected the name of a call in doubt, found none of that name")
    return found[0]
