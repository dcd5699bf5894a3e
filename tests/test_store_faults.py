"""The database fails at any statement: a typed error, the state before or after (T7)."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

import hitl
from hitl.errors import HitlError, StoreCorrupt, StoreUnavailable
from hitl.store import Save
from hitl.stores.sqlite import SQLiteStore
from hitl.stores.sqlite.connection import open_file
from hitl.testing.stores.bench import NO, YES, asks, pause, start
from tests.stores.clock import Clock, fast_folder
from tests.stores.fault import KINDS, Kind, Plan

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from hitl.store import Claim, Store

    Step = Callable[[Store, dict[str, Claim]], Awaitable[object]]

LEASE_S = 1e9


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder that is not slower than it must be."""
    with contextmanager(fast_folder)() as path:
        yield path


async def furnish(store: Store) -> dict[str, Claim]:
    """Make runs in every situation; give the claims that hold."""
    claims = {}
    for name in ("going", "waiting", "ready", "doubted", "ended", "late"):
        claims[name] = await store.create(name, b"kickoff", worker="w", lease_s=LEASE_S)
        await store.save(claims[name], Save(event="save", head=b"1", base=0, new=[b"entry"]))
    await start(store, claims["going"], "running")
    await pause(store, claims["waiting"], "call", "other")
    await pause(store, claims["ready"], "call")
    await store.decide("ready", "call", YES)
    await start(store, claims["doubted"], "call")
    await store.release(claims["doubted"], reason="error")
    await store.save(claims["ended"], Save(event="finish", head=b"2", base=1))
    late = asks("late", expires_in_s=0.0, default=NO)
    await pause(store, claims["late"], late)
    return claims


STEPS: dict[str, Step] = {
    "create": lambda store, _: store.create("new", b"kickoff", worker="w", lease_s=LEASE_S),
    "claim": lambda store, _: store.claim("ready", worker="v", lease_s=LEASE_S),
    "renew": lambda store, claims: store.renew(claims["going"], lease_s=2 * LEASE_S),
    "save": lambda store, claims: store.save(
        claims["going"], Save(event="save", head=b"2", base=1, new=[b"a", b"b"])
    ),
    "pause": lambda store, claims: pause(store, claims["going"], "one", "two"),
    "release": lambda store, claims: store.release(claims["going"]),
    "start": lambda store, claims: start(store, claims["going"], "next"),
    "finish": lambda store, claims: store.finish(claims["going"], "running", b"result"),
    "undo": lambda store, claims: store.undo(claims["going"], "running"),
    "decide": lambda store, _: store.decide("waiting", "call", YES),
    "expire": lambda store, _: store.expire(),
    "settle": lambda store, _: store.settle("doubted", "call", "happened", result=b"told"),
    "cancel": lambda store, _: store.cancel("waiting"),
    "delete": lambda store, _: store.delete("waiting"),
    "prune": lambda store, _: store.prune(older_than_s=0),
    "load": lambda store, _: store.load("going"),
    "runs": lambda store, _: store.runs(),
    "waiting": lambda store, _: store.waiting(),
}


class Harness:
    """A furnished database, copied for each attempt."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = Clock()
        self.path = folder / "live.db"
        self.claims = asyncio.run(self._furnish())

    async def _furnish(self) -> dict[str, Claim]:
        async with SQLiteStore(
            str(self.folder / "template.db"), factory=self.clock.open_file
        ) as store:
            return await furnish(store)

    def fresh(self) -> None:
        """Begin with the furnished database."""
        for suffix in ("", "-wal", "-shm"):
            (self.folder / f"live.db{suffix}").unlink(missing_ok=True)
        shutil.copy(self.folder / "template.db", self.path)

    async def content(self) -> object:
        """Give all there is, verified."""
        async with SQLiteStore(str(self.path), factory=self.clock.open_file) as store:
            return [await store.load(run.run_id) for run in await store.runs()]

    async def attempt(self, step: Step, plan: Plan, after: int | None) -> HitlError | None:
        """Take a step that fails at a statement; the store must go on working after it."""
        factory = plan.wrap(self.clock.open_file)
        async with SQLiteStore(str(self.path), factory=factory) as store:
            plan.after = after
            try:
                await step(store, self.claims)
            except HitlError as exc:
                return exc
            finally:
                plan.after = None
                await store.runs()
        return None


class TestEveryStatement:
    @pytest.mark.parametrize("kind", KINDS)
    def test_before_or_after(self, kind: Kind, folder: Path) -> None:
        """Whatever fails at whichever statement of any method, nothing is left in between (T7)."""
        harness = Harness(folder)
        expected = StoreCorrupt if kind == "corrupt" else StoreUnavailable
        count = 0
        with asyncio.Runner() as loop:
            harness.fresh()
            before = loop.run(harness.content())
            for name, step in STEPS.items():
                harness.fresh()
                assert loop.run(harness.attempt(step, Plan(), None)) is None
                after = loop.run(harness.content())
                for nth in range(1000):
                    harness.fresh()
                    plan = Plan(kind)
                    error = loop.run(harness.attempt(step, plan, nth))
                    if not plan.struck:
                        break
                    count += 1
                    assert type(error) is expected, (name, nth)
                    assert isinstance(error.__cause__, sqlite3.Error), (name, nth)
                    assert loop.run(harness.content()) in (before, after), (name, nth)
        assert count > len(STEPS) * 3
        print(f"T7: {kind} at each of {count} statements: typed error, never in between")  # noqa: T201


class TestRealFaults:
    """The same from SQLite itself, not from a stand-in."""

    async def refused(self, store: Store, step: Callable[[], Awaitable[object]]) -> HitlError:
        """Give the error of a step, after which the store works."""
        with pytest.raises((StoreUnavailable, StoreCorrupt)) as caught:
            await step()
        await store.runs()
        return caught.value

    def test_full(self, tmp_path: Path) -> None:
        """A full disk is StoreUnavailable; what was there stays."""

        def small(path: str, timeout_s: float) -> sqlite3.Connection:
            connection = open_file(path, timeout_s)
            connection.execute("PRAGMA max_page_count = 40")
            return connection

        async def fill() -> HitlError:
            async with SQLiteStore(str(tmp_path / "runs.db"), factory=small) as store:
                claim = await store.create("run", b"", worker="w", lease_s=60)
                big = Save(event="save", head=b"", base=0, new=[b"x" * 500_000])
                error = await self.refused(store, lambda: store.save(claim, big))
                assert (await store.load("run")).entries == ()
                await store.save(claim, Save(event="save", head=b"", base=0, new=[b"small"]))
                return error

        assert "SQLITE_FULL" in str(asyncio.run(fill()))

    def test_busy(self, tmp_path: Path) -> None:
        """A database others write to for longer than the timeout is StoreUnavailable."""
        path = tmp_path / "runs.db"

        async def wait() -> HitlError:
            async with hitl.connect(f"sqlite:///{path}", timeout_s=0.01) as store:
                await store.create("run", b"", worker="w", lease_s=60)
                with closing(sqlite3.connect(path, isolation_level=None)) as other:
                    other.execute("BEGIN IMMEDIATE")
                    return await self.refused(store, lambda: store.decide("run", "c", YES))

        assert "SQLITE_BUSY" in str(asyncio.run(wait()))

    def test_read_only(self, tmp_path: Path) -> None:
        """A database that can only be read is StoreUnavailable to a writer."""

        async def write() -> HitlError:
            async with SQLiteStore(str(tmp_path / "runs.db"), factory=self.frozen) as store:
                self.connection.execute("PRAGMA query_only = ON")
                create = lambda: store.create("run", b"", worker="w", lease_s=60)  # noqa: E731
                return await self.refused(store, create)

        assert "SQLITE_READONLY" in str(asyncio.run(write()))

    def frozen(self, path: str, timeout_s: float) -> sqlite3.Connection:
        """Open a connection the test can turn."""
        self.connection = open_file(path, timeout_s)
        return self.connection

    def test_no_database(self, tmp_path: Path) -> None:
        """A file that is no database is StoreCorrupt, and stays as it is."""
        path = tmp_path / "runs.db"
        path.write_bytes(b"not a database, whatever its name says" * 100)
        before = path.read_bytes()
        with pytest.raises(StoreCorrupt):
            asyncio.run(_open(path))
        assert path.read_bytes() == before

    def test_no_folder(self, tmp_path: Path) -> None:
        """A folder that is not there is StoreUnavailable."""
        with pytest.raises(StoreUnavailable):
            asyncio.run(_open(tmp_path / "none" / "runs.db"))

    def test_replaced(self, tmp_path: Path) -> None:
        """A connection that is lost is not replaced by one to a new, empty database."""

        async def lose() -> None:
            path = tmp_path / "runs.db"
            plan = Plan("closed")
            async with SQLiteStore(str(path), factory=plan.wrap(open_file)) as store:
                await store.create("run", b"", worker="w", lease_s=60)
                plan.after = 0
                with pytest.raises(StoreUnavailable):
                    await store.run("run")
                path.unlink()
                with pytest.raises(StoreUnavailable, match="empty"):
                    await store.run("run")

        asyncio.run(lose())

    def test_not_open(self, tmp_path: Path) -> None:
        """A store that is not open says so."""
        store = hitl.connect(f"sqlite:///{tmp_path}/runs.db")
        with pytest.raises(StoreUnavailable, match="not open"):
            asyncio.run(store.runs())


async def _open(path: Path) -> None:
    async with hitl.connect(f"sqlite:///{path}"):
        pass
