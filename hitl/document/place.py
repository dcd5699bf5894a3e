"""JSON Pointer (RFC 6901): naming a place in a document."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hitl.errors import InvalidDocument

if TYPE_CHECKING:
    from hitl.document.value import JSONValue

_INDEX = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_BAD_ESCAPE = re.compile(r"~(?![01])")


def escape(part: str | int) -> str:
    """Write one key or index as a reference token: `~` as `~0`, `/` as `~1`."""
    return str(part).replace("~", "~0").replace("/", "~1")


def pointer(*parts: str | int) -> str:
    """Write keys and indexes, outermost first, as one JSON Pointer; no parts is `""`."""
    return "".join(["/" + escape(part) for part in parts])


def resolve(document: JSONValue, place: str) -> JSONValue:
    """Give the value that a JSON Pointer names.

    Args:
        document: the whole document.
        place: a JSON Pointer; `""` is the whole document.

    Raises:
        InvalidDocument: not a pointer, or nothing stands there; its path is the longest part of
            the pointer that exists.
    """
    value = document
    found = ""
    for token in _tokens(place):
        value = _child(value, token, found)
        found += "/" + token
    return value


def _tokens(place: str) -> list[str]:
    if (place and not place.startswith("/")) or _BAD_ESCAPE.search(place):
        raise InvalidDocument("expected a JSON Pointer like /items/0, found something else")
    return place.split("/")[1:]


def _child(value: JSONValue, token: str, found: str) -> JSONValue:
    match value:
        case dict():
            key = token.replace("~1", "/").replace("~0", "~")
            if key in value:
                return value[key]
        case list():
            if _INDEX.fullmatch(token) and int(token) < len(value):
                return value[int(token)]
        case _:
            pass
    raise InvalidDocument(
        "expected a value, found none for the next part of the pointer", path=found
    )
