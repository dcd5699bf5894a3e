"""Schema 1.21: which MCP server a call is for; guardrails that ran."""

from __future__ import annotations

from hitl.dialects.openai_js import mend
from hitl.dialects.openai_js.shape import SHAPE
from hitl.revision import Added
from hitl.schema import FLAG

MENDS = mend.GUARDRAILS

ADDED = (
    Added(
        place="Run",
        key="initialInputGuardrailsCompleted",
        schema=FLAG,
    ),
    Added(
        place="FunctionCall",
        key="mcpToolBinding",
        schema={},
        severity="info",
        reason="which server a call is for is found again by the name of the tool",
    ),
)

REVISION = SHAPE.revision(
    version="1.21",
    parent="1.20",
    summary="which MCP server a call is for; guardrails that ran",
    source="@openai/agents-core 0.19.0",
    added=ADDED,
    mends=MENDS,
)
