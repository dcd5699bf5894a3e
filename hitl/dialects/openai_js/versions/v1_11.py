"""Schema 1.11: runs without a turn limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.dialects.openai_js.shape import SHAPE
from hitl.revision import Added
from hitl.schema import COUNT_OR_NULL

if TYPE_CHECKING:
    from hitl.document import JSONObject

_MOST = 2**31


def downgrade(run: JSONObject) -> JSONObject:
    """Write no limit as one that no run reaches."""
    return {**run, "maxTurns": _MOST} if run.get("maxTurns", 0) is None else run


ADDED = (
    Added(
        place="Run",
        key="maxTurns",
        schema=COUNT_OR_NULL,
        changed=True,
        severity="info",
        reason=f"no turn limit becomes a limit of {_MOST}",
        says=lambda value: value is None,
        new=lambda value: value is None,
    ),
)

REVISION = SHAPE.revision(
    version="1.11",
    parent="1.10",
    summary="runs without a turn limit",
    source="@openai/agents-core 0.10.0",
    added=ADDED,
    downgrade=downgrade,
)
