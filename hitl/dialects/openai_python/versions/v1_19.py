"""Schema 1.19: a session write that is held back until the output guardrails have passed."""

from hitl.dialects.openai_python.shape import SHAPE
from hitl.revision import Added
from hitl.schema import COUNT, FLAG, TEXT_OR_NULL, closed

ADDED = (
    Added(
        place="SessionWrite",
        key="held",
        schema=FLAG,
        severity="error",
        reason="the session would take items before the output guardrails have passed",
    ),
    Added(
        place="SessionWrite",
        key="reasoning_item_id_policy",
        schema=TEXT_OR_NULL,
        severity="warn",
        reason="the session takes reasoning items with their ids",
        says=lambda value: value not in (None, "preserve"),
    ),
    Added(
        place="SessionWrite",
        key="current_response",
        schema=closed({"turn": COUNT, "start": COUNT}),
        severity="info",
        reason="which response a held write belongs to is forgotten",
    ),
)

REVISION = SHAPE.revision(
    version="1.19",
    parent="1.18",
    summary="held session writes",
    source="openai-agents git main, never released",
    added=ADDED,
)
