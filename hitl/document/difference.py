"""What changed between two JSON values."""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING, Literal, NamedTuple

import attrs

from hitl.document.place import escape
from hitl.document.value import JSONValue
from hitl.document.writer import equal

if TYPE_CHECKING:
    from collections.abc import Iterator


@attrs.frozen(kw_only=True)
class Change:
    """One place where two documents differ.

    Attributes:
        path: JSON Pointer; into the first document for what was removed or changed, into the
            second for what was added.
        kind: whether the value is only in the second, only in the first, or in both.
        before: the value in the first document; None when added.
        after: the value in the second document; None when removed.
    """

    path: str
    kind: Literal["added", "removed", "changed"]
    before: JSONValue = None
    after: JSONValue = None


class _Pair(NamedTuple):
    path: str
    a: JSONValue
    b: JSONValue


def diff(a: JSONValue, b: JSONValue) -> tuple[Change, ...]:
    """List what differs, in document order, types included, key order aside.

    Lists are compared index by index; when their lengths differ, what they share at the end is
    paired from the end, so that an insertion is one change.
    """
    changes: list[Change] = []
    stack: list[_Pair | Change] = [_Pair("", a, b)]
    while stack:
        each = stack.pop()
        if isinstance(each, Change):
            changes.append(each)
        elif each.a is not each.b:
            stack.extend(reversed(list(_compare(each))))
    return tuple(changes)


def _compare(pair: _Pair) -> Iterator[_Pair | Change]:
    match pair.a, pair.b:
        case dict(a), dict(b):
            return _compare_objects(pair.path, a, b)
        case list(a), list(b):
            return _compare_arrays(pair.path, a, b)
        case a, b if _same(a, b):
            return iter(())
        case a, b:
            return iter((Change(path=pair.path, kind="changed", before=a, after=b),))


def _compare_objects(
    path: str, a: dict[str, JSONValue], b: dict[str, JSONValue]
) -> Iterator[_Pair | Change]:
    for key in chain(a, (key for key in b if key not in a)):
        place = f"{path}/{escape(key)}"
        if key not in b:
            yield Change(path=place, kind="removed", before=a[key])
        elif key not in a:
            yield Change(path=place, kind="added", after=b[key])
        else:
            yield _Pair(place, a[key], b[key])


def _compare_arrays(path: str, a: list[JSONValue], b: list[JSONValue]) -> Iterator[_Pair | Change]:
    tail = 0 if len(a) == len(b) else _common_tail(a, b)
    end_a, end_b = len(a) - tail, len(b) - tail
    for index in range(max(end_a, end_b)):
        place = f"{path}/{index}"
        if index >= end_b:
            yield Change(path=place, kind="removed", before=a[index])
        elif index >= end_a:
            yield Change(path=place, kind="added", after=b[index])
        else:
            yield _Pair(place, a[index], b[index])


def _common_tail(a: list[JSONValue], b: list[JSONValue]) -> int:
    tail = 0
    for one, other in zip(reversed(a), reversed(b), strict=False):
        if not equal(one, other):
            break
        tail += 1
    return tail


def _same(a: JSONValue, b: JSONValue) -> bool:
    """Compare two scalars by type and value; NaN is NaN, and -0.0 is not 0.0."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float) and isinstance(b, float):
        both_nan = math.isnan(a) and math.isnan(b)
        return both_nan or (a == b and math.copysign(1, a) == math.copysign(1, b))
    return a == b
