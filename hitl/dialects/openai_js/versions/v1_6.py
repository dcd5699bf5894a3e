"""Schema 1.6: request ids of model responses."""

from __future__ import annotations

from hitl.dialects.openai_js.shape import SHAPE
from hitl.revision import Added
from hitl.schema import TEXT

ADDED = (
    Added(
        place="Response",
        key="requestId",
        schema=TEXT,
        severity="info",
        reason="the request id is forgotten",
    ),
)

REVISION = SHAPE.revision(
    version="1.6",
    parent="1.5",
    summary="request ids of model responses",
    source="@openai/agents-core 0.5.2",
    added=ADDED,
)
