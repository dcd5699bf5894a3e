"""Which ids, names and numbers a store lets in (rule 6): they come from models and from the web."""

from __future__ import annotations

import math
import re

from hitl.errors import ValueRefused

ID_LENGTH = 200  # characters of a run id and of a worker
CALL_LENGTH = 1000  # a call's name has an id for each agent used as a tool around it
TEXT_LENGTH = 10_000  # a note, a reason, a message
LIMIT = 10_000  # rows of one list

# Controls, halves of surrogate pairs, line and paragraph separators.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def run_id(given: object) -> str:
    """Check the name of a run."""
    return _name("a run id", given, ID_LENGTH)


def worker(given: object) -> str:
    """Check the name of a worker."""
    return _name("the name of a worker", given, ID_LENGTH)


def call(given: object) -> str:
    """Check the name of a call."""
    return _name("the name of a call", given, CALL_LENGTH)


def label(given: object) -> str:
    """Check the name of a tool or of an agent."""
    return _name("the name of a tool or agent", given, CALL_LENGTH)


def text(given: object) -> str | None:
    """Check a text written by people, line breaks and all."""
    if given is None:
        return None
    if not isinstance(given, str) or len(given) > TEXT_LENGTH or _UNSTORABLE.search(given):
        raise ValueRefused(f"expected a text of at most {TEXT_LENGTH:,} characters, none of them 0")
    return given


def sha256(given: object) -> str:
    """Check a SHA-256 in hex."""
    if not isinstance(given, str) or not re.fullmatch("[0-9a-f]{64}", given):
        raise ValueRefused("expected a SHA-256 as 64 lower-case hexadecimal digits")
    return given


def data(given: object) -> bytes:
    """Check bytes."""
    if not isinstance(given, bytes):
        raise ValueRefused(f"expected bytes, found `{type(given).__name__}`")
    return given


def seconds(given: object) -> float:
    """Check a length of time."""
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise ValueRefused("expected a number of seconds")
    if given < 0:
        raise ValueRefused("expected a number of seconds, found one below 0")
    return float(given)


def limit(given: object) -> int:
    """Check how many rows are asked for."""
    if isinstance(given, bool) or not isinstance(given, int) or not 0 < given <= LIMIT:
        raise ValueRefused(f"expected a limit from 1 to {LIMIT:,}")
    return given


def _name(what: str, given: object, length: int) -> str:
    if not isinstance(given, str):
        raise ValueRefused(f"expected {what}, found `{type(given).__name__}`")
    if not 0 < len(given) <= length:
        raise ValueRefused(f"expected {what} of 1 to {length} characters, found {len(given)}")
    if _CONTROL.search(given):
        raise ValueRefused(f"expected {what} without control characters")
    return given
