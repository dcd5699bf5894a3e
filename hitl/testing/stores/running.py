"""Checks of what ran: start, finish, undo, settle, and crashes in between."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hitl.errors import (
    AmbiguousCall,
    ArgumentsChanged,
    InDoubt,
    NotApproved,
    NotClaimable,
    UnknownCall,
    ValueRefused,
)
from hitl.store import Effect, Save, Verdict
from hitl.testing.stores.bench import (
    LEASE_S,
    NO,
    OTHER_SHA256,
    OVER_S,
    ROUNDS,
    YES,
    asks,
    cancelled,
    pause,
    refused,
    same,
    start,
)

if TYPE_CHECKING:
    from hitl.testing.stores.bench import Bench


async def result_is_reused(bench: Bench) -> None:
    """A call with a result is never run again: a later start gives the result."""
    claim = await bench.approved("call")
    started = await start(bench.b, claim, "call")
    same(getattr(started, "state", None), "started")
    done = await bench.b.finish(claim, "call", b"\x00result")
    same((done.state, done.result), ("finished", b"\x00result"))
    await bench.b.release(claim)
    claim = await bench.a.claim(bench.run_id, worker="three", lease_s=LEASE_S)
    same(await start(bench.a, claim, "call"), done)
    same((await bench.b.load(bench.run_id)).effects, (done,))


async def started_once(bench: Bench) -> None:
    """A call that is started is not started again, by the same worker neither."""
    claim = await bench.approved("call")
    await start(bench.b, claim, "call")
    same((await refused(InDoubt, start(bench.b, claim, "call"))).calls, ("call",))


async def many_starts_at_once(bench: Bench) -> None:
    """Of many starts of one call at once exactly one may run it."""
    claim = await bench.approved("call")
    stores = [bench.a, bench.b] * 8
    starts = [start(store, claim, "call") for store in stores]
    found = await asyncio.gather(*starts, return_exceptions=True)
    same(len([each for each in found if isinstance(each, Effect)]), 1)
    same(len([each for each in found if isinstance(each, InDoubt)]), len(stores) - 1)


async def other_arguments_do_not_start(bench: Bench) -> None:
    """Arguments that were not approved, or not started before, never run (T13)."""
    claim = await bench.approved("call")
    await refused(ArgumentsChanged, start(bench.b, claim, "call", sha256=OTHER_SHA256))
    await start(bench.b, claim, "sticky")
    await bench.b.finish(claim, "sticky", b"done")
    await refused(ArgumentsChanged, start(bench.b, claim, "sticky", sha256=OTHER_SHA256))


async def undecided_does_not_start(bench: Bench) -> None:
    """A call people were asked about starts when they said yes, and only then (T11)."""
    await bench.paused("yes", "no", "open")
    await bench.a.decide(bench.run_id, "yes", YES)
    await bench.a.decide(bench.run_id, "no", NO)
    claim = await bench.b.claim(bench.run_id, worker="two", lease_s=LEASE_S)
    await refused(NotApproved, start(bench.b, claim, "no"))
    await refused(NotApproved, start(bench.b, claim, "open"))
    same((await bench.a.load(bench.run_id)).effects, ())
    await start(bench.b, claim, "yes")


async def approval_for_always(bench: Bench) -> None:
    """An approval for always speaks for undecided calls of its tool and agent, only for them."""
    other = asks("other", tool="wire")
    await pause(bench.a, await bench.begun(), "one", "two", "no", other)
    await bench.a.decide(bench.run_id, "one", Verdict(approved=True, always=True))
    await bench.a.decide(bench.run_id, "no", NO)
    claim = await bench.b.claim(bench.run_id, worker="two", lease_s=LEASE_S)
    await start(bench.b, claim, "two")
    await refused(NotApproved, start(bench.b, claim, "no"))
    await refused(NotApproved, start(bench.b, claim, "other"))


async def finish_needs_a_start(bench: Bench) -> None:
    """Only a call started under this claim gets a result; the same one twice is fine."""
    claim = await bench.approved("call")
    await refused(UnknownCall, bench.b.finish(claim, "call", b"result"))
    await start(bench.b, claim, "call")
    done = await bench.b.finish(claim, "call", b"result")
    same(await bench.b.finish(claim, "call", b"result"), done)
    await refused(UnknownCall, bench.b.finish(claim, "call", b"another"))
    await refused(UnknownCall, bench.b.undo(claim, "call"))
    same((await bench.a.load(bench.run_id)).effects, (done,))


async def undo_takes_back(bench: Bench) -> None:
    """An intent that is taken back is no doubt, and the call can be started."""
    claim = await bench.approved("call")
    await start(bench.b, claim, "call")
    await bench.b.undo(claim, "call")
    await refused(UnknownCall, bench.b.undo(claim, "call"))
    same((await bench.b.release(claim)).status, "ready")
    claim = await bench.a.claim(bench.run_id, worker="three", lease_s=LEASE_S)
    await start(bench.a, claim, "call")


async def cut_call_is_in_doubt(bench: Bench) -> None:
    """A worker that dies in a call leaves it in doubt: nobody gets the run until it is settled."""
    await bench.cut("call")
    for store in (bench.a, bench.b):
        attempt = store.claim(bench.run_id, worker="two", lease_s=LEASE_S, force=True)
        same((await refused(InDoubt, attempt)).calls, ("call",))
    same((await bench.a.run(bench.run_id)).status, "in_doubt")
    same((await bench.a.load(bench.run_id)).effects[0].state, "in_doubt")


async def it_happened(bench: Bench) -> None:
    """A call settled as happened has that result, and never runs."""
    await bench.cut("call")
    run = await bench.b.settle(bench.run_id, "call", "happened", result=b"paid")
    same(run.status, "stopped")
    claim = await bench.a.claim(bench.run_id, worker="two", lease_s=LEASE_S)
    effect = await start(bench.a, claim, "call")
    same((getattr(effect, "state", None), getattr(effect, "result", None)), ("finished", b"paid"))


async def run_it_again(bench: Bench) -> None:
    """A call settled to be run again starts once more, under the same idempotency key."""
    await bench.cut("call")
    key = (await bench.a.load(bench.run_id)).effects[0].key
    await bench.b.settle(bench.run_id, "call", "rerun")
    claim = await bench.a.claim(bench.run_id, worker="two", lease_s=LEASE_S)
    again = await start(bench.a, claim, "call")
    same((getattr(again, "key", None), getattr(again, "attempt", None)), (key, 2))
    await bench.a.undo(claim, "call")
    same((await bench.a.load(bench.run_id)).effects[0].state, "rerun")
    await start(bench.a, claim, "call")
    await refused(InDoubt, start(bench.a, claim, "call"))


async def give_up(bench: Bench) -> None:
    """A call settled as abandoned ends the run; it stays in doubt for the record."""
    await bench.cut("call")
    same((await bench.b.settle(bench.run_id, "call", "abandon")).status, "cancelled")
    await refused(NotClaimable, bench.a.claim(bench.run_id, worker="two", lease_s=LEASE_S))
    same((await bench.a.load(bench.run_id)).effects[0].state, "in_doubt")


async def every_doubt_is_settled(bench: Bench) -> None:
    """A run with two calls in doubt goes on when both are settled; each once, by its name."""
    await bench.paused("outer/one", "outer/two", "inner/two")
    for call in ("outer/one", "outer/two", "inner/two"):
        await bench.a.decide(bench.run_id, call, YES)
    dead = await bench.a.claim(bench.run_id, worker="dead", lease_s=OVER_S)
    for call in ("outer/one", "outer/two", "inner/two"):
        await start(bench.a, dead, call)
    await bench.a.finish(dead, "inner/two", b"done")
    same((await bench.b.settle(bench.run_id, "one", "rerun")).status, "in_doubt")
    await refused(UnknownCall, bench.b.settle(bench.run_id, "one", "rerun"))
    await refused(UnknownCall, bench.b.settle(bench.run_id, "inner/two", "rerun"))
    await refused(ValueRefused, bench.b.settle(bench.run_id, "two", "happened"))
    await refused(ValueRefused, bench.b.settle(bench.run_id, "two", "rerun", result=b""))
    same((await bench.b.settle(bench.run_id, "two", "happened", result=b"")).status, "stopped")


async def doubts_of_one_name(bench: Bench) -> None:
    """Two calls in doubt that answer to one name are told apart, not guessed."""
    claim = await bench.approved("outer/call", "inner/call")
    await start(bench.b, claim, "outer/call")
    await start(bench.b, claim, "inner/call")
    await bench.b.release(claim, reason="error")
    await refused(AmbiguousCall, bench.a.settle(bench.run_id, "call", "rerun"))


async def idempotent_runs_again(bench: Bench) -> None:
    """A cut call of an idempotent tool is no doubt: it runs again, under the same key."""
    await bench.cut("call", idempotent=True)
    claim = await bench.b.claim(bench.run_id, worker="two", lease_s=LEASE_S)
    before = (await bench.a.load(bench.run_id)).effects[0]
    same(before.state, "rerun")
    again = await start(bench.b, claim, "call", idempotent=True)
    same((getattr(again, "key", None), getattr(again, "state", None)), (before.key, "started"))


async def every_end_leaves_doubt(bench: Bench) -> None:
    """However a claim ends, a call that is started and has no result is in doubt."""
    claim = await bench.approved("call")
    await start(bench.b, claim, "call")
    for event in ("stop", "pause", "finish"):
        run = await bench.b.save(claim, Save(event=event, head=b"", base=0, reason="error"))
        same(run.status, "in_doubt")
        await bench.a.settle(bench.run_id, "call", "rerun")
        claim = await bench.b.claim(bench.run_id, worker="two", lease_s=LEASE_S)
        await start(bench.b, claim, "call")
    same((await bench.b.release(claim)).status, "in_doubt")


async def forgotten_with_a_checkpoint(bench: Bench) -> None:
    """A checkpoint takes settled rows along that it names, and no others; a release does too."""
    claim = await bench.approved("call", "open")
    await start(bench.b, claim, "call")
    await start(bench.b, claim, "open")
    await bench.b.finish(claim, "call", b"done")
    for name in ("open", "nobody"):
        save = Save(event="save", head=b"", base=0, forget=["call", name])
        await refused(UnknownCall, bench.b.save(claim, save))
    same(len((await bench.a.load(bench.run_id)).effects), 2)
    await bench.b.save(claim, Save(event="save", head=b"", base=0, forget=["call"]))
    same([each.call for each in (await bench.a.load(bench.run_id)).effects], ["open"])
    await bench.b.finish(claim, "open", b"done")
    same((await bench.b.release(claim, forget=["open"])).status, "stopped")
    same((await bench.a.load(bench.run_id)).effects, ())


async def cancelled_start_is_undone(bench: Bench) -> None:
    """A start whose caller is cancelled meanwhile leaves no intent: the tool was not entered."""
    claim = await bench.approved("call")
    for _ in range(ROUNDS):
        if not await cancelled(_start(bench, claim)):
            return
        same((await bench.a.load(bench.run_id)).effects, ())


async def _start(bench: Bench, claim: object) -> object:
    return await start(bench.b, claim, "call")  # type: ignore[arg-type]


CHECKS = (
    result_is_reused,
    started_once,
    many_starts_at_once,
    other_arguments_do_not_start,
    undecided_does_not_start,
    approval_for_always,
    finish_needs_a_start,
    undo_takes_back,
    cut_call_is_in_doubt,
    it_happened,
    run_it_again,
    give_up,
    every_doubt_is_settled,
    doubts_of_one_name,
    idempotent_runs_again,
    every_end_leaves_doubt,
    forgotten_with_a_checkpoint,
    cancelled_start_is_undone,
)
