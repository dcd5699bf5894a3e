"""Schema 1.17: whether a tool ran; withheld output."""

from __future__ import annotations

from hitl.dialects.openai_js.shape import SHAPE
from hitl.revision import Added
from hitl.schema import COUNT, FLAG, OBJECT, enum, listed

ADDED = (
    Added(
        place="Item",
        key="executionStatus",
        schema=enum("executed"),
    ),
    Added(
        place="Run",
        key="currentTurnSessionInputItems",
        schema=listed(OBJECT),
    ),
    Added(
        place="Run",
        key="currentTurnDeferredSessionItemIndexes",
        schema=listed(COUNT),
        severity="error",
        reason="output that was withheld is forgotten",
    ),
    Added(
        place="Run",
        key="currentTurnBlockedSessionStartIndex",
        schema=COUNT,
        severity="error",
        reason="output that was withheld is forgotten",
    ),
    Added(
        place="Run",
        key="currentTurnExecutedWithSessionBinding",
        schema=FLAG,
    ),
    Added(
        place="Run",
        key="pendingSessionHistoryTransaction",
        schema=OBJECT,
        severity="error",
        reason="an unsettled change of the session is forgotten",
    ),
)

REVISION = SHAPE.revision(
    version="1.17",
    parent="1.16",
    summary="whether a tool ran; withheld output",
    source="@openai/agents-core 0.14.3",
    added=ADDED,
)
