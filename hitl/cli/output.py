"""The only door to stdout and stderr: nothing passes it that a terminal would obey."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import click

from hitl.cli.display import safe_display, safe_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hitl.document import JSONValue


def data(lines: Iterable[str]) -> None:
    """Print lines on stdout; a line break inside one is shown, not made."""
    text = "".join(f"{safe_display(line).text}\n" for line in lines)
    encoding = sys.stdout.encoding or "utf-8"
    _write(text.encode(encoding, "backslashreplace"))


def machine(value: JSONValue) -> None:
    """Print a value as JSON in printable ASCII on stdout."""
    _write(json.dumps(value, ensure_ascii=True, indent=2, allow_nan=False).encode() + b"\n")


def words(*lines: str) -> None:
    """Say something to the person, on stderr."""
    for line in lines:
        click.echo(safe_display(line).text, err=True)


def document(encoded: bytes, codec: str) -> None:
    """Write a document to stdout: JSON with what a terminal would obey escaped, or raw bytes.

    Raises:
        UsageError: raw bytes would go to a terminal.
    """
    terminal = sys.stdout.isatty()
    if codec == "json":
        _write(safe_json(encoded.decode()).encode() + b"\n" * terminal)
    elif terminal:
        raise click.UsageError(f"{codec} is binary: name a file with -o, or pipe stdout")
    else:
        _write(encoded)


def _write(given: bytes) -> None:
    """Write all of it: an unbuffered stdout takes a part in silence when its reader goes."""
    stream = sys.stdout.buffer
    left = memoryview(given)
    while left:
        left = left[stream.write(left) :]
    stream.flush()


def table(rows: Sequence[Sequence[str]], indent: int = 0) -> list[str]:
    """Align rows of safe cells in columns; the last column is as long as it is."""
    widths = [max(map(len, column)) for column in zip(*(row[:-1] for row in rows), strict=True)]
    return [
        " " * indent
        + "".join(f"{cell:<{width}}  " for cell, width in zip(row[:-1], widths, strict=True))
        + row[-1]
        for row in rows
    ]
