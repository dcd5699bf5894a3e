"""Schema 1.17: which items the current response owns, and a session write that was cut."""

from hitl.dialects.openai_python import boundary
from hitl.dialects.openai_python.nest import on_every
from hitl.dialects.openai_python.shape import SHAPE
from hitl.revision import Added, Mend
from hitl.schema import (
    COUNT,
    DIGEST,
    FLAG,
    OBJECT,
    TEXT_OR_NULL,
    closed,
    listed,
    nullable,
    ref,
)

ADDED = (
    Added(
        place="Run",
        key="current_response_generated_item_ownership",
        schema=closed({"start": COUNT, "end": COUNT, "interruptions": listed(COUNT)}),
        severity="info",
        reason="which items the current response brought is found again from the items",
    ),
    Added(
        place="Run",
        key="pending_session_write",
        schema=ref("SessionWrite"),
        severity="error",
        reason="items that wait for the session would never reach it",
        defines={
            "SessionWrite": closed(
                {
                    "session_id": TEXT_OR_NULL,
                    "items": listed(OBJECT),
                    "before": nullable(listed(DIGEST)),
                    "persisted_count": COUNT,
                }
            )
        },
    ),
    Added(
        place="Run",
        key="terminal_unrecoverable",
        schema=FLAG,
        severity="error",
        reason="that the run must not go on is forgotten; it would",
    ),
)

MENDS = (
    Mend(
        name="response-ownership",
        reason="which items the current response brought is found among the items",
        places=boundary.places,
        change=lambda state: on_every(state, boundary.with_boundary),
    ),
)


REVISION = SHAPE.revision(
    version="1.17",
    parent="1.16",
    summary="ownership of the current response; pending session writes; runs that must not go on",
    source="openai-agents 0.22.1, agents/run_state.py",
    mends=MENDS,
    added=ADDED,
)
