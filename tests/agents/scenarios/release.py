"""Agents of `openai-agents-python/0.24.0`: what every release records, one pause each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import agents
from agents import Agent
from mcp.types import Tool

from tests.agents import tools
from tests.agents.model import ScriptedModel, call
from tests.agents.scenario import Scenario

if TYPE_CHECKING:
    from tests.agents.log import Log

FOLDER = "openai-agents-python/0.24.0"
_LAST = None


def _ops(log: Log) -> Agent[Any]:
    step: list[dict[str, object]] = [
        {"type": "reasoning", "id": "rs_1", "summary": []},
        call("stat_file", {"path": "/x"}, "call_s"),
        call("delete_file", {"path": "/x"}, "call_d"),
    ]
    model = ScriptedModel("ops", [step, _LAST], log)
    return Agent(name="ops", model=model, tools=[tools.delete_file(log), tools.stat_file(log)])


def _nested(log: Log) -> Agent[Any]:
    worker = ScriptedModel("worker", [[call("delete_file", {"path": "/z"}, "call_in")], _LAST], log)
    inner = Agent(name="worker", model=worker, tools=[tools.delete_file(log)])
    boss = ScriptedModel("boss", [[call("worker_tool", {"input": "z"}, "call_out")], _LAST], log)
    return Agent(
        name="boss",
        model=boss,
        tools=[inner.as_tool(tool_name="worker_tool", tool_description="d")],
    )


def _handoff(log: Log) -> Agent[Any]:
    spec = ScriptedModel("spec", [[call("delete_file", {"path": "/z"}, "call_d")], _LAST], log)
    triage = ScriptedModel("triage", [[call("transfer_to_spec", {}, "call_h")]], log)
    return Agent(
        name="triage",
        model=triage,
        handoffs=[Agent(name="spec", model=spec, tools=[tools.delete_file(log)])],
    )


def _native(log: Log) -> Agent[Any]:
    shell = {"type": "shell_call", "id": "sh_1", "call_id": "call_sh", "status": "completed"}
    patch = {"type": "apply_patch_call", "id": "ap_1", "call_id": "call_ap", "status": "completed"}
    operation = {"type": "update_file", "path": "a.py", "diff": "-a\n+b\n"}
    step: list[dict[str, object]] = [
        shell | {"action": {"commands": ["ls"], "timeout_ms": 1000}},
        patch | {"operation": operation},
    ]
    native: list[agents.Tool] = [
        tools.shell(log, needs_approval=True),
        tools.apply_patch(log, needs_approval=True),
    ]
    return Agent(name="ops", model=ScriptedModel("ops", [step, _LAST], log), tools=native)


def _hosted_mcp(log: Log) -> Agent[Any]:
    request = {"type": "mcp_approval_request", "id": "mcpr_1", "name": "search", "arguments": "{}"}
    model = ScriptedModel("ops", [[request | {"server_label": "gitmcp"}], _LAST], log)
    return Agent(name="ops", model=model, tools=[tools.hosted_mcp("gitmcp", "https://x")])


def _local_mcp(log: Log) -> Agent[Any]:
    tool = Tool(name="mtool", description="d", input_schema={"type": "object", "properties": {}})
    server = tools.LocalMcp(log, "srv", tool, lambda _: "ok", require_approval="always")
    model = ScriptedModel("ops", [[call("mtool", {}, "call_m")], _LAST], log)
    return Agent(name="ops", model=model, mcp_servers=[server])


def _final(log: Log) -> Agent[Any]:
    return Agent(
        name="ops",
        model=ScriptedModel("ops", [_LAST], log),
        tools=[tools.delete_file(log), tools.stat_file(log)],
    )


_BY_STEM = {
    "plain": Scenario(cast=_ops),
    "streamed": Scenario(cast=_ops),
    "approved": Scenario(cast=_ops, decided=frozenset({"call_d"})),
    "always": Scenario(cast=_ops, decided=frozenset({"call_d"})),
    "rejected": Scenario(cast=_ops, decided=frozenset({"call_d"})),
    "always_rejected": Scenario(cast=_ops, decided=frozenset({"call_d"})),
    "conversation_id": Scenario(cast=_ops),
    "previous_response_id": Scenario(cast=_ops),
    "auto_previous": Scenario(cast=_ops),
    "session": Scenario(cast=_ops, session_id="h", history=f"{FOLDER}/session.history"),
    "nested": Scenario(cast=_nested),
    "nested_approved": Scenario(cast=_nested, decided=frozenset({"call_in"})),
    "handoff": Scenario(cast=_handoff),
    "native": Scenario(cast=_native),
    "hosted_mcp": Scenario(cast=_hosted_mcp),
    "hosted_mcp_always": Scenario(cast=_hosted_mcp, decided=frozenset({"mcpr_1"})),
    "local_mcp": Scenario(cast=_local_mcp),
    "final": Scenario(cast=_final, finished=True),
}
SCENARIOS = {f"{FOLDER}/{stem}": scenario for stem, scenario in _BY_STEM.items()}
