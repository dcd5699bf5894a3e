"""The names of the Python SDK's RunState JSON, newest version: `load` reads, `dump` writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hitl.model import Kind, Stage
    from hitl.model.step import Group

VERSION_KEY = "$schemaVersion"

# Run item types and the kinds of the log.
KIND_OF: dict[str, Kind] = {
    "input_item": "input",
    "message_output_item": "message",
    "reasoning_item": "reasoning",
    "tool_call_item": "tool_call",
    "tool_call_output_item": "tool_output",
    "handoff_call_item": "handoff_call",
    "handoff_output_item": "handoff_output",
    "tool_approval_item": "approval",
    "tool_search_call_item": "tool_search_call",
    "tool_search_output_item": "tool_search_output",
    "mcp_list_tools_item": "mcp_list_tools",
    "mcp_approval_request_item": "mcp_approval_request",
    "mcp_approval_response_item": "mcp_approval_response",
    "compaction_item": "compaction",
}
TYPE_OF: dict[str, str] = {kind: name for name, kind in KIND_OF.items()}

# Item fields that are the same value here and in the model.
PLAIN_FIELDS: dict[str, tuple[str, type]] = {
    "tool_name": ("tool_name", str),
    "tool_namespace": ("tool_namespace", str),
    "description": ("description", str),
    "title": ("title", str),
    "input_id": ("input_id", str),
    "tool_origin": ("origin", dict),
    "custom_data": ("custom_data", dict),
}

# Groups of calls in the processed response: key of the group, key of the tool, group of the model.
GROUPS: tuple[tuple[str, str, Group], ...] = (
    ("functions", "tool", "function"),
    ("computer_actions", "computer", "computer"),
    ("custom_tool_actions", "custom_tool", "custom"),
    ("local_shell_actions", "local_shell", "local_shell"),
    ("shell_actions", "shell", "shell"),
    ("apply_patch_actions", "apply_patch", "apply_patch"),
    ("handoffs", "handoff", "handoff"),
    ("mcp_approval_requests", "mcp_tool", "hosted_mcp"),
)

GUARDRAILS: dict[str, Stage] = {
    "input_guardrail_results": "input",
    "output_guardrail_results": "output",
    "tool_input_guardrail_results": "tool_input",
    "tool_output_guardrail_results": "tool_output",
}

RESPONSE = ("usage", "output", "response_id", "request_id")
USAGE_COUNTS = ("requests", "input_tokens", "output_tokens", "total_tokens")
USAGE_DETAILS = ("input_tokens_details", "output_tokens_details")

# Secrets the SDK writes in clear text, under the tool of a hosted MCP request.
SECRET_TOOL_CONFIG = ("authorization", "headers")

# What a document says that no other dialect knows, for states that come from elsewhere.
DEFAULTS: dict[str, object] = {
    "current_turn": 0,
    "current_agent": None,
    "original_input": [],
    "pending_input": [],
    "model_responses": [],
    "context": None,
    "tool_use_tracker": {},
    "max_turns": None,
    "no_active_agent_run": True,
    "input_guardrail_results": [],
    "output_guardrail_results": [],
    "tool_input_guardrail_results": [],
    "tool_output_guardrail_results": [],
    "conversation_id": None,
    "previous_response_id": None,
    "auto_previous_response_id": False,
    "generated_prompt_cache_key": None,
    "reasoning_item_id_policy": None,
    "nested_history_owned_session_item_refs": [],
    "generated_session_item_indexes": [],
    "generated_items": [],
    "session_items": [],
    "current_step": None,
    "last_model_response": None,
    "last_processed_response": None,
    "current_turn_persisted_item_count": 0,
    "trace": None,
}
