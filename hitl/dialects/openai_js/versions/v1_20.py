"""Schema 1.20: which items are of the current response; held writes."""

from __future__ import annotations

from hitl.dialects.openai_js import feature
from hitl.dialects.openai_js.shape import SHAPE
from hitl.revision import Added
from hitl.schema import COUNT, OBJECT, closed, listed

ADDED = (
    Added(
        place="Run",
        key="currentResponseGeneratedItemOwnership",
        schema=closed(
            {
                "generatedItemStartIndex": COUNT,
                "generatedItemEndIndexExclusive": COUNT,
                "interruptionGeneratedItemIndexes": listed(COUNT),
                "toolOutputGuardrailResultStartIndex": COUNT,
            }
        ),
    ),
    Added(
        place="Run",
        key="currentTurnSessionWriteCompactedItemCount",
        schema=COUNT,
    ),
    Added(
        place="Run",
        key="pendingSessionWrite",
        schema=OBJECT,
        severity="error",
        reason="an unsettled change of the session is forgotten",
    ),
)

REVISION = SHAPE.revision(
    version="1.20",
    parent="1.19",
    summary="which items are of the current response; held writes",
    source="@openai/agents-core 0.17.1",
    added=ADDED,
    unknown=(feature.sandbox(4),),
)
