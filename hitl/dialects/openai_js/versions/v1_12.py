"""Schema 1.12: calls of tools that do not exist."""

from __future__ import annotations

from hitl.dialects.openai_js.shape import SHAPE
from hitl.revision import Added
from hitl.schema import OBJECT, listed

ADDED = (
    Added(
        place="Processed",
        key="functionToolsNotFound",
        schema=listed(OBJECT),
        severity="warn",
        reason="a call of a tool that does not exist gets no answer",
    ),
)

REVISION = SHAPE.revision(
    version="1.12",
    parent="1.11",
    summary="calls of tools that do not exist",
    source="@openai/agents-core 0.11.5",
    added=ADDED,
)
