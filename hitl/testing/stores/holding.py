"""Checks of who may write: create, claim, renew, release, cancel, delete."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hitl.errors import (
    AlreadyClaimed,
    HitlError,
    NotClaimable,
    RunExists,
    Superseded,
    UnknownRun,
    ValueRefused,
)
from hitl.store import Claim, Save
from hitl.testing.stores.bench import (
    LEASE_S,
    OVER_S,
    ROUNDS,
    YES,
    cancelled,
    pause,
    refused,
    same,
    start,
)

if TYPE_CHECKING:
    from hitl.store import Store
    from hitl.testing.stores.bench import Bench


async def creator_has_the_run(bench: Bench) -> None:
    """A new run is running, in generation 1, in the hands of its creator; no other gets it."""
    claim = await bench.begun()
    same((claim.generation, claim.worker), (1, "one"))
    error = await refused(
        AlreadyClaimed, bench.b.claim(bench.run_id, worker="two", lease_s=LEASE_S)
    )
    same((error.worker, error.until is None), ("one", False))


async def created_once(bench: Bench) -> None:
    """A second create is refused and told whether its input is the same."""
    await bench.begun()
    for kickoff, alike in ((b"kickoff", True), (b"another", False)):
        attempt = bench.b.create(bench.run_id, kickoff, worker="two", lease_s=LEASE_S)
        same((await refused(RunExists, attempt)).same, alike)


async def unknown_run(bench: Bench) -> None:
    """Every method that names a run says so when there is none."""
    run_id, store = bench.run_id, bench.a
    for attempt in (
        store.claim(run_id, worker="one", lease_s=LEASE_S),
        store.decide(run_id, "call", YES),
        store.settle(run_id, "call", "rerun"),
        store.cancel(run_id),
        store.load(run_id),
        store.run(run_id),
        store.runs(after=run_id),
        store.waiting(run_id=run_id),
        store.delete(run_id),
    ):
        await refused(UnknownRun, attempt)


async def dead_worker_is_superseded(bench: Bench) -> None:
    """When a lease is over the next worker gets the run, and the old one can write no more (T5)."""
    old = await bench.begun(lease_s=OVER_S)
    new = await bench.b.claim(bench.run_id, worker="two", lease_s=LEASE_S)
    same(new.generation, old.generation + 1)
    await _writes_refused(bench, old)
    await bench.b.renew(new, lease_s=LEASE_S)


async def slow_worker_goes_on(bench: Bench) -> None:
    """A lease that is over takes nothing from a worker while nobody else claimed the run."""
    claim = await bench.begun(lease_s=OVER_S)
    await bench.a.save(claim, Save(event="save", head=b"1", base=0, new=[b"entry"]))
    claim = await bench.a.renew(claim, lease_s=LEASE_S)
    await refused(AlreadyClaimed, bench.b.claim(bench.run_id, worker="two", lease_s=LEASE_S))


async def pause_ends_the_claim(bench: Bench) -> None:
    """After a pause, a stop, a finish or a release the worker writes no more."""
    claim = await bench.begun()
    await pause(bench.a, claim, "call")
    await _writes_refused(bench, claim)


async def remade_run_is_another(bench: Bench) -> None:
    """A claim of a deleted run does not hold a later run of the same id."""
    claim = await bench.begun(lease_s=OVER_S)
    await bench.a.delete(bench.run_id)
    await _writes_refused(bench, claim)
    await asyncio.sleep(0.01)  # runs of one id are told apart by when they were made
    await bench.begun()
    await _writes_refused(bench, claim)


async def claim_needs_a_verdict(bench: Bench) -> None:
    """A run that waits is claimed with a verdict that nobody used, or by force."""
    await bench.paused("first", "second")
    attempt = bench.a.claim(bench.run_id, worker="one", lease_s=LEASE_S)
    await refused(NotClaimable, attempt)
    await bench.a.decide(bench.run_id, "first", YES)
    claim = await bench.b.claim(bench.run_id, worker="two", lease_s=LEASE_S)
    await pause(bench.b, claim, "second")
    attempt = bench.a.claim(bench.run_id, worker="one", lease_s=LEASE_S)
    await refused(NotClaimable, attempt)
    await bench.a.claim(bench.run_id, worker="one", lease_s=LEASE_S, force=True)


async def one_claimer_wins(bench: Bench) -> None:
    """Of many claims at once exactly one gets the run (T4)."""
    await bench.paused("call")
    await bench.a.decide(bench.run_id, "call", YES)
    stores = [bench.a, bench.b] * 8
    claims = [
        store.claim(bench.run_id, worker=f"worker {number}", lease_s=LEASE_S)
        for number, store in enumerate(stores)
    ]
    found = await asyncio.gather(*claims, return_exceptions=True)
    winners = [each.worker for each in found if isinstance(each, Claim)]
    same(len(winners), 1)
    told = {each.worker for each in found if isinstance(each, AlreadyClaimed)}
    same(told, set(winners))


async def release_gives_back(bench: Bench) -> None:
    """A released run is what its newest checkpoint says: ready, waiting, or stopped."""
    claim = await bench.approved("call")
    same((await bench.b.release(claim)).status, "ready")
    claim = await bench.a.claim(bench.run_id, worker="one", lease_s=LEASE_S)
    run = await bench.a.release(claim, reason="error", note="ModelError")
    same((run.status, run.reason, run.note), ("stopped", "error", "ModelError"))
    claim = await bench.a.claim(bench.run_id, worker="one", lease_s=LEASE_S)
    await pause(bench.a, claim, "next")
    claim = await bench.a.claim(bench.run_id, worker="one", lease_s=LEASE_S, force=True)
    same((await bench.a.release(claim)).status, "waiting")


async def release_before_a_checkpoint(bench: Bench) -> None:
    """A run without a checkpoint is stopped when it is released, and can be claimed."""
    claim = await bench.begun()
    same((await bench.a.release(claim)).status, "stopped")
    same((await bench.b.claim(bench.run_id, worker="two", lease_s=LEASE_S)).generation, 2)


async def cancel_ends_a_run(bench: Bench) -> None:
    """A run nobody works on can be given up; then nothing of it waits and nobody claims it."""
    claim = await bench.begun()
    await refused(AlreadyClaimed, bench.b.cancel(bench.run_id))
    await pause(bench.a, claim, "call")
    same((await bench.b.cancel(bench.run_id, note="too late")).status, "cancelled")
    same(len(await bench.a.waiting(run_id=bench.run_id)), 0)
    await refused(NotClaimable, bench.a.claim(bench.run_id, worker="one", lease_s=LEASE_S))
    await refused(NotClaimable, bench.a.cancel(bench.run_id))
    await refused(HitlError, bench.a.decide(bench.run_id, "call", YES))


async def cancel_of_the_dead(bench: Bench) -> None:
    """A run whose worker is dead can be given up; the worker then writes no more."""
    claim = await bench.begun(lease_s=OVER_S)
    same((await bench.b.cancel(bench.run_id)).status, "cancelled")
    await _writes_refused(bench, claim)


async def delete_removes_all(bench: Bench) -> None:
    """A deleted run is unknown, and its id can be used again, with nothing of the old one."""
    claim = await bench.begun()
    await refused(AlreadyClaimed, bench.b.delete(bench.run_id))
    await bench.a.save(claim, Save(event="finish", head=b"end", base=0, new=[b"entry"]))
    await bench.b.delete(bench.run_id)
    await refused(UnknownRun, bench.a.load(bench.run_id))
    await bench.begun()
    stored = await bench.b.load(bench.run_id)
    same((stored.entries, stored.checkpoint, stored.requests, stored.effects), ((), None, (), ()))


async def prune_takes_what_ended(bench: Bench) -> None:
    """Prune deletes runs that ended, of that age, and no others."""
    claim = await bench.begun()
    await bench.a.prune(older_than_s=0)
    await bench.a.save(claim, Save(event="finish", head=b"end", base=0))
    await bench.b.prune(older_than_s=3600)
    await bench.b.run(bench.run_id)
    if not await bench.b.prune(older_than_s=0):
        raise AssertionError("expected a run to be pruned, found none")
    await refused(UnknownRun, bench.a.run(bench.run_id))


async def ids_are_names(bench: Bench) -> None:
    """An id that is no string, empty, too long or with control characters is refused (rule 6)."""
    for wrong in ("", "a\x00b", "a\nb", "a\x1b[2J", "\ud800", "x" * 201, None, 7, {"$ne": 1}):
        attempt = bench.a.create(wrong, b"", worker="one", lease_s=LEASE_S)  # type: ignore[arg-type]
        await refused(ValueRefused, attempt)
        await refused(ValueRefused, bench.a.run(wrong))  # type: ignore[arg-type]


async def cancelled_create_leaves_no_run(bench: Bench) -> None:
    """A create whose caller is cancelled meanwhile leaves no run: nobody would have it."""
    for _ in range(ROUNDS):
        if not await cancelled(bench.a.create(bench.run_id, b"k", worker="gone", lease_s=LEASE_S)):
            return  # a store that never waits cannot be cancelled
        await refused(UnknownRun, bench.b.run(bench.run_id))


async def cancelled_claim_is_given_back(bench: Bench) -> None:
    """A claim whose caller is cancelled meanwhile is given back: nobody would have the run."""
    await bench.paused("call")
    await bench.a.decide(bench.run_id, "call", YES)
    for _ in range(ROUNDS):
        if not await cancelled(bench.a.claim(bench.run_id, worker="gone", lease_s=LEASE_S)):
            return
        same((await bench.b.run(bench.run_id)).status, "ready")


async def _writes_refused(bench: Bench, claim: Claim) -> None:
    store: Store = bench.a
    before = await _seen(bench)
    for attempt in (
        store.renew(claim, lease_s=LEASE_S),
        store.save(claim, Save(event="save", head=b"stale", base=0)),
        store.release(claim),
        start(store, claim, "call"),
        store.finish(claim, "call", b"stale"),
        store.undo(claim, "call"),
    ):
        await refused(Superseded, attempt)
    same(await _seen(bench), before)


async def _seen(bench: Bench) -> object:
    try:
        return await bench.b.load(bench.run_id)
    except UnknownRun:
        return None


CHECKS = (
    creator_has_the_run,
    created_once,
    unknown_run,
    dead_worker_is_superseded,
    slow_worker_goes_on,
    pause_ends_the_claim,
    remade_run_is_another,
    claim_needs_a_verdict,
    one_claimer_wins,
    release_gives_back,
    release_before_a_checkpoint,
    cancel_ends_a_run,
    cancel_of_the_dead,
    delete_removes_all,
    prune_takes_what_ended,
    ids_are_names,
    cancelled_create_leaves_no_run,
    cancelled_claim_is_given_back,
)
