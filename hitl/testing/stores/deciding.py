"""Checks of what people say: decide, expire, the list of what waits."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hitl.errors import AlreadyDecided, AmbiguousCall, ArgumentsChanged, UnknownCall
from hitl.store import Request, Verdict
from hitl.testing.stores.bench import (
    LEASE_S,
    NO,
    OTHER_SHA256,
    OVER_S,
    SHA256,
    YES,
    asks,
    names,
    pause,
    refused,
    same,
)

if TYPE_CHECKING:
    from hitl.testing.stores.bench import Bench


async def last_verdict_makes_ready(bench: Bench) -> None:
    """A run waits until its last call has a verdict; then it is ready in the same transaction."""
    same((await bench.paused("one", "two")).status, "waiting")
    same(names(await bench.b.waiting(run_id=bench.run_id)), ["one", "two"])
    request = await bench.b.decide(bench.run_id, "one", YES)
    same((request.verdict, request.decided_at is None), (YES, False))
    same((await bench.a.run(bench.run_id)).status, "waiting")
    same(names(await bench.a.waiting(run_id=bench.run_id)), ["two"])
    await bench.a.decide(bench.run_id, "two", NO)
    same((await bench.b.run(bench.run_id)).status, "ready")
    same(len(await bench.b.waiting(run_id=bench.run_id)), 0)


async def first_verdict_wins(bench: Bench) -> None:
    """A second verdict is refused, and told who was first, when, and what was said."""
    await bench.paused("call")
    await bench.a.decide(bench.run_id, "call", YES)
    error = await refused(AlreadyDecided, bench.b.decide(bench.run_id, "call", NO))
    same((error.by, error.approved, error.at is None), ("ana", True, False))
    same((await bench.b.load(bench.run_id)).requests[0].verdict, YES)


async def one_of_many_decides(bench: Bench) -> None:
    """Of many people at once one decides; all others are told who (T8)."""
    await bench.paused("call")
    stores = [bench.a, bench.b] * 8
    verdicts = [Verdict(approved=bool(nth % 2), by=f"person {nth}") for nth in range(len(stores))]
    found = await asyncio.gather(
        *(
            store.decide(bench.run_id, "call", verdict)
            for store, verdict in zip(stores, verdicts, strict=True)
        ),
        return_exceptions=True,
    )
    winners = [each.verdict for each in found if isinstance(each, Request)]
    same(len(winners), 1)
    told = {each.by for each in found if isinstance(each, AlreadyDecided)}
    same(told, {winners[0].by if winners[0] else None})
    same(len([each for each in found if isinstance(each, AlreadyDecided)]), len(stores) - 1)


async def verdict_is_for_what_was_shown(bench: Bench) -> None:
    """A verdict for other arguments is refused and the call still waits (T13)."""
    await bench.paused("call")
    other = Verdict(approved=True, arguments_sha256=OTHER_SHA256)
    await refused(ArgumentsChanged, bench.b.decide(bench.run_id, "call", other))
    shown = Verdict(approved=True, arguments_sha256=SHA256)
    same((await bench.b.decide(bench.run_id, "call", shown)).verdict, shown)


async def calls_by_name(bench: Bench) -> None:
    """A call of a nested run answers to its last part, unless two do or one is named so."""
    await bench.paused("outer/call", "other/call", "outer/alone", "alone2", "outer/alone2")
    await refused(AmbiguousCall, bench.b.decide(bench.run_id, "call", YES))
    same((await bench.b.decide(bench.run_id, "alone", YES)).call, "outer/alone")
    same((await bench.b.decide(bench.run_id, "alone2", YES)).call, "alone2")
    for wrong in ("lone", "outer", "outer/", "%", "outer/call2"):
        await refused(UnknownCall, bench.b.decide(bench.run_id, wrong, YES))


async def verdict_is_kept_for_the_next_pause(bench: Bench) -> None:
    """A verdict given while another call is worked on counts at the next pause, without asking."""
    await bench.paused("one", "two")
    await bench.a.decide(bench.run_id, "one", YES)
    claim = await bench.b.claim(bench.run_id, worker="two", lease_s=LEASE_S)
    await bench.a.decide(bench.run_id, "two", NO)
    same((await bench.a.run(bench.run_id)).status, "running")
    run = await pause(bench.b, claim, "two")
    same(run.status, "ready")
    same([each.verdict for each in (await bench.b.load(bench.run_id)).requests], [YES, NO])


async def call_that_was_dropped(bench: Bench) -> None:
    """A call that a later pause does not name waits no more."""
    await bench.paused("one", "two")
    claim = await bench.b.claim(bench.run_id, worker="two", lease_s=LEASE_S, force=True)
    await pause(bench.b, claim, "three")
    same(names(await bench.a.waiting(run_id=bench.run_id)), ["three"])
    await refused(UnknownCall, bench.a.decide(bench.run_id, "one", YES))
    same(names((await bench.a.load(bench.run_id)).requests), ["one", "two", "three"])


async def another_call_under_the_name(bench: Bench) -> None:
    """A call of other arguments, tool or agent under a name that was asked is refused (T13)."""
    await bench.paused("call")
    await bench.a.decide(bench.run_id, "call", YES)
    claim = await bench.b.claim(bench.run_id, worker="two", lease_s=LEASE_S)
    before = await bench.a.load(bench.run_id)
    for changed in ({"arguments_sha256": OTHER_SHA256}, {"tool": "wire"}, {"agent": None}):
        await refused(ArgumentsChanged, pause(bench.b, claim, asks("call", **changed)))
    same(await bench.a.load(bench.run_id), before)


async def time_is_over(bench: Bench) -> None:
    """A call past its time gets its default; a verdict that comes later is refused."""
    late = asks("late", expires_in_s=OVER_S, default=NO)
    soon = asks("soon", expires_in_s=LEASE_S, default=NO)
    await pause(bench.a, await bench.begun(), late, soon)
    given = [each for each in await bench.b.expire() if each.run_id == bench.run_id]
    same([(each.call, each.verdict) for each in given], [("late", NO)])
    error = await refused(AlreadyDecided, bench.a.decide(bench.run_id, "late", YES))
    same((error.by, error.approved), (NO.by, False))
    same((await bench.a.run(bench.run_id)).status, "waiting")
    await bench.a.decide(bench.run_id, "soon", YES)
    same((await bench.a.run(bench.run_id)).status, "ready")
    same([each for each in await bench.b.expire() if each.run_id == bench.run_id], [])


async def too_late_to_decide(bench: Bench) -> None:
    """A verdict past the time is refused before anybody let calls expire; the default holds."""
    late = asks("late", expires_in_s=OVER_S, default=NO)
    await pause(bench.a, await bench.begun(), late)
    await refused(AlreadyDecided, bench.b.decide(bench.run_id, "late", YES))
    same((await bench.a.run(bench.run_id)).status, "ready")
    same((await bench.a.load(bench.run_id)).requests[0].verdict, NO)


async def ended_runs_do_not_expire(bench: Bench) -> None:
    """A call of a run that was given up gets no verdict any more."""
    late = asks("late", expires_in_s=OVER_S, default=YES)
    await pause(bench.a, await bench.begun(), late)
    await bench.a.cancel(bench.run_id)
    same([each for each in await bench.b.expire() if each.run_id == bench.run_id], [])
    same((await bench.a.load(bench.run_id)).requests[0].verdict, None)


async def oldest_waits_first(bench: Bench) -> None:
    """What waits is listed oldest first, in the order it was asked."""
    await bench.paused("b", "a", "c")
    same(names(await bench.b.waiting(run_id=bench.run_id)), ["b", "a", "c"])
    same(names(await bench.b.waiting(run_id=bench.run_id, limit=2)), ["b", "a"])
    everywhere = await bench.b.waiting(limit=10_000)
    same([each.call for each in everywhere if each.run_id == bench.run_id], ["b", "a", "c"])


CHECKS = (
    last_verdict_makes_ready,
    first_verdict_wins,
    one_of_many_decides,
    verdict_is_for_what_was_shown,
    calls_by_name,
    verdict_is_kept_for_the_next_pause,
    call_that_was_dropped,
    another_call_under_the_name,
    time_is_over,
    too_late_to_decide,
    ended_runs_do_not_expire,
    oldest_waits_first,
)
