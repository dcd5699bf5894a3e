"""JSON value → bytes."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import msgspec

from hitl.document.limit import DEFAULT_LIMITS
from hitl.document.tree import fault, sound
from hitl.errors import LimitExceeded, ValueRefused

if TYPE_CHECKING:
    from hitl.document.limit import Limits

_encoder = msgspec.json.Encoder()
_sorting_encoder = msgspec.json.Encoder(order="sorted")


def encode_plain(value: object) -> bytes:
    """Write a value that is known to be JSON: no check, for msgspec converts in silence.

    A set would become an array, NaN null, bytes base64: only for what a parser or our own
    code built.
    """
    return _encoder.encode(value)


def encode(value: object, path: str = "", limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Write a value as compact JSON in UTF-8, keys in the order they have.

    Args:
        value: exactly a JSON value; see `validate`.
        path: where the value stands, put before the path of an error.
        limits: on what is written.

    Raises:
        ValueRefused: a value that JSON cannot say (NaN, a lone surrogate, a tuple, …).
        LimitExceeded: too deep, too large, too many values, or too long an integer.
    """
    if not sound(value, limits, lenient=False, texts=False):
        raise fault(value, path, limits, lenient=False)
    try:
        data = _encoder.encode(value)
    except UnicodeEncodeError:
        raise fault(value, path, limits, lenient=False) from None
    return _sized(data, limits)


def encode_lenient(value: object, path: str = "", limits: Limits = DEFAULT_LIMITS) -> bytes:
    r"""Write a value as `encode` does, and what the SDKs write too: NaN, Infinity, `\ud800`.

    Raises:
        ValueRefused: a value that even `json.dumps` cannot say without changing it.
        LimitExceeded: as `encode`.
    """
    if sound(value, limits, lenient=False):  # what is nearly always so is asked first
        return _sized(_encoder.encode(value), limits)
    if not sound(value, limits, lenient=True):
        raise fault(value, path, limits, lenient=True)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), check_circular=False)
    # The only characters that UTF-8 cannot say are lone surrogates, and Python's escape of them
    # is JSON's.
    data = text.encode(errors="backslashreplace")
    if _joins_halves(text):
        raise ValueRefused(
            "expected text, found two halves of a surrogate pair side by side",
            path=path,
            hint="JSON reads them back as one character",
        )
    return _sized(data, limits)


def canonical(value: object) -> bytes:
    """Write a value so that two of them are equal exactly when their bytes are.

    Keys are sorted by code point; `1`, `1.0` and `true` differ, as do `0.0` and `-0.0`; NaN is
    equal to NaN. Without NaN, infinities and lone surrogates the result is JSON in UTF-8.

    Raises:
        ValueRefused: not a JSON value, even leniently.
        LimitExceeded: too deep, too many values, or too long an integer.
    """
    if sound(value, DEFAULT_LIMITS, lenient=False):
        return _sorting_encoder.encode(value)
    if not sound(value, DEFAULT_LIMITS, lenient=True):
        raise fault(value, "", DEFAULT_LIMITS, lenient=True)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return text.encode(errors="surrogatepass")


def digest(value: object) -> str:
    """Give the SHA-256 of the canonical form, 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def equal(a: object, b: object) -> bool:
    """Say whether two JSON values are the same, types included, key order aside."""
    return a is b or canonical(a) == canonical(b)


def _joins_halves(text: str) -> bool:
    return len(text) != len(
        text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    )


def _sized(data: bytes, limits: Limits) -> bytes:
    if len(data) > limits.size_bytes:
        raise LimitExceeded(f"expected at most {limits.size_bytes} bytes, found {len(data)}")
    return data
