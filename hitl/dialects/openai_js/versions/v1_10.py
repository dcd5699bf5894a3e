"""Schema 1.10: agents that share a name are told apart."""

from __future__ import annotations

from hitl.dialects.openai_js.shape import SHAPE
from hitl.revision import Added
from hitl.schema import TEXT

ADDED = (
    Added(
        place="Agent",
        key="identity",
        schema=TEXT,
        severity="error",
        reason="which of the agents of one name is meant is forgotten",
    ),
)

REVISION = SHAPE.revision(
    version="1.10",
    parent="1.9",
    summary="agents that share a name are told apart",
    source="@openai/agents-core 0.9.1",
    added=ADDED,
)
