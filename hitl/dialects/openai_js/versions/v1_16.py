"""Schema 1.16: decisions belong to an agent, keys name the kind of tool."""

from __future__ import annotations

from hitl.dialects.openai_js import down, feature, mend, tool_names
from hitl.dialects.openai_js.shape import SHAPE
from hitl.revision import Added
from hitl.schema import OBJECT, TEXT, by_name, closed, listed, ref

downgrade = down.by_tool_name
MENDS = mend.OWNERS

ADDED = (
    Added(
        place="Run",
        key="pendingAgentToolRunAliases",
        schema=by_name(TEXT),
    ),
    Added(
        place="Run",
        key="pendingLegacyCompactionSessionItems",
        schema=listed(OBJECT),
        severity="warn",
        reason="compacted items of the session are forgotten",
    ),
    Added(
        place="Context",
        key="functionApprovals",
        schema=listed(closed({"agentIdentity": TEXT, "approvals": by_name(ref("Approval"))})),
    ),
    Added(
        place="Context",
        key="legacyFunctionApprovals",
        schema=by_name(ref("Approval")),
        severity="warn",
        reason="a decision without an owner is forgotten",
    ),
    Added(
        place="Item",
        key="functionToolStateKey",
        schema=TEXT,
    ),
)

REVISION = SHAPE.revision(
    version="1.16",
    parent="1.15",
    summary="decisions belong to an agent, keys name the kind of tool",
    source="openai-agents-js git main, never released",
    added=ADDED,
    unknown=(feature.compaction, tool_names.lost(tool_names.owned)),
    downgrade=downgrade,
    mends=MENDS,
)
