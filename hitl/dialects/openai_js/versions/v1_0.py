"""Schema 1.0: the first, and the definitions that later versions add to.

Required is what the SDK's reader asks for and what every writer of every version wrote.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.revision import Revision
from hitl.schema import (
    ANY,
    COUNT,
    FLAG,
    OBJECT,
    TEXT,
    TEXT_OR_NULL,
    by_name,
    closed,
    enum,
    listed,
    nullable,
    ref,
)

if TYPE_CHECKING:
    from hitl.document import JSONObject

ITEM_TYPES = (
    "input_item",
    "message_output_item",
    "reasoning_item",
    "tool_call_item",
    "tool_call_output_item",
    "tool_search_call_item",
    "tool_search_output_item",
    "compaction_item",
    "handoff_call_item",
    "handoff_output_item",
    "tool_approval_item",
)
_ITEMS = listed(ref("Item"))
_VERDICT: JSONObject = {"anyOf": [{"type": "boolean"}, listed(TEXT)]}
_COUNTS = {"inputTokens": COUNT, "outputTokens": COUNT, "totalTokens": COUNT}
_GUARDRAIL: JSONObject = closed({"type": TEXT, "name": TEXT})
_TRIPWIRE: JSONObject = closed({"tripwireTriggered": FLAG}, outputInfo=ANY)


def _action(tool: str) -> JSONObject:
    return listed(closed({"toolCall": OBJECT, tool: OBJECT}))


DEFINITIONS: dict[str, JSONObject] = {
    "Run": closed(
        {
            "currentTurn": COUNT,
            "currentAgent": ref("Agent"),
            "originalInput": {"anyOf": [TEXT, listed(OBJECT)]},
            "modelResponses": listed(ref("Response")),
            "context": ref("Context"),
            "toolUseTracker": by_name(listed(TEXT)),
            "maxTurns": COUNT,
            "noActiveAgentRun": FLAG,
            "inputGuardrailResults": listed(ref("InputGuardrail")),
            "outputGuardrailResults": listed(ref("OutputGuardrail")),
            "generatedItems": _ITEMS,
            "trace": nullable(ref("Trace")),
        },
        currentAgentSpan=nullable(OBJECT),
        currentStep=ref("Step"),
        lastModelResponse=ref("Response"),
        lastProcessedResponse=ref("Processed"),
        toolInputGuardrailResults=listed(ref("ToolGuardrail")),
        toolOutputGuardrailResults=listed(ref("ToolGuardrail")),
        currentTurnPersistedItemCount=COUNT,
    ),
    "Agent": closed({"name": TEXT}),
    "Item": closed(
        {"type": enum(*ITEM_TYPES), "rawItem": OBJECT},
        agent=ref("Agent"),
        output=ANY,
        sourceAgent=ref("Agent"),
        targetAgent=ref("Agent"),
        toolName=TEXT,
    ),
    "Response": closed(
        {"usage": ref("Usage"), "output": listed(OBJECT)}, responseId=TEXT, providerData=OBJECT
    ),
    "Usage": closed(
        {"requests": COUNT, **_COUNTS},
        inputTokensDetails=listed(OBJECT),
        outputTokensDetails=listed(OBJECT),
        requestUsageEntries=listed(
            closed(_COUNTS, inputTokensDetails=OBJECT, outputTokensDetails=OBJECT, endpoint=TEXT)
        ),
    ),
    "Context": closed(
        {"usage": ref("Usage"), "approvals": by_name(ref("Approval")), "context": OBJECT}
    ),
    "Approval": closed({"approved": _VERDICT, "rejected": _VERDICT}),
    "Step": {"type": "object", "required": ["type"], "properties": {"type": TEXT}},
    "Processed": closed(
        {
            "newItems": _ITEMS,
            "toolsUsed": listed(TEXT),
            "functions": listed(ref("FunctionCall")),
            "handoffs": listed(
                closed({"toolCall": OBJECT, "handoff": OBJECT}, targetAgent=ref("Agent"))
            ),
            "computerActions": _action("computer"),
        },
        shellActions=_action("shell"),
        applyPatchActions=_action("applyPatch"),
        mcpApprovalRequests=listed(
            closed({"requestItem": closed({"rawItem": OBJECT}), "mcpTool": OBJECT})
        ),
    ),
    "FunctionCall": closed({"toolCall": OBJECT, "tool": OBJECT}),
    "InputGuardrail": closed({"guardrail": _GUARDRAIL, "output": _TRIPWIRE}),
    "OutputGuardrail": closed(
        {"guardrail": _GUARDRAIL, "output": _TRIPWIRE, "agentOutput": ANY, "agent": ref("Agent")}
    ),
    "ToolGuardrail": closed(
        {
            "guardrail": _GUARDRAIL,
            "output": closed({"behavior": closed({"type": TEXT}, message=TEXT)}, outputInfo=ANY),
        }
    ),
    "Trace": closed(
        {"object": TEXT, "id": TEXT, "workflow_name": TEXT, "metadata": OBJECT},
        group_id=TEXT_OR_NULL,
        tracing_api_key=TEXT_OR_NULL,
    ),
}

REVISION = Revision(
    version="1.0",
    parent=None,
    summary="runs, items, approvals by tool name",
    source="@openai/agents-core 0.0.2, runState.ts",
)
