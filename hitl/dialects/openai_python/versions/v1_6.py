"""Schema 1.6: what the model is told when a call is rejected."""

from hitl.dialects.openai_python.shape import SHAPE
from hitl.revision import Added
from hitl.schema import TEXT, TEXT_OR_NULL, by_name

_TOLD = "the model is told the default text, not what was said at the rejection"

ADDED = (
    Added(
        place="Approval",
        key="rejection_messages",
        schema=by_name(TEXT),
        severity="warn",
        reason=_TOLD,
    ),
    Added(
        place="Approval",
        key="sticky_rejection_message",
        schema=TEXT_OR_NULL,
        severity="warn",
        reason=_TOLD,
    ),
)

REVISION = SHAPE.revision(
    version="1.6",
    parent="1.5",
    summary="messages of rejections",
    source="openai-agents 0.12.1, agents/run_state.py",
    added=ADDED,
)
