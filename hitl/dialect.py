"""What a dialect is: the format of one writer, to the run state and back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol, TypeVar

from attrs import frozen

from hitl.codec import Codec
from hitl.document import JSONObject, JSONValue, Shape, escape
from hitl.document.tree import encodable
from hitl.errors import InvalidDocument
from hitl.model import RunState
from hitl.revision import Loss, Repair

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from hitl.model import Origin
    from hitl.revision import Chain, Mend

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


@frozen(kw_only=True)
class Repaired:
    """A state of an older version, ready to resume where a newer one is read.

    Attributes:
        state: the state; the same where nothing had to be done.
        repairs: what it needs; those with `opt_in` were done only if asked for.
        losses: what stays undone.
        needs: names of all repairs that a state of its version may need; some of them are made by
            whoever has the agent at hand.
    """

    state: RunState
    repairs: tuple[Repair, ...] = ()
    losses: tuple[Loss, ...] = ()
    needs: frozenset[str] = frozenset()

    def applied(self, names: Collection[str]) -> tuple[Repair, ...]:
        """Give the repairs that were done when these were asked for."""
        return tuple(each for each in self.repairs if not each.opt_in or each.name in names)


def mended(state: RunState, mends: Sequence[Mend[RunState]], names: Collection[str]) -> Repaired:
    """Make repairs in order, and say what stays undone.

    Args:
        state: a state of an older version.
        mends: the repairs of the versions after it.
        names: those that are made only when asked for.
    """
    repairs: list[Repair] = []
    for mend in mends:
        repairs += [
            Repair(
                name=mend.name,
                path=path,
                reason=mend.reason,
                widens=mend.widens,
                opt_in=mend.opt_in,
            )
            for path in mend.places(state)
        ]
        if mend.change is not None and (mend.name in names or not mend.opt_in):
            state = mend.change(state)
    losses: dict[Loss, None] = {loss: None for mend in mends for loss in mend.left(state)}
    return Repaired(
        state=state,
        repairs=tuple(repairs),
        losses=tuple(losses),
        needs=frozenset(mend.name for mend in mends),
    )


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

    def leaving(self, state: RunState) -> Iterable[Loss]:
        """Give what only this dialect can say of a state of it that goes to another SDK."""

    def handoff_name(self, agent: str) -> str | None:
        """Give the name the SDK gives a handoff to an agent if its app gives none.

        None for a dialect that is of no SDK.
        """

    def repair(self, state: RunState, version: str, names: Collection[str] = ()) -> Repaired:
        """Make a state that was first written in an older version resume where `version` is read.

        A state of another dialect, or of `version` and later, is given as it is.

        Args:
            state: the state; its decisions stay as they are.
            version: where it shall resume.
            names: repairs that are done only when asked for.

        Raises:
            Relabelled: the document says what its version cannot.
            ArgumentsChanged: a recorded call is not the one its writer recorded.
        """


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


_MARK = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_DEEPEST = 200


def too_deep(text: object) -> bool:
    """Tell whether arguments are nested too deeply for every SDK to read them and record them."""
    depth = 0
    for mark in _MARK.finditer(text) if isinstance(text, str) else ():
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(mark[0], 0)
        if depth > _DEEPEST:
            return True
    return False


def _sayable(value: object) -> bool:
    return not isinstance(value, str) or encodable((value,))
