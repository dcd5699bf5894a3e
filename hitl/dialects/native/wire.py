"""The shape of the native document, newest version.

The document is the run state itself: each section is one field of `hitl.model.RunState`, the log is
the array `items`, and paused runs inside are documents in the array `runs`, named by position.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from attrs import field, fields, frozen

from hitl.document import JSONObject, JSONValue
from hitl.errors import ValueRefused
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
    reasoning_item_id_policy: str | None = None
    terminal: bool | None = None
    trace: JSONObject | None = None
    sandbox: JSONObject | None = None
    extras: dict[str, JSONObject] = field(factory=dict)
    missing: tuple[Loss, ...] = ()
    same: tuple[Shared, ...] = ()


SECTIONS: tuple[str, ...] = tuple(each.name for each in fields(Head))


def write(head: Head) -> JSONObject:
    """Give the head as plain data; sections that say nothing are left out."""
    return {key: value for key, value in whole(head).items() if value != _UNSAID[key]}


def whole(head: Head) -> JSONObject:
    """Give the head as plain data, with what it does not say.

    Raises:
        ValueRefused: a text in it is no text: half of a surrogate pair.
    """
    try:
        plain: JSONObject = msgspec.json.decode(msgspec.json.encode(head))
    except UnicodeEncodeError:
        raise ValueRefused("expected text, found a lone surrogate") from None
    return plain


def surplus(given: JSONValue, known: JSONValue) -> JSONObject:
    """Give what `given` says and `known`, read from it, does not; empty when nothing is left."""
    left: JSONObject = {}
    if isinstance(given, dict) and isinstance(known, dict):
        for key, value in given.items():
            if key not in known:
                left[key] = value
            elif inner := surplus(value, known[key]):
                left[key] = inner
    if isinstance(given, list) and isinstance(known, list) and len(given) == len(known):
        for index, (one, other) in enumerate(zip(given, known, strict=True)):
            if inner := surplus(one, other):
                left[str(index)] = inner
    return left


_NOTHING = Head(origin=Origin(dialect="", version=""), turn=Turn(current=0))
_UNSAID: JSONObject = whole(_NOTHING) | dict.fromkeys(("origin", "turn"))


def merge(document: JSONValue, left: JSONValue) -> JSONValue:
    """Put a surplus back where it was found; places that are gone are left alone."""
    if isinstance(document, dict) and isinstance(left, dict):
        added = {key: value for key, value in left.items() if key not in document}
        return {key: merge(value, left.get(key)) for key, value in document.items()} | added
    if isinstance(document, list) and isinstance(left, dict):
        return [merge(value, left.get(str(index))) for index, value in enumerate(document)]
    return document
