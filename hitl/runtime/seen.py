"""Agents and tools as they are seen live: what a pause records and a restore compares."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import agents
from agents import Agent
from attrs import evolve

from hitl import document
from hitl.model import Tool
from hitl.runtime import sdk

if TYPE_CHECKING:
    from hitl.document import JSONValue
    from hitl.model import Agent as Seen
    from hitl.model.agent import Rule, ToolUse

# Not every release has every class; a tool of a class that is missing cannot be there.
_CLASSES = {
    "FunctionTool": "function",
    "ComputerTool": "computer",
    "CustomTool": "custom",
    "LocalShellTool": "local_shell",
    "ShellTool": "shell",
    "ApplyPatchTool": "apply_patch",
    "HostedMCPTool": "hosted_mcp",
}
_KINDS: dict[type, str] = {
    getattr(agents, name): kind for name, kind in _CLASSES.items() if hasattr(agents, name)
}

# Words about a parameter; changing them changes no call.
_PROSE = frozenset({"title", "description", "examples", "$comment"})


def agent(entry: Seen, live: Agent[Any]) -> Seen:
    """Give the table entry of an agent with what can be seen of it without asking anybody."""
    behavior, names = tool_use(live)
    return evolve(
        entry,
        tools=tuple(tool(each) for each in live.tools),
        handoffs=sdk.handoff_names(live),
        instructions_sha256=instructions_sha256(live),
        tool_use_behavior=behavior,
        stop_at_tool_names=names,
    )


def tool_use(live: Agent[Any]) -> tuple[ToolUse, tuple[str, ...]]:
    """Give whether outputs of tools can end the run, and of which; see `hitl.model.Agent`."""
    match live.tool_use_behavior:
        case "run_llm_again" | "stop_on_first_tool" as behavior:
            return behavior, ()
        case dict() as listed:
            return "stop_at_tools", tuple(map(str, listed.get("stop_at_tool_names", ())))
        case _:
            return "custom", ()


def tool(live: Any) -> Tool:  # noqa: ANN401 - any of the SDK's tools
    """Give a tool as it is seen."""
    schema = getattr(live, "params_json_schema", None)
    return Tool(
        name=tool_name(live),
        kind=kind(live),
        approval=_rule(live),
        schema_sha256=None if schema is None else schema_sha256(schema),
    )


def kind(live: Any) -> str:  # noqa: ANN401
    """Give the kind of a tool; the name of its class when it is none of the SDK's own."""
    return next(
        (name for cls, name in _KINDS.items() if isinstance(live, cls)), type(live).__name__
    )


def tool_name(live: Any) -> str:  # noqa: ANN401
    """Give the name calls use: hosted MCP servers go by their label, the rest by their name."""
    config = getattr(live, "tool_config", None)
    if kind(live) == "hosted_mcp" and config:
        return str(config.get("server_label"))
    return str(getattr(live, "name", type(live).__name__))


def schema_sha256(schema: JSONValue) -> str:
    """Give the digest of a parameter schema, without the words about its parameters."""
    return document.digest(_meaning(schema, names=False))


def instructions_sha256(live: Agent[Any]) -> str | None:
    """Give the digest of an agent's instructions; None when they are not a text."""
    text = live.instructions
    return (
        hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        if isinstance(text, str)
        else None
    )


def _rule(live: Any) -> Rule | None:  # noqa: ANN401
    rule = getattr(live, "needs_approval", None)
    if rule is None:
        return None
    if isinstance(rule, bool):
        return "always" if rule else "never"
    return "depends"


def _meaning(schema: JSONValue, *, names: bool) -> JSONValue:
    """Drop prose; `names` is set inside `properties`, where keys are parameters."""
    if isinstance(schema, list):
        return [_meaning(each, names=False) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _meaning(value, names=not names and key in {"properties", "$defs"})
        for key, value in schema.items()
        if names or key not in _PROSE
    }
