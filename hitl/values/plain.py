"""Which values and bytes need no tag."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hitl.document import DEFAULT_LIMITS
from hitl.document.tree import encodable, sound
from hitl.errors import LimitExceeded

if TYPE_CHECKING:
    from collections.abc import Iterable

# Half of a surrogate pair, or a "$" in disguise.
_ESCAPES = re.compile(rb"\\u(?:[dD][89a-fA-F]|0024)")
# Numbers beyond a double have three digits of exponent, or 200 of mantissa. Digits are folded to 0
# first, for a search for fixed bytes is ten times faster than one for classes of bytes.
_FOLD = bytes.maketrans(b"123456789E", b"000000000e")
_EXPONENT = re.compile(rb"0e\+?000")
_MANTISSA = 200


def is_plain(value: object) -> bool:
    """Say whether a value is JSON that stands for itself: `encode` gives the same object.

    Raises:
        LimitExceeded: too many values.
    """
    return sound(value, DEFAULT_LIMITS, lenient=False, without="$")


def plain_text(data: bytes) -> bool:
    """Say whether JSON bytes surely hold no tag and nothing that needs one.

    Quick and careful: False may also mean that a string merely looks like it.
    """
    if b'"$"' in data or b"NaN" in data or b"Infinity" in data:
        return False
    if b"\\u" in data and _ESCAPES.search(data):
        return False
    return not _overflows(data)


def _overflows(data: bytes) -> bool:
    folded = data.translate(_FOLD)
    if b"0" * _MANTISSA in folded:
        return True
    if b"0e000" not in folded and b"0e+000" not in folded:
        return False
    return any(_is_number(folded, hit.start() + 1) for hit in _EXPONENT.finditer(folded))


def _is_number(folded: bytes, end: int) -> bool:
    """Say whether what ends here begins where a value may; else it stands in a text."""
    before = folded[max(0, end - 3 * _MANTISSA) : end].rstrip(b"0.").removesuffix(b"-")
    return before[-1:] in b"[:, \t\r\n"


def plain_keys(keys: Iterable[object]) -> bool:
    """Say whether keys can be those of an object that is no tag."""
    texts = [key for key in keys if type(key) is str]
    return len(texts) == len([*keys]) and "$" not in texts and encodable(texts)


def check_depth(depth: int, path: str) -> None:
    """Refuse the next level when there are enough; a value within itself never ends."""
    if depth >= DEFAULT_LIMITS.depth:
        raise LimitExceeded(
            f"expected at most {DEFAULT_LIMITS.depth} levels, found more", path=path
        )
