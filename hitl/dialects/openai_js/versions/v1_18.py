"""Schema 1.18: calls are bound to their records; structured outputs."""

from __future__ import annotations

from hitl.dialects.openai_js import down, feature, mend, tool_names
from hitl.dialects.openai_js.shape import SHAPE
from hitl.revision import Added
from hitl.schema import OBJECT, TEXT, by_name, closed, listed, ref

downgrade = down.unbound
MENDS = mend.HOSTED

ADDED = (
    Added(
        place="Run",
        key="pendingInput",
        schema=listed(OBJECT),
        severity="error",
        reason="input that waits for the model is forgotten",
    ),
    Added(
        place="Item",
        key="inputId",
        schema=TEXT,
        severity="error",
        reason="input that came while the run went on stands among its items; it is unknown there",
    ),
    Added(
        place="Run",
        key="completedToolInvocations",
        schema=listed(closed({"agentIdentity": TEXT, "invocations": by_name(TEXT)})),
    ),
    Added(
        place="Run",
        key="completedToolInvocationEvidence",
        schema=listed(closed({"agentIdentity": TEXT, "invocations": by_name(OBJECT)})),
    ),
    Added(
        place="Run",
        key="ambiguousToolInvocationCallIds",
        schema=listed(closed({"agentIdentity": TEXT, "callIds": listed(TEXT)})),
    ),
    Added(
        place="Context",
        key="hostedMcpApprovals",
        schema=by_name(ref("Approval")),
    ),
    Added(
        place="Context",
        key="approvalInvocations",
        schema=listed(
            closed(
                {
                    "agentIdentity": TEXT,
                    "invocations": by_name(TEXT),
                    "approvals": by_name(ref("Approval")),
                }
            )
        ),
    ),
)

REVISION = SHAPE.revision(
    version="1.18",
    parent="1.17",
    summary="calls are bound to their records; structured outputs",
    source="@openai/agents-core 0.15.0",
    added=ADDED,
    unknown=(feature.sandbox(2), tool_names.lost(tool_names.hosted)),
    downgrade=downgrade,
    mends=MENDS,
)
