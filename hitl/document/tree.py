"""A parsed value, walked without recursion."""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING

from hitl.document.limit import DEFAULT_LIMITS
from hitl.document.place import pointer
from hitl.errors import HitlError, LimitExceeded, ValueRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hitl.document.limit import Limits

_SCALARS = frozenset({str, int, float, bool, type(None)})
_KINDS = _SCALARS | {dict, list}
_REGISTER = "hitl.register the type, or make it plain data"


def validate(
    value: object,
    path: str = "",
    limits: Limits = DEFAULT_LIMITS,
    *,
    lenient: bool = False,
    error: type[HitlError] = ValueRefused,
) -> None:
    """Check that a Python value is exactly a JSON value: no subclass, no tuple, no other key.

    Args:
        value: anything; values that hold themselves are refused by depth.
        path: where the value stands, put before the path of an error.
        limits: depth, nodes and digits count here; the size is for the writer.
        lenient: NaN, the infinities and lone surrogates are let through.
        error: what to raise for a value that JSON cannot say.

    Raises:
        ValueRefused: (or `error`) a value that JSON cannot say, with its place.
        LimitExceeded: too deep, too many values, or too long an integer.
    """
    if not sound(value, limits, lenient=lenient):
        raise fault(value, path, limits, lenient=lenient, error=error)


def sound(
    value: object,
    limits: Limits,
    *,
    lenient: bool,
    texts: bool = True,
    without: str | None = None,
) -> bool:
    """Say whether a value is JSON and within limits, level by level at the speed of C.

    Args:
        value: anything.
        limits: depth, nodes and digits.
        lenient: let NaN, the infinities and lone surrogates through.
        texts: look for lone surrogates; needless when an encoder will.
        without: a key that no object may hold.

    Raises:
        LimitExceeded: too many values; no place, for there is no single one.
    """
    texts = texts and not lenient
    level: list[object] = [value]
    nodes, depth = 1, 0
    while True:
        kinds = set(map(type, level))
        if not kinds <= _KINDS or not _sound_scalars(
            level, kinds, limits, lenient=lenient, texts=texts
        ):
            return False
        lists = [each for each in level if type(each) is list] if list in kinds else []
        dicts = [each for each in level if type(each) is dict] if dict in kinds else []
        if not lists and not dicts:
            return True
        depth += 1
        sizes = [*map(len, lists), *map(len, dicts)]
        nodes += sum(sizes) + sizes.count(0)
        if nodes > limits.nodes:
            raise LimitExceeded(f"expected at most {limits.nodes} values, found more")
        if depth > limits.depth or not _sound_keys(dicts, texts=texts):
            return False
        if without is not None and without in chain.from_iterable(dicts):
            return False
        level = [*chain.from_iterable(lists), *chain.from_iterable(map(dict.values, dicts))]


def fault(
    value: object,
    path: str,
    limits: Limits,
    *,
    lenient: bool,
    error: type[HitlError] = ValueRefused,
) -> HitlError:
    """Find the first fault of an unsound value, in document order, and name its place."""
    for parts, each in walk(value):
        place = path + pointer(*parts)
        if type(each) in (list, dict) and len(parts) >= limits.depth:
            return LimitExceeded(f"expected at most {limits.depth} levels, found more", path=place)
        if type(each) is int and too_long((each,), limits):
            return LimitExceeded(
                f"expected an integer of at most {limits.digits} digits, found a longer one",
                path=place,
            )
        found = _foreign(each, lenient=lenient)
        if found:
            hint = _REGISTER if type(each) not in _KINDS else None
            return error(f"expected a JSON value, found {found}", path=place, hint=hint)
    return error("expected a JSON value, found one that changed meanwhile", path=path)


def walk(value: object) -> Iterator[tuple[list[str | int], object]]:
    """Yield every value with its keys and indexes from the top, depth first, in order.

    The list of parts is the same object each time: use it before asking for the next. A value
    that holds itself never ends: stop by the number of parts.
    """
    parts: list[str | int] = []
    yield parts, value
    stack = [_children(value)]
    while stack:
        for part, child in stack[-1]:
            parts.append(part)
            yield parts, child
            stack.append(_children(child))
            break
        else:
            stack.pop()
            if parts:
                parts.pop()


def _children(value: object) -> Iterator[tuple[str | int, object]]:
    if type(value) is dict:
        return iter(value.items())
    return iter(enumerate(value)) if type(value) is list else iter(())


def _sound_scalars(
    level: list[object], kinds: set[type], limits: Limits, *, lenient: bool, texts: bool
) -> bool:
    if int in kinds and too_long([each for each in level if type(each) is int], limits):
        return False
    if float in kinds and not lenient:
        floats = [each for each in level if type(each) is float]
        if not all(map(math.isfinite, floats)):
            return False
    return not (texts and str in kinds) or encodable([each for each in level if type(each) is str])


def _sound_keys(dicts: list[dict[object, object]], *, texts: bool) -> bool:
    if not set(map(type, chain.from_iterable(dicts))) <= {str}:
        return False
    return not texts or encodable(chain.from_iterable(dicts))  # type: ignore[arg-type]


def encodable(texts: Iterable[str]) -> bool:
    """Say whether texts hold no lone surrogate; an ASCII text is known by a flag, not read."""
    try:
        "".join([text for text in texts if not text.isascii()]).encode()
    except UnicodeEncodeError:
        return False
    return True


def too_long(integers: Iterable[int], limits: Limits) -> bool:
    """Say whether an integer has too many digits; bits first, for digits cost a division."""
    # 10**n needs at least 3.3219 * n bits, so fewer bits are fewer digits.
    longest = max(map(int.bit_length, integers), default=0)
    if longest <= limits.digits * 3.3219:
        return False
    bound = 10**limits.digits
    return any(not -bound < each < bound for each in integers)


def _foreign(value: object, *, lenient: bool) -> str | None:
    """Name what JSON cannot say about a value, without showing it; None when it can."""
    if type(value) not in _KINDS:
        return f"`{type(value).__name__}`"
    if type(value) is dict and not set(map(type, value)) <= {str}:
        kind = next(type(key) for key in value if type(key) is not str)
        return f"a key of type `{kind.__name__}`"
    return None if lenient else _unwritable(value)


def _unwritable(value: object) -> str | None:
    """Name what Python has and JSON text has not."""
    if type(value) is float and not math.isfinite(value):
        return "NaN or an infinity"
    if type(value) is str and not encodable((value,)):
        return "a lone surrogate"
    if type(value) is dict and not encodable(value):
        return "a lone surrogate in a key"
    return None
