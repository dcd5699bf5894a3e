"""What a caller hands in as a document, as the bytes of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.document.writer import encode_lenient
from hitl.errors import InvalidDocument, MalformedDocument, ValueRefused

if TYPE_CHECKING:
    from hitl.document.limit import Limits
    from hitl.document.value import JSONObject


def as_bytes(data: object, limits: Limits) -> bytes:
    """Give the bytes of a document that came as bytes, as text, or as the dict of an SDK.

    Raises:
        InvalidDocument: it is something else, or holds what no document can.
        MalformedDocument: the text is not Unicode.
    """
    match data:
        case bytes():
            return data
        case bytearray() | memoryview():
            return bytes(data)
        case str():
            return _utf8(data)
        case dict():
            return _encoded(data, limits)
        case _:
            name = type(data).__name__
            raise InvalidDocument(f"expected bytes, text or a dict, got {name}")


def _encoded(data: JSONObject, limits: Limits) -> bytes:
    try:
        return encode_lenient(data, limits=limits)
    except ValueRefused as exc:
        raise InvalidDocument(exc.message, path=exc.path) from None


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise MalformedDocument("expected text in Unicode, found a lone surrogate") from None
