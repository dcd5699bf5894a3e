"""Numbers as JavaScript has them: doubles, and how `JSON.stringify` spells them."""

from __future__ import annotations

import math

_EXACT = 2**53


def holds(value: float) -> bool:
    """Tell whether JavaScript has exactly this number."""
    if isinstance(value, int):
        return abs(value) <= _EXACT or _as_double(value) == value
    return math.isfinite(value)


def spelled(value: float) -> str:
    """Spell a number as `JSON.stringify` does: the shortest digits, plain up to 21 of them."""
    double = _as_double(value)
    if not math.isfinite(double):
        return "null"
    if double == 0:
        return "0"
    sign, digits, point = _parts(double)
    size = len(digits)
    if size <= point <= 21:  # noqa: PLR2004 - ECMA-262, Number::toString
        text = digits + "0" * (point - size)
    elif 0 < point <= 21:  # noqa: PLR2004
        text = f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:  # noqa: PLR2004
        text = f"0.{'0' * -point}{digits}"
    else:
        mantissa = digits[0] + (f".{digits[1:]}" if size > 1 else "")
        text = f"{mantissa}e{point - 1:+d}"
    return sign + text


def _parts(double: float) -> tuple[str, str, int]:
    """Give sign, significant digits, and how many of them stand before the point."""
    mantissa, _, exponent = repr(abs(double)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    every = (whole + fraction).lstrip("0")
    leading = len(whole + fraction) - len(every)
    digits = every.rstrip("0")
    return "-" if double < 0 else "", digits, len(whole) - leading + int(exponent or "0")


def _as_double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf
