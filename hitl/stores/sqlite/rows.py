"""The rows of the gate, in SQLite; one object per transaction."""

from __future__ import annotations

from hitl.errors import StoreCorrupt
from hitl.stores.sqlite.effect import Effects
from hitl.stores.sqlite.log import Log
from hitl.stores.sqlite.request import Requests

_OF_A_RUN = ("hitl_kickoff", "hitl_segment", "hitl_checkpoint", "hitl_request", "hitl_effect")


class SQLiteRows(Log, Requests, Effects):
    """Everything the gate asks of a database."""

    def remove(self, run_id: str) -> None:
        """Remove a run and all its rows."""
        seq = self.seq(run_id)
        for table in _OF_A_RUN:
            self.execute(f"DELETE FROM {table} WHERE run = ?", (seq,))  # noqa: S608 - constants
        gone = self.execute("DELETE FROM hitl_run WHERE seq = ? RETURNING run_id", (seq,))
        if gone.fetchall() != [(run_id,)]:
            raise StoreCorrupt("the run is not where it was found")
        del self._seqs[run_id]
