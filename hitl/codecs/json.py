"""JSON: the encoding every dialect has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hitl import document
from hitl.errors import InvalidDocument, MalformedDocument
from hitl.model import BOXES, LogCodec, Record, read_record, slim

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hitl.document import JSONValue, Limits, Shape

_RECORD = msgspec.json.Decoder(Record)
_PARTS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])
_SPACE = b" \t\r\n"
_FIRST = b'{["-0123456789tfnNI\xef'


def decode_record(data: bytes) -> Record:
    """Read one log entry; an entry from outside is checked here, when it is first read.

    Raises:
        DocumentError: not JSON, a key twice, or a value that does not fit its place.
    """
    try:
        record = _RECORD.decode(data)
        if encode_record(record) == data:
            return record
    except (msgspec.MsgspecError, ValueError, RecursionError, InvalidDocument):
        pass  # the slow reader below names the fault and its place
    return read_record(document.parse(data))


def encode_record(record: Record) -> bytes:
    """Write one log entry."""
    return msgspec.json.encode(slim(record))


class Json:
    """UTF-8 JSON without white space."""

    name = "json"
    log = LogCodec(
        name="json",
        decode=decode_record,
        encode=encode_record,
        tags=(b'"$"', b"\\u0024"),
        parse=document.parse,
        write=document.encode,
        boxes=tuple((b'{"%b":{' % box.encode(), box) for box in BOXES),
    )

    def claims(self, data: bytes) -> bool:
        """Tell whether the first character can begin a JSON text; a BOM is left to `check`."""
        first = data[:64].lstrip(_SPACE)[:1]
        return not first or first in _FIRST

    def check(self, data: bytes, limits: Limits) -> Shape:
        """Measure the text before it is parsed."""
        return document.measure(data, limits)

    def split(self, data: bytes) -> dict[str, bytes]:
        """Give each key's value, unread."""
        try:
            parts = _PARTS.decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            whole = document.parse(data, lenient=True)
            if not isinstance(whole, dict):
                raise MalformedDocument("expected an object at the top", path="") from None
            return {key: document.encode_lenient(value) for key, value in whole.items()}
        return {key: bytes(value) for key, value in parts.items()}

    def refuse_twice(self, data: bytes, parts: Mapping[str, bytes]) -> None:
        """Look for a key that is in `data` and not in `parts`."""
        again = msgspec.json.encode({key: msgspec.Raw(part) for key, part in parts.items()})
        # White space explains other differences in length.
        if len(again) != len(data) and document.pairs(again) != document.pairs(data):
            document.parse(data, lenient=True)

    def elements(self, data: bytes) -> list[bytes]:
        """Give each element, unread."""
        try:
            return [bytes(element) for element in _ELEMENTS.decode(data)]
        except (msgspec.MsgspecError, ValueError, RecursionError):
            document.parse(data)
            raise MalformedDocument("expected an array") from None

    def parse(self, data: bytes, *, lenient: bool = False, shape: Shape | None = None) -> JSONValue:
        """Read a text."""
        return document.parse(data, lenient=lenient, shape=shape)

    def encode(self, value: JSONValue, *, lenient: bool = False) -> bytes:
        """Write a value."""
        return document.encode_lenient(value) if lenient else document.encode(value)

    def join(self, head: Mapping[str, JSONValue], arrays: Mapping[str, Sequence[bytes]]) -> bytes:
        """Write `head`, then each array of `arrays` from its encoded elements."""
        whole: dict[str, object] = {key: msgspec.Raw(self.encode(v)) for key, v in head.items()}
        whole |= {key: msgspec.Raw(b"[%b]" % b",".join(each)) for key, each in arrays.items()}
        return msgspec.json.encode(whole)


CODEC = Json()
