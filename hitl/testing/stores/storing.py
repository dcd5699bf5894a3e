"""Checks of what is stored: checkpoints, the log, bytes and texts, lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.errors import StoreError, Superseded, UnknownRun, ValueRefused
from hitl.store import Save, Verdict
from hitl.testing.stores.bench import (
    LEASE_S,
    asks,
    names,
    pause,
    refused,
    same,
    start,
)

if TYPE_CHECKING:
    from hitl.testing.stores.bench import Bench

# What has broken stores before: quotes, SQL, wildcards, formats, markup, paths, bidi, emoji.
PAYLOADS = (
    "'; DROP TABLE hitl_run; --",
    '" OR 1=1 --',
    "1); DELETE FROM hitl_request; --",
    "%' OR '1'='1",
    "a_b%c",
    "?1",
    ":name",
    "$1",
    "{0}{run_id}",
    "%s%(x)s",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "\u202egnp.exe",
    "e\u0301 é 🏴‍☠️ \U0010ffff",
    "NULL",
    "0x00",
    "9007199254740993",
    "-1",
    "outer/inner",
    " leading and trailing ",
    "\\",
    "`id`",
)


async def nothing_before_a_save(bench: Bench) -> None:
    """A new run has its kickoff and nothing else."""
    await bench.begun()
    stored = await bench.b.load(bench.run_id)
    same((stored.kickoff, stored.checkpoint, stored.entries), (b"kickoff", None, ()))
    same((stored.run.checkpoint, stored.run.entries), (0, 0))


async def log_is_appended(bench: Bench) -> None:
    """A save appends; what was there comes back as it was, in order."""
    claim = await bench.begun()
    entries = [b"", b"\x00", bytes(range(256)), "é🏴‍☠️".encode(), b"x" * 300_000]
    await bench.a.save(claim, Save(event="save", head=b"1", base=0, new=entries[:2]))
    await bench.a.save(claim, Save(event="save", head=b"2", base=2))
    run = await bench.a.save(claim, Save(event="save", head=b"", base=2, new=entries[2:]))
    stored = await bench.b.load(bench.run_id)
    same(list(stored.entries), entries)
    same((run.status, run.checkpoint, run.entries), ("running", 3, 5))
    same(stored.checkpoint and stored.checkpoint.head, b"")


async def checkpoints_stay(bench: Bench) -> None:
    """Every checkpoint can be read as it was: its head, its part of the log, who wrote it."""
    claim = await bench.begun()
    for number in range(1, 6):
        new = [f"{number}.{nth}".encode() for nth in range(number % 3)]
        base = (await bench.a.run(bench.run_id)).entries
        save = Save(event="save", head=f"head {number}".encode(), base=base, new=new)
        await bench.a.save(claim, save)
    whole = (await bench.b.load(bench.run_id)).entries
    for number in range(1, 6):
        point = (found := await bench.b.load(bench.run_id, checkpoint=number)).checkpoint
        if point is None:
            raise AssertionError(f"expected checkpoint {number}, found none")
        same((point.number, point.head), (number, f"head {number}".encode()))
        same((point.generation, point.status), (1, "running"))
        same(found.entries, whole[: point.entries])
    for number in (0, -1, 6):
        await refused(UnknownRun, bench.b.load(bench.run_id, checkpoint=number))


async def stale_base_writes_nothing(bench: Bench) -> None:
    """A save on another length of the log than the one that is there changes nothing."""
    claim = await bench.begun()
    await bench.a.save(claim, Save(event="save", head=b"1", base=0, new=[b"a", b"b"]))
    before = await bench.b.load(bench.run_id)
    for base in (0, 1, 3):
        save = Save(event="pause", head=b"2", base=base, new=[b"c"], requests=[asks("call")])
        await refused(Superseded, bench.a.save(claim, save))
    same(await bench.b.load(bench.run_id), before)


async def refused_pause_writes_nothing(bench: Bench) -> None:
    """A pause one request of which cannot be written leaves nothing of itself behind."""
    claim = await bench.begun()
    before = await bench.b.load(bench.run_id)
    for wrong in (
        [asks("one"), asks("two", tool="")],
        [asks("one"), asks("one")],
        [asks("one"), asks("two", expires_in_s=1.0)],
        [asks("one"), asks("two", expires_in_s=float("nan"), default=Verdict(approved=False))],
        [asks("one"), asks("two", arguments_sha256="no digest")],
    ):
        await refused(ValueRefused, pause(bench.a, claim, *wrong))
    same(await bench.b.load(bench.run_id), before)


async def stop_says_why(bench: Bench) -> None:
    """A stopped run says why, until it goes on."""
    claim = await bench.begun()
    stop = Save(event="stop", head=b"1", base=0, reason="turn_limit", note="MaxTurnsExceeded")
    run = await bench.a.save(claim, stop)
    same((run.status, run.reason, run.note), ("stopped", "turn_limit", "MaxTurnsExceeded"))
    await bench.b.claim(bench.run_id, worker="two", lease_s=LEASE_S)
    run = await bench.a.run(bench.run_id)
    same((run.status, run.reason, run.note), ("running", None, None))


async def finished_run_stays(bench: Bench) -> None:
    """A finished run can be read, and nobody claims it."""
    claim = await bench.begun()
    await bench.a.save(claim, Save(event="finish", head=b"end", base=0, new=[b"last"]))
    stored = await bench.b.load(bench.run_id)
    same((stored.run.status, stored.entries), ("finished", (b"last",)))
    await refused(StoreError, bench.b.claim(bench.run_id, worker="two", lease_s=LEASE_S))


async def runs_in_pages(bench: Bench) -> None:
    """Runs are listed in the order they were made, by status, in pages that miss nothing."""
    ids = [f"{bench.run_id}-{number}" for number in range(7)]
    for number, run_id in enumerate(ids):
        claim = await bench.a.create(run_id, b"", worker="one", lease_s=LEASE_S)
        if number % 2:
            await bench.a.save(claim, Save(event="stop", head=b"", base=0, reason="error"))
    found: list[str] = []
    after = ids[0]
    while page := await bench.b.runs(after=after, limit=2):
        found += [run.run_id for run in page]
        after = found[-1]
    same([run_id for run_id in found if run_id in ids], ids[1:])
    listed = await bench.b.runs(status={"stopped"}, after=ids[0], limit=1000)
    same([run.run_id for run in listed if run.run_id in ids], ids[1::2])
    both = await bench.b.runs(status=["stopped", "running"], after=ids[0], limit=1000)
    same([run.run_id for run in both if run.run_id in ids], ids[1:])
    same(len(await bench.b.runs(status=())), 0)


async def lists_have_a_limit(bench: Bench) -> None:
    """A list of no, of negative or of any number of rows is refused."""
    for limit in (0, -1, 10**9, True, 1.5, "1"):
        await refused(ValueRefused, bench.a.runs(limit=limit))  # type: ignore[arg-type]
        await refused(ValueRefused, bench.a.waiting(limit=limit))  # type: ignore[arg-type]


async def payloads_are_data(bench: Bench) -> None:
    """SQL, wildcards and markup in any id or text come back as they went in (T23)."""
    bystander = f"{bench.run_id}-bystander"
    await bench.a.create(bystander, b"", worker="one", lease_s=LEASE_S)
    for text in PAYLOADS:
        run_id = f"{bench.run_id} {text}"
        claim = await bench.a.create(run_id, text.encode(), worker=text, lease_s=LEASE_S)
        asked = asks(text, tool=text, agent=text, body=text.encode())
        await pause(bench.a, claim, asked)
        verdict = Verdict(approved=True, message=text, by=text, reason=text)
        same((await bench.b.decide(run_id, text, verdict)).verdict, verdict)
        claim = await bench.b.claim(run_id, worker=text, lease_s=LEASE_S)
        await start(bench.b, claim, text)
        await bench.b.finish(claim, text, text.encode())
        await bench.b.release(claim, reason="error", note=text)
        stored = await bench.a.load(run_id)
        same((stored.run.run_id, stored.run.worker, stored.run.note), (run_id, text, text))
        request, effect = stored.requests[0], stored.effects[0]
        same((request.call, request.tool, request.agent), (text, text, text))
        same((effect.call, effect.result, stored.kickoff), (text, text.encode(), text.encode()))
        same(names(await bench.a.runs(after=run_id, limit=1), "run_id"), [])
        await bench.a.delete(run_id)
    same((await bench.b.run(bystander)).status, "running")


CHECKS = (
    nothing_before_a_save,
    log_is_appended,
    checkpoints_stay,
    stale_base_writes_nothing,
    refused_pause_writes_nothing,
    stop_says_why,
    finished_run_stays,
    runs_in_pages,
    lists_have_a_limit,
    payloads_are_data,
)
