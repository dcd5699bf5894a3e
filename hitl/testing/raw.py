"""Raw items to draw, in the form of the Responses API: as models and SDKs write them, or odd."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from hitl.testing.value import json_values, texts

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from hitl.document import JSONObject

_STATUS = st.sampled_from(("completed", "in_progress"))


def raws(kind: str, name: str, *, odd: bool) -> SearchStrategy[JSONObject]:
    """Raw items of a kind of the log.

    Args:
        kind: a kind of the log.
        name: what tells the item from others of its run.
        odd: whether some are such that nobody knows them.
    """
    known = _MADE[kind](name)
    return known | st.just({"type": kind}) if odd and kind != "tool_call" else known


def _object(required: dict[str, Any], **optional: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Objects of these values; a value that is no strategy is always the same."""
    given = {
        key: each if isinstance(each, st.SearchStrategy) else st.just(each)
        for key, each in required.items()
    }
    return st.fixed_dictionaries(given, optional=optional)


@cache
def _text() -> SearchStrategy[Any]:
    return _object({"type": "output_text", "text": texts(), "annotations": []})


def _message(name: str) -> SearchStrategy[Any]:
    refusal = _object({"type": "refusal", "refusal": texts()})
    return _object(
        {
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": st.lists(_text() | refusal, max_size=2),
            "id": st.sampled_from((f"msg_{name}", "__fake_id__")),
        }
    )


def _reasoning(name: str) -> SearchStrategy[Any]:
    part = _object({"type": "summary_text", "text": texts()})
    return _object(
        {"type": "reasoning", "summary": st.lists(part, max_size=2), "id": f"rs_{name}"},
        encrypted_content=texts(),
    )


def _arguments() -> SearchStrategy[str]:
    return json_values().map(json.dumps) | texts()


def function_call(call_id: str) -> SearchStrategy[Any]:
    """Calls of function tools."""
    return _object(
        {"type": "function_call", "call_id": call_id, "name": "refund", "arguments": _arguments()},
        id=st.just(f"fc_{call_id}"),
        status=_STATUS,
        namespace=st.sampled_from(("shop", "refund")),
        caller=st.just({"type": "program", "caller_id": "prog_1"}),
    )


def _call(name: str) -> SearchStrategy[Any]:
    call_id = f"call_{name}"
    action = _object({"commands": st.lists(texts(), max_size=2)}, timeout_ms=st.integers(0, 99))
    shell = _object({"type": "shell_call", "call_id": call_id, "action": action}, status=_STATUS)
    operation = _object({"type": "update_file", "path": "a.txt", "diff": texts()}, move_to=texts())
    patch = {"type": "apply_patch_call", "call_id": call_id, "operation": operation}
    click = _object({"type": "click", "x": st.integers(0, 9), "y": 1, "button": "left"})
    computer = {"type": "computer_call", "call_id": call_id, "action": click}
    request = {"type": "mcp_approval_request", "id": call_id, "server_label": "wiki"}
    return st.one_of(
        function_call(call_id),
        function_call(call_id),
        shell,
        _object({**patch, "status": _STATUS}),
        _object({**computer, "status": _STATUS}, pending_safety_checks=st.just([])),
        _object({**request, "name": "search", "arguments": _arguments()}),
    )


def _output(name: str) -> SearchStrategy[Any]:
    return _object({"type": "function_call_output", "call_id": f"made_{name}", "output": texts()})


def _compaction(name: str) -> SearchStrategy[Any]:
    return _object({"type": "compaction", "id": f"cmp_{name}", "encrypted_content": texts()})


def _input(_name: str) -> SearchStrategy[Any]:
    part = _object({"type": "input_text", "text": texts()})
    image = _object({"type": "input_image", "image_url": "https://x/y.png"}, detail=st.just("low"))
    return _object({"role": "user", "content": texts() | st.lists(part | image, max_size=2)})


_MADE = {
    "message": _message,
    "reasoning": _reasoning,
    "tool_call": _call,
    "tool_output": _output,
    "handoff_output": _output,
    "compaction": _compaction,
    "input": _input,
}
