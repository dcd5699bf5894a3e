"""Tools as the SDK writes them beside their calls: what of them matters when a run goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.dialects.openai_js import wire
from hitl.model import positions

if TYPE_CHECKING:
    from hitl.document import JSONObject, JSONValue
    from hitl.model import Call, RunState


def read(group: str, given: JSONValue, call: JSONObject) -> JSONObject:
    """Give what the writer said of a tool, in the words of the log.

    Args:
        group: which kind of tool it is.
        given: the tool.
        call: the call of it, in the SDK's protocol.
    """
    tool = given if isinstance(given, dict) else {}
    name = tool.get("name")
    match group:
        case "function":
            found: JSONObject = {"name": name, "lookupKey": _key(name, call.get("namespace"))}
            if "description" in tool:
                found["description"] = tool["description"]
            # The schema of the parameters says how its language writes schemas: there is nothing
            # in the other one to compare it with. It is kept beside, see `kept`.
            return found
        case "handoff":
            return {"tool_name": tool.get("toolName", tool.get("agentName"))}
        case "hosted_mcp":
            config = tool.get("providerData")
            kept = config if isinstance(config, dict) else {}
            safe = {k: v for k, v in kept.items() if k not in wire.SECRET_TOOL}
            return {"name": name, "tool_config": safe}
        case _:
            return {"name": name}


def _key(name: JSONValue, space: JSONValue) -> JSONObject:
    if not space:
        return {"kind": "bare", "name": name}
    if space == name:
        return {"kind": "deferred_top_level", "name": name}
    return {"kind": "namespaced", "namespace": space, "name": name}


def write(group: str, tool: JSONObject, raw: JSONValue) -> JSONObject:
    """Give what the SDK asks for of a tool; everything else comes from the live agent."""
    name = tool.get("name") or (raw.get("name") if isinstance(raw, dict) else None)
    match group:
        case "function":
            return {
                "type": "function",
                "name": name,
                "description": tool.get("description") or "",
                "parameters": tool.get("paramsJsonSchema") or {},
                "strict": True,
                "deferLoading": False,
            }
        case "handoff":
            return {"toolName": tool.get("tool_name") or name}
        case _:
            return {"type": group, "name": tool.get("name") or group}


def write_hosted(tool: JSONObject, raw: JSONValue) -> JSONObject:
    """Give the hosted MCP tool of a request: its label, and nothing that may be secret."""
    config = tool.get("tool_config")
    label = config.get("server_label") if isinstance(config, dict) else None
    if label is None and isinstance(raw, dict):
        label = raw.get("server_label")
    return {
        "type": "hosted_tool",
        "name": "hosted_mcp",
        "providerData": {"type": "mcp", "server_label": label},
    }


def unbound(state: RunState, call: Call) -> bool:
    """Tell whether the tool of a call is of a local MCP server, and nobody noted of which."""
    call_id = state.log.item(call.item).call_id
    if call_id in ((state.processed and state.processed.mcp_bindings) or {}):
        return False
    for position in positions(state.generated or ()):
        item = state.log.item(position)
        if item.call_id == call_id and (item.origin or {}).get("type") == "mcp":
            return True
    return False
