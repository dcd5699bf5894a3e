"""Schema 1.4: the structured input of an agent used as a tool."""

from __future__ import annotations

from hitl.dialects.openai_js.shape import SHAPE
from hitl.revision import Added
from hitl.schema import ANY

ADDED = (
    Added(
        place="Context",
        key="toolInput",
        schema=ANY,
        severity="warn",
        reason="the structured input of the run is forgotten",
    ),
)

REVISION = SHAPE.revision(
    version="1.4",
    parent="1.3",
    summary="the structured input of an agent used as a tool",
    source="@openai/agents-core 0.4.5",
    added=ADDED,
)
