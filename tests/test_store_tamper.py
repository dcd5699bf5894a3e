"""What is stored is what was written, or StoreCorrupt; what is deleted is gone (T11-T13)."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

import hitl
from hitl.errors import HitlError, StoreCorrupt, StoreUnavailable
from hitl.store import Save
from hitl.stores.sqlite import SQLiteStore
from hitl.testing.stores.bench import NO, SHA256, YES, asks, pause, start
from tests.stores.clock import fast_folder
from tests.stores.crowd import fork

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hitl.store import Store, Stored

CALLS = ("approved", "rejected", "undecided")
SECRET = b"the-secret-that-must-go-away"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Give a folder that is not slower than it must be."""
    with contextmanager(fast_folder)() as path:
        yield path


async def furnish(store: Store) -> Stored:
    """Make two runs, each with a call that may run and two that may not."""
    for run_id in ("first", "second"):
        claim = await store.create(run_id, run_id.encode(), worker="w", lease_s=0)
        for number in range(2):
            new = [f"{run_id} {number}".encode() * 9]
            await store.save(claim, Save(event="save", head=b"head", base=number, new=new))
        await start(store, claim, "earlier")
        await store.finish(claim, "earlier", b"result")
        await pause(store, claim, *(asks(call, body=f"{call} body".encode()) for call in CALLS))
        await store.decide(run_id, "approved", YES)
        await store.decide(run_id, "rejected", NO)
    return await store.load("first")


def make(path: Path) -> Stored:
    """Make the database; nothing is left in a log beside it."""

    async def write() -> Stored:
        async with SQLiteStore(str(path)) as store:
            return await furnish(store)

    return asyncio.run(write())


async def proceed(path: Path, truth: Stored) -> str:
    """Do what a worker would: claim, load, start. Say `same` or `refused`; the rest is a bug."""
    async with SQLiteStore(str(path)) as store:
        claim = await store.claim("first", worker="v", lease_s=60)
        stored = await store.load("first")
        assert (stored.kickoff, stored.entries) == (truth.kickoff, truth.entries)
        assert (stored.requests, stored.effects) == (truth.requests, truth.effects)
        assert stored.checkpoint == truth.checkpoint
        for call in ("rejected", "undecided"):
            with pytest.raises(HitlError):
                await start(store, claim, call)
        await start(store, claim, "approved")
    return "same"


def outcome(path: Path, truth: Stored) -> str:
    """Give `same`, or the class of the error."""
    try:
        return asyncio.run(proceed(path, truth))
    except HitlError as exc:
        return type(exc).__name__


class TestFlips:
    FLIPS = 600

    def test_any_byte(self, folder: Path) -> None:
        """Any byte of the file flipped: the run goes on as it was, or a typed error (T11)."""
        truth = make(folder / "template.db")
        data = (folder / "template.db").read_bytes()
        used = [at for at, byte in enumerate(data) if byte]  # most of a small database is zeros
        dice = random.Random(11)  # noqa: S311 - no secret
        ends: Counter[str] = Counter()
        path = folder / "runs.db"
        for _ in range(self.FLIPS):
            at = dice.choice(used)
            flipped = data[at] ^ (1 << dice.randrange(8))
            for suffix in ("-wal", "-shm"):
                (folder / f"runs.db{suffix}").unlink(missing_ok=True)
            path.write_bytes(data[:at] + bytes([flipped]) + data[at + 1 :])
            ends[outcome(path, truth)] += 1
        assert ends["same"] < self.FLIPS
        assert set(ends) <= {"same", "StoreCorrupt", "StoreUnavailable", "UnknownRun"}
        print(f"T11: {self.FLIPS} flipped bytes: {dict(ends)}; nothing undecided ran")  # noqa: T201


ROWS = {
    "hitl_run": "run_id = 'first'",
    "hitl_kickoff": "run = 1",
    "hitl_segment": "run = 1 AND start = 1",
    "hitl_checkpoint": "run = 1 AND number = 3",
    "hitl_request": "run = 1 AND call = 'undecided'",
    "hitl_effect": "run = 1",
}
# Another value of the same type.
OTHER = """CASE typeof({0}) WHEN 'integer' THEN {0} + 1 WHEN 'real' THEN {0} + 1.0
    WHEN 'text' THEN {0} || 'x' ELSE CAST({0} || 'x' AS BLOB) END"""
KEYS = {"seq", "id", "run_id"}


def columns(path: Path, table: str) -> list[str]:
    """The columns of a table."""
    with closing(sqlite3.connect(path)) as plain:
        return [row[1] for row in plain.execute(f"PRAGMA table_info({table})")]


def content(path: Path, table: str) -> list[tuple[object, ...]]:
    """The rows of a table."""
    with closing(sqlite3.connect(path)) as plain:
        return plain.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608


def edit(path: Path, *statements: str) -> None:
    """Change the database behind hitl's back."""
    with closing(sqlite3.connect(path)) as plain:
        for statement in statements:
            plain.execute(statement)
        plain.commit()


class TestEdits:
    @pytest.mark.parametrize("table", ROWS)
    def test_any_column(self, table: str, folder: Path) -> None:
        """Any column of any row changed: StoreCorrupt, whichever value it is given (T12)."""
        truth = make(folder / "template.db")
        path = folder / "runs.db"
        names = [name for name in columns(folder / "template.db", table) if name not in KEYS]
        for name in names:
            path.write_bytes((folder / "template.db").read_bytes())
            where = f"WHERE {ROWS[table]} AND {name} IS NOT NULL"
            edit(path, f"UPDATE OR REPLACE {table} SET {name} = {OTHER.format(name)} {where}")  # noqa: S608
            same = content(path, table) == content(folder / "template.db", table)
            end = outcome(path, truth)
            assert same or end in {"StoreCorrupt", "UnknownRun"}, (table, name, end)

    @pytest.mark.parametrize(
        "statement",
        [
            # a verdict copied onto the call that waits, with and without its mark
            """UPDATE hitl_request SET verdict = (SELECT verdict FROM hitl_request WHERE run = 1 AND
            call = 'approved'), decided_at = 1.0, open = 0 WHERE run = 1 AND call = 'undecided'""",
            """UPDATE hitl_request SET (verdict, decided_at, open, mark) = (SELECT verdict,
            decided_at, open, mark FROM hitl_request WHERE run = 1 AND call = 'approved')
            WHERE run = 1 AND call = 'undecided'""",
            # the approved row under the name of the call that waits
            """UPDATE OR REPLACE hitl_request SET call = 'undecided' WHERE run = 1 AND
            call = 'approved'""",
            # rows of another run
            """UPDATE OR REPLACE hitl_request SET run = 1 WHERE run = 2""",
            "UPDATE OR REPLACE hitl_effect SET run = 1 WHERE run = 2",
            "UPDATE OR REPLACE hitl_segment SET run = 1 WHERE run = 2 AND start = 1",
            "UPDATE OR REPLACE hitl_checkpoint SET run = 1 WHERE run = 2",
            "UPDATE OR REPLACE hitl_kickoff SET run = 1 WHERE run = 2",
            # other arguments under the verdict
            """UPDATE hitl_request SET arguments_sha256 = 'f' WHERE run = 1""",
            """UPDATE hitl_request SET body = x'00' WHERE run = 1 AND call = 'approved'""",
            # gone
            "DELETE FROM hitl_request WHERE run = 1 AND call = 'undecided'",
            "DELETE FROM hitl_request WHERE run = 1 AND call = 'approved'",
            "DELETE FROM hitl_effect WHERE run = 1",
            "DELETE FROM hitl_segment WHERE run = 1 AND start = 0",
            "DELETE FROM hitl_segment WHERE run = 1 AND start = 1",
            "DELETE FROM hitl_checkpoint WHERE run = 1 AND number = 3",
            "DELETE FROM hitl_kickoff WHERE run = 1",
            # two segments in each other's place
            """UPDATE hitl_segment SET data = (SELECT data FROM hitl_segment other
            WHERE other.run = 1 AND other.start = 1 - hitl_segment.start) WHERE run = 1""",
            # an older checkpoint under the newest number
            """UPDATE OR REPLACE hitl_checkpoint SET number = 3 WHERE run = 1 AND number = 2""",
            # ready without the last verdict
            "UPDATE hitl_run SET status = 'ready', undecided = 0, decided = 3 WHERE seq = 1",
            "UPDATE hitl_run SET generation = 0 WHERE seq = 1",
        ],
    )
    def test_swapped_and_relabelled(self, statement: str, folder: Path) -> None:
        """Rows swapped, relabelled, copied, moved to another run or gone: StoreCorrupt (T12)."""
        truth = make(folder / "runs.db")
        edit(folder / "runs.db", statement)
        assert outcome(folder / "runs.db", truth) == "StoreCorrupt"

    def test_sealed_marks_cannot_be_made(self, folder: Path) -> None:
        """Under another cipher not even a row with a mark of its own is believed."""
        from tests.test_stores import Xor

        make(folder / "runs.db")

        async def look() -> None:
            async with SQLiteStore(str(folder / "runs.db"), cipher=Xor()) as store:
                with pytest.raises(StoreCorrupt):
                    await store.run("first")

        asyncio.run(look())


class TestGone:
    async def live(self, path: Path) -> None:
        """Let a run with a secret everywhere live and be deleted, beside one that stays."""
        async with SQLiteStore(str(path)) as store:
            for run_id in ("stays", "goes"):
                data = SECRET if run_id == "goes" else b"kept"
                text = data.decode()
                claim = await store.create(run_id, data * 9, worker="w", lease_s=60)
                for number in range(30):
                    new = [data * 40, b"x" * number * 50]
                    save = Save(event="save", head=data, base=2 * number, new=new)
                    await store.save(claim, save)
                await start(store, claim, text)
                await store.finish(claim, text, data * 500)
                await pause(store, claim, asks(f"{text} 2", body=data * 300))
                await store.decide(run_id, f"{text} 2", hitl.approve(by=text, reason=text))
            assert any(SECRET in file.read_bytes() for file in path.parent.iterdir())
            await store.delete("goes")
            left = [file.name for file in path.parent.iterdir() if SECRET in file.read_bytes()]
            assert left == []
            assert (await store.load("stays")).run.status == "ready"

    def test_deleted_is_gone(self, folder: Path) -> None:
        """A deleted run is nowhere in the files, the store still open."""
        asyncio.run(self.live(folder / "runs.db"))

    def test_reader_in_the_way(self, folder: Path) -> None:
        """When a reader keeps the write-ahead log, delete says so; the next one cuts it."""
        path = folder / "runs.db"

        async def collide() -> None:
            async with SQLiteStore(str(path), timeout_s=0.01) as store:
                for run_id in ("one", "two"):
                    claim = await store.create(run_id, SECRET, worker="w", lease_s=60)
                    await store.save(claim, Save(event="finish", head=b"", base=0))
                with closing(sqlite3.connect(path, isolation_level=None)) as reader:
                    reader.execute("BEGIN")
                    reader.execute("SELECT count(*) FROM hitl_run").fetchone()
                    with pytest.raises(StoreUnavailable, match="write-ahead log"):
                        await store.delete("one")
                await store.delete("two")

        asyncio.run(collide())
        assert not [each for each in folder.iterdir() if SECRET in each.read_bytes()]

    def test_sealed(self, folder: Path) -> None:
        """With a cipher nothing of a run stands in the file in clear but names and digests."""
        from tests.test_stores import Xor

        async def live() -> None:
            async with SQLiteStore(str(folder / "runs.db"), cipher=Xor()) as store:
                claim = await store.create("run", SECRET, worker="w", lease_s=60)
                await store.save(claim, Save(event="save", head=SECRET, base=0, new=[SECRET]))
                await start(store, claim, "call")
                await store.finish(claim, "call", SECRET)
                default = hitl.reject(message=SECRET.decode())
                await pause(store, claim, asks("a", body=SECRET, expires_in_s=9.0, default=default))
                await store.decide("run", "a", hitl.approve(reason=SECRET.decode()))
                stored = await store.load("run")
                assert (stored.kickoff, stored.entries) == (SECRET, (SECRET,))

        asyncio.run(live())
        assert not [each for each in folder.iterdir() if SECRET in each.read_bytes()]


class TestFile:
    def test_private(self, tmp_path: Path) -> None:
        """A new database is readable by its owner only."""
        make(tmp_path / "runs.db")
        assert (tmp_path / "runs.db").stat().st_mode & 0o777 == 0o600

    def test_many_start_at_once(self, folder: Path) -> None:
        """Of many processes that open a new database at once, one makes the tables."""

        async def begin(number: int) -> str:
            async with hitl.connect(f"sqlite:///{folder}/runs.db") as store:
                await store.create(f"run-{number}", b"", worker="w", lease_s=60)
                return "begun"

        crowd = [fork(lambda number=number: begin(number)) for number in range(12)]  # type: ignore[misc]
        assert [child.report() for child in crowd] == ["begun"] * 12
        with closing(sqlite3.connect(folder / "runs.db")) as plain:
            assert plain.execute("SELECT count(*) FROM hitl_run").fetchone() == (12,)
            assert plain.execute("SELECT number FROM hitl_migration").fetchall() == [(1,)]

    def test_overtaken(self, folder: Path) -> None:
        """A process that finds the tables made when its turn comes leaves them as they are."""
        path = folder / "runs.db"

        class Slow(sqlite3.Connection):
            def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:  # noqa: ANN401
                """Let another process make the tables before the first transaction begins."""
                if sql == "BEGIN IMMEDIATE" and not seen:
                    seen.append(make(path))
                return super().execute(sql, parameters)

        def slow(name: str, timeout_s: float) -> sqlite3.Connection:
            return sqlite3.connect(
                name, timeout_s, isolation_level=None, check_same_thread=False, factory=Slow
            )

        async def begin() -> None:
            async with SQLiteStore(str(path), factory=slow) as store:
                assert await store.load("first") == seen[0]

        seen: list[Stored] = []
        asyncio.run(begin())

    def test_newer_tables(self, folder: Path) -> None:
        """Tables that a newer hitl made are not touched."""
        truth = make(folder / "runs.db")
        edit(folder / "runs.db", "INSERT INTO hitl_migration VALUES (2, 'from the future', 0.0)")
        assert outcome(folder / "runs.db", truth) == "StoreUnavailable"

    def test_forked(self, tmp_path: Path) -> None:
        """A store that was opened before a fork says so in the child, instead of hanging."""

        async def open_and_fork() -> object:
            async with hitl.connect(f"sqlite:///{tmp_path}/runs.db") as store:

                def attempt() -> object:
                    with pytest.raises(StoreUnavailable, match="this process"):
                        store.runs().send(None)
                    return "refused"

                async def child() -> object:
                    return attempt()

                return _in_a_child(child)

        assert asyncio.run(open_and_fork()) == "refused"

    def test_one_digest_per_call(self) -> None:
        """The digest the checks use is that of what they show."""
        assert asks("call").arguments_sha256 == SHA256


def _in_a_child(work: object) -> object:
    """Fork while a loop runs; the child has none, so it makes one."""
    import threading

    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(fork(work).report()))  # type: ignore[arg-type]
    thread.start()
    thread.join()
    return found[0]
