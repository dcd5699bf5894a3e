"""How a run begins, or is taken up again."""

from __future__ import annotations

import uuid
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from attrs import evolve

from hitl.errors import ContextMismatch, InDoubt, NotClaimable, RunExists, SessionMismatch
from hitl.lifecycle import ended, waits
from hitl.model import staging
from hitl.runtime.door import STORED
from hitl.runtime.durable import private, seam, session
from hitl.runtime.durable.attempt import Attempt
from hitl.runtime.durable.calls import strays
from hitl.runtime.durable.counter import dump_limit, raised
from hitl.runtime.durable.kickoff import (
    Kickoff,
    begun,
    dump_kickoff,
    dump_place,
    load_kickoff,
    tag_input,
)
from hitl.runtime.durable.outcome import DurableRun
from hitl.runtime.durable.packed import unpack
from hitl.runtime.durable.response import calls_of, load_response
from hitl.runtime.durable.said import items_of, rows_of
from hitl.runtime.durable.turn import LIMIT, PLACE, cut, is_call, marks, recorded
from hitl.runtime.durable.value import final_output
from hitl.runtime.durable.worker import own_name

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from agents import StreamEvent

    from hitl.runtime.durable.attempt import Settings
    from hitl.runtime.durable.outcome import DurableStream
    from hitl.store import Store, Stored


async def begin(
    stream: DurableStream,
    settings: Settings,
    given: object,
    *,
    store: Store,
    run_id: str | None,
    worker: str | None,
    start: dict[str, Any],
) -> AsyncGenerator[StreamEvent, None]:
    """Start a run under an id, or give the one there is; see `hitl.run`."""
    private.refuse_unsupported()
    raised(None, start["max_turns"])  # refused before it is stored
    seam.install()
    memory = settings.options.get("session")
    kickoff = Kickoff(
        input=tag_input(given),
        session=None if memory is None else session.session_name(memory),
        has_context=settings.options.get("context") is not None,
        **start,
    )
    name = uuid.uuid4().hex if run_id is None else run_id
    try:
        claim = await store.create(
            name, dump_kickoff(kickoff), worker=worker or own_name(), lease_s=settings.lease_s
        )
    except RunExists as exc:
        if not exc.same:
            raise
        stream.done(shown(await store.load(name), settings))
        return
    attempt = Attempt(store=store, claim=claim, settings=settings)
    stream.begun(attempt.cancel, attempt.book.late.add)
    async with aclosing(attempt.begin(kickoff, again=False)) as events:
        async for event in events:
            yield event
    stream.done(_outcome(attempt))


async def take_up(
    stream: DurableStream,
    settings: Settings,
    run_id: str,
    *,
    store: Store,
    worker: str | None,
    max_turns: object,
    force: bool,
) -> AsyncGenerator[StreamEvent, None]:
    """Go on with a run, or give it as it is when there is nothing to do; see `hitl.resume`."""
    private.refuse_unsupported()
    raised(None, max_turns)  # refused before anything is claimed
    seam.install()
    await store.expire()
    stored = await store.load(run_id)
    if stored.run.status == "finished":
        stream.done(await _finished(stored, settings))
        return
    me = worker or own_name()
    try:
        claim = await store.claim(run_id, worker=me, lease_s=settings.lease_s, force=force)
    except NotClaimable:
        stored = await store.load(run_id)
        if waits(stored.run.status):
            stored = await _with_limit(settings, stored, max_turns, store=store, worker=me)
        elif not ended(stored.run.status):
            raise
        stream.done(shown(stored, settings))
        return
    stored = await store.load(run_id)
    attempt = Attempt(store=store, claim=claim, settings=settings)
    await _taken_over(attempt, stored, force=force)
    known, limit = _limits(stored, max_turns)
    if limit != known:
        await _mark(attempt, LIMIT, dump_limit(limit))
    stream.begun(attempt.cancel, attempt.book.late.add)
    async with aclosing(_work(attempt, stored, limit)) as events:
        async for event in events:
            yield event
    stream.done(_outcome(attempt))


def _limits(stored: Stored, wanted: object) -> tuple[int | None, int | None]:
    """Give how many turns a run may make: as it is stored, and as is wanted of it."""
    none = stored.checkpoint is None
    known = begun(stored).max_turns if none else unpack(stored)[0].turn.max
    return known, raised(known, wanted)


async def _with_limit(
    settings: Settings, stored: Stored, max_turns: object, *, store: Store, worker: str
) -> Stored:
    """Give a run that waits with the limit that is wanted stored, where it is higher."""
    known, limit = _limits(stored, max_turns)
    if limit == known:
        return stored
    name = stored.run.run_id
    claim = await store.claim(name, worker=worker, lease_s=settings.lease_s, force=True)
    try:
        attempt = Attempt(store=store, claim=claim, settings=settings)
        await _mark(attempt, LIMIT, dump_limit(limit))
    finally:
        await store.release(claim)
    return await store.load(name)


def _work(attempt: Attempt, stored: Stored, limit: int | None) -> AsyncGenerator[StreamEvent, None]:
    attempt.book.memory.stored = stored
    attempt.book.said.rows += rows_of(stored.effects)
    said, behind = items_of(stored.effects), attempt.book.requests.under_way(())
    if stored.checkpoint is None:
        kickoff = begun(stored)
        # The SDK stages nothing before the first turn of a run: it comes behind the first answer.
        attempt.book.late.keep(said, waits=True)
        return _again(attempt, evolve(kickoff, max_turns=limit))
    kickoff = load_kickoff(stored.kickoff)
    state, note = unpack(stored)
    attempt.book.length, attempt.book.note = len(stored.entries), evolve(note, cut=False)
    attempt.book.memory.cut = note.cut
    attempt.book.requests.talk.left = note.left
    state = evolve(state, turn=evolve(state.turn, max=limit))
    late = (*note.late, *said)
    if late and not behind and staging.refusal(state) is None:
        state, late = staging.stage(state, late), ()
    attempt.book.late.keep(late, waits=behind)
    attempt.book.state = state
    return attempt.go_on(stored.requests, kickoff)


async def _taken_over(attempt: Attempt, stored: Stored, *, force: bool) -> None:
    """Take what was answered before; refuse to ask again for a response whose calls ran already.

    The model would make them anew, under other ids.
    """
    state = None if stored.checkpoint is None else unpack(stored)[0]
    ran = (each.call for each in stored.effects if is_call(each.call))
    lost = strays(ran, state)
    answers = recorded(stored.effects)
    made = {call for each in answers.values() for call in calls_of(load_response(each).response)}
    attempt.book.requests.recorded.update(answers)
    attempt.book.requests.cut.update(cut(stored.effects))
    attempt.book.requests.pinned = bool(lost)
    attempt.book.memory.marks += marks(stored.effects)
    lost = tuple(each for each in lost if each.partition("/")[0] not in made)
    if not lost or force:
        return
    await attempt.store.release(attempt.claim)
    message = f"{len(lost)} call(s) ran whose response was lost: {', '.join(lost)}"
    raise InDoubt(message, calls=lost, hint="force=True asks the model again; it may repeat them")


async def _again(attempt: Attempt, kickoff: Kickoff) -> AsyncGenerator[StreamEvent, None]:
    """Start over: there is no checkpoint, so nothing that counts has happened yet."""
    if kickoff.has_context and attempt.settings.restoring.get("context", STORED) is STORED:
        await attempt.store.release(attempt.claim, reason="kickoff")
        message = "the run has no checkpoint yet, and its context is not stored"
        raise ContextMismatch(message, hint="pass context=")
    memory = attempt.book.memory
    try:
        session.refuse_other(memory.session, kickoff, allow=memory.allow_other)
    except SessionMismatch:
        await attempt.store.release(attempt.claim, reason="kickoff")
        raise
    place = attempt.settings.place
    if place is not None and place != kickoff.place:
        kickoff = kickoff.at(place)
        await _mark(attempt, PLACE, dump_place(place))
    async with aclosing(attempt.begin(kickoff, again=True)) as events:
        async for event in events:
            yield event


async def _mark(attempt: Attempt, kind: str, said: bytes) -> None:
    """Store what a worker is told: it may die before a checkpoint says so."""
    name = f"{kind}{attempt.claim.generation}"
    await attempt.book.gate.mark(name, kind.strip("~:"), said)
    attempt.book.memory.marks.append(name)


async def _finished(stored: Stored, settings: Settings) -> DurableRun:
    """Give a run that has ended as it is; its session is put right when that is asked for."""
    run = shown(stored, settings)
    memory = settings.options.get("session")
    if run.state is None or memory is None or not settings.repair_session:
        return run
    kickoff = load_kickoff(stored.kickoff)
    report = await session.mend(memory, run.state, kickoff, allow=settings.allow_other_session)
    return evolve(run, session=report)


def shown(stored: Stored, settings: Settings) -> DurableRun:
    """Give a stored run as it is."""
    if stored.checkpoint is None:
        return DurableRun(id=stored.run.run_id, status=stored.run.status)
    state, note = unpack(stored)
    kind = getattr(settings.agent, "output_type", None)
    final = final_output(note.final, kind) if note.done else None
    return DurableRun(
        id=stored.run.run_id, status=stored.run.status, state=state, final_output=final
    )


def _outcome(attempt: Attempt) -> DurableRun:
    if attempt.outcome is None:
        raise RuntimeError("expected the run to have come to something")
    return attempt.outcome
