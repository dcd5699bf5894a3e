"""Schema 1.7: what the model is told of a rejected call."""

from __future__ import annotations

from hitl.dialects.openai_js.shape import SHAPE
from hitl.revision import Added
from hitl.schema import TEXT, by_name

ADDED = (
    Added(
        place="Approval",
        key="messages",
        schema=by_name(TEXT),
        severity="warn",
        reason="the model is told the default words of a rejection",
    ),
    Added(
        place="Approval",
        key="stickyRejectMessage",
        schema=TEXT,
        severity="warn",
        reason="the model is told the default words of a rejection",
    ),
)

REVISION = SHAPE.revision(
    version="1.7",
    parent="1.6",
    summary="what the model is told of a rejected call",
    source="@openai/agents-core 0.5.4",
    added=ADDED,
)
