"""A request in doubt, settled by what the server lists."""

from __future__ import annotations

from itertools import starmap
from typing import TYPE_CHECKING

from attrs import frozen

from hitl import document
from hitl.conversation.occurrence import answered, made_before, parts
from hitl.document import JSONObject
from hitl.errors import ConversationError, ReceiptUnknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.conversation.tracker import Tracker
    from hitl.document import JSONValue

_OURS = frozenset({"user", "system", "developer"})  # no model says these
_BESIDE = frozenset({"id", "status", "created_by", "object", "type"})


@frozen(kw_only=True)
class Receipt:
    """What a listing says of a request in doubt.

    Attributes:
        received: whether the server has it.
        output: what the server answered, oldest first.
    """

    received: bool
    output: tuple[JSONObject, ...] = ()


def receipt(tracker: Tracker, items: Sequence[JSONObject], *, start: int | None = None) -> Receipt:
    """Find a request in doubt in a listing of its conversation; hand the answer to `settle`.

    What follows the last item the server surely has is either nothing, then the request did not
    arrive, or the request with the response to it.

    Args:
        tracker: in doubt.
        items: the whole conversation, oldest first.
        start: where in the listing the request would begin; None finds it after the last item the
            server surely has.

    Raises:
        ConversationError: nothing is in doubt.
        ReceiptUnknown: the listing does not tell; a person must.
    """
    if not tracker.doubt:
        raise ConversationError("expected a request in doubt, found none")
    begin = _after(tracker.anchor, items) if start is None else start
    if begin is None and items:
        message = "expected the last item the server surely has, found it not or not once"
        raise ReceiptUnknown(message, hint="say where the request begins in the listing, `start=`")
    tail = items[begin or 0 :]
    if not tail:
        return Receipt(received=False)
    flight = tracker.flight or frozenset()
    sent = [each.raw for each in tracker.pending if each.name in flight]
    if len(tail) < len(sent) or not all(starmap(_alike, zip(sent, tail, strict=False))):
        message = "expected the request or nothing after it, found something else"
        raise ReceiptUnknown(message, hint="settle() with what a person says")
    output = tail[len(sent) :]
    if made_before(output) or any(each.get("role") in _OURS for each in output):
        message = "expected the response alone behind the request, found what somebody said"
        raise ReceiptUnknown(message, hint="settle() with what a person says")
    return Receipt(received=True, output=tuple(output))


def _after(anchor: str | None, items: Sequence[JSONObject]) -> int | None:
    found = [index for index, each in enumerate(items) if each.get("id") == anchor]
    return found[0] + 1 if anchor is not None and len(found) == 1 else None


def _alike(sent: JSONObject, there: JSONObject) -> bool:
    """Tell whether an item is what was sent, in the form in which the server lists it."""
    if (call := answered(sent)) is not None:
        return answered(there) == call
    return document.equal(_told(sent), _told(there))


def _told(raw: JSONObject) -> JSONValue:
    if "role" in raw:
        return {"role": raw["role"], "content": parts(raw.get("content"))}
    return {key: raw[key] for key in raw.keys() - _BESIDE if raw[key] is not None}
