"""What a dialect is: the format of one writer, to the run state and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from attrs import frozen

from hitl.codec import Codec
from hitl.document import JSONObject, JSONValue, Shape, escape
from hitl.document.tree import encodable
from hitl.errors import InvalidDocument

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from hitl.model import Origin, RunState
    from hitl.revision import Chain, Loss

T = TypeVar("T")


@frozen(kw_only=True)
class Source:
    """A document as it came in: checked against the limits, not yet read.

    Attributes:
        data: its bytes.
        parts: the encoded value of each top-level key.
        codec: what reads them.
        shape: how much they hold.
    """

    data: bytes
    parts: dict[str, bytes]
    codec: Codec
    shape: Shape | None = None


class Dialect(Protocol):
    """The format of one writer. `DIALECT` of a folder in `hitl.dialects` is one."""

    name: str
    chain: Chain

    def claims(self, keys: Collection[str]) -> bool:
        """Tell whether a document with these top-level keys is of this dialect."""

    def format(self, parts: dict[str, bytes], codec: Codec) -> Origin:
        """Give the dialect and version of a document.

        Raises:
            InvalidDocument: the document carries no version label.
        """

    def load(self, source: Source) -> RunState:
        """Read a document of any version; exact, repairs nothing.

        Raises:
            InvalidDocument: a value does not fit its place.
            UnsupportedVersion: another major, or no version of this dialect at all.
        """

    def dump(self, state: RunState, version: str, codec: Codec) -> bytes:
        """Write `state` at `version`.

        Raises:
            ArgumentsChanged: a decided call is not the one that was decided.
        """

    def losses(self, state: RunState, version: str) -> Sequence[Loss]:
        """Give what `version` of this dialect cannot hold of `state`."""


_NAMES = {
    dict: "object",
    list: "array",
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
}


def json_type(value: object) -> str:
    """Give the JSON name of a value's type, for messages."""
    return _NAMES.get(type(value), type(value).__name__)


class Fields:
    """Reads an object key by key; what nobody took is left over, to be kept verbatim.

    A key that is missing or null is never taken: null stays in `rest`, so that a writer's null is
    written back as null and a missing key stays missing. Text with a lone surrogate has no place in
    the model's text fields: it is refused, or left over to be tagged.
    """

    def __init__(self, given: JSONValue, path: str) -> None:
        """Read `given`, the object at `path`.

        Raises:
            InvalidDocument: it is not an object.
        """
        if not isinstance(given, dict):
            raise InvalidDocument(f"expected object, got {json_type(given)}", path=path)
        self.given: JSONObject = given
        self.rest: JSONObject = dict(given)
        self.path = path

    def at(self, key: str) -> str:
        """Give the JSON Pointer of `key`."""
        return f"{self.path}/{escape(key)}"

    def take(self, key: str, kind: type[T]) -> T | None:
        """Take a value that must be of `kind`; None if it is missing or null.

        Raises:
            InvalidDocument: it is of another type, or text with a lone surrogate.
        """
        value = self.given.get(key)
        if value is None:
            return None
        if type(value) is not kind:
            message = f"expected {_NAMES[kind]}, got {json_type(value)}"
            raise InvalidDocument(message, path=self.at(key))
        if not _sayable(value):
            raise InvalidDocument("expected text, found a lone surrogate", path=self.at(key))
        del self.rest[key]
        return value

    def take_if(self, key: str, kind: type[T]) -> T | None:
        """Take a value if it is of `kind`; anything else is left over."""
        value = self.given.get(key)
        if type(value) is not kind or not _sayable(value):
            return None
        del self.rest[key]
        return value

    def take_texts(self, key: str) -> list[str] | None:
        """Take a list of texts; anything else is left over."""
        value = self.given.get(key)
        if not isinstance(value, list) or not is_texts(value):
            return None
        del self.rest[key]
        return [each for each in value if isinstance(each, str)]


def is_texts(values: Iterable[object]) -> bool:
    """Tell whether all are texts that UTF-8 can say."""
    texts = list(values)
    return all(type(each) is str for each in texts) and encodable(texts)  # type: ignore[arg-type]


def _sayable(value: object) -> bool:
    return not isinstance(value, str) or encodable((value,))
