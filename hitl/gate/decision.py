"""What people say of a call: decide, and what is said for them when their time is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from hitl.errors import AlreadyDecided, AmbiguousCall, ArgumentsChanged, StoreCorrupt, UnknownCall
from hitl.gate import name
from hitl.gate.lease import known, moment, moved
from hitl.gate.row import Kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.gate.row import Asked, Record, Rows
    from hitl.store import Request, Verdict


def decide(rows: Rows, run_id: str, call: str, verdict: Verdict) -> Request:
    """Record a verdict; see `Store.decide`."""
    check(verdict)
    record = known(rows, run_id)
    asked = _named(rows, record, name.call(call))
    request = asked.request
    if request.verdict is not None:
        raise _decided(request)
    if not asked.open:
        raise UnknownCall("expected a call that waits, found one that no longer does")
    now = rows.now()
    if request.expires_at is not None and request.expires_at <= now:
        raise Kept(_decided(_give(rows, record, asked, _default(request), now)))
    if verdict.arguments_sha256 not in {None, request.arguments_sha256}:
        raise ArgumentsChanged("the call carries other arguments than those the verdict is for")
    return _give(rows, record, asked, verdict, now)


def check(verdict: Verdict) -> None:
    """Refuse a verdict that cannot be stored.

    Raises:
        ValueRefused: a text of it is too long, or no text.
    """
    for each in (verdict.message, verdict.by, verdict.reason):
        name.text(each)
    if verdict.arguments_sha256 is not None:
        name.sha256(verdict.arguments_sha256)


def expire(rows: Rows) -> Sequence[Request]:
    """Give what is over its default verdict; see `Store.expire`."""
    now = rows.now()
    return [
        _give(rows, known(rows, each.request.run_id), each, _default(each.request), now)
        for each in rows.due(now)
    ]


def _named(rows: Rows, record: Record, call: str) -> Asked:
    """Find a request by its name, or by the last part of it among the calls of the newest pause."""
    run_id = record.run.run_id
    exact = rows.asked(run_id, call)
    if exact is not None:
        return exact
    inner = [
        each
        for each in rows.all_asked(run_id)
        if each.pause == record.pause and each.request.call.endswith(f"/{call}")
    ]
    if len(inner) > 1:
        names = ", ".join(each.request.call for each in inner)
        raise AmbiguousCall(f"{len(inner)} calls answer to that name", hint=f"say one of {names}")
    if not inner:
        raise UnknownCall("expected the name of a call that waits, found none of that name")
    return inner[0]


def _decided(request: Request) -> AlreadyDecided:
    verdict, at = request.verdict, moment(request.decided_at)
    by = verdict.by if verdict else None
    approved = verdict.approved if verdict else None
    what = "approved" if approved else "rejected"
    who = f" by {by}" if by else ""
    return AlreadyDecided(f"the call was {what}{who} at {at}", by=by, at=at, approved=approved)


def _default(request: Request) -> Verdict:
    if request.default is None:
        raise StoreCorrupt("a request that expires has no default verdict")
    return request.default


def _give(rows: Rows, record: Record, asked: Asked, verdict: Verdict, now: float) -> Request:
    request = evolve(asked.request, verdict=verdict, decided_at=now)
    rows.put_asked(evolve(asked, request=request, open=False))
    left = record.undecided - 1
    run = record.run
    run = moved(run, "decide" if left else "decide_last", now, reason=run.reason, note=run.note)
    rows.put_record(evolve(record, run=run, undecided=left, decided=record.decided + 1))
    return request
