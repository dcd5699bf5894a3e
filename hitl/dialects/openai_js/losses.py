"""What the JavaScript SDK's state cannot hold of a run that another SDK paused."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from hitl import values
from hitl.border import handoff, rejected
from hitl.dialect import too_deep
from hitl.dialects.openai_js import number, unsaid
from hitl.dialects.openai_js.tool import unbound
from hitl.document import escape
from hitl.model import positions
from hitl.model.open import open_calls
from hitl.revision import Loss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.model import RunState

_GUARDRAILS = "that the input guardrails have passed is not recorded; it is taken for granted"
_HANDOFF = "a handoff is pending and its target agent is not said; the SDK does not resume without"
_TOOL = "the SDK has no tool of this kind, and a call of it is pending"
_UNBOUND = "which MCP server a call is for is not said; it can be rejected, and never runs"
_FINISH = "resume it in the SDK that wrote it until the call is done"
_REJECT = "reject the call, or resume it in the SDK that wrote it"
_OWNER = "a decision for good has no owner; it is not used, and the run asks again"
_CONTEXT = "the type of the app context cannot be made again; plain data is carried"
_NO_CONTEXT = "the SDK wants an object as context; it gets an empty one"
_ARGUMENT = (
    "JavaScript cannot hold a number of the arguments; the tool would be called with another"
)
_NO_ITEM = "an item of the SDK is an object"
_DEEP = "the arguments are nested too deeply for a record of the call to be computed"
_NUMBER = "JavaScript cannot hold a number; it is changed"
_NO_NUMBER = "JSON has no such number"
_UNUSED = ("custom", "local_shell")


def losses(state: RunState, path: str = "") -> Iterator[Loss]:
    """Give what is lost of a state of another SDK; see `left_behind` for what no other can hold."""
    yield Loss(path=path, severity="warn", reason=_GUARDRAILS)
    yield from _calls(state, path)
    yield from _context(state, path)
    yield from _arguments(state, path)
    for index, grant in enumerate(state.grants):
        if grant.subject == "function" and grant.agent is None:
            yield Loss(path=f"{path}/grants/{index}", severity="warn", reason=_OWNER)
    yield from unsaid.losses(state, path)
    yield from _items(state, path)


def _calls(state: RunState, path: str) -> Iterator[Loss]:
    processed = state.processed
    if processed is None:
        return
    left = open_calls(state)
    for index, call in enumerate(processed.calls):
        at = f"{path}/processed/calls/{index}"
        item = state.log.item(call.item)
        if call.group == "handoff" and call.target is None:
            hint = f"handoff_targets={{{handoff(call)!r}: <the name of the agent there>}}"
            yield Loss(path=at, severity="error", reason=_HANDOFF, hint=hint)
        if call.group in _UNUSED and item.call_id in left:
            yield Loss(path=at, severity="error", reason=_TOOL, hint=_FINISH)
        if call.group == "function" and item.call_id in left and unbound(state, call):
            done = rejected(state, item.call_id)
            yield Loss(
                path=at,
                severity="info" if done else "error",
                reason=_UNBOUND,
                hint=None if done else _REJECT,
            )
        if call.run is not None:
            yield from losses(call.run, f"{at}/run")


def _context(state: RunState, path: str) -> Iterator[Loss]:
    context = state.context
    if context is not None:
        yield from _numbers(values.decode(context.tool_input), f"{path}/context/tool_input")
    if context is None or not context.has_data:
        return
    at = f"{path}/context/data"
    if context.data is None:
        yield Loss(path=at, severity="info", reason=_NO_CONTEXT)
        return
    how = (context.meta or {}).get("serialized_via")
    if how not in {None, "none", "mapping"} or not isinstance(context.data, dict):
        yield Loss(path=at, severity="warn", reason=_CONTEXT)
    yield from _numbers(values.decode(context.data), at)


def _arguments(state: RunState, path: str) -> Iterator[Loss]:
    """Name the waiting calls that JavaScript would run with other numbers than were approved."""
    waiting = positions((state.step and state.step.interruptions) or ())
    for index, position in enumerate(waiting):
        raw = values.decode(state.log.item(position).raw)
        at = f"{path}/step/interruptions/{index}/raw"
        if any(True for _ in _numbers(raw, "")):
            yield Loss(path=at, severity="error", reason=_ARGUMENT)
        if any(True for _ in _numbers(_parsed(raw), "")):
            yield Loss(path=f"{at}/arguments", severity="error", reason=_ARGUMENT)


def _parsed(raw: Any) -> Any:  # noqa: ANN401 - JSON
    """Give the arguments of a call that are JSON text; None where there are none."""
    text = raw.get("arguments") if isinstance(raw, dict) else None
    if not isinstance(text, str) or too_deep(text):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _items(state: RunState, path: str) -> Iterator[Loss]:
    """Name what JavaScript changes, or cannot compute a record of, in the history."""
    for position, record in enumerate(state.log):
        at = f"{path}/items/{position}"
        if record.guardrail is not None:
            result = values.decode(record.guardrail.result)
            yield from _numbers(result, f"{at}/guardrail/result")
        item = record.item
        if item is None:
            continue
        if item.kind != "opaque" and not isinstance(item.raw, dict):
            yield Loss(path=f"{at}/item/raw", severity="error", reason=_NO_ITEM)
        if isinstance(item.raw, dict) and too_deep(item.raw.get("arguments")):
            yield Loss(path=f"{at}/item/raw/arguments", severity="error", reason=_DEEP)
        for name in ("raw", "output", "custom_data"):
            yield from _numbers(values.decode(getattr(item, name)), f"{at}/item/{name}")


def _numbers(value: Any, at: str) -> Iterator[Loss]:  # noqa: ANN401 - JSON
    children: Any = ()
    if isinstance(value, dict):
        children = value.items()
    elif isinstance(value, (list, tuple)):
        children = enumerate(value)
    for key, each in children:
        yield from _numbers(each, f"{at}/{escape(str(key))}")
    if isinstance(value, float) and not math.isfinite(value):
        yield Loss(path=at, severity="error", reason=_NO_NUMBER)
    elif isinstance(value, int) and not number.holds(value):
        yield Loss(path=at, severity="warn", reason=_NUMBER)
