"""Schema 1.1: the run of an agent used as a tool stands inside the call."""

from hitl.dialects.openai_python.schema import ref
from hitl.dialects.openai_python.shape import revision
from hitl.revision import Added

ADDED = (
    Added(
        place="FunctionCall",
        key="agent_run_state",
        schema=ref("Run"),
        severity="error",
        reason="the run inside the call is forgotten: the agent in it would start again",
    ),
)

REVISION = revision(
    version="1.1",
    parent="1.0",
    summary="runs inside runs",
    source="openai-agents 0.9.1, agents/run_state.py",
    added=ADDED,
)
