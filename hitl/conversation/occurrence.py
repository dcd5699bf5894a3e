"""One item at one place in the history, and which calls it opens and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from hitl.document import JSONObject, JSONValue

if TYPE_CHECKING:
    from collections.abc import Iterable


@frozen
class Occurrence:
    """One item at one place in the history: an equal item elsewhere is another occurrence.

    Attributes:
        name: what tells it from every other: the position in the log of a run, or a number that
            the tracker gave.
        raw: the item in the form of OpenAI's Responses API.
    """

    name: int
    raw: JSONObject


def asked(raw: JSONObject) -> str | None:
    """Give the id under which an item wants to be answered; None when it wants no answer."""
    kind = str(raw.get("type"))
    if kind == "mcp_approval_request":
        return _text(raw.get("id"))
    return _text(raw.get("call_id")) if kind == "program" or kind.endswith("_call") else None


def answered(raw: JSONObject) -> str | None:
    """Give the id of the call that an item answers; None when it answers none."""
    kind = str(raw.get("type"))
    if kind == "mcp_approval_response":
        return _text(raw.get("approval_request_id"))
    return _text(raw.get("call_id")) if kind.endswith("_output") else None


def open_calls(items: Iterable[JSONObject], before: Iterable[str] = ()) -> frozenset[str]:
    """Give the calls without an answer after `items`.

    Args:
        items: in order.
        before: the calls without an answer before them.
    """
    waiting = set(before)
    for raw in items:
        if (call := asked(raw)) is not None:
            waiting.add(call)
        elif (call := answered(raw)) is not None:
            waiting.discard(call)
    return frozenset(waiting)


def made_before(items: Iterable[JSONObject]) -> frozenset[str]:
    """Give the calls that `items` answer and do not hold: who keeps the history made them before.

    An app that runs its tools itself begins a run with their outputs.
    """
    given = [*items]
    made = {*map(asked, given)}
    calls = map(answered, given)
    return frozenset(call for call in calls if call is not None and call not in made)


def parts(content: JSONValue) -> JSONValue:
    """Give the parts of a message in one form: a text alone is one part, a text part its text.

    A server adds to others what it takes them to say.
    """
    if isinstance(content, str):
        return [content]
    if not isinstance(content, list):
        return content
    return [_part(each) if isinstance(each, dict) else each for each in content]


def _part(part: JSONObject) -> JSONValue:
    if "text" in part:
        return part["text"]
    return {key: part[key] for key in part if part[key] is not None and part[key] != "auto"}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
