"""A clock of the database that tests move by hand."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import define

from hitl.stores.sqlite.connection import open_file

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

TICK_S = 675.0  # 1/128 of a day: julianday and seconds turn into each other without rounding
_EPOCH = 2440587.5  # 1970 as julianday has it


@define
class Clock:
    """Seconds since 1970, for memory and for SQLite.

    Attributes:
        ticks: how many have passed.
    """

    ticks: int = 2_000_000

    def now(self) -> float:
        """Give the time."""
        return self.ticks * TICK_S

    def open_file(self, path: str, timeout_s: float) -> sqlite3.Connection:
        """Open a database whose clock this is."""
        connection = open_file(path, timeout_s)
        connection.create_function("julianday", 1, lambda _: _EPOCH + self.ticks / 128)
        return connection


def fast_folder() -> Iterator[Path]:
    """Give a folder in memory where there is one: for laws that are not about the disk."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Path(folder)
