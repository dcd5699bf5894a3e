"""Schema 1.4: the request id of a response, and a digest of the tracing key."""

from hitl.dialects.openai_python.shape import SHAPE
from hitl.revision import Added
from hitl.schema import TEXT_OR_NULL

ADDED = (
    Added(
        place="Response",
        key="request_id",
        schema=TEXT_OR_NULL,
        severity="info",
        reason="the request id of a response is forgotten",
    ),
    Added(
        place="Trace",
        key="tracing_api_key_hash",
        schema=TEXT_OR_NULL,
        severity="info",
        reason="the trace cannot be matched with its key",
    ),
)

REVISION = SHAPE.revision(
    version="1.4",
    parent="1.3",
    summary="request ids; a digest of the tracing key",
    source="openai-agents 0.10.2, agents/run_state.py",
    added=ADDED,
)
