"""Bytes → JSON value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, cast

import msgspec

from hitl.document.limit import DEFAULT_LIMITS
from hitl.document.place import pointer
from hitl.document.text import measure, pairs
from hitl.document.tree import fault, sound, walk
from hitl.document.writer import encode_plain
from hitl.errors import InvalidDocument, LimitExceeded, MalformedDocument

if TYPE_CHECKING:
    from hitl.document.limit import Limits
    from hitl.document.text import Shape
    from hitl.document.value import JSONValue

_decoder = msgspec.json.Decoder()


def parse(
    data: bytes | bytearray | memoryview,
    limits: Limits = DEFAULT_LIMITS,
    *,
    lenient: bool = False,
    shape: Shape | None = None,
) -> JSONValue:
    """Parse JSON bytes from outside.

    Args:
        data: UTF-8 without a byte order mark.
        limits: checked before the parser sees the bytes.
        lenient: what the SDKs' own writers produce is read too: NaN, Infinity, -Infinity, numbers
            beyond a double (as an infinity) and escaped lone surrogates. Duplicate keys are
            refused in any case.
        shape: what `measure` said of these bytes, if they were measured already.

    Returns:
        A value of dict, list, str, int, float, bool and None only. Integers are exact.

    Raises:
        MalformedDocument: not JSON, cut off, not UTF-8, or a duplicate key.
        LimitExceeded: larger, deeper, with more nodes or longer numbers than allowed.
        InvalidDocument: JSON that says what native documents must not (see `lenient`).
    """
    text = data if type(data) is bytes else bytes(data)
    shape = shape or measure(text, limits)
    try:
        value = _decoder.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        # msgspec tells neither the place nor the reason: the slow parser does.
        return _parse_slowly(text, limits, lenient=lenient)
    if shape.pairs:
        again = encode_plain(value)
        if again != text and shape.pairs != _few_pairs(again) and shape.pairs != pairs(again):
            _parse_slowly(text, limits, lenient=True)
    return cast("JSONValue", value)


def _few_pairs(compact: bytes) -> int:
    """Count the name/value pairs of compact JSON, quickly: those whose key ends in a backslash not.

    Never too many: inside a string, a quote before a colon is escaped.
    """
    return compact.count(b'":') - compact.count(b'\\":')


class _Duplicate:
    """Stands for an object that names one key twice, until its place is known."""

    def __init__(self, key: str) -> None:
        self.key = key


def _unique(items: list[tuple[str, object]]) -> dict[str, object] | _Duplicate:
    value = dict(items)
    if len(value) == len(items):
        return value
    seen: set[str] = set()
    return _Duplicate(next(key for key, _ in items if key in seen or seen.add(key)))  # type: ignore[func-returns-value]


def _parse_slowly(text: bytes, limits: Limits, *, lenient: bool) -> JSONValue:
    """Parse with the standard library, which reads more, and name the fault there is."""
    value = _loads(text.decode(), limits)
    if not sound(value, limits, lenient=lenient):
        _refuse_duplicates(value)
        raise fault(value, "", limits, lenient=lenient, error=InvalidDocument)
    return cast("JSONValue", value)


def _loads(text: str, limits: Limits) -> object:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as exc:
        cut_off = exc.pos >= len(text.rstrip()) or exc.msg.startswith("Unterminated string")
        found = "the end of the data" if cut_off else f"something else at character {exc.pos}"
    except ValueError:
        raise LimitExceeded(
            f"expected numbers of at most {limits.digits} digits, found a longer one"
        ) from None
    except RecursionError:
        raise LimitExceeded("expected fewer levels than the stack can hold, found more") from None
    # Raised out here: a JSONDecodeError carries the whole document.
    raise MalformedDocument(f"expected JSON, found {found}")


def _refuse_duplicates(value: object) -> None:
    for parts, each in walk(value):
        if isinstance(each, _Duplicate):
            raise MalformedDocument(
                "expected each key once, found a key twice in one object",
                path=pointer(*parts, each.key),
            )
