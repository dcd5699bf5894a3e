"""Usage by request: most entries repeat the usage of a model response, and are not stored again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.dialects.openai_python.history import same
from hitl.errors import InvalidDocument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.document import JSONObject, JSONValue

_COUNTS = ("input_tokens", "output_tokens", "total_tokens")
_DETAILS = ("input_tokens_details", "output_tokens_details")


def fold(entries: list[JSONValue], usages: Sequence[JSONValue]) -> list[JSONValue]:
    """Replace runs of entries that repeat `usages`, in order, by `[first, last + 1]`."""
    folded: list[JSONValue] = []
    at = 0
    for entry in entries:
        if at < len(usages) and same(entry, _entry(usages[at])):
            last = folded[-1] if folded else None
            if isinstance(last, list) and last[1] == at:
                last[1] = at + 1
            else:
                folded.append([at, at + 1])
            at += 1
        else:
            folded.append(entry)
    return folded


def unfold(folded: list[JSONValue], usages: Sequence[JSONValue]) -> list[JSONValue]:
    """Give the entries back.

    Raises:
        InvalidDocument: an entry names responses that the run does not have.
    """
    entries: list[JSONValue] = []
    for index, entry in enumerate(folded):
        match entry:
            case [int(first), int(end)] if 0 <= first < end <= len(usages):
                entries += [_entry(usage) for usage in usages[first:end]]
            case list():
                message = f"expected responses below {len(usages)}, found others"
                raise InvalidDocument(message, path=f"/usage/entries/{index}")
            case _:
                entries.append(entry)
    return entries


def _entry(usage: JSONValue) -> JSONObject:
    given = usage if isinstance(usage, dict) else {}
    counts = {key: given.get(key) for key in _COUNTS}
    return counts | {
        key: each[0]
        for key in _DETAILS
        if isinstance(each := given.get(key), list) and len(each) == 1
    }
