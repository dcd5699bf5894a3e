"""Parsed values as classes of the model; what does not fit is named by its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

import msgspec

from hitl.document import escape
from hitl.errors import DocumentError, InvalidDocument

if TYPE_CHECKING:
    from hitl.document import JSONValue

T = TypeVar("T")
E = TypeVar("E", bound=DocumentError)

_PLACE = re.compile(r" - at `\$(?P<path>.*)`$")
_PART = re.compile(r"\.(?P<key>[^.\[]+)|\[(?P<index>\d+)\]|\[\.\.\.\]")


def fit(value: JSONValue, kind: type[T]) -> T:
    """Give a parsed value as `kind`; fields that `kind` does not have are passed over.

    Raises:
        InvalidDocument: a value does not fit its place.
    """
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as exc:
        raise _translated(exc) from None


def under(error: E, place: str) -> E:
    """Give the error as seen from further outside: `place` is put before its path."""
    return type(error)(error.message, path=f"{place}{error.path or ''}", hint=error.hint)


def _translated(exc: msgspec.ValidationError) -> InvalidDocument:
    text = str(exc)
    place = _PLACE.search(text)
    if place is None:
        return InvalidDocument(text, path="")
    parts = (part["key"] or part["index"] or "*" for part in _PART.finditer(place["path"]))
    path = "".join(f"/{escape(part)}" for part in parts)
    return InvalidDocument(text[: place.start()], path=path)
