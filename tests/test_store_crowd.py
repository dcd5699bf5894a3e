"""Many processes at one SQLite file: one claim, one verdict, one effect (T4, T5, T8, T9)."""

from __future__ import annotations

import asyncio
import os
import random
import select
import signal
import threading
import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

import hitl
from hitl.errors import (
    AlreadyClaimed,
    AlreadyDecided,
    HitlError,
    InDoubt,
    NotClaimable,
    Superseded,
    UnknownCall,
)
from hitl.store import Save
from tests.stores.clock import fast_folder
from tests.stores.crowd import SHA256, approved, fork

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hitl.store import Claim, Store
    from tests.stores.crowd import Child


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder that is not slower than it must be."""
    with contextmanager(fast_folder)() as path:
        yield path


def note(file: Path, line: str) -> None:
    """Add a line, as the outside world would notice an effect."""
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


def noted(file: Path) -> Counter[str]:
    """Count the lines."""
    return Counter(file.read_text().splitlines() if file.exists() else ())


class TestClaims:
    RUNS = 120
    KILLS = 40
    LEASE_S = 0.15

    async def go_on(self, store: Store, claim: Claim, folder: Path) -> None:
        """Run the call of a claimed run, and finish the run."""
        note(folder / "claims", f"{claim.run_id} {claim.generation}")
        effect = await store.start(claim, "call", tool="pay", arguments_sha256=SHA256)
        if effect.state == "started":
            note(folder / "effects", claim.run_id)
            await store.finish(claim, "call", b"paid")
        base = (await store.run(claim.run_id)).entries
        await store.save(claim, Save(event="save", head=b"on", base=base, new=[b"entry"]))
        await store.save(claim, Save(event="finish", head=b"end", base=base + 1))

    async def one(self, store: Store, run_id: str, folder: Path) -> None:
        """Take one run as far as it goes."""
        try:
            claim = await store.claim(run_id, worker=str(os.getpid()), lease_s=self.LEASE_S)
            await self.go_on(store, claim, folder)
        except (AlreadyClaimed, NotClaimable, Superseded):
            return
        except InDoubt:
            happened = noted(folder / "effects")[run_id] > 0
            how, result = ("happened", b"paid") if happened else ("rerun", None)
            try:
                await store.settle(run_id, "call", how, result=result)  # type: ignore[arg-type]
            except UnknownCall:
                return

    async def worker(self, folder: Path) -> int:
        """Work until no run is left."""
        async with hitl.connect(f"sqlite:///{folder}/runs.db") as store:
            while left := await store.runs(status={"ready", "running", "stopped", "in_doubt"}):
                for run in random.sample(list(left), len(left)):
                    await self.one(store, run.run_id, folder)
        return 0

    async def make(self, folder: Path) -> None:
        """Make the runs."""
        async with hitl.connect(f"sqlite:///{folder}/runs.db") as store:
            for number in range(self.RUNS):
                await approved(store, f"run-{number}")

    async def seen(self, folder: Path) -> Counter[str]:
        """Count the runs by status, verified."""
        async with hitl.connect(f"sqlite:///{folder}/runs.db") as store:
            return Counter([(await store.load(f"run-{n}")).run.status for n in range(self.RUNS)])

    def test_under_kill(self, folder: Path) -> None:
        """Workers die by SIGKILL anywhere: no run claimed twice, none lost, each paid once (T4)."""
        asyncio.run(self.make(folder))
        dice = random.Random(4)  # noqa: S311 - no secret
        crowd = [fork(lambda: self.worker(folder)) for _ in range(4)]
        kills = 0
        for _ in range(self.KILLS):
            time.sleep(dice.uniform(0.005, 0.08))
            victim = dice.randrange(4)
            crowd[victim].kill()
            kills += 1
            crowd[victim] = fork(lambda: self.worker(folder))
        for child in crowd:
            assert child.report() == 0
        claims, effects = noted(folder / "claims"), noted(folder / "effects")
        double = [run for run, count in (*claims.items(), *effects.items()) if count > 1]
        assert double == []
        assert asyncio.run(self.seen(folder)) == {"finished": self.RUNS}
        assert len(effects) == self.RUNS
        print(f"T4: {kills} kills, {len(claims)} claims, {self.RUNS} runs: 0 double, 0 lost")  # noqa: T201


class TestStopped:
    WORKERS = 12
    LEASE_S = 0.05

    async def attempts(self, store: Store, claim: Claim) -> list[str]:
        """Try every write there is; give how each ended."""
        save = Save(event="finish", head=b"stale", base=0)
        ends = []
        for attempt in (
            store.start(claim, "call", tool="pay", arguments_sha256=SHA256),
            store.finish(claim, "call", b"stale"),
            store.undo(claim, "call"),
            store.renew(claim, lease_s=60),
            store.save(claim, save),
            store.release(claim),
        ):
            try:
                await attempt
                ends.append("done")
            except HitlError as exc:
                ends.append(type(exc).__name__)
        return ends

    async def sleeper(self, url: str, run_id: str, ready: int, go: int) -> list[str]:
        """Claim, be stopped, and go on as if nothing had been."""
        async with hitl.connect(url) as store:
            claim = await store.claim(run_id, worker=run_id, lease_s=self.LEASE_S)
            os.write(ready, b".")
            os.read(go, 1)
            return await self.attempts(store, claim)

    def test_stale_commits(self, folder: Path) -> None:
        """A worker stopped past its lease commits nothing when it goes on (T5)."""
        url = f"sqlite:///{folder}/runs.db"
        names = [f"run-{number}" for number in range(self.WORKERS)]

        async def make() -> None:
            async with hitl.connect(url) as store:
                for name in names:
                    await approved(store, name)

        async def take_over() -> None:
            async with hitl.connect(url) as store:
                for name in names:
                    await store.claim(name, worker="new", lease_s=60)

        asyncio.run(make())
        ready, up = os.pipe()
        hold, go = os.pipe()
        crowd = [fork(lambda name=name: self.sleeper(url, name, up, hold)) for name in names]  # type: ignore[misc]
        for _ in crowd:
            os.read(ready, 1)
        for child in crowd:
            os.kill(child.pid, signal.SIGSTOP)
        time.sleep(self.LEASE_S)
        asyncio.run(take_over())
        os.write(go, b"." * self.WORKERS)
        for child in crowd:
            os.kill(child.pid, signal.SIGCONT)
        ends = Counter(end for child in crowd for end in _list(child))
        for end in (ready, up, hold, go):
            os.close(end)
        assert ends == {"Superseded": 6 * self.WORKERS}
        print(f"T5: {self.WORKERS} workers stopped past the lease: {ends.total()} of "  # noqa: T201
              f"{ends.total()} stale writes refused")  # fmt: skip


def _list(child: Child) -> list[str]:
    found = child.report()
    assert isinstance(found, list)
    return found


class TestDeciders:
    PROCESSES = 8
    THREADS = 8

    def test_one_verdict(self, folder: Path) -> None:
        """Of 64 people at once one decides; 63 are told who and when (T8)."""
        url = f"sqlite:///{folder}/runs.db"

        async def ask() -> None:
            async with hitl.connect(url) as store:
                claim = await store.create("run", b"", worker="maker", lease_s=60)
                from hitl.testing.stores.bench import pause

                await pause(store, claim, "call")

        asyncio.run(ask())
        hold, go = os.pipe()
        crowd = [
            fork(lambda first=first: self.people(url, first, hold))  # type: ignore[misc]
            for first in range(0, self.PROCESSES * self.THREADS, self.THREADS)
        ]
        os.write(go, b".")  # nobody reads it: all see it at once
        ends = [end for child in crowd for end in _list(child)]
        os.close(hold)
        os.close(go)
        winners = [end for end in ends if end[0] == "won"]
        told = {(end[1], end[2]) for end in ends if end[0] == "told"}
        assert (len(ends), len(winners), len(told)) == (64, 1, 1)
        assert told == {(winners[0][1], winners[0][2])}
        print("T8: 64 people at once, 8 processes x 8 threads: 1 verdict, 63 told who and when")  # noqa: T201

    async def people(self, url: str, first: int, hold: int) -> list[tuple[str, ...]]:
        """Let a thread for each person decide."""
        ends: list[tuple[str, ...]] = []
        barrier = threading.Barrier(self.THREADS)

        async def decide(who: str) -> tuple[str, ...]:
            async with hitl.connect(url) as store:
                select.select([hold], [], [])
                barrier.wait()
                try:
                    request = await store.decide("run", "call", hitl.approve(by=who))
                except AlreadyDecided as exc:
                    return ("told", str(exc.by), str(exc.at))
                from hitl.gate.lease import moment

                return ("won", who, str(moment(request.decided_at)))

        threads = [
            threading.Thread(target=lambda who=who: ends.append(asyncio.run(decide(f"{who}"))))
            for who in range(first, first + self.THREADS)
        ]  # fmt: skip
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return ends


class TestWorkers:
    RUNS = 1000
    WORKERS = 8

    def test_each_run_once(self, folder: Path) -> None:
        """Eight workers and a thousand approved runs: each is claimed by exactly one (T9)."""
        url = f"sqlite:///{folder}/runs.db"

        async def make() -> None:
            async with hitl.connect(url) as store:
                for number in range(self.RUNS):
                    await approved(store, f"run-{number:04}")

        async def work() -> list[str]:
            mine = []
            async with hitl.connect(url, timeout_s=60) as store:
                while left := await store.runs(status={"ready"}, limit=50):
                    for run in random.sample(list(left), len(left)):
                        try:
                            claim = await store.claim(run.run_id, worker="w", lease_s=60)
                        except (AlreadyClaimed, NotClaimable):
                            continue
                        mine.append(claim.run_id)
                        await store.save(claim, Save(event="finish", head=b"end", base=0))
            return mine

        asyncio.run(make())
        crowd = [fork(work) for _ in range(self.WORKERS)]
        taken = Counter(run for child in crowd for run in _list(child))
        assert (len(taken), set(taken.values())) == (self.RUNS, {1})
        print(f"T9: {self.WORKERS} workers, {self.RUNS:,} runs: each claimed by exactly one")  # noqa: T201
