"""What cannot be carried between the SDKs: a case for each row, with place and severity."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, TypeAlias

import attrs
import pytest

import hitl
from hitl import transfer
from hitl.errors import LossError
from hitl.revision import Severity
from tests.agents import corpus
from tests.hints import stopping

Change: TypeAlias = Callable[[Any], None]
PYTHON, JS = "openai-agents-python", "openai-agents-js"
PY_STATES, JS_STATES, HITL = "cross/py-0.24.0", "cross/js-0.20.0", "openai-agents-python/hitl"
BIG = 12345678901234567890


def put(place: str, value: object) -> Change:
    """A change of a document: another value in one place."""

    def change(document: Any) -> None:  # noqa: ANN401  (JSON)
        *parts, last = place.split("/")
        holder = document
        for part in parts:
            holder = holder[int(part)] if isinstance(holder, list) else holder[part]
        holder[int(last) if isinstance(holder, list) else last] = value

    return change


@attrs.frozen
class Row:
    """One thing that does not cross.

    Attributes:
        target: the SDK it does not cross to.
        name: a recorded state of the other.
        severity, path, word: what the report says.
        change: what is changed in the state before.
    """

    target: str
    name: str
    severity: Severity
    path: str
    word: str
    change: Change | None = None

    @property
    def state(self) -> hitl.RunState:
        """The state with the change."""
        document = copy.deepcopy(corpus.load(self.name))
        if self.change is not None:
            self.change(document)
        return hitl.loads(document)


def to_js(name: str, severity: Severity, path: str, word: str, change: Change | None = None) -> Row:
    """A row for a state of Python."""
    return Row(JS, name, severity, path, word, change)


def to_python(
    name: str, severity: Severity, path: str, word: str, change: Change | None = None
) -> Row:
    """A row for a state of JavaScript."""
    return Row(PYTHON, name, severity, path, word, change)


PY, NODE = f"{PY_STATES}/plain", f"{JS_STATES}/plain"
NOT_FOUND = "lastProcessedResponse/functionToolsNotFound"
ITEM = {"name": "Mailer"}
OTHER_SERVER = {
    "identity": {"type": "server_tool", "server_label": "other", "tool_name": "search"},
    "decision": {"approved": True, "rejected": []},
}
ROWS: dict[str, Row] = {
    # the context
    "context type": to_js(f"{HITL}/values_context_dataclass", "warn", "/context/data", "type"),
    "context meta": to_js(f"{HITL}/values_context_dataclass", "info", "/context/meta", "place"),
    "context none": to_js(PY, "info", "/context/data", "empty"),
    "context not JSON": to_js(f"{HITL}/values_context", "error", "/context/data/odd/nan", "number"),
    "context big": to_js(
        f"{PY_STATES}/context",
        "warn",
        "/context/data/nested/big",
        "number",
        put("context/context/nested/big", BIG),
    ),
    # names and agents
    "handoff target": to_js(
        f"{PY_STATES}/handoff_pending", "error", "/processed/calls/1", "target"
    ),
    "handoff name": to_python(
        f"{JS_STATES}/handoff_pending", "error", "/processed/calls/1", "under the name"
    ),
    "handoff target, by name": to_python(
        f"{JS_STATES}/handoff_pending", "info", "/processed/calls/1/target", "by the handoff"
    ),
    "twins to JS": to_js(f"{PY_STATES}/dup_names", "error", "/agents/1/identity", "one name"),
    "twins to Python": to_python(
        f"{JS_STATES}/dup_names", "error", "/agents/0/identity", "one name"
    ),
    # tools
    "description": to_js(PY, "info", "/items/0/item/description", "says of itself"),
    "origin": to_js(PY, "info", "/items/0/item/origin", "where it is from"),
    "title": to_js(f"{HITL}/kinds_local_mcp", "info", "/items/0/item/title", "says of itself"),
    "hosted MCP configuration": to_js(
        f"{PY_STATES}/hosted_mcp", "info", "/processed/calls/0/tool", "agent that goes on"
    ),
    "hosted MCP headers": to_js(
        f"{HITL}/kinds_hosted_mcp",
        "info",
        "/last_processed_response/mcp_approval_requests/0/mcp_tool/tool_config/headers",
        "secret",
    ),
    "tool of JS": to_python(
        NODE, "info", "/lastProcessedResponse/functions/0/tool", "agent that goes on"
    ),
    "custom tool": to_js(f"{HITL}/kinds_native", "error", "/processed/calls/0", "no tool"),
    "local shell": to_js(
        f"{HITL}/kinds_local_shell",
        "error",
        "/processed/calls/1",
        "no tool",
        lambda document: document["generated_items"].pop(),
    ),
    "local shell that is done": to_js(
        f"{HITL}/kinds_local_shell", "info", "/items/0/item", "as input"
    ),
    "MCP server unknown": to_js(
        "openai-agents-python/0.19.0/local_mcp", "error", "/processed/calls/0", "MCP server"
    ),
    "MCP server unknown in JS": to_python(
        NODE,
        "error",
        "/lastProcessedResponse/functions/0/mcpToolBinding",
        "MCP server",
        put("lastProcessedResponse/functions/0/mcpToolBinding", "unknown"),
    ),
    "MCP server by position": to_js(
        f"{HITL}/kinds_local_mcp", "warn", "/processed/mcp_bindings/call_1", "same place"
    ),
    "tool not found, told": to_python(
        f"{JS_STATES}/parallel",
        "info",
        f"/{NOT_FOUND}",
        "not there",
        put(NOT_FOUND, [{"toolCall": {"callId": "call_w"}, "toolName": "x"}]),
    ),
    "tool not found": to_python(
        NODE,
        "error",
        f"/{NOT_FOUND}",
        "not there",
        put(NOT_FOUND, [{"toolCall": {"callId": "call_x"}, "toolName": "x"}]),
    ),
    # decisions and records
    "records to JS": to_js(PY, "info", "/ledger", "anew"),
    "records to Python": to_python(NODE, "info", "/ledger", "anew"),
    "sticky without an owner": to_js(
        "openai-agents-python/0.10.2/always", "warn", "/context/approvals/delete_file", "owner"
    ),
    "sticky for something else": to_js(
        f"{PY_STATES}/parallel.always",
        "error",
        "/grants/0/scope",
        "something else",
        put("context/function_tool_approvals/0/decision/sticky_scope", "0" * 64),
    ),
    "decision of nothing": to_python(
        NODE,
        "warn",
        "/context/legacyFunctionApprovals",
        "asks again",
        put("context/legacyFunctionApprovals", {"send_email": {"approved": True, "rejected": []}}),
    ),
    "call that has begun": to_js(
        PY,
        "error",
        "/ledger/open/call_1",
        "begun",
        put("context/tool_invocations/call_1/executed", value=True),
    ),
    "ambiguous call ids": to_python(
        NODE,
        "error",
        "/ambiguousToolInvocationCallIds",
        "two calls",
        put("ambiguousToolInvocationCallIds", [{"agentIdentity": "Mailer", "callIds": ["c"]}]),
    ),
    # how far the run is
    "not at an approval": to_js(f"{HITL}/turns_run_again", "error", "/step", "approval"),
    "final output": to_python(
        NODE,
        "error",
        "/step",
        "approval",
        put("currentStep", {"type": "next_step_final_output", "output": "x"}),
    ),
    "handoff step": to_python(
        NODE,
        "error",
        "/step",
        "approval",
        put("currentStep", {"type": "next_step_handoff", "newAgent": ITEM}),
    ),
    "guardrails of Python": to_js(PY, "warn", "", "guardrails"),
    "guardrails not passed": to_python(
        NODE,
        "error",
        "/initialInputGuardrailsCompleted",
        "guardrails",
        put("initialInputGuardrailsCompleted", value=False),
    ),
    "accepted and begun": to_python(
        NODE,
        "error",
        "/currentStep/data/localProcessingStarted",
        "run again",
        put("currentStep/data/localProcessingStarted", value=True),
    ),
    "accepted by no server": to_js(
        PY,
        "error",
        "/step/response_accepted",
        "server",
        put("current_step/data/response_accepted", value=True),
    ),
    "run of no call": to_python(
        NODE,
        "error",
        '/pendingAgentToolRuns/["bare","t"]:call_t',
        "from the beginning",
        put('pendingAgentToolRuns/["bare","t"]:call_t', "{}"),
    ),
    "terminal": to_js(f"{HITL}/turns_final_write_failed", "error", "/terminal", "not resumable"),
    # sessions and sandboxes
    "sandbox of Python": to_js(f"{HITL}/turns_sandbox", "error", "/sandbox", "sandbox"),
    "sandbox of JS": to_python(
        NODE, "error", "/sandbox", "sandbox", put("sandbox", {"backendId": "b"})
    ),
    "session write of Python": to_js(
        f"{HITL}/turns_session_unsettled", "error", "/session_write", "unsettled"
    ),
    "session write of JS": to_python(
        NODE,
        "error",
        "/session_write",
        "unsettled",
        put("pendingSessionWrite", {"phase": "prepared"}),
    ),
    "blocked output": to_python(
        NODE,
        "error",
        "/currentTurnBlockedSessionStartIndex",
        "unsettled",
        put("currentTurnBlockedSessionStartIndex", 0),
    ),
    "session of Python": to_js(f"{PY_STATES}/multi_session", "warn", "/persisted", "session"),
    "session of JS": to_python(f"{JS_STATES}/multi_session", "warn", "/persisted", "session"),
    "session of another content": to_js(
        f"{HITL}/copies_handoff_nested", "warn", "/session", "list of items"
    ),
    # cost, tracing, display
    "chain": to_js(
        PY, "info", "/conversation/auto", "place", put("auto_previous_response_id", value=True)
    ),
    "prompt cache": to_js(
        PY, "info", "/generated_prompt_cache_key", "cost", put("generated_prompt_cache_key", "k")
    ),
    "odd trace": to_python(NODE, "info", "/trace", "not traced", put("trace", "x")),
    "trace key": to_js(
        f"{HITL}/turns_traced",
        "info",
        "/trace/tracing_api_key_hash",
        "place",
        put("trace/tracing_api_key_hash", "h"),
    ),
    "trace key of JS": to_python(
        NODE, "info", "/trace/tracing_api_key", "secret", put("trace/tracing_api_key", "sk")
    ),
    "open span": to_python(
        NODE, "info", "/currentAgentSpan", "span", put("currentAgentSpan", {"object": "trace.span"})
    ),
    "usage in sums": to_python(
        f"{JS_STATES}/two_pauses",
        "info",
        "/context/usage/inputTokensDetails",
        "sum",
        put("context/usage/inputTokensDetails", [{"cached_tokens": 1}, {"cached_tokens": 2}]),
    ),
    "usage endpoint": to_python(
        NODE,
        "info",
        "/context/usage/requestUsageEntries/0/endpoint",
        "endpoint",
        put("context/usage/requestUsageEntries/0/endpoint", "responses.create"),
    ),
    "usage that is no number": to_js(
        PY,
        "info",
        "/usage/input_tokens_details",
        "no number",
        put("context/usage/input_tokens_details/0/tier", "flex"),
    ),
    "response provider data": to_python(
        NODE,
        "info",
        "/modelResponses/0/providerData",
        "beside",
        put("modelResponses/0/providerData", {"model": "m"}),
    ),
    # what nobody knows
    "unknown in Python": to_js(PY, "warn", "/new", "place", put("new", 1)),
    "unknown in an item": to_js(
        PY, "warn", "/items/2/item/extra/new", "know", put("generated_items/0/new", 1)
    ),
    "hosted request of another server": to_js(
        f"{PY_STATES}/hosted_mcp.approve1",
        "warn",
        "/grants/1",
        "names no server",
        put("context/hosted_mcp_approvals/0", OTHER_SERVER),
    ),
    "unknown in JS": to_python(NODE, "warn", "/new", "place", put("new", 1)),
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_reported(row: Row) -> None:
    """It is in the report, at its place and as heavy as it is; what is an error stops."""
    losses = transfer.losses_for(row.state, row.target)
    found = [(each.severity, each.reason) for each in losses if each.path == row.path]
    assert any(severity == row.severity and row.word in reason for severity, reason in found), [
        each for each in losses if each.severity == row.severity
    ]
    if row.severity == "error":
        with pytest.raises(LossError):
            hitl.dumps(row.state, dialect=row.target, allow_loss=True)


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_only_then(row: Row) -> None:
    """Without the change nothing is reported there: it is the change that is reported."""
    if row.change is None:
        return
    before = hitl.loads(corpus.load(row.name))
    places = {
        each.path for each in transfer.losses_for(before, row.target) if row.word in each.reason
    }
    assert row.path not in places


@pytest.mark.parametrize(
    "row", [row for row in ROWS.values() if row.severity == "error"], ids=lambda row: row.path
)
def test_every_error_has_a_next_step(row: Row) -> None:
    """A refusal says what to do, unless nothing helps."""
    with pytest.raises(LossError) as caught:
        hitl.dumps(row.state, dialect=row.target, allow_loss=True)
    helpless = {
        "JSON has no such number",
        "a paused run belongs to no call; the agent in it would start from the beginning",
    }
    for loss in stopping(caught.value):
        assert loss.hint or loss.reason in helpless, loss


@pytest.mark.parametrize(
    "name", ["MCP server unknown", "MCP server unknown in JS"], ids=["Python", "JavaScript"]
)
def test_rejected(name: str) -> None:
    """A call whose server is not known crosses when it is rejected."""
    row = ROWS[name]
    state = row.state
    (waiting,) = state.interruptions
    rejected = state.reject(waiting.call)
    assert all(each.severity != "error" for each in transfer.losses_for(rejected, row.target))
    hitl.dumps(rejected, dialect=row.target, allow_loss=True)
    with pytest.raises(LossError):
        hitl.dumps(state.approve(waiting.call), dialect=row.target, allow_loss=True)


def test_trace_off() -> None:
    """A run that was resumed without tracing says null: nothing of it is left behind."""
    state = Row(PYTHON, NODE, "info", "", "", put("trace", None)).state
    assert "/trace" not in {each.path for each in transfer.losses_for(state, PYTHON)}
