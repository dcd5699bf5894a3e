"""Runs: one small row each; what they were started with lies beside it."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, cast

import attrs

from hitl.errors import StoreCorrupt
from hitl.gate.row import Record
from hitl.store import Run
from hitl.stores.sqlite.table import Marked, Table

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from hitl.gate.seal import Seal
    from hitl.lifecycle import Status
    from hitl.stores.sqlite.connection import Connection, Cursor, Row, Value

_RUN = (
    "run_id",
    "status",
    "reason",
    "note",
    "generation",
    "checkpoint",
    "entries",
    "kickoff_sha256",
    "created_at",
    "updated_at",
    "worker",
    "lease_until",
)
_RECORD = ("pause", "undecided", "decided", "asked", "logged", "starts")
RUN = Table("hitl_run", ("seq",), _RUN + _RECORD)
KICKOFF = Table("hitl_kickoff", ("run",), ("data",))

_NEXT = RUN.select("WHERE seq > ? ORDER BY seq LIMIT ?")
_NEXT_OF = RUN.select("WHERE status = ? AND seq > ? ORDER BY seq LIMIT ?")
_BY_ID = RUN.select("WHERE run_id = ?")
_ENDED = RUN.select(
    """INDEXED BY hitl_run_ended WHERE status IN ('finished', 'cancelled') AND updated_at <= ?
    ORDER BY updated_at LIMIT ?"""
)


class Runs:
    """Runs and kickoffs as one transaction sees them."""

    def __init__(self, connection: Connection, seal: Seal) -> None:
        self.seal = seal
        self.execute = connection.execute
        self._connection = connection
        self._runs = Marked(RUN, connection, seal)
        self._kickoffs = Marked(KICKOFF, connection, seal)
        self._seqs: dict[str, int] = {}
        self._now: float | None = None

    def now(self) -> float:
        """Give the time; one transaction has one time."""
        if self._now is None:
            # julianday counts days from noon of 4714 BC; 1970 began at 2440587.5.
            sql = "SELECT (julianday('now') - 2440587.5) * 86400.0"
            self._now = float(self.one(self.execute(sql, ()))[0] or 0)
        return self._now

    def marked(self, table: Table) -> Marked:
        """Give the rows of a table."""
        return Marked(table, self._connection, self.seal)

    @staticmethod
    def one(cursor: Cursor) -> Row:
        """Give the row of a statement that always has one."""
        row = cursor.fetchone()
        if row is None:
            raise StoreCorrupt("expected a row, found none")
        return row

    def seq(self, run_id: str) -> int:
        """Give the number of a run that is known to be there."""
        if run_id not in self._seqs and self.record(run_id) is None:
            raise StoreCorrupt("a row belongs to a run that is not there")
        return self._seqs[run_id]

    def record(self, run_id: str) -> Record | None:
        """Find a run."""
        row = self.execute(_BY_ID, (run_id,)).fetchone()
        return None if row is None else self._record(row, run_id)

    def _record(self, row: Row, run_id: str | None = None) -> Record:
        seq, found, *_ = row
        if run_id not in {None, found}:
            raise StoreCorrupt("a run was found under a name that is not its own")
        _, *values = self._runs.checked(str(found), row)
        self._seqs[str(found)] = cast("int", seq)
        run = Run(**dict(zip(_RUN, values, strict=False)))  # type: ignore[arg-type]
        rest = dict(zip(_RECORD, values[len(_RUN) :], strict=True))
        return Record(run=run, **rest)  # type: ignore[arg-type]

    def add_record(self, record: Record, kickoff: bytes) -> None:
        """Make a run."""
        run_id = record.run.run_id
        # A number is never used again, so that rows that stayed behind belong to nobody.
        sql = "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'hitl_run'"
        seq = cast("int", self.one(self.execute(sql, ()))[0])
        self._seqs[run_id] = seq
        self._runs.add(run_id, (seq, *_values(record)))
        self._kickoffs.add(run_id, (seq, self.seal.close(kickoff)))

    def put_record(self, record: Record) -> None:
        """Replace a run's row."""
        run_id = record.run.run_id
        self._runs.put(run_id, (self.seq(run_id), *_values(record)))

    def records(
        self, status: Collection[Status] | None, after: str | None, limit: int
    ) -> Sequence[Run]:
        """List runs in the order they were made: of each status its first ones, merged."""
        seq = 0 if after is None else self.seq(after)
        if status is None:
            rows = self.execute(_NEXT, (seq, limit)).fetchall()
        else:
            each = (self.execute(_NEXT_OF, (name, seq, limit)).fetchall() for name in status)
            rows = list(heapq.merge(*each))[:limit]
        return [self._record(row).run for row in rows]

    def untouched(self, status: Collection[Status], before: float, limit: int) -> Sequence[str]:
        """List the ids of runs that ended and were not updated since."""
        del status  # the index has them
        rows = self.execute(_ENDED, (before, limit)).fetchall()
        return [self._record(row).run.run_id for row in rows]

    def kickoff(self, run_id: str) -> bytes:
        """Give what a run was started with."""
        row = self._kickoffs.find(run_id, (self.seq(run_id),))
        if row is None:
            raise StoreCorrupt("what the run was started with is missing")
        return self.seal.open(cast("bytes", row[1]))


def _values(record: Record) -> tuple[Value, ...]:
    run = attrs.asdict(record.run)
    rest = attrs.asdict(record, recurse=False)
    return (*(run[name] for name in _RUN), *(rest[name] for name in _RECORD))
