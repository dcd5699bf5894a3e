"""A stored run that rests, changed: claimed, stored anew, and let go in the status it had."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from hitl.errors import InputRefused, NotClaimable
from hitl.lifecycle import ended, paused, taken
from hitl.runtime.durable.outcome import DurableRun
from hitl.runtime.durable.packed import Added, Note, pack, unpack
from hitl.runtime.durable.said import items_of, rows_of
from hitl.runtime.durable.turn import recorded
from hitl.runtime.durable.worker import own_name
from hitl.store import Claim, NewRequest, Run, Save, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from hitl.document import JSONValue
    from hitl.model import RunState
    from hitl.store import Store

    Change: TypeAlias = Callable[[RunState, Sequence[JSONValue]], RunState]

_LEASE_S = 60.0


@frozen(kw_only=True)
class _Held:
    """A run in our hands, and how it was before."""

    claim: Claim
    before: Run
    now: Stored


async def changed(store: Store, run_id: str, change: Change, by: str | None) -> DurableRun:
    """Give a run with its newest state changed; see `hitl.add_input` for errors."""
    held = await _take(store, run_id, change)
    before = held.before
    try:
        state, note = unpack(held.now)
        # The response that these came behind, if any, is given up: they come as any other.
        changed = change(state, (*note.late, *items_of(held.now.effects)))
        added = Added(by=by, at=_iso(held.now.run.updated_at), items=len(changed.pending_input))
        before_it = note.added if state.pending_input else ()
        note = evolve(note, late=(), added=(*before_it, added), cut=note.cut or _cut(held))
        run = await store.save(held.claim, _save(held, changed, note))
    except BaseException:
        await store.release(held.claim, reason=before.reason, note=before.note)
        raise
    return DurableRun(id=run_id, status=run.status, state=changed)


def _cut(held: _Held) -> bool:
    """Tell whether a worker died since the newest checkpoint: it may have written elsewhere."""
    point = held.now.checkpoint
    before = held.claim.generation - 1
    return point is not None and (taken(point.status) or point.generation != before)


async def _take(store: Store, run_id: str, change: Change) -> _Held:
    """Claim a run that `change` is possible on; one on which it is not stays unclaimed."""
    while True:
        before = await store.load(run_id)
        if not taken(before.run.status):
            _refuse(before)
            change(unpack(before)[0], ())
        try:
            claim = await store.claim(run_id, worker=own_name(), lease_s=_LEASE_S, force=True)
        except NotClaimable as exc:
            raise _over() from exc
        now = await store.load(run_id)
        if claim.generation == before.run.generation + 1:
            break
        await store.release(claim)  # somebody worked on it in between: look again
    try:
        _refuse(now)
    except InputRefused:
        await store.release(claim, reason=before.run.reason, note=before.run.note)
        raise
    return _Held(claim=claim, before=before.run, now=now)


def _refuse(stored: Stored) -> None:
    if ended(stored.run.status):
        raise _over()
    if stored.checkpoint is None:
        message = "the run has no checkpoint yet: it starts over from its input"
        raise InputRefused(message, reason="not_begun", hint="resume it first")
    if recorded(stored.effects):
        message = "a response was received and is not worked on yet"
        raise InputRefused(message, reason="accepted", hint="resume it first")


def _over() -> InputRefused:
    return InputRefused("the run has ended", reason="ended", hint="start a new one")


def _save(held: _Held, state: RunState, note: Note) -> Save:
    """Give the checkpoint that brings the run back into the status it had."""
    packed = pack(state, note, len(held.now.entries))
    rests = paused(held.before.status)
    return Save(
        event="pause" if rests else "stop",
        head=packed.head,
        base=packed.base,
        new=packed.new,
        requests=_asked(held.now, state) if rests else (),
        forget=rows_of(held.now.effects),
        reason=held.before.reason,
        note=held.before.note,
    )


def _asked(stored: Stored, state: RunState) -> tuple[NewRequest, ...]:
    """Give the calls of the newest pause again; what was said of them stands in their rows."""
    open_ = {each.call for each in state.interruptions if each.decision is None}
    return tuple(
        NewRequest(
            call=row.call,
            tool=row.tool,
            agent=row.agent,
            arguments_sha256=row.arguments_sha256,
            body=row.body,
        )
        for row in stored.requests
        if row.call in open_
    )


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
