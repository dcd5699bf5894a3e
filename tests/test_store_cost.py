"""What a store costs: a pause writes what is new, lists and decisions do not look at the rest."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest
from attrs import Factory, define

from hitl.store import Save
from hitl.stores.sqlite import SQLiteStore, schema
from hitl.stores.sqlite.connection import open_file
from hitl.testing.stores.bench import NO, YES, asks, pause, start
from tests.stores.clock import fast_folder

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence
    from pathlib import Path

    from hitl.store import Store
    from hitl.stores.sqlite.connection import Connection, Cursor, Value


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder that is not slower than it must be."""
    with contextmanager(fast_folder)() as path:
        yield path


@define
class Meter:
    """Statements that ran, and bytes that were bound."""

    statements: list[str] = Factory(list)
    size_bytes: int = 0

    def open_file(self, path: str, timeout_s: float) -> Metered:
        """Open a connection that is measured."""
        return Metered(open_file(path, timeout_s), self)


class Metered:
    """A connection that counts."""

    def __init__(self, real: Connection, meter: Meter) -> None:
        self._real = real
        self._meter = meter

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._real.in_transaction

    def execute(self, sql: str, parameters: Sequence[Value], /) -> Cursor:
        """Run one statement."""
        self._meter.statements.append(sql)
        self._meter.size_bytes += sum(
            len(each) if isinstance(each, str | bytes) else 8 for each in parameters
        )
        return self._real.execute(sql, parameters)

    def close(self) -> None:
        """Close."""
        self._real.close()


async def turns(store: Store, count: int, meter: Meter) -> int:
    """Let a run go through turns of four entries; give the bytes of its last pause."""
    claim = await store.create("run", b"kickoff", worker="w", lease_s=600)
    entry = b"x" * 1400
    for turn in range(count):
        new = [entry] * 4
        await store.save(claim, Save(event="save", head=b"h" * 800, base=4 * turn, new=new))
    meter.size_bytes = 0
    base = 4 * count
    ask = asks("call", body=b"b" * 400)
    pausing = Save(event="pause", head=b"h" * 800, base=base, new=[entry] * 4, requests=[ask])
    await store.save(claim, pausing)
    return meter.size_bytes


class TestPause:
    def test_writes_what_is_new(self, folder: Path) -> None:
        """A pause binds the same bytes after 10 turns and after 1,000, at most 16 KiB."""
        sizes = {}
        for count in (10, 1000):
            meter = Meter()

            async def live(count: int = count, meter: Meter = meter) -> int:
                path = str(folder / f"{count}.db")
                async with SQLiteStore(path, factory=meter.open_file) as store:
                    return await turns(store, count, meter)

            sizes[count] = asyncio.run(live())
        assert sizes[1000] - sizes[10] < 16
        assert sizes[1000] <= 16 * 1024
        print(f"a pause of one turn binds {sizes[10]:,} bytes after 10 turns, "  # noqa: T201
              f"{sizes[1000]:,} after 1,000")  # fmt: skip


async def everything(store: Store) -> None:
    """Call every method that must not look at what it is not about."""
    for run_id in ("one", "two"):
        claim = await store.create(run_id, b"", worker="w", lease_s=600)
        late = asks("late", expires_in_s=0.0, default=NO)
        await pause(store, claim, "a", "b", late)
        await store.expire()
        await store.decide(run_id, "a", YES)
        claim = await store.claim(run_id, worker="w", lease_s=600)
        await start(store, claim, "a")
        await store.finish(claim, "a", b"")
        await store.renew(claim, lease_s=600)
        await store.save(claim, Save(event="finish", head=b"", base=0))
    await store.waiting()
    await store.waiting(run_id="one")
    await store.runs()
    await store.runs(status={"waiting", "ready"}, after="one", limit=10)
    await store.delete("one")
    await store.prune(older_than_s=0)


class TestPlans:
    """Flat in the number of runs: SQLite looks things up and sorts nothing that grows with them."""

    def plans(self, folder: Path, work: Callable[[Store], Awaitable[None]]) -> dict[str, str]:
        """Give the query plan of every statement that ran."""
        meter = Meter()

        async def live() -> None:
            async with SQLiteStore(str(folder / "runs.db"), factory=meter.open_file) as store:
                await work(store)

        asyncio.run(live())
        wanted = {sql for sql in meter.statements if re.match("SELECT|UPDATE|DELETE", sql)}
        with closing(sqlite3.connect(folder / "runs.db")) as plain:
            return {
                sql: "; ".join(
                    row[3]
                    for row in plain.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * sql.count("?"))
                )
                for sql in wanted
            }

    def test_nothing_is_scanned(self, folder: Path) -> None:
        """No statement scans a table, or sorts, but the rows of one run, or of one page."""
        plans = self.plans(folder, everything)
        assert len(plans) > 20
        scans = {
            sql: plan
            for sql, plan in plans.items()
            if re.search(r"SCAN (?!CONSTANT|sqlite_s|hitl_migration)", plan)
            and "SCAN hitl_request USING INDEX hitl_request_waiting" not in plan  # open ones only
        }
        assert {sql for sql in scans if "seq > ?" not in sql} == set()

    def test_nothing_is_sorted(self, folder: Path) -> None:
        """What is sorted are the requests and effects of one run, or those that are due."""
        sorts = {
            sql for sql, plan in self.plans(folder, everything).items() if "TEMP B-TREE" in plan
        }
        one_run = {sql for sql in sorts if re.search(r"WHERE (\w+\.)?run = \?", sql)}
        assert {sql for sql in sorts - one_run if "expires_at <= ?" not in sql} == set()

    def test_migrations_count(self) -> None:
        """Steps are numbered from 1 without gaps."""
        numbers = [step.number for step in schema.MIGRATIONS]
        assert numbers == list(range(1, len(numbers) + 1))
