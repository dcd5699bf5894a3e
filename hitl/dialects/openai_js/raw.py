"""Raw items: the SDK's own protocol to the form of the Responses API, and back.

As `convertToOutputItem` and `getInputItems` of @openai/agents-openai map them, except that the data
keys inside `providerData` are never renamed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hitl.dialects.openai_js import content, wire

if TYPE_CHECKING:
    from collections.abc import Callable

    from hitl.document import JSONObject, JSONValue

_FAKE, _NO_ID = wire.NO_ID

# Fields that only have another name, by the type of the item in the protocol.
_RENAMED: dict[str, dict[str, str]] = {
    "function_call": {"callId": "call_id"},
    "function_call_result": {"callId": "call_id"},
    "computer_call": {"callId": "call_id"},
    "computer_call_result": {"callId": "call_id"},
    "shell_call": {"callId": "call_id"},
    "shell_call_output": {"callId": "call_id", "maxOutputLength": "max_output_length"},
    "apply_patch_call": {"callId": "call_id"},
    "apply_patch_call_output": {"callId": "call_id"},
    "program": {"callId": "call_id"},
    "program_output": {"callId": "call_id", "output": "result"},
    "tool_search_call": {},
    "tool_search_output": {},
    "compaction": {},
}
_TYPES = {
    "function_call_result": "function_call_output",
    "computer_call_result": "computer_call_output",
}
_TYPES_BACK = {theirs: mine for mine, theirs in _TYPES.items()}

# Fields that stand beside `providerData` in the protocol; everything else stands in it.
_OWN: dict[str, tuple[str, ...]] = {
    "function_call": ("call_id", "name", "namespace", "status", "arguments", "caller"),
    "function_call_result": ("call_id", "name", "namespace", "status", "output", "caller"),
    "computer_call": ("call_id", "status", "action", "actions"),
    "computer_call_result": ("call_id", "output"),
    "shell_call": ("call_id", "status", "action", "caller"),
    "shell_call_output": ("call_id", "output", "max_output_length", "status", "caller"),
    "apply_patch_call": ("call_id", "status", "operation", "caller"),
    "apply_patch_call_output": ("call_id", "status", "output", "caller"),
    "program": ("call_id", "code", "fingerprint"),
    "program_output": ("call_id", "result", "status"),
    "tool_search_call": ("status", "arguments"),
    "tool_search_output": ("status", "tools"),
    "compaction": ("encrypted_content", "created_by"),
}
HOSTED = frozenset(
    {
        "web_search_call",
        "file_search_call",
        "code_interpreter_call",
        "image_generation_call",
        "mcp_list_tools",
        "mcp_approval_request",
        "mcp_approval_response",
        "mcp_call",
    }
)
# Where the output of a hosted tool stands in the Responses API.
_RESULT = {"image_generation_call": "result", "mcp_call": "output"}
_NO_STATUS = frozenset(
    {"mcp_list_tools", "mcp_approval_request", "mcp_approval_response", "mcp_call"}
)
# Types that the protocol wants to say how far they are, and the Responses API need not.
_WITH_STATUS = frozenset({"function_call_result", "apply_patch_call", "computer_call"})
# Types that carry no copy of their id and type in `providerData`: what the SDK itself makes.
_MADE_HERE = frozenset(
    {"function_call_result", "shell_call_output", "apply_patch_call_output", "computer_call_result"}
)


def read(given: JSONValue) -> JSONValue:
    """Give a raw item of the protocol in the form of the Responses API.

    What is no item of a known type is given back as it is.
    """
    kind = _kind(given)
    if not isinstance(given, dict) or kind is None:
        return given
    if kind in _RENAMED:
        return _read_plain(given, kind)
    return _READ.get(kind, _same)(given)


def made(given: JSONValue) -> JSONValue:
    """Give what a model said as `read` does, with the placeholder where it has no id.

    This SDK does not ask for ids; the Python SDK drops a message or reasoning without one.
    """
    found = read(given)
    if not isinstance(found, dict) or found.get("id") is not None:
        return found
    said = found.get("type") == "message" and found.get("role") == "assistant"
    return {**found, "id": _NO_ID} if said or found.get("type") == "reasoning" else found


def write(given: JSONValue, name: str | None = None) -> JSONValue:
    """Give an item of the Responses API as a raw item of the protocol.

    Args:
        given: the item.
        name: the tool a function output belongs to: the protocol wants it named.
    """
    kind = _kind(given)
    if not isinstance(given, dict) or kind is None:
        return given
    if kind in HOSTED:
        return _write_hosted(given, kind)
    mine = _TYPES_BACK.get(kind, kind)
    if mine in _RENAMED:
        return _write_plain(given, mine, name)
    return _WRITE.get(kind, _write_unknown)(given)


def _kind(given: JSONValue) -> str | None:
    """Give the type of an item; None if it has none. A message may leave it out."""
    if not isinstance(given, dict):
        return None
    kind = given.get("type")
    if kind in (None, "message"):  # not a set: it may be unhashable
        return "message" if "role" in given else "unknown_message"
    return kind if isinstance(kind, str) else None


def _read_unknown(given: JSONObject) -> JSONObject:
    return {**_data(given), **({"id": given["id"]} if given.get("id") else {})}


def _write_unknown(given: JSONObject) -> JSONObject:
    unknown: JSONObject = {"type": "unknown", "providerData": given}
    return {**unknown, "id": given["id"]} if isinstance(given.get("id"), str) else unknown


def request(given: JSONValue) -> JSONValue:
    """Give a hosted MCP request as an approval item has it: named after the tool, not done."""
    written = write(given)
    if not isinstance(written, dict) or written.get("name") != "mcp_approval_request":
        return written
    data: Any = written["providerData"]
    return {**written, "name": data.get("name"), "status": "in_progress"}


def _data(given: JSONObject) -> JSONObject:
    """Give what the provider said beside the protocol."""
    found = given.get("providerData")
    return dict(found) if isinstance(found, dict) else {}


def _id(value: JSONValue, old: str, new: str) -> JSONObject:
    """Give the id of an item; the placeholder of one SDK is the other's."""
    return {} if value is None else {"id": new if value == old else value}


def _read_message(given: JSONObject) -> JSONObject:
    own = {k: v for k, v in given.items() if k not in {"providerData", "id", "content"}}
    assistant = given.get("role") == "assistant"
    return {
        **_data(given),
        **_id(given.get("id"), _FAKE, _NO_ID),
        **own,
        "content": content.read(given.get("content"), assistant=assistant),
    }


def _write_message(given: JSONObject) -> JSONObject:
    if not _has_role(given):
        return _write_unknown(given)
    own = ("id", "type", "role", "content", "status", "phase")
    assistant = given.get("role") == "assistant"
    kept = {k: v for k, v in given.items() if k in own and k not in {"content", "id"}}
    if assistant:
        kept = {"type": "message", "status": "completed", **kept}
    rest = {k: v for k, v in given.items() if k not in own}
    if assistant and "phase" in given:
        rest["phase"] = given["phase"]
    return {
        **({"providerData": rest} if rest or assistant else {}),
        **_id(given.get("id"), _NO_ID, _FAKE),
        **kept,
        "content": content.write(given.get("content")),
    }


def _has_role(given: JSONObject) -> bool:
    """Tell whether the protocol has messages of this role: no developer's, and a system's as text.

    Others go to the model as they are, like all that the protocol does not know.
    """
    match given.get("role"):
        case "system":
            return isinstance(given.get("content"), str)
        case "developer":
            return False
        case _:
            return True


def _read_reasoning(given: JSONObject) -> JSONObject:
    parts = given.get("content")
    summary = [
        {"type": "summary_text", **_data(each), "text": each.get("text")}
        for each in (parts if isinstance(parts, list) else [])
        if isinstance(each, dict)
    ]
    data = _data(given)
    if "content" not in data and isinstance(given.get("rawContent"), list):
        data["content"] = given["rawContent"]
    return {
        **data,
        "type": "reasoning",
        **_id(given.get("id"), _FAKE, _NO_ID),
        "summary": summary,
    }


def _write_reasoning(given: JSONObject) -> JSONObject:
    summary = given.get("summary")
    parts: list[JSONValue] = [
        {
            "providerData": {k: v for k, v in each.items() if k != "text"},
            "type": "input_text",
            "text": each.get("text"),
        }
        for each in (summary if isinstance(summary, list) else [])
        if isinstance(each, dict)
    ]
    rest = {k: v for k, v in given.items() if k != "summary"}
    return {
        "providerData": _own_id(rest),
        **_id(given.get("id"), _NO_ID, _FAKE),
        "type": "reasoning",
        "content": parts,
    }


def _read_hosted(given: JSONObject) -> JSONObject:
    data = _data(given)
    kind = str(data.get("type") or given.get("name"))
    found: JSONObject = {
        **data,
        "type": kind,
        **_id(data.get("id", given.get("id")), _FAKE, _NO_ID),
    }
    if kind not in _NO_STATUS and "status" in given:
        found["status"] = given["status"]
    if "output" in given:
        found[_RESULT.get(kind, "output")] = given["output"]
    if "caller" in given:
        found["caller"] = content.caller(given["caller"], _CALLER)
    return found


def _write_hosted(given: JSONObject, kind: str) -> JSONObject:
    lifted = {_RESULT.get(kind), "caller"} | (set() if kind in _NO_STATUS else {"status"})
    rest = {k: v for k, v in given.items() if k not in lifted}
    written: JSONObject = {
        "providerData": _own_id(rest),
        **_id(given.get("id"), _NO_ID, _FAKE),
        "type": "hosted_tool_call",
        "name": kind,
        "status": "completed" if kind in _NO_STATUS else given.get("status", "completed"),
    }
    result = given.get(str(_RESULT.get(kind)))
    if result is not None:
        written["output"] = result
    if given.get("caller") is not None:
        written["caller"] = content.caller(given["caller"], _CALLER_BACK)
    return written


def _read_plain(given: JSONObject, kind: str) -> JSONObject:
    data = {k: v for k, v in _data(given).items() if k != "type"}
    found: JSONObject = {**data, "type": _TYPES.get(kind, kind)}
    names = _RENAMED[kind]
    for key, value in given.items():
        if key in {"type", "providerData", "id"}:
            continue
        found[names.get(key, key)] = value
    found |= _id(given.get("id"), _FAKE, _NO_ID)
    return _VALUES_IN.get(kind, _same)(found)


def _write_plain(given: JSONObject, kind: str, name: str | None) -> JSONObject:
    given = _VALUES_OUT.get(kind, _same)(dict(given))
    if kind == "function_call_result":
        given.setdefault("name", name if name is not None else given.get("call_id"))
    if kind in _WITH_STATUS:
        given.setdefault("status", "completed")
    names = {theirs: mine for mine, theirs in _RENAMED[kind].items()}
    own = {names.get(key, key): given[key] for key in _OWN[kind] if given.get(key) is not None}
    rest = {k: v for k, v in given.items() if k not in _OWN[kind]}
    if kind in _MADE_HERE:
        rest = {k: v for k, v in rest.items() if k not in {"type", "id"}}
    data: JSONObject = {"providerData": _own_id(rest)} if rest else {}
    return {**data, **_id(given.get("id"), _NO_ID, _FAKE), "type": kind, **own}


def _same(given: JSONObject) -> JSONObject:
    return given


def _own_id(rest: JSONObject) -> JSONObject:
    """Give provider data with the SDK's own placeholder."""
    return {**rest, "id": _FAKE} if rest.get("id") == _NO_ID else rest


_CALLER = {"callerId": "caller_id"}
_CALLER_BACK = {"caller_id": "callerId"}
_ACTION = {"timeoutMs": "timeout_ms", "maxOutputLength": "max_output_length"}
_ACTION_BACK = {theirs: mine for mine, theirs in _ACTION.items()}


def _renamed(key: str, names: dict[str, str]) -> Callable[[JSONObject], JSONObject]:
    """Make a function that renames the fields of the object under `key`, and of its caller."""
    callers = _CALLER if names in (_ACTION, {"moveTo": "move_to"}) else _CALLER_BACK

    def change(given: JSONObject) -> JSONObject:
        value = given.get(key)
        if isinstance(value, dict):
            given = {**given, key: {names.get(k, k): v for k, v in value.items() if v is not None}}
        if "caller" in given:
            given = {**given, "caller": content.caller(given["caller"], callers)}
        return given

    return change


def _called(names: dict[str, str]) -> Callable[[JSONObject], JSONObject]:
    def change(given: JSONObject) -> JSONObject:
        if given.get("caller") is None:
            return given
        return {**given, "caller": content.caller(given["caller"], names)}

    return change


def _outcomes(old: str, new: str) -> Callable[[JSONObject], JSONObject]:
    """Make a function that renames the exit code of each output of a shell call."""

    def change(given: JSONObject) -> JSONObject:
        given = {k: v for k, v in given.items() if k != "shell_output"}
        output = given.get("output")
        if not isinstance(output, list):
            return given
        changed: list[JSONValue] = []
        for each in output:
            outcome = each.get("outcome") if isinstance(each, dict) else None
            if isinstance(each, dict) and isinstance(outcome, dict):
                renamed: JSONObject = {new if k == old else k: v for k, v in outcome.items()}
                changed.append({**each, "outcome": renamed})
            else:
                changed.append(each)
        return {**given, "output": changed}

    return change


def _result_in(given: JSONObject) -> JSONObject:
    """Give a function output as the Responses API has it: no name, no status when it is done."""
    found = _called(_CALLER)({**given, "output": content.read_output(given.get("output"))})
    dropped = {"name"} | ({"status"} if found.get("status") == "completed" else set())
    return {k: v for k, v in found.items() if k not in dropped}


def _result_out(given: JSONObject) -> JSONObject:
    return _called(_CALLER_BACK)({**given, "output": content.write_output(given.get("output"))})


def _shell_out(given: JSONObject) -> JSONObject:
    """Give the output of a shell call as the SDK sends it: without a status when it is done."""
    found = _outcomes("exit_code", "exitCode")(given)
    return {k: v for k, v in found.items() if (k, v) != ("status", "completed")}


def _screenshot(old: str, new: str) -> Callable[[JSONObject], JSONObject]:
    """Make a function that renames where a screenshot stands in the output of a computer call."""

    def change(given: JSONObject) -> JSONObject:
        output = given.get("output")
        if not isinstance(output, dict):
            return given
        return {**given, "output": {new if k == old else k: v for k, v in output.items()}}

    return change


def _action_out(given: JSONObject) -> JSONObject:
    """Give a shell call with an action as the SDK keeps it.

    Its schema strips `type` from the call and not from the request: the two would differ.
    """
    action = given.get("action")
    if isinstance(action, dict):
        said = {k: v for k, v in action.items() if (k, v) != ("type", "exec")}
        given = {**given, "action": said}
    return _renamed("action", _ACTION_BACK)(given)


_VALUES_IN: dict[str, Callable[[JSONObject], JSONObject]] = {
    "function_call": _called(_CALLER),
    "function_call_result": _result_in,
    "computer_call_result": _screenshot("data", "image_url"),
    "shell_call": _renamed("action", _ACTION),
    "shell_call_output": _outcomes("exitCode", "exit_code"),
    "apply_patch_call": _renamed("operation", {"moveTo": "move_to"}),
}
_VALUES_OUT: dict[str, Callable[[JSONObject], JSONObject]] = {
    "function_call": _called(_CALLER_BACK),
    "function_call_result": _result_out,
    "computer_call_result": _screenshot("image_url", "data"),
    "shell_call": _action_out,
    "shell_call_output": _shell_out,
    "apply_patch_call": _renamed("operation", {"move_to": "moveTo"}),
}
_READ: dict[str, Callable[[JSONObject], JSONObject]] = {
    "message": _read_message,
    "hosted_tool_call": _read_hosted,
    "reasoning": _read_reasoning,
    "unknown": _read_unknown,
}
_WRITE: dict[str, Callable[[JSONObject], JSONObject]] = {
    "message": _write_message,
    "reasoning": _write_reasoning,
}
