"""The log in segments, and checkpoints: a head, bound by digest to as much of the log."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, cast

from hitl.errors import StoreCorrupt
from hitl.gate.seal import link, origin
from hitl.store import Checkpoint
from hitl.stores.sqlite.run import Runs
from hitl.stores.sqlite.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.store import Claim
    from hitl.stores.sqlite.connection import Row

_CHECKPOINT = ("head", "entries", "generation", "status", "at", "chain")
CHECKPOINT = Table("hitl_checkpoint", ("run", "number"), _CHECKPOINT)

_APPEND = "INSERT INTO hitl_segment (run, start, entries, data, digest) VALUES (?, ?, ?, ?, ?)"
_UP_TO = """SELECT start, entries, data, digest FROM hitl_segment
    WHERE run = ? AND start < ? ORDER BY start"""


class Log(Runs):
    """Segments and checkpoints as one transaction sees them."""

    def add_checkpoint(self, claim: Claim, checkpoint: Checkpoint, new: Sequence[bytes]) -> None:
        """Append to the log and make the checkpoint bound to it."""
        run_id = claim.run_id
        seq = self.seq(run_id)
        start, chain = self._end(run_id, checkpoint.number - 1)
        if start + len(new) != checkpoint.entries:
            raise StoreCorrupt("the log is not as long as the row of its run says")
        if new:
            data = self.seal.close_entries(new)
            chain = link(chain, data)
            self.execute(_APPEND, (seq, start, len(new), data, chain))
        row = (
            seq,
            checkpoint.number,
            self.seal.close(checkpoint.head),
            checkpoint.entries,
            checkpoint.generation,
            checkpoint.status,
            checkpoint.at,
            chain,
        )
        self.marked(CHECKPOINT).add(run_id, row)

    def _verified(self, row: Row, chain: bytes, found: list[bytes]) -> bytes:
        """Add the entries of a segment to what was found; give its digest."""
        start, entries, data, digest = row
        if not isinstance(data, bytes):  # no mark stands for the types of these columns
            raise StoreCorrupt("a segment of the log is not what was written")
        chain = link(chain, data)
        if (start, digest) != (len(found), chain):
            raise StoreCorrupt("a segment of the log is missing")
        found += self.seal.open_entries(data)
        if entries != len(found) - cast("int", start):
            raise StoreCorrupt("a segment of the log is not what was written")
        return chain

    def _end(self, run_id: str, newest: int) -> tuple[int, bytes]:
        """Give the length of the log and the digest of its last segment, as a checkpoint says."""
        if not newest:
            return 0, self._origin(run_id)
        row = self._point(run_id, newest)
        if row is None:
            raise StoreCorrupt("a checkpoint is missing")
        return cast("int", row[3]), cast("bytes", row[-1])

    def _origin(self, run_id: str) -> bytes:
        record = self.record(run_id)
        return origin(run_id, record.run.kickoff_sha256 if record else "")

    def _point(self, run_id: str, number: int) -> Row | None:
        return self.marked(CHECKPOINT).find(run_id, (self.seq(run_id), number))

    def checkpoint(self, run_id: str, number: int) -> Checkpoint | None:
        """Find a checkpoint."""
        row = self._point(run_id, number)
        if row is None:
            return None
        _, _, head, entries, generation, status, at, _ = row
        return Checkpoint(
            number=number,
            head=self.seal.open(cast("bytes", head)),
            entries=entries,  # type: ignore[arg-type]  # the mark says that it is what was written
            generation=generation,  # type: ignore[arg-type]
            status=status,  # type: ignore[arg-type]
            at=at,  # type: ignore[arg-type]
        )

    def entries(self, run_id: str, checkpoint: int) -> tuple[bytes, ...]:
        """Give the log as far as it belongs to a checkpoint.

        Raises:
            StoreCorrupt: it is not the log that the checkpoint was bound to.
        """
        point = self._point(run_id, checkpoint)
        if point is None:
            raise StoreCorrupt("a checkpoint is missing")
        length, bound = point[3], point[-1]
        chain = self._origin(run_id)
        found: list[bytes] = []
        # One by one: each is read while it is warm. Closed also when one is not what it should be:
        # a statement that is not done keeps its connection half alive, and with it the log.
        with closing(self.execute(_UP_TO, (self.seq(run_id), length))) as rows:
            while (row := rows.fetchone()) is not None:
                chain = self._verified(row, chain, found)
        if (len(found), chain) != (length, bound):
            raise StoreCorrupt("the log is not what its checkpoint is bound to")
        return tuple(found)
