"""What can be seen of a run, in one shape for both languages: Responses items, snake_case.

| key | what |
| --- | --- |
| requests | every model request: agent, input item by item, ids of the conversation, instructions, tools, handoffs |
| tool_runs | every execution of a tool's own code: tool, call id, arguments as the tool got them |
| stops | what waited, pause by pause: agent, tool, call id, arguments |
| final_output, last_agent, turn, usage | at the end |
| session | what it holds at the end, as Responses items; None without one |
| decisions | what the state at the end still says: agent, tool, call id or `*`, verdict, message |
| error | class and message of what the SDK raised |
"""  # noqa: E501  (a table)

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Language: TypeAlias = Literal["python", "js"]
Seen: TypeAlias = dict[str, Any]
Decision: TypeAlias = "tuple[str | None, str, Mapping[str, Any]]"

_PLAIN = ("requests", "tool_runs", "stops", "final_output", "last_agent", "session", "error")


def seen(outcome: Mapping[str, Any], language: Language) -> Seen:
    """An outcome of either player in the shape above.

    `state` is the SDK's own text; what is only in there is read from it.
    """
    state = {} if outcome["state"] is None else json.loads(outcome["state"])
    rest = _STATE[language](state) if state else {"turn": None, "usage": None, "decisions": None}
    shown: Seen = _said({key: outcome[key] for key in _PLAIN} | rest)
    return shown


def _said(value: Any) -> Any:  # noqa: ANN401  (JSON)
    """A last message repeats every output it saw; how that JSON is spelled is no difference."""
    if isinstance(value, dict):
        return {key: _said(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_said(each) for each in value]
    name, saw, outputs = str(value).partition(" saw {")
    return {"said by": name, "saw": _said(json.loads("{" + outputs))} if saw else value


def _python_state(state: Mapping[str, Any]) -> Seen:
    context = state["context"]
    usage = context["usage"]
    return {
        "turn": state["current_turn"],
        "usage": {
            "requests": usage["requests"],
            "input": usage["input_tokens"],
            "output": usage["output_tokens"],
            "total": usage["total_tokens"],
            "cached": _sum(usage.get("input_tokens_details"), "cached_tokens"),
            "cache_written": _sum(usage.get("input_tokens_details"), "cache_write_tokens"),
            "reasoning": _sum(usage.get("output_tokens_details"), "reasoning_tokens"),
        },
        "decisions": _decisions(
            _python_decisions(context), "rejection_messages", "sticky_rejection_message"
        ),
    }


def _js_state(state: Mapping[str, Any]) -> Seen:
    context = state["context"]
    usage = context["usage"]
    return {
        "turn": state["currentTurn"],
        "usage": {
            "requests": usage["requests"],
            "input": usage["inputTokens"],
            "output": usage["outputTokens"],
            "total": usage["totalTokens"],
            "cached": _sum(usage.get("inputTokensDetails"), "cached_tokens"),
            "cache_written": _sum(usage.get("inputTokensDetails"), "cache_write_tokens"),
            "reasoning": _sum(usage.get("outputTokensDetails"), "reasoning_tokens"),
        },
        "decisions": _decisions(_js_decisions(context), "messages", "stickyRejectMessage"),
    }


_STATE: dict[Language, Callable[[Mapping[str, Any]], Seen]] = {
    "python": _python_state,
    "js": _js_state,
}


def _sum(details: list[dict[str, Any]] | None, name: str) -> int:
    return sum(each.get(name) or 0 for each in details or [])


def _python_decisions(context: Mapping[str, Any]) -> Iterator[Decision]:
    for name, decision in context["approvals"].items():
        yield None, name, decision
    for entry in context.get("function_tool_approvals", []):
        yield _agent(entry["agent"]), _tool(entry["tool_key"]), entry["decision"]
    for entry in context.get("hosted_mcp_approvals", []):
        identity = entry["identity"]
        if identity["type"] == "server_tool":  # the others repeat it, to be found otherwise
            yield None, f"{identity['server_label']}/{identity['tool_name']}", entry["decision"]


def _agent(said: Any) -> str:  # noqa: ANN401  (JSON)
    return str(said.get("identity", said["name"]) if isinstance(said, dict) else said)


def _tool(key: Any) -> str:  # noqa: ANN401  (JSON)
    if isinstance(key, dict):
        return ".".join(str(key[part]) for part in ("namespace", "name") if key.get(part))
    return str(key)


def _js_decisions(context: Mapping[str, Any]) -> Iterator[Decision]:
    for name, record in context["approvals"].items():
        yield None, name, record
    for entry in context.get("functionApprovals", []):
        for key, record in entry["approvals"].items():
            yield entry["agentIdentity"], ".".join(json.loads(key)[1:]), record
    for key, record in context.get("hostedMcpApprovals", {}).items():
        yield None, "/".join(json.loads(key)[1:]), record


def _decisions(found: Iterator[Decision], messages: str, sticky: str) -> list[list[str | None]]:
    """One row per call and verdict; `*` is a verdict for every call."""
    rows: list[list[str | None]] = []
    for agent, tool, record in found:
        for verdict in ("approved", "rejected"):
            said = record[verdict]
            if said is True:
                rows.append([agent, tool, "*", verdict, record.get(sticky)])
            elif said is not False:
                told = record.get(messages, {})
                rows += [[agent, tool, call, verdict, told.get(call)] for call in said]
    return sorted(rows, key=repr)
