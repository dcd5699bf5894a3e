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
    "message_output_item",
    "reasoning_item",
    "tool_call_item",
    "tool_call_output_item",
    "handoff_call_item",
    "handoff_output_item",
    "compaction_item",
    "mcp_list_tools_item",
    "mcp_approval_request_item",
    "mcp_approval_response_item",
    "tool_approval_item",
)

_ITEMS = listed(ref("Item"))
_VERDICT: JSONObject = {"anyOf": [{"type": "boolean"}, listed(TEXT)]}


def _action(tool: str, schema: JSONObject) -> JSONObject:
    return listed(closed({"tool_call": OBJECT, tool: schema}))


_NAMED = closed({"name": TEXT})

_RUN: JSONObject = closed(
    {
        "current_turn": COUNT,
        "current_agent": ref("Agent"),
        "original_input": {"anyOf": [TEXT, listed(OBJECT)]},
        "model_responses": listed(ref("Response")),
        "context": ref("Context"),
        "tool_use_tracker": by_name(listed(TEXT)),
        "max_turns": COUNT,
        "no_active_agent_run": {"const": True},
        "input_guardrail_results": listed(ref("InputGuardrail")),
        "output_guardrail_results": listed(ref("OutputGuardrail")),
        "tool_input_guardrail_results": listed(ref("ToolGuardrail")),
        "tool_output_guardrail_results": listed(ref("ToolGuardrail")),
        "conversation_id": TEXT_OR_NULL,
        "previous_response_id": TEXT_OR_NULL,
        "auto_previous_response_id": FLAG,
        "generated_items": _ITEMS,
        "session_items": _ITEMS,
        "current_step": nullable(ref("Step")),
        "last_model_response": nullable(ref("Response")),
        "last_processed_response": nullable(ref("Processed")),
        "current_turn_persisted_item_count": COUNT,
        "trace": nullable(ref("Trace")),
    }
)

_GUARDRAIL: JSONObject = closed({"type": TEXT, "name": TEXT})
_TRIPWIRE: JSONObject = closed({"tripwireTriggered": FLAG, "outputInfo": ANY})

_PROCESSED: JSONObject = closed(
    {
        "new_items": _ITEMS,
        "tools_used": listed(TEXT),
        "functions": listed(ref("FunctionCall")),
        "computer_actions": _action("computer", _NAMED),
        "local_shell_actions": _action("local_shell", _NAMED),
        "shell_actions": _action("shell", _NAMED),
        "apply_patch_actions": _action("apply_patch", _NAMED),
        "handoffs": _action("handoff", closed({"tool_name": TEXT})),
        "mcp_approval_requests": listed(
            closed(
                {
                    "request_item": closed({"raw_item": OBJECT}),
                    "mcp_tool": closed({"name": TEXT, "tool_config": OBJECT}),
                }
            )
        ),
        "interruptions": _ITEMS,
    }
)

_COUNTS = {"input_tokens": COUNT, "output_tokens": COUNT, "total_tokens": COUNT}

DEFINITIONS: dict[str, JSONObject] = {
    "Run": _RUN,
    "Agent": closed({"name": TEXT}),
    "Item": closed(
        {"type": enum(*ITEM_TYPES), "raw_item": OBJECT, "agent": ref("Agent")},
        output=ANY,
        source_agent=ref("Agent"),
        target_agent=ref("Agent"),
        tool_name=TEXT,
        description=TEXT,
    ),
    "Response": closed({"usage": ref("Usage"), "output": listed(OBJECT)}, response_id=TEXT_OR_NULL),
    "Usage": closed(
        {
            "requests": COUNT,
            **_COUNTS,
            "input_tokens_details": listed(OBJECT),
            "output_tokens_details": listed(OBJECT),
        },
        request_usage_entries=listed(
            closed({**_COUNTS, "input_tokens_details": OBJECT, "output_tokens_details": OBJECT})
        ),
    ),
    "Context": closed(
        {"usage": ref("Usage"), "approvals": by_name(ref("Approval"))},
        context=nullable(OBJECT),
        context_meta=ref("ContextMeta"),
        tool_input=ANY,
    ),
    "ContextMeta": closed(
        {
            "original_type": TEXT,
            "serialized_via": TEXT,
            "requires_deserializer": FLAG,
            "omitted": FLAG,
        },
        class_path=TEXT,
    ),
    "Approval": closed({"approved": _VERDICT, "rejected": _VERDICT}),
    "Step": closed({"type": enum("next_step_interruption")}, data=ref("Waiting")),
    "Waiting": closed({"interruptions": _ITEMS}),
    "Processed": _PROCESSED,
    "FunctionCall": closed({"tool_call": OBJECT, "tool": ref("FunctionTool")}),
    "FunctionTool": closed({"name": TEXT}, description=TEXT_OR_NULL, paramsJsonSchema=OBJECT),
    "InputGuardrail": closed({"guardrail": _GUARDRAIL, "output": _TRIPWIRE}),
    "OutputGuardrail": closed(
        {"guardrail": _GUARDRAIL, "output": _TRIPWIRE, "agentOutput": ANY, "agent": ref("Agent")}
    ),
    "ToolGuardrail": closed(
        {
            "guardrail": _GUARDRAIL,
            "output": closed({"outputInfo": ANY, "behavior": closed({"type": TEXT}, message=TEXT)}),
        }
    ),
    "Trace": {"type": "object", "properties": {}, "required": []},
}

REVISION = Revision(
    version="1.0",
    parent=None,
    summary="runs, items, approvals by tool name",
    source="openai-agents 0.8.0, agents/run_state.py",
)
