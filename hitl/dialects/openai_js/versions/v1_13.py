"""Schema 1.13: what an app attaches to an output."""

from __future__ import annotations

from hitl.dialects.openai_js.shape import SHAPE
from hitl.revision import Added
from hitl.schema import OBJECT

ADDED = (
    Added(
        place="Item",
        key="customData",
        schema=OBJECT,
        severity="info",
        reason="what the app attached to an output is forgotten",
    ),
)

REVISION = SHAPE.revision(
    version="1.13",
    parent="1.12",
    summary="what an app attaches to an output",
    source="@openai/agents-core 0.11.8",
    added=ADDED,
)
