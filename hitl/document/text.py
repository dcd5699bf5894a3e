"""JSON bytes from outside, measured before they are parsed.

Parsers recurse, and in a thread with a small stack deep input ends the process; bytes cost little
and their values cost much. So size, UTF-8, depth, nodes and digits are checked here first, with
byte methods that run at the speed of C and never look at one character in Python.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, NamedTuple

from hitl.document.limit import DEFAULT_LIMITS
from hitl.errors import LimitExceeded, MalformedDocument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.document.limit import Limits

_CHUNK_BYTES = 2**18
_FOLD = bytes.maketrans(b"{}", b"[]")
_NOT_STRUCTURE = bytes(set(range(256)) - set(b'"[]{},:'))
_TWO_DIGITS = re.compile(rb"(?=[0-9]{2})")


class Shape(NamedTuple):
    """What a text holds outside its strings.

    Attributes:
        nodes: values as `Limits` counts them; an estimate for what is not JSON.
        pairs: name/value pairs of all objects.
    """

    nodes: int
    pairs: int


def check_text(data: bytes, limits: Limits = DEFAULT_LIMITS) -> None:
    """Refuse bytes that are too large, too deep or not UTF-8, before any parser sees them.

    What passes may still not be JSON: that is for the parser to say. A text that is cut off may
    be up to twice as deep as the limit.

    Raises:
        MalformedDocument: a byte order mark, or not UTF-8.
        LimitExceeded: larger, deeper, with more nodes or longer numbers than allowed.
    """
    measure(data, limits)


def pairs(data: bytes) -> int:
    """Count the name/value pairs of all objects in JSON bytes."""
    return sum(part.count(b":") for part in _structure(data))


def measure(data: bytes, limits: Limits) -> Shape:
    """Check bytes as `check_text` does and say what they hold."""
    if len(data) > limits.size_bytes:
        raise LimitExceeded(f"expected at most {limits.size_bytes} bytes, found {len(data)}")
    _check_utf8(data)
    commas = openers = colons = 0
    brackets = []
    for part in _structure(data):
        commas += part.count(b",")
        openers += part.count(b"[")
        colons += part.count(b":")
        if commas + openers >= limits.nodes:
            raise LimitExceeded(f"expected at most {limits.nodes} values, found more")
        brackets.append(part.translate(None, b",:"))
    if _deeper(b"".join(brackets), limits.depth):
        raise LimitExceeded(f"expected at most {limits.depth} levels, found more")
    _check_digits(data, limits.digits)
    return Shape(commas + openers + 1, colons)


def _check_utf8(data: bytes) -> None:
    """Decode chunk by chunk: one emoji would make a whole text four times its size."""
    if data.startswith(codecs.BOM_UTF8):
        raise MalformedDocument("expected JSON without a byte order mark, found one")
    if data.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for start in range(0, len(data), _CHUNK_BYTES):
            decoder.decode(data[start : start + _CHUNK_BYTES])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        # `from None`: a UnicodeDecodeError carries the bytes.
        raise MalformedDocument("expected UTF-8, found other bytes") from None


def _structure(data: bytes) -> Iterator[bytes]:
    """Yield the brackets, commas and colons outside strings, `{}` folded into `[]`.

    In chunks, so that a text of nothing but quotes does not become a list eight times its size.
    """
    inside = start = 0
    while start < len(data):
        end = _chunk_end(data, start)
        chunk = data[start:end]
        if b"\\\\" in chunk:
            chunk = chunk.replace(b"\\\\", b"")
        if b"\\" in chunk:
            chunk = chunk.replace(b'\\"', b"")
        marks = chunk.translate(_FOLD, _NOT_STRUCTURE)
        # Two quotes side by side change nothing for the rest: most strings are gone here.
        parts = marks.replace(b'""', b"").split(b'"')
        yield b"".join(parts[inside::2])
        inside ^= ~len(parts) & 1
        start = end


def _chunk_end(data: bytes, start: int) -> int:
    """End a chunk behind an escape, never inside one."""
    chunk = data[start : start + _CHUNK_BYTES]
    backslashes = len(chunk) - len(chunk.rstrip(b"\\"))
    return start + len(chunk) + (backslashes & 1)


def _deeper(brackets: bytes, depth: int) -> bool:
    """Say whether brackets nest deeper; each round takes away the innermost pairs."""
    for _ in range(depth):
        rest = brackets.replace(b"[]", b"")
        if len(rest) == len(brackets):
            break
        brackets = rest
    return b"[]" in brackets or brackets.count(b"[") > depth


def _check_digits(data: bytes, digits: int) -> None:
    """Refuse a number with too many digits in a row; digits in strings are free."""
    stride = max(1, digits // 2)
    if len(data) <= digits or not _may_hold_run(data, stride):
        return
    outside, start = True, 0
    for run in re.finditer(rb"(?<![0-9])[0-9]{%d}" % (digits + 1), data):
        before = data[start : run.start()].replace(b"\\\\", b"").replace(b'\\"', b"")
        outside ^= before.count(b'"') & 1 == 1
        start = run.start()
        if outside:
            raise LimitExceeded(f"expected numbers of at most {digits} digits, found a longer one")


def _may_hold_run(data: bytes, stride: int) -> bool:
    """Look at every stride-th byte: a run of two strides covers two of them in a row."""
    for hit in _TWO_DIGITS.finditer(data[::stride]):
        start = hit.start() * stride
        if data[start : start + stride].isdigit():
            return True
    return False
