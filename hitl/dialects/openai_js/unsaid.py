"""What the run state says and the SDK's JSON has no place for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hitl import values
from hitl.dialects.openai_js import wire
from hitl.document import escape
from hitl.model import positions, referred
from hitl.model.decide import own_calls, subject_key
from hitl.model.open import open_calls
from hitl.revision import Loss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.model import Item, RunState, Usage
    from hitl.revision import Severity

_PLACELESS = "the SDK has no place for this"
_NAMES = "what a tool says of itself, and where it is from, comes from the agent that goes on"
_TOOL = "what a tool is comes from the agent that goes on"
_SESSION = "the SDK has one list of items; what differs in the list of the session is not carried"
_HOOKS = "the hooks after the model call have not begun; the SDK does not begin them"
_COPY = "the SDK has the last response once; the one that differs is not carried"
_WAITING = "which requests the response led to at once is said anew"
_QUERY = "a decision on a hosted request names no server; it is not used, and the run asks again"
_BEGUN = "a call has begun and its output is not known; it would run again"
_OWNER = "an accepted response needs a conversation on the server, or a response before it"
_NO_NUMBER = "a detail of the usage is no number; the SDK would refuse it"
_NO_JSON = "a value is not JSON; the SDK gets what JSON can say of it"
_HAVING = "what the server has is worked out again by the SDK"
_DOUBT = "a request that the server may have received would be sent again"
_AS_INPUT = "the SDK has no tool of this kind; the model is sent the same, as input"
_UNKNOWN = frozenset(
    {
        "custom_tool_call",
        "custom_tool_call_output",
        "local_shell_call",
        "local_shell_call_output",
    }
)
_ITEM = ("origin", "description", "title", "bare_alias")
_TOOL_KEYS = frozenset({"name", "lookupKey", "description", "paramsJsonSchema", "tool_name"})
_PLAIN_META = (None, "none", "mapping")
_TRACE = frozenset({"object", "id", "workflow_name", "group_id", "metadata"})
_RESUME = "resume it once in the SDK that wrote it, up to the next pause"


def losses(state: RunState, path: str) -> Iterator[Loss]:
    """Give what is lost of one run of another SDK."""
    for at, severity, reason in (
        *_heads(state),
        *_context(state),
        *_step(state),
        *_calls(state),
        *_items(state),
        *_usages(state),
    ):
        hint = _RESUME if severity == "error" else None
        yield Loss(path=f"{path}/{at}", severity=severity, reason=reason, hint=hint)


def _heads(state: RunState) -> Iterator[tuple[str, Severity, str]]:
    conversation = state.conversation
    if conversation is not None:
        if conversation.auto:
            yield "conversation/auto", "info", _PLACELESS
        if conversation.acknowledged:
            yield "conversation/acknowledged", "info", _HAVING
        if conversation.mode == "conversation" and conversation.sent is not None:
            yield "conversation/sent", "warn", _DOUBT
    trace: Any = values.decode(state.trace or {})
    for key in trace.keys() - _TRACE:
        if trace[key] is not None:
            yield f"trace/{escape(key)}", "info", _PLACELESS
    if state.session is not None and _said(state, state.session) != _said(state, state.generated):
        yield "session", "warn", _SESSION
    last = [*positions(state.responded or ())][-1:]
    if state.last_response is not None and [state.last_response] != last:
        yield "last_response", "info", _COPY


def _context(state: RunState) -> Iterator[tuple[str, Severity, str]]:
    context = state.context
    if context is None:
        return
    meta = context.meta or {}
    plain = all(meta.get(key) in _PLAIN_META for key in ("serialized_via", "original_type"))
    if not plain or meta.get("requires_deserializer") or meta.get("omitted"):
        yield "context/meta", "info", _PLACELESS
    for at in _not_json(values.decode(context.tool_input)):
        yield f"context/tool_input{at}", "warn", _NO_JSON


def _said(state: RunState, packed: Any) -> list[bytes]:  # noqa: ANN401 - spans or None
    """Give what a list of items says, whatever its positions; requests are said elsewhere."""
    return [
        state.log.chunks[position]
        for position in positions(packed or ())
        if state.log.item(position).kind != "approval"
    ]


def _step(state: RunState) -> Iterator[tuple[str, Severity, str]]:
    step, processed, conversation = state.step, state.processed, state.conversation
    if step is None:
        return
    if step.llm_end_hooks_started is False:
        yield "step/llm_end_hooks_started", "info", _HOOKS
    owner = conversation and (conversation.id, conversation.previous_response_id)
    if step.response_accepted and [*(owner or (None, None))].count(None) != 1:
        yield "step/response_accepted", "error", _OWNER
    waiting = {*positions(step.interruptions or ())}
    led_to = {*positions((processed and processed.interruptions) or ())}
    if not led_to <= waiting:
        yield "processed/interruptions", "info", _WAITING


def _calls(state: RunState) -> Iterator[tuple[str, Severity, str]]:
    calls = state.processed.calls if state.processed else ()
    inside = {state.log.item(call.item).call_id for call in calls if call.run is not None}
    left = open_calls(state) - inside
    for call_id, progress in (state.ledger.open if state.ledger else {}).items():
        if (progress.executed or progress.completed) and call_id in left:
            yield f"ledger/open/{escape(call_id)}", "error", _BEGUN
    for index, call in enumerate(calls):
        tool = call.tool if isinstance(call.tool, dict) else {}
        if tool.keys() - _TOOL_KEYS:
            yield f"processed/calls/{index}/tool", "info", _TOOL
    for index, grant in enumerate(state.grants):
        if grant.subject in {"hosted_request", "hosted_query"} and not _kept(state, index):
            yield f"grants/{index}", "warn", _QUERY


def _kept(state: RunState, index: int) -> bool:
    """Tell whether a decision on a hosted request is one on its server's tool too."""
    grant = state.grants[index]
    call_id = grant.request or ""
    asked = own_calls(state).get(call_id)
    verdict = grant.exact(call_id) if grant.sticky is None else grant.sticky
    return any(
        each.subject == "hosted_tool"
        and (asked is None or (each.server, each.key) == subject_key(asked))
        and each.key == (grant.key or each.key)
        and verdict is not None
        and verdict in {each.exact(call_id), each.sticky}
        for each in state.grants
    )


def _items(state: RunState) -> Iterator[tuple[str, Severity, str]]:
    for position in sorted(referred(state)):
        item = state.log[position].item
        if item is None:
            continue
        raw = item.raw if isinstance(item.raw, dict) else {}
        if item.kind in {"tool_call", "tool_output"} and str(raw.get("type")) in _UNKNOWN:
            yield f"items/{position}/item", "info", _AS_INPUT
        for name in _ITEM:
            if getattr(item, name):
                yield f"items/{position}/item/{name}", "info", _NAMES
        if state.log.tagged(position):
            for at in _tagged(item):
                yield f"items/{position}/item/{at}", "info", _NO_JSON


def _tagged(item: Item) -> Iterator[str]:
    for name in ("raw", "output", "custom_data"):
        for at in _not_json(values.decode(getattr(item, name))):
            yield f"{name}{at}"


def _not_json(value: Any, at: str = "") -> Iterator[str]:  # noqa: ANN401 - what a tag stands for
    """Give the places of what JSON cannot say; numbers are told apart elsewhere."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _not_json(each, f"{at}/{escape(str(key))}")
            if not isinstance(key, str):
                yield f"{at}/{escape(str(key))}"
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _not_json(each, f"{at}/{index}")
    elif not (value is None or isinstance(value, (str, int, float, bool))):
        yield at


def _usages(state: RunState) -> Iterator[tuple[str, Severity, str]]:
    found: list[tuple[str, Usage | None]] = [("usage", state.usage)]
    for position in positions(state.responded or ()):
        response = state.log[position].response
        cost = None if response is None else response.usage
        found.append((f"items/{position}/response/usage", cost))
    for at, usage in found:
        for name in wire.DETAILS.values() if usage is not None else ():
            if _odd(values.decode(getattr(usage, name))):
                yield f"{at}/{name}", "info", _NO_NUMBER
        for index, entry in enumerate((usage and usage.entries) or ()):
            for name in wire.DETAILS.values() if isinstance(entry, dict) else ():
                if _odd(values.decode(entry.get(name))):  # type: ignore[union-attr]
                    yield f"{at}/entries/{index}/{name}", "info", _NO_NUMBER


def _odd(details: Any) -> bool:  # noqa: ANN401 - JSON
    """Tell whether details hold something else than numbers; null says nothing."""
    listed = details if isinstance(details, list) else [details]
    return any(
        value is not None and type(value) not in (int, float)
        for each in listed
        for value in (each.values() if isinstance(each, dict) else ([] if each is None else [each]))
    )
