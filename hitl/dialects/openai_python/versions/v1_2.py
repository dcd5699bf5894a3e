"""Schema 1.2: what happens to the ids of reasoning items."""

from hitl.dialects.openai_python.shape import SHAPE
from hitl.revision import Added
from hitl.schema import TEXT_OR_NULL

ADDED = (
    Added(
        place="Run",
        key="reasoning_item_id_policy",
        schema=TEXT_OR_NULL,
        severity="warn",
        reason="ids of reasoning items are sent again; the run config must say that they are not",
        says=lambda value: value not in (None, "preserve"),
    ),
)

REVISION = SHAPE.revision(
    version="1.2",
    parent="1.1",
    summary="the policy for reasoning ids is kept",
    source="openai-agents 0.9.2, agents/run_state.py",
    added=ADDED,
)
