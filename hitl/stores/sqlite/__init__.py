"""Runs in a SQLite file, through the standard library: `sqlite:///relative.db`.

| module | what it holds |
| --- | --- |
| `worker` | one thread, so that the event loop does not wait for a disk |
| `connection` | pragmas, transactions, and the one edge for errors of the database |
| `schema` | the tables, and the numbered steps that lead to them |
| `table` | statements over a closed set of columns, rows with marks |
| `run`, `log`, `request`, `effect`, `rows` | the rows of the gate |

Write-ahead log, `synchronous=FULL`, every write BEGIN IMMEDIATE, the database's own clock.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import unquote

from hitl.errors import ValueRefused
from hitl.gate.desk import Desk
from hitl.gate.row import Kept
from hitl.gate.seal import Seal
from hitl.stores.sqlite.connection import Session, open_file
from hitl.stores.sqlite.rows import SQLiteRows
from hitl.stores.sqlite.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from hitl.gate.row import Rows
    from hitl.store import Cipher
    from hitl.stores.sqlite.connection import Connection

T = TypeVar("T")

_PREFIX = "sqlite:///"


class SQLiteStore(Desk):
    """A store in a file of this machine; any number of processes and threads may share it.

    One object is one connection in one thread. It belongs to the process that opened it.

    Args:
        path: the file; made when it is missing.
        cipher: seals what is written; see `Cipher`.
        timeout_s: how long a write waits while others write.
        factory: opens a connection; a test may give one that fails.
    """

    SCHEMES = ("sqlite",)

    def __init__(
        self,
        path: str,
        *,
        cipher: Cipher | None = None,
        timeout_s: float = 10.0,
        factory: Callable[[str, float], Connection] = open_file,
    ) -> None:
        self._seal = Seal(cipher)
        self._session = Session(path, timeout_s, factory)
        self._worker = Worker()

    @classmethod
    def connect(cls, url: str, *, cipher: Cipher | None, timeout_s: float) -> Self:
        """Make a store of a URL: `sqlite:///relative.db`, `sqlite:////absolute.db`.

        Raises:
            ValueRefused: another URL; a database in memory is `memory:`.
        """
        path = unquote(url.removeprefix(_PREFIX))
        if not url.startswith(_PREFIX) or path in {"", ":memory:"} or "\0" in path:
            raise ValueRefused(
                "expected sqlite:///relative.db or sqlite:////absolute.db",
                hint="runs that need not survive the process: memory:",
            )
        return cls(path, cipher=cipher, timeout_s=timeout_s)

    async def __aenter__(self) -> Self:
        """Open the file, and bring its tables up to date."""
        self._worker.start()
        try:
            await self._worker.call(self._session.open)
        except BaseException:
            self._worker.stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the file."""
        try:
            await self._worker.call(self._session.close)
        finally:
            self._worker.stop()

    async def write(
        self, work: Callable[[Rows], T], *, back: Callable[[Rows, T], object] | None = None
    ) -> T:
        """Run `work` in one transaction, alone among all writers."""
        if back is None:
            return await self._worker.call(functools.partial(self._write, work))

        def undo(result: T) -> None:
            self._write(lambda rows: back(rows, result))

        return await self._worker.call(functools.partial(self._write, work), undo)

    async def read(self, work: Callable[[Rows], T]) -> T:
        """Run `work` on one snapshot."""
        return await self._worker.call(functools.partial(self._read, work))

    async def wipe(self) -> None:
        """Cut the write-ahead log, where deleted bytes stand still."""
        await self._worker.call(self._session.wipe)

    def _write(self, work: Callable[[Rows], T]) -> T:
        with self._session.transaction("BEGIN IMMEDIATE") as connection:
            try:
                return work(SQLiteRows(connection, self._seal))
            except Kept as kept:
                error = kept.error
        raise error

    def _read(self, work: Callable[[Rows], T]) -> T:
        with self._session.transaction("BEGIN") as connection:
            return work(SQLiteRows(connection, self._seal))


STORE = SQLiteStore
