r"""What a person may see of a text that came from a model, a user or a file (rule 8).

A character is shown as itself when it is a space or leaves ink where it stands. Everything else is
shown as an escape and counted: controls (with them ESC, and so every CSI and OSC sequence), format
and bidi characters, zero widths, fillers, blanks other than the space, tags, variation selectors,
private use, unassigned, halves of surrogate pairs, line and paragraph separators, and combining
marks without a letter or beyond a few on one.

A backslash is shown as itself, for a tool argument is full of them and is shown exactly: the count
tells an escape made here from one that stood in the text.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import TYPE_CHECKING

from attrs import frozen

if TYPE_CHECKING:
    from collections.abc import Callable

_MARKS = 3  # combining marks on one letter; living languages need no more

# Printable to Python, and yet nothing, or nothing but a gap, on the screen.
_BLANK = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\ufffc"
    "\U00016fe4\U0001d159"
).union(map(chr, range(0xFE00, 0xFE10)), map(chr, range(0xE0100, 0xE01F0)))

_UNUSUAL = re.compile(r"[^\x20-\x7e]+")


@frozen
class Displayed:
    """A text as it may be printed.

    Attributes:
        text: printable characters only, on one line.
        hidden: characters left out in the middle; `text` says how many.
        escaped: characters shown as escapes.
    """

    text: str
    hidden: int = 0
    escaped: int = 0

    @property
    def note(self) -> str:
        """What the reader must know of the text beside it; empty when it is the plain text."""
        parts = []
        if self.escaped:
            parts.append(f"{self.escaped:,} invisible or control characters shown as escapes")
        if self.hidden:
            parts.append(f"{self.hidden:,} characters not shown")
        return "; ".join(parts)

    def __str__(self) -> str:
        return f"{self.text} ({self.note})" if self.note else self.text


def safe_display(text: str, limit: int | None = None) -> Displayed:
    """Give `text` as it may be printed.

    Args:
        text: anything.
        limit: characters of it to show, three quarters from the beginning and the rest from the
            end; None shows all.
    """
    if limit is None or len(text) <= limit:
        shown, escaped = _escaped(text, _backslash)
        return Displayed(shown, escaped=escaped)
    tail = limit // 4
    cut = len(text) - tail
    head, first = _escaped(text[: limit - tail], _backslash)
    end, last = _escaped(text[cut:], _backslash)
    hidden = len(text) - limit
    return Displayed(f"{head}[... {hidden:,} more ...]{end}", hidden=hidden, escaped=first + last)


def safe_json(text: str) -> str:
    """Give a JSON text with every character that is not to be printed as a JSON escape.

    It is the same document, for such characters stand only inside strings; white space between the
    tokens stays.
    """
    return _escaped(text, _json)[0]


def _escaped(text: str, escape: Callable[[str], str]) -> tuple[str, int]:
    """Give the text with its unsafe characters through `escape`, and how many there were."""
    count = 0

    def rewrite(found: re.Match[str]) -> str:
        nonlocal count
        marks = 0 if found.start() else _MARKS  # at the beginning there is no letter to stand on
        parts = []
        for char in found[0]:
            safe = _leaves_ink(char)
            if not unicodedata.category(char).startswith("M"):
                marks = 0 if safe else _MARKS
            elif safe:
                safe = marks < _MARKS
                marks += 1
            parts.append(char if safe else escape(char))
            count += not safe
        return "".join(parts)

    return _UNUSUAL.sub(rewrite, text), count


def _leaves_ink(char: str) -> bool:
    # Not printable to Python: categories Cc, Cf, Cs, Co, Cn, Zl, Zp, and Zs but for the space.
    return char.isprintable() and char not in _BLANK


def _backslash(char: str) -> str:
    return char.encode("unicode_escape").decode()


def _json(char: str) -> str:
    return char if char in "\t\n\r" else json.dumps(char)[1:-1]
