"""What a codec is: bytes to a JSON value and back, and to its parts without reading them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from hitl.document import JSONValue, Limits
from hitl.model import LogCodec


class Codec(Protocol):
    """One encoding of documents. `CODEC` of a module in `hitl.codecs` is one."""

    name: str
    log: LogCodec

    def claims(self, data: bytes) -> bool:
        """Tell whether `data` looks like this encoding, by its first bytes."""

    def check(self, data: bytes, limits: Limits) -> None:
        """Check bytes from outside before they are parsed: size, depth, nodes, UTF-8.

        Raises:
            LimitExceeded: larger, deeper or with more nodes than `limits`.
            MalformedDocument: not UTF-8.
        """

    def split(self, data: bytes) -> dict[str, bytes]:
        """Give the encoded value of each key of the object `data`, unread.

        Raises:
            MalformedDocument: not an object, cut off, or a key stands twice.
        """

    def elements(self, data: bytes) -> list[bytes]:
        """Give the encoded elements of the array `data`, unread.

        Raises:
            MalformedDocument: not an array, or cut off.
        """

    def parse(self, data: bytes, *, lenient: bool = False) -> JSONValue:
        """Read `data`; `lenient` lets NaN, Infinity and lone surrogates through.

        Raises:
            DocumentError: what it says cannot be a document.
        """

    def encode(self, value: JSONValue, *, lenient: bool = False) -> bytes:
        """Write `value`; `lenient` lets NaN, Infinity and lone surrogates through."""

    def join(self, head: Mapping[str, JSONValue], arrays: Mapping[str, Sequence[bytes]]) -> bytes:
        """Write an object of `head` and, after it, of arrays whose elements are encoded already."""
