"""MessagePack: the same documents, smaller and faster to read.

MessagePack has no integer beyond 64 bits: those are written as `{"$": "int", "v": "digits"}`, a
tag that no document holds otherwise.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, cast

import msgspec

from hitl import document
from hitl.document import JSONValue, Limits, Shape
from hitl.errors import InvalidDocument, LimitExceeded, MalformedDocument
from hitl.model import BOXES, LogCodec, Record, read_record, slim

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MIN, _MAX = -(2**63), 2**64 - 1
_PARTS = msgspec.msgpack.Decoder(dict[str, msgspec.Raw])
_ELEMENTS = msgspec.msgpack.Decoder(list[msgspec.Raw])
_ANY = msgspec.msgpack.Decoder()


def decode_record(data: bytes) -> Record:
    """Read one log entry; an entry from outside is checked here, when it is first read.

    Raises:
        DocumentError: not MessagePack, a key twice, or a value that does not fit its place.
    """
    return read_record(_parse(data))


def encode_record(record: Record) -> bytes:
    """Write one log entry."""
    return _encode(msgspec.json.decode(msgspec.json.encode(slim(record))))


def _parse(data: bytes) -> JSONValue:
    try:
        value = _ANY.decode(data)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError):
        raise MalformedDocument("expected MessagePack, found something else") from None
    document.validate(value, error=InvalidDocument)
    if msgspec.msgpack.encode(value) != data and _pairs(data) != _pairs(
        msgspec.msgpack.encode(value)
    ):
        raise MalformedDocument("expected each key once, found a key twice in one object")
    return cast("JSONValue", _with_integers(value) if b"\xa1$" in data else value)


def _encode(value: JSONValue) -> bytes:
    document.validate(value)
    try:
        return msgspec.msgpack.encode(value)
    except OverflowError:
        return msgspec.msgpack.encode(_without_integers(value))


def _with_integers(value: object) -> object:
    if isinstance(value, list):
        return [_with_integers(each) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("$") == "int" and isinstance(value.get("v"), str) and len(value) == 2:
        return _integer(value["v"])
    return {key: _with_integers(each) for key, each in value.items()}


def _integer(digits: str) -> int:
    plain = digits.removeprefix("-")
    if len(digits) > document.DEFAULT_LIMITS.digits or not (plain.isascii() and plain.isdigit()):
        raise InvalidDocument("expected the digits of an integer, found something else")
    return int(digits)


def _without_integers(value: JSONValue) -> JSONValue:
    if isinstance(value, list):
        return [_without_integers(each) for each in value]
    if isinstance(value, dict):
        return {key: _without_integers(each) for key, each in value.items()}
    if type(value) is int and not _MIN <= value <= _MAX:
        return {"$": "int", "v": str(value)}
    return value


# First byte of a value -> bytes that follow it, or the form of the length that does.
_FIXED = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8, 0xD0: 1, 0xD1: 2, 0xD2: 4, 0xD3: 8}
_SIZED = {0xD9: ">B", 0xDA: ">H", 0xDB: ">I"}
_ARRAYS = {0xDC: (">H", 1), 0xDD: (">I", 1), 0xDE: (">H", 2), 0xDF: (">I", 2)}
_PLAIN = frozenset({0xC0, 0xC2, 0xC3})


class _Walk:
    """Walks MessagePack without recursion and without building values."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.nodes = 0
        self.pairs = 0
        self.depth = 0

    def run(self, limits: Limits) -> None:
        """Walk one value to the end of the data, within `limits`."""
        open_: list[int] = [1]
        while open_:
            if open_[-1] == 0:
                open_.pop()
                continue
            open_[-1] -= 1
            self.nodes += 1
            inside = self._value()
            if inside >= 0:
                open_.append(inside)
            if len(open_) - 1 > limits.depth:
                raise LimitExceeded(f"expected at most {limits.depth} levels, found more")
            if self.nodes - self.pairs > limits.nodes:
                raise LimitExceeded(f"expected at most {limits.nodes} values, found more")
        if self.at != len(self.data):
            raise MalformedDocument("expected the end of the data, found more")

    def _value(self) -> int:
        """Step over one value; give how many values a container holds, -1 for a scalar."""
        first = self._take(1)[0]
        if first <= 0x7F or first >= 0xE0 or first in _PLAIN:
            return -1
        if first <= 0x8F:
            return self._map(first & 0x0F)
        if first <= 0x9F:
            return first & 0x0F
        if first in _ARRAYS:
            form, per = _ARRAYS[first]
            size = self._size(form)
            return self._map(size) if per == 2 else size
        self._take(self._payload(first))
        return -1

    def _payload(self, first: int) -> int:
        if 0xA0 <= first <= 0xBF:
            return first & 0x1F
        if first in _SIZED:
            return self._size(_SIZED[first])
        if first in _FIXED:
            return _FIXED[first]
        raise MalformedDocument("expected a JSON value, found another MessagePack type")

    def _map(self, size: int) -> int:
        self.pairs += size
        return 2 * size

    def _size(self, form: str) -> int:
        return int(struct.unpack(form, self._take(struct.calcsize(form)))[0])

    def _take(self, size: int) -> bytes:
        found = self.data[self.at : self.at + size]
        if len(found) != size:
            raise MalformedDocument("expected more MessagePack, found the end of the data")
        self.at += size
        return found


def _pairs(data: bytes) -> int:
    walk = _Walk(data)
    walk.run(document.DEFAULT_LIMITS)
    return walk.pairs


def _map_size(data: bytes) -> int:
    first = data[0] if data else 0
    if first in _ARRAYS:
        form, _ = _ARRAYS[first]
        return int(struct.unpack_from(form, data, 1)[0])
    return first & 0x0F


class MessagePack:
    """MessagePack of JSON values only: no binary, no extension, no timestamps."""

    name = "msgpack"
    log = LogCodec(
        name="msgpack",
        decode=decode_record,
        encode=encode_record,
        tags=(b"\xa1$", b"\xd9\x01$"),
        parse=_parse,
        write=_encode,
        boxes=tuple((b"\x81" + msgspec.msgpack.encode(box), box) for box in BOXES),
    )

    def claims(self, data: bytes) -> bool:
        """Tell whether the first byte begins a map."""
        first = data[0] if data else 0
        return 0x80 <= first <= 0x8F or first in {0xDE, 0xDF}

    def check(self, data: bytes, limits: Limits) -> Shape:
        """Walk the bytes before they are parsed."""
        if len(data) > limits.size_bytes:
            raise LimitExceeded(f"expected at most {limits.size_bytes} bytes, found {len(data)}")
        walk = _Walk(data)
        walk.run(limits)
        return Shape(walk.nodes - walk.pairs, walk.pairs)

    def split(self, data: bytes) -> dict[str, bytes]:
        """Give each key's value, unread."""
        try:
            parts = _PARTS.decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise MalformedDocument("expected an object with text keys", path="") from None
        return {key: bytes(value) for key, value in parts.items()}

    def refuse_twice(self, data: bytes, parts: Mapping[str, bytes]) -> None:
        """Look for a key that is in `data` and not in `parts`."""
        if _map_size(data) != len(parts):
            raise MalformedDocument("expected each key once, found a key twice", path="")

    def elements(self, data: bytes) -> list[bytes]:
        """Give each element, unread."""
        try:
            return [bytes(element) for element in _ELEMENTS.decode(data)]
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise MalformedDocument("expected an array") from None

    def parse(self, data: bytes, *, lenient: bool = False, shape: Shape | None = None) -> JSONValue:
        """Read bytes whose size and depth were checked; MessagePack is never `lenient`."""
        del lenient, shape
        return _parse(data)

    def encode(self, value: JSONValue, *, lenient: bool = False) -> bytes:
        """Write a value; MessagePack is never `lenient`."""
        del lenient
        return _encode(value)

    def join(self, head: Mapping[str, JSONValue], arrays: Mapping[str, Sequence[bytes]]) -> bytes:
        """Write `head`, then each array of `arrays` from its encoded elements."""
        whole: dict[str, object] = {key: msgspec.Raw(_encode(v)) for key, v in head.items()}
        for key, each in arrays.items():
            whole[key] = msgspec.Raw(b"\xdd" + struct.pack(">I", len(each)) + b"".join(each))
        return msgspec.msgpack.encode(whole)


CODEC = MessagePack()
