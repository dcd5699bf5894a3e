"""Requests: one row for each call that waits, or waited, with its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from hitl.gate.row import Asked
from hitl.store import Request
from hitl.stores.sqlite.run import Runs
from hitl.stores.sqlite.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.stores.sqlite.connection import Row

REQUEST = Table(
    "hitl_request",
    ("run", "call"),
    (
        "tool",
        "agent",
        "arguments_sha256",
        "body",
        "asked_at",
        "pause",
        "position",
        "open",
        "expires_at",
        "fallback",
        "verdict",
        "decided_at",
    ),
)
_ALL = REQUEST.select("WHERE run = ? ORDER BY pause, position")
_OPEN = REQUEST.select("WHERE run = ? AND open = 1 ORDER BY position")
# By age through the index, however many runs wait: the planner would sort all of them instead.
_WHOSE = """INDEXED BY hitl_request_waiting
    CROSS JOIN hitl_run ON hitl_run.seq = hitl_request.run"""
_ORDER = "ORDER BY asked_at, hitl_request.run, position LIMIT ?"
_WAITING = REQUEST.select(f"{_WHOSE} WHERE open = 1 AND status = 'waiting' {_ORDER}")
_WAITING_IN = REQUEST.select(
    f"""JOIN hitl_run ON hitl_run.seq = hitl_request.run
    WHERE hitl_request.run = ? AND open = 1 AND status = 'waiting' {_ORDER}"""
)
_DUE = REQUEST.select(
    """WHERE open = 1 AND expires_at IS NOT NULL AND expires_at <= ?
    ORDER BY expires_at, asked_at, run, position"""
)
_NAME = "SELECT run_id FROM hitl_run WHERE seq = ?"


class Requests(Runs):
    """Requests as one transaction sees them."""

    def asked(self, run_id: str, call: str) -> Asked | None:
        """Find a request."""
        row = self.marked(REQUEST).find(run_id, (self.seq(run_id), call))
        return None if row is None else self._asked(run_id, row)

    def all_asked(self, run_id: str) -> Sequence[Asked]:
        """Give every request of a run, by pause and position."""
        return self._several(_ALL, (self.seq(run_id),))

    def open_asked(self, run_id: str) -> Sequence[Asked]:
        """Give the open requests of a run, by position."""
        return self._several(_OPEN, (self.seq(run_id),))

    def add_asked(self, asked: Asked) -> None:
        """Make a request."""
        self.marked(REQUEST).add(asked.request.run_id, self._asked_row(asked))

    def put_asked(self, asked: Asked) -> None:
        """Replace a request's row."""
        self.marked(REQUEST).put(asked.request.run_id, self._asked_row(asked))

    def due(self, now: float) -> Sequence[Asked]:
        """Give the open requests whose time is over, by that time."""
        return self._several(_DUE, (now,))

    def waiting(self, run_id: str | None, limit: int) -> Sequence[Request]:
        """List the open requests of runs that wait, oldest first."""
        if run_id is None:
            found = self._several(_WAITING, (limit,))
        else:
            found = self._several(_WAITING_IN, (self.seq(run_id), limit))
        return [each.request for each in found]

    def _several(self, sql: str, parameters: tuple[int | float, ...]) -> list[Asked]:
        rows = self.execute(sql, parameters).fetchall()
        marked = self.marked(REQUEST)
        found = []
        for row in rows:
            (run_id,) = self.one(self.execute(_NAME, (row[0],)))
            found.append(self._asked(str(run_id), marked.checked(str(run_id), row)))
        return found

    def _asked_row(self, asked: Asked) -> Row:
        request = asked.request
        return (
            self.seq(request.run_id),
            request.call,
            request.tool,
            request.agent,
            request.arguments_sha256,
            self.seal.close(request.body),
            asked.asked_at,
            asked.pause,
            asked.position,
            int(asked.open),
            request.expires_at,
            self.seal.close_verdict(request.default),
            self.seal.close_verdict(request.verdict),
            request.decided_at,
        )

    def _asked(self, run_id: str, row: Row) -> Asked:
        """Make the record of a row; its mark says that its types are those of `_asked_row`."""
        _, call, tool, agent, sha256, body, asked_at, pause, position, is_open, *rest = row
        expires_at, fallback, verdict, decided_at = rest
        request = Request(
            run_id=run_id,
            call=cast("str", call),
            tool=cast("str", tool),
            agent=cast("str | None", agent),
            arguments_sha256=cast("str", sha256),
            body=self.seal.open(cast("bytes", body)),
            expires_at=cast("float | None", expires_at),
            default=self.seal.open_verdict(cast("bytes | None", fallback)),
            verdict=self.seal.open_verdict(cast("bytes | None", verdict)),
            decided_at=cast("float | None", decided_at),
        )
        return Asked(
            request=request,
            asked_at=cast("float", asked_at),
            pause=cast("int", pause),
            position=cast("int", position),
            open=bool(is_open),
        )
