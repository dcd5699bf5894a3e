"""Schema 1.20: where the results of output guardrails of the current response begin."""

from hitl.dialects.openai_python.shape import SHAPE
from hitl.revision import Added
from hitl.schema import COUNT

ADDED = (
    Added(
        place="Processed",
        key="tool_output_guardrail_result_start",
        schema=COUNT,
        severity="info",
        reason="where the guardrail results of this response begin is forgotten",
        says=lambda value: value is not None,
    ),
)

REVISION = SHAPE.revision(
    version="1.20",
    parent="1.19",
    summary="the guardrail results of the current response are told from earlier ones",
    source="openai-agents git main, never released",
    added=ADDED,
)
