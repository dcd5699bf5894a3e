"""Schema 1.1: server conversations; a turn may be in progress."""

from __future__ import annotations

from hitl.dialects.openai_js.shape import SHAPE
from hitl.revision import Added
from hitl.schema import FLAG, TEXT

ADDED = (
    Added(
        place="Run",
        key="currentTurnInProgress",
        schema=FLAG,
    ),
    Added(
        place="Run",
        key="conversationId",
        schema=TEXT,
        severity="error",
        reason="the run goes on in a server conversation that is forgotten",
    ),
    Added(
        place="Run",
        key="previousResponseId",
        schema=TEXT,
        severity="error",
        reason="the run goes on from a response that is forgotten",
    ),
)

REVISION = SHAPE.revision(
    version="1.1",
    parent="1.0",
    summary="server conversations; a turn may be in progress",
    source="@openai/agents-core 0.3.8",
    added=ADDED,
)
