"""Schema 1.5: what happens to the ids of reasoning items."""

from __future__ import annotations

from hitl.dialects.openai_js.shape import SHAPE
from hitl.revision import Added
from hitl.schema import enum

ADDED = (
    Added(
        place="Run",
        key="reasoningItemIdPolicy",
        schema=enum("preserve", "omit"),
        severity="warn",
        reason="the ids of reasoning items are treated as by default",
    ),
)

REVISION = SHAPE.revision(
    version="1.5",
    parent="1.4",
    summary="what happens to the ids of reasoning items",
    source="@openai/agents-core 0.4.13",
    added=ADDED,
)
