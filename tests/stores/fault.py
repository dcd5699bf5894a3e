"""A connection that fails at the nth statement, as a database does."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Literal

from attrs import define

from hitl.stores.sqlite.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hitl.stores.sqlite.connection import Cursor, Value

Kind = Literal["busy", "full", "io", "late", "closed", "corrupt"]
KINDS: tuple[Kind, ...] = ("busy", "full", "io", "late", "closed", "corrupt")

_CODES = {
    "busy": sqlite3.SQLITE_BUSY,
    "full": sqlite3.SQLITE_FULL,
    "io": sqlite3.SQLITE_IOERR,
    "late": sqlite3.SQLITE_IOERR,
    "corrupt": sqlite3.SQLITE_CORRUPT,
}


@define
class Plan:
    """When to fail.

    Attributes:
        kind: how; `late`: the statement runs and yet is said to have failed; `closed`: the
            connection is closed before the statement.
        after: statements that succeed first; None never fails.
        struck: whether it has failed.
    """

    kind: Kind = "io"
    after: int | None = None
    struck: bool = False

    def wrap(self, factory: Callable[[str, float], Connection]) -> Callable[[str, float], Faulty]:
        """Give a factory of connections that fail."""
        return lambda path, timeout_s: Faulty(factory(path, timeout_s), self)


@define
class Faulty:
    """A connection that fails when its plan says so."""

    real: Connection
    plan: Plan

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self.real.in_transaction

    def execute(self, sql: str, parameters: Sequence[Value], /) -> Cursor:
        """Run one statement, or fail."""
        plan = self.plan
        if plan.after is None:
            return self.real.execute(sql, parameters)
        if plan.after > 0:
            plan.after -= 1
            return self.real.execute(sql, parameters)
        plan.after, plan.struck = None, True
        if plan.kind == "closed":
            self.real.close()
            return self.real.execute(sql, parameters)
        if plan.kind == "late":
            self.real.execute(sql, parameters).fetchall()
        error = sqlite3.OperationalError("as planned")
        error.sqlite_errorcode = _CODES[plan.kind]
        error.sqlite_errorname = plan.kind
        raise error

    def close(self) -> None:
        """Close."""
        self.real.close()
