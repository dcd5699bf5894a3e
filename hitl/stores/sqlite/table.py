"""Statements over a closed set of tables and columns, and rows that carry a mark (rule 6).

The text of every statement is made of constants of this package when it is imported; values are
bound, always.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from attrs import define, field

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.gate.seal import Seal
    from hitl.stores.sqlite.connection import Connection, Row, Value


@define(frozen=True, slots=False)
class Table:
    """A table.

    Attributes:
        name: its name.
        key: the columns that find one row.
        rest: the others; the mark, over all of them in this order, comes last and is not listed.
        columns: key and rest.
    """

    name: str
    key: tuple[str, ...]
    rest: tuple[str, ...]
    columns: tuple[str, ...] = field(init=False)

    @columns.default
    def _columns(self) -> tuple[str, ...]:
        return self.key + self.rest

    @cached_property
    def insert(self) -> str:
        """One row."""
        places = ", ".join("?" * (len(self.columns) + 1))
        return f"INSERT INTO {self.name} ({', '.join(self.columns)}, mark) VALUES ({places})"  # noqa: S608 - constants

    @cached_property
    def update(self) -> str:
        """The row of a key; the key comes after all others."""
        sets = ", ".join(f"{column} = ?" for column in (*self.rest, "mark"))
        return f"UPDATE {self.name} SET {sets} WHERE {self._found}"  # noqa: S608 - constants

    @cached_property
    def delete(self) -> str:
        """The row of a key."""
        return f"DELETE FROM {self.name} WHERE {self._found}"  # noqa: S608 - constants

    def select(self, tail: str) -> str:
        """Marked rows; `tail` is a constant of the module that asks."""
        names = ", ".join(f"{self.name}.{column}" for column in (*self.columns, "mark"))
        return f"SELECT {names} FROM {self.name} {tail}"  # noqa: S608 - constants

    @cached_property
    def find(self) -> str:
        """The row of a key."""
        return self.select(f"WHERE {self._found}")

    @property
    def _found(self) -> str:
        return " AND ".join(f"{column} = ?" for column in self.key)


class Marked:
    """The rows of one table as a transaction sees them; every row is checked when it is read."""

    def __init__(self, table: Table, connection: Connection, seal: Seal) -> None:
        self.table = table
        self._connection = connection
        self._seal = seal

    def add(self, run_id: str, row: Row) -> None:
        """Write a new row."""
        mark = self._seal.mark(self.table.name, run_id, row)
        self._connection.execute(self.table.insert, (*row, mark))

    def put(self, run_id: str, row: Row) -> None:
        """Replace a row."""
        mark = self._seal.mark(self.table.name, run_id, row)
        keys = len(self.table.key)
        self._connection.execute(self.table.update, (*row[keys:], mark, *row[:keys]))

    def find(self, run_id: str, key: Sequence[Value]) -> Row | None:
        """Give the row of a key."""
        row = self._connection.execute(self.table.find, key).fetchone()
        return None if row is None else self.checked(run_id, row)

    def checked(self, run_id: str, row: Row) -> Row:
        """Give a row without its mark.

        Raises:
            StoreCorrupt: it is not what was written for this run.
        """
        *values, mark = row
        self._seal.check(mark, self.table.name, run_id, values)
        return tuple(values)
