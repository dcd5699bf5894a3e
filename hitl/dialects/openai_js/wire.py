"""The names of the JavaScript SDK's RunState JSON, newest version."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hitl.model import Kind, Stage
    from hitl.model.step import Group

VERSION_KEY = "$schemaVersion"
TURN_KEY = "currentTurn"

# Run item types and the kinds of the log; a `tool_call_item` of a hosted MCP tool has a kind of its
# own, by the name of its raw item.
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
    "compaction_item": "compaction",
}
HOSTED_KINDS: dict[str, Kind] = {
    "mcp_list_tools": "mcp_list_tools",
    "mcp_approval_request": "mcp_approval_request",
    "mcp_approval_response": "mcp_approval_response",
}
TYPE_OF: dict[str, str] = {
    **{kind: name for name, kind in KIND_OF.items()},
    **dict.fromkeys(HOSTED_KINDS.values(), "tool_call_item"),
}

# Groups of calls in the processed response: key of the group, key of the tool, group of the model.
GROUPS: tuple[tuple[str, str, Group], ...] = (
    ("functions", "tool", "function"),
    ("handoffs", "handoff", "handoff"),
    ("computerActions", "computer", "computer"),
    ("shellActions", "shell", "shell"),
    ("applyPatchActions", "applyPatch", "apply_patch"),
    ("mcpApprovalRequests", "mcpTool", "hosted_mcp"),
)

GUARDRAILS: dict[str, Stage] = {
    "inputGuardrailResults": "input",
    "outputGuardrailResults": "output",
    "toolInputGuardrailResults": "tool_input",
    "toolOutputGuardrailResults": "tool_output",
}

# What a tool guardrail decided: the JavaScript word and the one of the log.
BEHAVIOURS = {"rejectContent": "reject_content", "throwException": "raise_exception"}

# Counts of usage, and the details the provider names itself.
COUNTS = {
    "requests": "requests",
    "inputTokens": "input_tokens",
    "outputTokens": "output_tokens",
    "totalTokens": "total_tokens",
}
DETAILS = {
    "inputTokensDetails": "input_tokens_details",
    "outputTokensDetails": "output_tokens_details",
}

# The SDK's name for an item without an id, and the one the log keeps; each SDK strips its own.
NO_ID = ("FAKE_ID", "__fake_id__")

# The id of the trace that the SDK writes with tracing off.
NO_TRACE = "no-op"

# Secrets the SDK writes in clear text.
SECRET_TRACE = "tracing_api_key"  # noqa: S105 - the name of the key
SECRET_TOOL = ("authorization", "headers", "server_url")

# Where a session write stands that was begun and not acknowledged.
SESSION_WRITES = ("pendingSessionWrite", "pendingSessionHistoryTransaction")

# What newer releases ask for before they resume.
GUARDRAILS_DONE = "initialInputGuardrailsCompleted"
