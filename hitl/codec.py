"""What a codec is: bytes to a JSON value and back, and to its parts without reading them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from hitl.document import JSONValue, Limits, Shape
    from hitl.model import LogCodec


class Codec(Protocol):
    """One encoding of documents. `CODEC` of a module in `hitl.codecs` is one."""

    name: str
    log: LogCodec

    def claims(self, data: bytes) -> bool:
        """Tell whether `data` looks like this encoding, by its first bytes."""

    def check(self, data: bytes, limits: Limits) -> Shape:
        """Check bytes from outside before they are parsed: size, depth, nodes, UTF-8.

        Returns:
            What the bytes hold, for `parse` and `split` of the same bytes.

        Raises:
            LimitExceeded: larger, deeper or with more nodes than `limits`.
            MalformedDocument: not UTF-8.
        """

    def split(self, data: bytes) -> dict[str, bytes]:
        """Give the encoded value of each key of the object `data`, unread; the last of a key.

        Raises:
            MalformedDocument: not an object, or cut off.
        """

    def refuse_twice(self, data: bytes, parts: Mapping[str, bytes]) -> None:
        """Check that `parts`, split from `data`, lack no key that stood there twice.

        Raises:
            MalformedDocument: a key stands twice.
        """

    def elements(self, data: bytes) -> list[bytes]:
        """Give the encoded elements of the array `data`, unread.

        Raises:
            MalformedDocument: not an array, or cut off.
        """

    def parse(self, data: bytes, *, lenient: bool = False, shape: Shape | None = None) -> JSONValue:
        """Read `data`; `lenient` lets NaN, Infinity and lone surrogates through.

        `shape` is what `check` said of these bytes, so that they are not measured again.

        Raises:
            DocumentError: what it says cannot be a document.
        """

    def encode(self, value: JSONValue, *, lenient: bool = False) -> bytes:
        """Write `value`; `lenient` lets NaN, Infinity and lone surrogates through."""

    def join(self, head: Mapping[str, JSONValue], arrays: Mapping[str, Sequence[bytes]]) -> bytes:
        """Write an object of `head` and, after it, of arrays whose elements are encoded already."""
