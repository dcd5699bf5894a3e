"""The JavaScript SDK as an oracle: how it maps items, and what it records of a call."""

# ruff: noqa: S311  (generated calls are no secrets)

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any, TypeAlias

from hitl import model as log
from hitl.dialects.openai_js import raw as protocol
from tests.node import room

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Item: TypeAlias = dict[str, Any]


def _asked(jobs: list[dict[str, Any]]) -> list[Any]:
    """Answers, in order; what the SDK threw is given as an error of that name and message."""
    return [
        room.NodeError(*outcome["thrown"]) if "thrown" in outcome else outcome["value"]
        for outcome in room.work(jobs)
    ]


def to_js(batches: Sequence[Sequence[Item]]) -> list[Any]:
    """Responses output items as the SDK's own: `convertToOutputItem`, batch by batch."""
    return _asked([{"kind": "toOutput", "items": list(items)} for items in batches])


def to_responses(batches: Sequence[Sequence[Item]]) -> list[Any]:
    """The SDK's own items as the server gets them: `getInputItems`, batch by batch."""
    return _asked([{"kind": "toInput", "items": list(items)} for items in batches])


def fingerprints(calls: Sequence[tuple[str, Item]]) -> list[Any]:
    """What the SDK records of calls: (state key of the tool, the call in the SDK's own form)."""
    return _asked([{"kind": "fingerprint", "toolName": name, "call": call} for name, call in calls])


_TEXTS = (
    "",
    "a",
    "é",
    "日本",
    "\U0001f600",
    "e\u0301",
    "\u2028",
    "\x7f",
    "\x00",
    '"',
    "\\",
    "\u0000openai-agents-json:number:1e0",
)
_NAMES = (
    "a",
    "b",
    "A",
    "é",
    "\uffff",
    "\U0001f600",
    "0",
    "1",
    "2",
    "10",
    "01",
    "-1",
    "4294967294",
    "4294967295",
    "9007199254740993",
    "__proto__",
    "constructor",
    "",
)
_NUMBERS = (
    *("0", "-0", "0.0", "-0.0", "1", "1.0", "1.50", "100", "0.1000", "3e0", "120e-1", "1e2"),
    *("1E+2", "1e-7", "-1.5e-300", "1e400", "12345678901234567890", "9007199254740993"),
)
_DOUBLES = (
    *(0, -0.0, 1000, 1.5, 1e16, 1e20, 1e21, 1.2e21, 1e-6, 1e-7, 1.25e-9, 0.1, 123456.789, 5e-324),
    *(1.7976931348623157e308, 2**53 + 1, 10**25, -12.5, -1e-10),
)
_ESCAPED = (r"\ud800", r"\udc00\ud800", r"\u00e9", r"\/", r"\n", r"\u0000")
_BROKEN = (
    *("", "{", "nonsense", "{'a': 1}", "01", "[1,]", "+1", ".5", "1.", "NaN", "Infinity"),
    *("{} x", '{"a":1}\x00'),
)


def _value(rng: random.Random, depth: int) -> str:
    """JSON text, spelled in one of many ways."""
    kind = rng.randrange(6 if depth else 4)
    gap = rng.choice(("", " ", "\n\t"))
    if kind == 0:
        return rng.choice(_NUMBERS)
    if kind == 1:
        return rng.choice(("true", "false", "null"))
    if kind == 2:
        return json.dumps(rng.choice(_TEXTS), ensure_ascii=rng.random() < 0.5)
    if kind == 3:
        return f'"{rng.choice(_ESCAPED)}"'
    size = rng.randrange(4)
    if kind == 4:
        return "[" + f",{gap}".join(_value(rng, depth - 1) for _ in range(size)) + "]"
    return _object(rng, depth, gap, size)


def _object(rng: random.Random, depth: int, gap: str, size: int) -> str:
    twice = rng.random() < 0.1  # a name that stands twice: the last one counts
    names = rng.choices(_NAMES, k=size) if twice else rng.sample(_NAMES, size)
    fields = [f"{json.dumps(name)}:{gap}{_value(rng, depth - 1)}" for name in names]
    return "{" + gap + f",{gap}".join(fields) + gap + "}"


def _arguments(rng: random.Random) -> str:
    if rng.random() < 0.1:
        return rng.choice(_BROKEN)
    if rng.random() < 0.03:
        depth = rng.choice((50, 190))
        return "[" * depth + _value(rng, 0) + "]" * depth
    return _object(rng, 3, rng.choice(("", " ")), rng.randrange(6))


def _function(rng: random.Random, call_id: str) -> tuple[str, Item]:
    name = rng.choice(("send_email", "日本", "a.b", 'q"q'))
    key = rng.choice((["bare", name], ["namespaced", "mail", name], ["deferred_top_level", name]))
    extra: Item = {}
    if key[0] == "namespaced":
        extra["namespace"] = "mail"
    if rng.random() < 0.2:
        extra["caller"] = {"type": "program", "callerId": "prog_1"}
    call = {"type": "function_call", "callId": call_id, "name": name, "status": "completed"}
    text = json.dumps(key, ensure_ascii=False, separators=(",", ":"))
    return text, call | {"arguments": _arguments(rng)} | extra


def _handoff(rng: random.Random, call_id: str) -> tuple[str, Item]:
    call = {"type": "function_call", "callId": call_id, "name": "transfer_to_Mailer"}
    return "handoff:transfer_to_Mailer", call | {"arguments": _arguments(rng)}


def _hosted(rng: random.Random, call_id: str) -> tuple[str, Item]:
    request = {"type": "mcp_approval_request", "id": call_id, "server_label": "wiki"}
    data = request | {"name": "search", "arguments": _arguments(rng)}
    call = {"type": "hosted_tool_call", "name": "search", "id": call_id, "status": "in_progress"}
    return "search", call | {"providerData": data}


def _item(name: str, call: Item) -> log.Item:
    """A call as an entry of the log, with what hitl reads of its tool."""
    raw: Any = protocol.read(call)
    if name.startswith("handoff:"):
        return log.Item(kind="handoff_call", raw=raw)
    if call["type"] != "function_call":
        built_in = None if call["type"] == "hosted_tool_call" else name
        return log.Item(kind="approval", raw=raw, tool_name=built_in)
    kind, *space, tool = json.loads(name)
    return log.Item(kind="tool_call", raw=raw, tool_key=(kind, space[0] if space else None, tool))


def entries(calls: Sequence[tuple[str, Item]]) -> list[log.Item]:
    """Calls of `fingerprints` as the entries of hitl's log."""
    return [_item(name, call) for name, call in calls]


def _shell(rng: random.Random, call_id: str) -> tuple[str, Item]:
    action: Item = {"commands": [rng.choice(_TEXTS) for _ in range(rng.randrange(3))]}
    if rng.random() < 0.5:
        action |= {"timeoutMs": rng.choice(_DOUBLES), "maxOutputLength": 500}
    return "shell", {"type": "shell_call", "callId": call_id, "action": action}


def _patch(rng: random.Random, call_id: str) -> tuple[str, Item]:
    operation: Item = {"type": "update_file", "path": "a.txt", "diff": rng.choice(_TEXTS)}
    if rng.random() < 0.5:
        operation |= {"moveTo": "b.txt"}
    call = {"type": "apply_patch_call", "callId": call_id, "status": "completed"}
    return "apply_patch", call | {"operation": operation}


def _computer(rng: random.Random, call_id: str) -> tuple[str, Item]:
    action = {"type": "click", "x": rng.choice(_DOUBLES), "y": 2, "button": "left"}
    what: Item = rng.choice(
        ({"action": action}, {"actions": [action, action]}, {"action": action, "actions": []}, {})
    )
    name = rng.choice(("computer", "computer_use_preview"))
    return name, {"type": "computer_call", "callId": call_id, "status": "completed"} | what


_KINDS: tuple[Callable[[random.Random, str], tuple[str, Item]], ...] = (
    _function,
    _function,
    _function,
    _function,
    _handoff,
    _hosted,
    _shell,
    _patch,
    _computer,
)


def generated_arguments(count: int, seed: int = 0) -> list[str]:
    """Texts a model may give as arguments, JSON or not, the same for the same seed."""
    rng = random.Random(seed)
    return [_arguments(rng) for _ in range(count)]


def generated_calls(count: int, seed: int = 0) -> list[tuple[str, Item]]:
    """Calls of every kind for `fingerprints`, the same for the same seed; half are functions."""
    rng = random.Random(seed)
    return [rng.choice(_KINDS)(rng, f"call_{number}") for number in range(count)]
