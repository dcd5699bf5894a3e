"""What the SDK records of a call, computed from the call alone.

The SDK binds a call id to a canonical text of what the call does (@openai/agents-core,
`toolInvocation.mjs`). It is a pure function of the call, so it is not stored where it can be
computed, and it is no signature: anyone can compute it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from hitl.dialect import too_deep
from hitl.dialects.openai_js import number
from hitl.dialects.openai_js import raw as protocol

if TYPE_CHECKING:
    from hitl.document import JSONValue
    from hitl.model import Item

_PREFIX = "\x00openai-agents-json:"
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_LONE = re.compile("[\ud800-\udfff]")
_INDEX = re.compile(r"0|[1-9][0-9]*")
_LAST_INDEX = 2**32 - 2
OUTPUT_OF = {
    "function_call_output": "function_call",
    "computer_call_output": "computer_call",
    "shell_call_output": "shell_call",
    "apply_patch_call_output": "apply_patch_call",
    "mcp_approval_response": "mcp_approval_request",
}
CALLS = frozenset(OUTPUT_OF.values())
# The SDK has one tool under two names.
_COMPUTERS = {"computer_use_preview": "computer"}
_ABSENT = object()
_BUILT_IN = {"shell_call": "shell", "apply_patch_call": "apply_patch", "computer_call": "computer"}


def dumps(value: JSONValue) -> str:
    """Give a value as JSON.stringify does, without changing the order of its keys."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return _LONE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def state_key(key: tuple[str, str | None, str]) -> str:
    """Give the key the SDK keeps a function tool under."""
    return dumps([part for part in key if part is not None])


def lookup_key(item: Item) -> tuple[str, str | None, str] | None:
    """Give (kind, namespace, name) of the function tool a call is for."""
    if item.tool_key is not None:
        return item.tool_key
    raw = item.raw if isinstance(item.raw, dict) else {}
    name, space = raw.get("name"), raw.get("namespace")
    if not isinstance(name, str) or not name:
        return None
    if not isinstance(space, str) or not space:
        return ("bare", None, name)
    return ("deferred_top_level", None, name) if space == name else ("namespaced", space, name)


def hosted_key(server: JSONValue, name: JSONValue) -> str:
    """Give the key the SDK keeps a hosted MCP tool under."""
    return dumps(["hosted_mcp", server, name])


def tool_name(item: Item) -> str | None:
    """Give the name a record of a call is kept under; None if it cannot be told."""
    raw = item.raw if isinstance(item.raw, dict) else {}
    match raw.get("type"):
        case "function_call" if item.kind == "handoff_call":
            return f"handoff:{raw.get('name')}"
        case "function_call":
            key = lookup_key(item)
            return None if key is None else state_key(key)
        case "mcp_approval_request":
            return hosted_key(raw.get("server_label"), raw.get("name"))
        case "shell_call" | "apply_patch_call" | "computer_call" as kind:
            return item.tool_name or _BUILT_IN[kind]
        case _:
            pass
    return None


def fingerprint(item: Item) -> str | None:
    """Give the SDK's record of a call or of an approval request; None if it has none."""
    name = tool_name(item)
    raw = item.raw
    if name is None or not isinstance(raw, dict) or too_deep(raw.get("arguments")):
        return None
    call: Any = protocol.write(raw)
    payload = _payload(call)
    caller = call.get("caller")
    program = isinstance(caller, dict) and caller.get("type") == "program"
    return _stable(
        {
            "caller": {"type": "program", "callerId": caller.get("callerId")}
            if program
            else {"type": "direct"},
            "type": call.get("type"),
            "toolName": _COMPUTERS.get(name, name) if raw["type"] == "computer_call" else name,
            **({} if payload is _ABSENT else {"payload": payload}),
        }
    )


def _payload(call: Any) -> Any:  # noqa: ANN401 - JSON
    match call.get("type"):
        case "function_call":
            return _arguments(call.get("arguments"))
        case "hosted_tool_call":
            data = call.get("providerData") or {}
            given = data.get("arguments")
            return {
                "serverLabel": data.get("server_label"),
                "arguments": _arguments(given) if isinstance(given, str) else given,
            }
        case "computer_call" if call.get("actions") is not None:
            return call["actions"]
        case "computer_call" | "shell_call":
            return call.get("action", _ABSENT)
        case _:
            pass
    return call.get("operation", _ABSENT)


def _arguments(text: JSONValue) -> JSONValue:
    """Give arguments with each number as an exact token, so that no rounding hides a change."""
    if not isinstance(text, str):
        return {"format": "raw", "value": text}
    try:
        return {"format": "json", "value": json.loads(_tokens(text), parse_constant=_refuse)}
    except (ValueError, RecursionError):
        return {"format": "raw", "value": text}


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _tokens(text: str) -> str:
    """Replace every number outside strings by the text that stands for it."""
    found: list[str] = []
    at = 0
    while at < len(text):
        if text[at] == '"':
            end = _string_end(text, at)
            token = text[at:end]
            said = json.loads(token)
            marked = said.startswith(_PREFIX)
            found.append(dumps(f"{_PREFIX}string:{said}") if marked else token)
            at = end
        elif text[at] == "-" or text[at] in "0123456789":
            number = _NUMBER.match(text, at)
            if number is None:
                raise ValueError("expected a JSON number")
            found.append(dumps(f"{_PREFIX}number:{_number(number[0])}"))
            at = number.end()
        else:
            found.append(text[at])
            at += 1
    return "".join(found)


def _string_end(text: str, start: int) -> int:
    at = start + 1
    while at < len(text) and text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return at + 1


def _number(text: str) -> str:
    mantissa, _, exponent = text.lower().partition("e")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, fraction = mantissa.lstrip("-").partition(".")
    digits = f"{whole}{fraction}".lstrip("0")
    if not digits:
        return f"{sign}0"
    kept = digits.rstrip("0")
    power = int(exponent or "0") - len(fraction) + len(digits) - len(kept)
    return f"{sign}{kept}e{power}"


def _stable(value: JSONValue) -> str:
    """Give a value as the SDK does: keys in the order of `_sorted`, numbers as doubles."""
    return _text(_sorted(value))


def _text(value: JSONValue) -> str:
    if isinstance(value, dict):
        return "{" + ",".join(f"{dumps(key)}:{_text(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_text(each) for each in value) + "]"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return number.spelled(value)
    return dumps(value)


def _sorted(value: JSONValue) -> JSONValue:
    """Sort keys as JavaScript does: by code unit, then integer-like keys first by value."""
    if isinstance(value, list):
        return [_sorted(each) for each in value]
    if not isinstance(value, dict):
        return value
    keys = sorted(value, key=_units)
    indexes = sorted((key for key in keys if _is_index(key)), key=int)
    ordered = [*indexes, *(key for key in keys if not _is_index(key))]
    return {key: _sorted(value[key]) for key in ordered}


def _is_index(key: str) -> bool:
    return (
        len(key) <= len(str(_LAST_INDEX))
        and bool(_INDEX.fullmatch(key))
        and int(key) <= _LAST_INDEX
    )


def _units(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")
