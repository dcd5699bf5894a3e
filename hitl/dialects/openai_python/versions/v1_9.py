"""Schema 1.9: calls of custom tools, and where a tool comes from."""

from hitl.dialects.openai_python.shape import SHAPE
from hitl.revision import Added
from hitl.schema import OBJECT, TEXT, closed, listed

ADDED = (
    Added(
        place="Processed",
        key="custom_tool_actions",
        schema=listed(
            closed({"tool_call": OBJECT, "custom_tool": closed({"name": TEXT}, description=TEXT)})
        ),
        severity="error",
        reason="the older release has no custom tools; the call would not run",
    ),
    # Only from 0.14.2 on; 0.14.0 and 0.14.1 wrote this version without it.
    Added(
        place="Item",
        key="tool_origin",
        schema=closed({"type": TEXT}, mcp_server_name=TEXT, agent_name=TEXT, agent_tool_name=TEXT),
        severity="info",
        reason="where the tool comes from is forgotten",
    ),
)

REVISION = SHAPE.revision(
    version="1.9",
    parent="1.8",
    summary="custom tools; origins of tools",
    source="openai-agents 0.14.0, agents/run_state.py",
    added=ADDED,
)
