"""One connection, used by one thread: pragmas, transactions, and the one edge for its errors."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Protocol

from hitl.errors import StoreCorrupt, StoreError, StoreUnavailable
from hitl.stores.sqlite import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Value = None | int | float | str | bytes
Row = tuple[Value, ...]

_OLDEST = (3, 40)
_TRIES = 100  # to become a database with a write-ahead log, while others try the same

# Primary result codes, https://sqlite.org/rescode.html; anything else is told by its name.
_CORRUPT = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
_SCHEMA = {sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH}
_WHY = {
    sqlite3.SQLITE_BUSY: "the database is busy with other writers",
    sqlite3.SQLITE_LOCKED: "the database is locked",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "the disk cannot be read or written",
    sqlite3.SQLITE_READONLY: "the database can be read only",
    sqlite3.SQLITE_CANTOPEN: "the database cannot be opened",
    sqlite3.SQLITE_NOMEM: "there is not enough memory",
}


class Cursor(Protocol):
    """What a statement gives."""

    def fetchone(self) -> Row | None:
        """Give the next row."""

    def fetchall(self) -> list[Row]:
        """Give all rows that are left."""

    def close(self) -> None:
        """Let go of what was not fetched."""


class Connection(Protocol):
    """What is used of `sqlite3.Connection`; errors are those of `sqlite3`."""

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""

    def execute(self, sql: str, parameters: Sequence[Value], /) -> Cursor:
        """Run one statement."""

    def close(self) -> None:
        """Close."""


def open_file(path: str, timeout_s: float) -> sqlite3.Connection:
    """Open a database file; one that is new is readable by its owner only."""
    if sqlite3.sqlite_version_info < _OLDEST:
        found = sqlite3.sqlite_version
        raise StoreUnavailable(f"expected SQLite {_OLDEST[0]}.{_OLDEST[1]} or newer, found {found}")
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    return sqlite3.connect(path, timeout=timeout_s, isolation_level=None, check_same_thread=False)


@contextmanager
def translated() -> Iterator[None]:
    """Let errors of the database leave as errors of the contract."""
    try:
        yield
    except sqlite3.Error as exc:
        raise _translate(exc) from exc
    except UnicodeDecodeError as exc:  # what sqlite3 makes of a name in a damaged schema
        raise StoreCorrupt("the tables are not those that hitl made") from exc
    except OSError as exc:
        raise StoreUnavailable(f"the database cannot be opened: {exc.strerror}") from exc


def _translate(exc: sqlite3.Error) -> StoreError:
    name = getattr(exc, "sqlite_errorname", None) or type(exc).__name__
    code = (getattr(exc, "sqlite_errorcode", None) or 0) & 0xFF
    if code in _CORRUPT:
        return StoreCorrupt(f"the file is no sound SQLite database ({name})")
    if code in _SCHEMA:
        return StoreCorrupt(f"the tables are not those that hitl made ({name})")
    if isinstance(exc, sqlite3.ProgrammingError):
        return StoreUnavailable("the connection is closed")
    return StoreUnavailable(f"{_WHY.get(code, 'the database cannot do it now')} ({name})")


class Session:
    """The connection of a store; opened anew when it was lost.

    Args:
        path: the file.
        timeout_s: how long to wait while others write.
        factory: opens a connection that leaves transactions to us.
    """

    def __init__(
        self, path: str, timeout_s: float, factory: Callable[[str, float], Connection]
    ) -> None:
        self._path = path
        self._timeout_s = timeout_s
        self._factory = factory
        self._connection: Connection | None = None

    def open(self) -> None:
        """Open, and bring the tables up to date."""
        with translated():
            connection = self._connect()
            try:
                schema.migrate(connection)
            except BaseException:
                connection.close()
                raise
            self._connection = connection

    def close(self) -> None:
        """Close; what was committed is on disk already."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with translated():
                connection.close()

    @contextmanager
    def transaction(self, begin: str) -> Iterator[Connection]:
        """Open a transaction, and commit it unless the body raises."""
        with translated():
            connection = self._connected()
            try:
                connection.execute(begin, ())
                yield connection
                connection.execute("COMMIT", ())
            except BaseException:
                self._roll_back(connection)
                raise

    def wipe(self) -> None:
        """Bring the write-ahead log into the database and cut it to nothing.

        Raises:
            StoreUnavailable: a reader did not let go of it.
        """
        with translated():
            connection = self._connected()
            try:
                row = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)", ()).fetchone()
            except sqlite3.Error:
                self._roll_back(connection)
                raise
        if row is None or row[0]:
            raise StoreUnavailable(
                "what was deleted stands in the write-ahead log still: others read it",
                hint="the next delete, prune or close cuts the log",
            )

    def _connected(self) -> Connection:
        if self._connection is None:
            connection = self._connect()
            if not schema.number(connection):
                connection.close()
                raise StoreUnavailable("the database has been replaced by an empty one")
            self._connection = connection
        return self._connection

    def _connect(self) -> Connection:
        connection = self._factory(self._path, self._timeout_s)
        try:
            _write_ahead(connection)
            for pragma in (
                "synchronous = FULL",  # NORMAL loses acknowledged commits when the power goes
                "secure_delete = ON",
                "cell_size_check = ON",
                "trusted_schema = OFF",
            ):
                connection.execute(f"PRAGMA {pragma}", ())
        except BaseException:
            connection.close()
            raise
        return connection

    def _roll_back(self, connection: Connection) -> None:
        """Leave no transaction open; a connection that cannot do even that is given up."""
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK", ())
        except sqlite3.Error:
            self._connection = None
            with suppress(sqlite3.Error):
                connection.close()


def _write_ahead(connection: Connection) -> None:
    """Switch to the write-ahead log; SQLite does not wait when another process does it too."""
    for left in reversed(range(_TRIES)):
        try:
            connection.execute("PRAGMA journal_mode = WAL", ()).fetchone()
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or not left:
                raise
            time.sleep(0.02)
        else:
            return
