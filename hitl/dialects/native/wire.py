"""The shape of the native document, newest version.

The document is the run state itself: each section is one field of `hitl.model.RunState`, the log is
the array `items`, and paused runs inside are documents in the array `runs`, named by position.
"""

from __future__ import annotations

import re
from typing import Any, Literal

import msgspec
from attrs import field, fields, frozen

from hitl.document import JSONObject, JSONValue, escape
from hitl.errors import InvalidDocument
from hitl.model import (
    Agent,
    Context,
    Conversation,
    Decision,
    Grant,
    Ledger,
    Origin,
    Processed,
    Spans,
    Stage,
    Step,
    Turn,
    Usage,
)
from hitl.revision import Loss

VERSION_KEY = "$hitl"
ITEMS = "items"
RUNS = "runs"

Shared = Literal["usage", "context"]


@frozen(kw_only=True)
class Head:
    """Everything of a run but its log and the runs inside it; the names are the document's keys.

    `same` lists what a run inside has in common with the run around it, and so is not repeated.
    """

    origin: Origin
    turn: Turn
    agents: tuple[Agent, ...] = ()
    current_agent: int | None = None
    input: str | Spans | None = None
    staged: Spans | None = None
    generated: Spans | None = None
    session: Spans | None = None
    responded: Spans | None = None
    last_response: int | None = None
    step: Step | None = None
    processed: Processed | None = None
    current_response: JSONObject | None = None
    grants: tuple[Grant, ...] = ()
    decisions: tuple[Decision, ...] = ()
    ledger: Ledger | None = None
    usage: Usage | None = None
    context: Context | None = None
    conversation: Conversation | None = None
    guardrails: dict[Stage, Spans] = field(factory=dict)
    tool_use: JSONObject | None = None
    persisted: int | None = None
    session_write: JSONObject | None = None
    terminal: bool | None = None
    trace: JSONObject | None = None
    sandbox: JSONObject | None = None
    extras: dict[str, JSONObject] = field(factory=dict)
    missing: tuple[Loss, ...] = ()
    same: tuple[Shared, ...] = ()


SECTIONS: tuple[str, ...] = tuple(each.name for each in fields(Head))
_EMPTY: tuple[Any, ...] = (None, [], {})
_UNSAID: dict[str, Any] = msgspec.json.decode(
    msgspec.json.encode(Head(origin=Origin(dialect="", version=""), turn=Turn(current=0)))
) | dict.fromkeys(("origin", "turn"))


def write(head: Head) -> JSONObject:
    """Give the head as plain data; sections that say nothing are left out."""
    plain = msgspec.json.decode(msgspec.json.encode(head))
    return {key: value for key, value in plain.items() if value != _UNSAID[key]}


def read(given: JSONObject) -> Head:
    """Read a head.

    Raises:
        InvalidDocument: a value does not fit its place.
    """
    try:
        return msgspec.convert(given, Head)
    except msgspec.ValidationError as exc:
        raise _translated(exc) from None


_PLACE = re.compile(r" - at `\$(?P<path>.*)`$")
_PART = re.compile(r"\.(?P<key>[^.\[]+)|\[(?P<index>\d+)\]|\[\.\.\.\]")


def _translated(exc: msgspec.ValidationError) -> InvalidDocument:
    text = str(exc)
    place = _PLACE.search(text)
    if place is None:
        return InvalidDocument(text, path="")
    parts = (part["key"] or part["index"] or "*" for part in _PART.finditer(place["path"]))
    path = "".join(f"/{escape(part)}" for part in parts)
    return InvalidDocument(text[: place.start()], path=path)


def surplus(given: JSONValue, known: JSONValue) -> JSONValue:
    """Give what `given` says and `known`, read from it, does not; None when nothing is left."""
    if isinstance(given, dict) and isinstance(known, dict):
        left = {key: _left(value, known, key) for key, value in given.items()}
        return {key: value for key, value in left.items() if value is not None} or None
    if isinstance(given, list) and isinstance(known, list) and len(given) == len(known):
        each = {
            str(index): found
            for index, (one, other) in enumerate(zip(given, known, strict=True))
            if (found := surplus(one, other)) is not None
        }
        return each or None
    return None


def _left(value: JSONValue, known: dict[str, JSONValue], key: str) -> JSONValue:
    if key in known:
        return surplus(value, known[key])
    return None if value in _EMPTY else value


def merge(document: JSONValue, left: JSONValue) -> JSONValue:
    """Put a surplus back where it was found; places that are gone are left alone."""
    if isinstance(document, dict) and isinstance(left, dict):
        added = {key: value for key, value in left.items() if key not in document}
        return {key: merge(value, left.get(key)) for key, value in document.items()} | added
    if isinstance(document, list) and isinstance(left, dict):
        return [merge(value, left.get(str(index))) for index, value in enumerate(document)]
    return document
