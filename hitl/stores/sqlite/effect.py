"""The effect ledger: one row for each gated call that ever started."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.gate.row import Logged
from hitl.store import Effect
from hitl.stores.sqlite.run import Runs
from hitl.stores.sqlite.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.stores.sqlite.connection import Row

_EFFECT = (
    "call",
    "tool",
    "arguments_sha256",
    "state",
    "generation",
    "key",
    "idempotent",
    "attempt",
    "result",
    "started_at",
    "finished_at",
)
EFFECT = Table("hitl_effect", ("run", "call"), (*_EFFECT[1:], "position"))
_ALL = EFFECT.select("WHERE run = ? ORDER BY position")
_UNSETTLED = EFFECT.select("WHERE run = ? AND state IN ('started', 'in_doubt') ORDER BY position")


class Effects(Runs):
    """Effects as one transaction sees them."""

    def effect(self, run_id: str, call: str) -> Logged | None:
        """Find an effect."""
        row = self.marked(EFFECT).find(run_id, (self.seq(run_id), call))
        return None if row is None else self._logged(run_id, row)

    def effects(self, run_id: str) -> Sequence[Logged]:
        """Give every effect of a run, by position."""
        return self._of(run_id, _ALL)

    def unsettled(self, run_id: str) -> Sequence[Logged]:
        """Give the effects of a run that are started or in doubt, by position."""
        return self._of(run_id, _UNSETTLED)

    def _of(self, run_id: str, sql: str) -> list[Logged]:
        marked = self.marked(EFFECT)
        rows = self.execute(sql, (self.seq(run_id),)).fetchall()
        return [self._logged(run_id, marked.checked(run_id, row)) for row in rows]

    def add_effect(self, logged: Logged) -> None:
        """Make an effect."""
        self.marked(EFFECT).add(logged.run_id, self._effect_row(logged))

    def put_effect(self, logged: Logged) -> None:
        """Replace an effect's row."""
        self.marked(EFFECT).put(logged.run_id, self._effect_row(logged))

    def remove_effect(self, run_id: str, call: str) -> None:
        """Remove an effect."""
        self.execute(EFFECT.delete, (self.seq(run_id), call))

    def _effect_row(self, logged: Logged) -> Row:
        effect = logged.effect
        return (
            self.seq(logged.run_id),
            effect.call,
            effect.tool,
            effect.arguments_sha256,
            effect.state,
            effect.generation,
            effect.key,
            int(effect.idempotent),
            effect.attempt,
            None if effect.result is None else self.seal.close(effect.result),
            effect.started_at,
            effect.finished_at,
            logged.position,
        )

    def _logged(self, run_id: str, row: Row) -> Logged:
        """Make the record of a row; its mark says that its types are those of `_effect_row`."""
        _, *values, position = row
        fields = dict(zip(_EFFECT, values, strict=True))
        result = fields["result"]
        fields["result"] = self.seal.open(result) if isinstance(result, bytes) else None
        fields["idempotent"] = bool(fields["idempotent"])
        effect = Effect(**fields)  # type: ignore[arg-type]
        return Logged(run_id=run_id, effect=effect, position=position)  # type: ignore[arg-type]
