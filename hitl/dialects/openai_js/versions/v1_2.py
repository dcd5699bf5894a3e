"""Schema 1.2: runs inside agents used as tools."""

from __future__ import annotations

from hitl.dialects.openai_js import mend
from hitl.dialects.openai_js.shape import SHAPE
from hitl.revision import Added
from hitl.schema import TEXT, by_name

ADDED = (
    Added(
        place="Run",
        key="pendingAgentToolRuns",
        schema=by_name(TEXT),
        severity="error",
        reason="the run inside is forgotten and starts again",
    ),
)

REVISION = SHAPE.revision(
    version="1.2",
    parent="1.1",
    summary="runs inside agents used as tools",
    source="@openai/agents-core 0.4.4",
    added=ADDED,
    mends=mend.RUNS,
)
