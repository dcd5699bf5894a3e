"""A disk whose power can be cut: what SQLite wrote and synced, and what may be left of it.

apsw lets a file system be written in Python. Ours passes everything through and records each write,
truncation and sync. A cut at any point leaves the files as they were synced last, and of the writes
since then any part: none, all, or some of their sectors in any order.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import apsw
from attrs import Factory, define

from hitl.stores.sqlite.connection import Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hitl.stores.sqlite.connection import Value

SECTOR = 512


@define
class Event:
    """What happened to the disk.

    Attributes:
        kind: `write`, `truncate`, `sync`, `delete`, or `ack`: a save was acknowledged.
        file: which file; for `ack`, the run.
        at: offset, or size; for `ack`, the checkpoint.
        data: what was written.
    """

    kind: str
    file: str
    at: int = 0
    data: bytes = b""


class Disk(apsw.VFS):
    """A file system that records."""

    def __init__(self, name: str) -> None:
        self.events: list[Event] = []
        self.name = name
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> apsw.VFSFile:  # noqa: N802, ANN401 - apsw's
        """Open a file."""
        return _File(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: FBT001, N802 - apsw's
        """Delete a file."""
        self.events.append(Event("delete", _short(filename)))
        super().xDelete(filename, syncdir)

    def connect(self, path: str, synchronous: str | None) -> Connection:
        """Open a database on this disk; with None it is synced as hitl says."""
        return Connection(apsw.Connection(path, vfs=self.name), synchronous)


class _File(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:  # noqa: ANN401 - apsw's
        self._disk = disk
        self._name = _short(name if isinstance(name, str) else name.filename())
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - apsw's
        self._disk.events.append(Event("write", self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - apsw's
        self._disk.events.append(Event("truncate", self._name, newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 - apsw's
        self._disk.events.append(Event("sync", self._name))
        super().xSync(flags)


def _short(path: str) -> str:
    return path.rpartition("/")[2]


@define
class _Rows:
    rows: list[Row]

    def fetchone(self) -> Row | None:
        """Give the next row."""
        return self.rows.pop(0) if self.rows else None

    def fetchall(self) -> list[Row]:
        """Give all rows that are left."""
        rows, self.rows = self.rows, []
        return rows

    def close(self) -> None:
        """Let go of what was not fetched."""


class Connection:
    """What hitl uses of a connection, over apsw: the same SQL.

    In exclusive locking mode SQLite keeps the index of the write-ahead log in memory of its own,
    for a file system in Python has no shared memory. A log of 20 pages is checkpointed, so that
    cuts fall into checkpoints too.
    """

    def __init__(self, connection: apsw.Connection, synchronous: str | None) -> None:
        self._connection = connection
        self._synchronous = synchronous
        self.execute("PRAGMA locking_mode = EXCLUSIVE", ())
        self.execute("PRAGMA wal_autocheckpoint = 20", ())

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._connection.in_transaction

    def execute(self, sql: str, parameters: Sequence[Value], /) -> _Rows:
        """Run one statement."""
        if self._synchronous and sql.startswith("PRAGMA synchronous"):
            sql = f"PRAGMA synchronous = {self._synchronous}"
        return _Rows(list(self._connection.execute(sql, tuple(parameters))))

    def close(self) -> None:
        """Close."""
        self._connection.close()


@define
class Medium:
    """One file as the medium has it.

    Attributes:
        synced: what is there for sure.
        since: what was written since, in order.
    """

    synced: bytearray = Factory(bytearray)
    since: list[Event] = Factory(list)

    def left(self, dice: random.Random) -> bytes:
        """Give what may be left when the power goes now."""
        data = bytearray(self.synced)
        mood = dice.random()
        for event in self.since:
            if event.kind == "truncate":
                if mood < 1 / 3 or (mood < 2 / 3 and dice.random() < 1 / 2):
                    del data[event.at :]
                continue
            for start in range(0, len(event.data), SECTOR):
                if mood < 1 / 3 or (mood < 2 / 3 and dice.random() < 1 / 2):
                    _put(data, event.at + start, event.data[start : start + SECTOR])
        return bytes(data)

    def sync(self) -> None:
        """Let what was written be there for sure."""
        for event in self.since:
            if event.kind == "truncate":
                del self.synced[event.at :]
            else:
                _put(self.synced, event.at, event.data)
        self.since = []


def _put(data: bytearray, at: int, piece: bytes) -> None:
    if len(data) < at:
        data.extend(bytes(at - len(data)))
    data[at : at + len(piece)] = piece


def cuts(
    events: list[Event], count: int, seed: int
) -> Iterator[tuple[dict[str, bytes], dict[str, int]]]:
    """Give what is left on the disk after each of `count` cuts, and what was acknowledged."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    points = sorted(dice.choices(range(len(events)), k=count))
    files: dict[str, Medium] = {}
    acknowledged: dict[str, int] = {}
    for number, event in enumerate(events):
        while points and points[0] == number:
            points.pop(0)
            yield {name: file.left(dice) for name, file in files.items()}, dict(acknowledged)
        if event.kind == "ack":
            acknowledged[event.file] = event.at
        elif event.kind == "delete":
            files.pop(event.file, None)
        elif event.kind == "sync":
            files.setdefault(event.file, Medium()).sync()
        else:
            files.setdefault(event.file, Medium()).since.append(event)
