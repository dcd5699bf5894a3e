"""What the SDK's ledger says of a call, computed from the call alone.

The ledger binds a call id to the SHA-256 of what the call does and of what an approval of it covers
(openai-agents 0.24.0, `_tool_invocation.py`). Both are pure functions of the call, so they are not
stored where they can be computed. They are not a signature: anyone can compute them.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from hitl.document import JSONObject, JSONValue
    from hitl.model import Item

OUTPUT_OF = {
    "apply_patch_call_output": "apply_patch_call",
    "computer_call_output": "computer_call",
    "custom_tool_call_output": "custom_tool_call",
    "function_call_output": "function_call",
    "local_shell_call_output": "local_shell_call",
    "mcp_approval_response": "mcp_approval_request",
    "shell_call_output": "shell_call",
}
CALLS = frozenset(OUTPUT_OF.values())

_NEEDS = {
    "function_call": ("arguments",),
    "mcp_approval_request": ("arguments",),
    "custom_tool_call": ("input",),
    "computer_call": ("action",),
    "local_shell_call": ("action",),
    "shell_call": ("action",),
    "apply_patch_call": ("operation", "operations"),
}
_MEANING = (
    "type",
    "name",
    "namespace",
    "server_label",
    "arguments",
    "input",
    "action",
    "actions",
    "pending_safety_checks",
    "operation",
    "operations",
    "environment",
    "caller",
)


@frozen
class Identity:
    """What the ledger says of one call.

    Attributes:
        kind: its type in the Responses API.
        call_id: its id.
        scope: digest of what an approval of its tool covers.
        fingerprint: digest of the call.
    """

    kind: str
    call_id: str
    scope: str
    fingerprint: str


def identity(item: Item) -> Identity | None:
    """Give the ledger's view of a call or of an approval request; None if it has none."""
    raw = item.raw
    if not isinstance(raw, dict) or str(raw.get("type")) not in CALLS or item.call_id is None:
        return None
    kind = str(raw["type"])
    scope = approval_scope(item)
    if scope is None or not any(key in raw for key in _NEEDS[kind]):
        return None
    if kind == "custom_tool_call" and not (isinstance(raw.get("name"), str) and raw["name"]):
        return None
    payload: dict[str, JSONValue] = {"approval_scope": scope}
    for key in _MEANING:
        if raw.get(key) is None or (kind == "function_call" and key in {"name", "namespace"}):
            continue
        payload[key] = _arguments(raw[key]) if key == "arguments" else _without_nulls(raw[key])
    return Identity(kind, item.call_id, scope, _digest(payload))


def approval_scope(item: Item) -> str | None:
    """Give the digest of what a sticky decision on this call covers; None if it cannot be told."""
    raw = item.raw
    if not isinstance(raw, dict) or str(raw.get("type")) not in CALLS:
        return None
    payload: dict[str, JSONValue] = {"type": raw["type"]}
    if item.kind == "handoff_call":
        payload["invocation_role"] = "handoff"
    match raw["type"]:
        case "function_call":
            key = lookup_key(item)
            if key is None:
                return None
            payload["tool_lookup_key"] = [part for part in key if part is not None]
        case "mcp_approval_request":
            name, label = raw.get("name"), raw.get("server_label")
            if not (isinstance(name, str) and name and isinstance(label, str) and label):
                return None
            payload |= {"name": name, "server_label": label}
        case _:
            name = item.tool_name or raw.get("name")
            if isinstance(name, str) and name:
                payload["name"] = name
    return _digest(payload)


def key_scope(key: str) -> str:
    """Give the digest of what a sticky decision on a function tool covers, by the tool's key."""
    for mark in (":", "."):
        prefix, found, name = key.rpartition(mark)
        if found:
            kind = [prefix] if mark == ":" else ["namespaced", prefix]
            return _digest({"type": "function_call", "tool_lookup_key": [*kind, name]})
    return _digest({"type": "function_call", "tool_lookup_key": ["bare", key]})


def lookup_key(item: Item) -> tuple[str, str | None, str] | None:
    """Give (kind, namespace, name) of the function tool a call is for."""
    if item.tool_key is not None:
        return item.tool_key
    raw = item.raw if isinstance(item.raw, dict) else {}
    name, namespace = raw.get("name"), raw.get("namespace")
    if not isinstance(name, str) or not name:
        return None
    if not isinstance(namespace, str) or not namespace:
        return ("bare", None, name)
    if namespace == name:
        return ("deferred_top_level", None, name)
    return ("namespaced", namespace, name)


def _digest(payload: JSONObject) -> str:
    text = json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _arguments(value: JSONValue) -> JSONValue:
    if not isinstance(value, str):
        return value
    try:
        parsed: JSONValue = json.loads(value, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return value
    return parsed


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _without_nulls(value: JSONValue) -> JSONValue:
    if isinstance(value, dict):
        return {key: _without_nulls(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [_without_nulls(each) for each in value]
    return value
