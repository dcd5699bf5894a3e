"""Documents with one value missing, wrong or new: what a reader must refuse or keep."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from attrs import frozen

from hitl.document import JSONObject, JSONValue, pointer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Parts = tuple["str | int", ...]

# One of each JSON type, and what is easily taken for something else.
WRONG: tuple[JSONValue, ...] = (
    None,
    True,
    7,
    -1,
    1.5,
    10**400,
    "text",
    "",
    "\ud800",
    [],
    [1, None, {}],
    [[0, 1]],
    [[5, 99]],
    {},
    {"type": "unheard_of"},
    {"name": "somebody"},
    {"$": "bytes", "v": "aGk="},
    {"\ud800": "\udfff"},
)


@frozen(kw_only=True)
class Mutation:
    """A document that differs from a good one in one place.

    Attributes:
        path: JSON Pointer to the place.
        change: what was done there, for messages.
        document: the whole document.
    """

    path: str
    change: str
    document: JSONObject


def places(value: JSONValue, depth: int, parts: Parts = ()) -> Iterator[tuple[Parts, JSONValue]]:
    """Give every value at most `depth` keys below the top, with its keys and indexes."""
    yield parts, value
    if len(parts) == depth:
        return
    if isinstance(value, dict):
        for key, child in value.items():
            yield from places(child, depth, (*parts, key))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from places(child, depth, (*parts, index))


def mutations(
    document: JSONObject, *, depth: int, wrong: Sequence[JSONValue] = WRONG
) -> Iterator[Mutation]:
    """Give the document with each value left out, and with each replaced by each wrong one.

    Args:
        document: a good document; not changed.
        depth: how many keys below the top to go.
        wrong: what to put in the place of a value.
    """
    for parts, value in places(document, depth):
        if not parts:
            continue
        changed, holder = _copied(document, parts)
        del holder[parts[-1]]
        yield Mutation(path=pointer(*parts), change="left out", document=changed)
        for other in wrong:
            if type(other) is type(value) and other == value:
                continue
            changed, holder = _copied(document, parts)
            holder[parts[-1]] = other
            yield Mutation(path=pointer(*parts), change=f"{other!r:.30}", document=changed)


def additions(
    document: JSONObject, key: str, value: JSONValue, *, depth: int
) -> Iterator[Mutation]:
    """Give the document with one more key, once for each object in it.

    Args:
        document: a good document; not changed.
        key: a key that no object has.
        value: what it says.
        depth: how many keys below the top to go.
    """
    for parts, found in places(document, depth):
        if isinstance(found, dict) and key not in found:
            changed, holder = _copied(document, (*parts, key))
            holder[key] = value
            yield Mutation(path=pointer(*parts, key), change="added", document=changed)


def _copied(document: JSONObject, parts: Parts) -> tuple[JSONObject, Any]:
    """Copy what is on the way only: the rest is shared, and changed by nobody."""
    top = copy.copy(document)
    holder: Any = top
    for part in parts[:-1]:
        holder[part] = copy.copy(holder[part])
        holder = holder[part]
    return top, holder
