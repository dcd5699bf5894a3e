"""What older releases say in other words, or in none: one run on the way down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hitl import document as json_document
from hitl.dialects.openai_js.fingerprint import dumps
from hitl.dialects.openai_js.shape import RUNS, SHAPE
from hitl.errors import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hitl.document import JSONObject, JSONValue

_ALIASES = "pendingAgentToolRunAliases"


def by_tool_name(run: JSONObject) -> JSONObject:
    """Record the decisions, and keep the runs inside, by the plain name of the tool."""
    run = SHAPE.edit_place(run, "Context", lambda given: _joined(given, _owned(given)))
    texts, aliases = run.get(RUNS), run.get(_ALIASES)
    if not isinstance(texts, dict) or not isinstance(aliases, dict):
        return run
    plain = {str(canonical): alias for alias, canonical in aliases.items()}
    return {**run, RUNS: {plain.get(key, key): text for key, text in texts.items()}}


def unbound(run: JSONObject) -> JSONObject:
    """Record hosted decisions by tool name, and keep outputs as the text the model saw."""
    run = SHAPE.edit_place(run, "Context", lambda given: _joined(given, _hosted(given)))
    return SHAPE.edit_place(run, "Item", _as_text)


def _joined(context: JSONObject, records: Iterable[tuple[str, JSONObject]]) -> JSONObject:
    """Give a context with more records by tool name."""
    given = context.get("approvals")
    named: dict[str, Any] = dict(given) if isinstance(given, dict) else {}
    more = list(records)
    for key, record in more:
        named[key] = _both(named[key], record) if key in named else record
    return {**context, "approvals": named} if more else context


def _both(one: Any, other: Any) -> JSONObject:  # noqa: ANN401 - JSON
    joined: JSONObject = {**one, **other}
    for key in ("approved", "rejected"):
        first, second = one.get(key), other.get(key)
        if True in (first, second):
            joined[key] = True
        else:
            joined[key] = list(dict.fromkeys([*(first or []), *(second or [])]))
    messages = {**(one.get("messages") or {}), **(other.get("messages") or {})}
    return {**joined, "messages": messages} if messages else joined


def _owned(context: JSONObject) -> Iterator[tuple[str, JSONObject]]:
    entries = context.get("functionApprovals")
    for entry in entries if isinstance(entries, list) else ():
        records = entry.get("approvals") if isinstance(entry, dict) else None
        for key, record in records.items() if isinstance(records, dict) else ():
            match _parsed(key):
                case [_, str(name)] if isinstance(record, dict):
                    yield name, record
                case [_, str(space), str(name)] if isinstance(record, dict):
                    yield f"{space}.{name}", record


def _hosted(context: JSONObject) -> Iterator[tuple[str, JSONObject]]:
    records = context.get("hostedMcpApprovals")
    for key, record in records.items() if isinstance(records, dict) else ():
        match _parsed(key):
            case [_, _, str(name)] if isinstance(record, dict):
                yield name, record


def _parsed(key: str) -> JSONValue:
    try:
        return json_document.parse(key.encode("utf-8", "surrogatepass"))
    except DocumentError:
        return None


def _as_text(item: JSONObject) -> JSONObject:
    output = item.get("output")
    if item.get("type") != "tool_call_output_item" or isinstance(output, str | None):
        return item
    raw: Any = item.get("rawItem")
    seen = raw.get("output") if isinstance(raw, dict) else None
    text = seen.get("text") if isinstance(seen, dict) else seen
    return {**item, "output": text if isinstance(text, str) else dumps(output)}
