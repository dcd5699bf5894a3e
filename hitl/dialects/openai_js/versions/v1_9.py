"""Schema 1.9: sandbox sessions."""

from __future__ import annotations

from hitl.dialects.openai_js.shape import SHAPE
from hitl.revision import Added
from hitl.schema import OBJECT

ADDED = (
    Added(
        place="Run",
        key="sandbox",
        schema=OBJECT,
        severity="error",
        reason="the sandbox session is forgotten",
    ),
)

REVISION = SHAPE.revision(
    version="1.9",
    parent="1.8",
    summary="sandbox sessions",
    source="@openai/agents-core 0.9.0",
    added=ADDED,
)
