"""A written document to its place: a file, at once and whole, or stdout."""

from __future__ import annotations

import base64
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hitl.cli import output
from hitl.cli.command import loss_json, loss_lines, repair_json, repair_line

if TYPE_CHECKING:
    from hitl.document import JSONObject
    from hitl.transfer import Converted

STDIO = "-"
_PRIVATE = 0o600  # a paused run may hold secrets


def refuse_same(file: str, out: str) -> None:
    """Refuse to write over what was read, by whatever name.

    Raises:
        UsageError: OUT is FILE.
    """
    both = STDIO not in (file, out) and Path(out).exists()
    if both and os.path.samefile(file, out):  # noqa: PTH121 - the same for text and Path
        raise click.UsageError("OUT is FILE itself, and hitl never edits a state: name another")


def deliver(converted: Converted, file: str, out: str, *, as_json: bool, facts: JSONObject) -> None:
    """Write a document to OUT, and say what it could not hold.

    Args:
        converted: the document.
        file: what it was made from; a new file gets its mode.
        out: a path, or `-` for stdout.
        as_json: put `facts`, the losses and, without a path, the document into one JSON object.
        facts: what was done, for programs.
    """
    if out != STDIO:
        _write(converted.data, Path(out), file)
    if as_json:
        output.machine(facts | _described(converted, out))
        return
    output.words(*loss_lines(converted.losses), *map(repair_line, converted.repairs))
    if out == STDIO:
        output.document(converted.data, converted.codec)


def _described(converted: Converted, out: str) -> JSONObject:
    text = converted.codec == "json"
    inline = converted.data if out == STDIO else None
    written = None
    if inline is not None:
        written = inline.decode() if text else base64.b64encode(inline).decode()
    return {
        "dialect": converted.dialect,
        "version": converted.version,
        "codec": converted.codec,
        "losses": [loss_json(each) for each in converted.losses],
        "repairs": [repair_json(each) for each in converted.repairs],
        "output": None if out == STDIO else out,
        "encoding": "utf-8" if text else "base64",
        "document": written,
    }


def _write(data: bytes, out: Path, file: str) -> None:
    """Replace OUT in one step, so that nobody ever reads half of it."""
    target = Path(os.path.realpath(out))
    if target.exists() and not target.is_file():  # a pipe or a device cannot be replaced
        target.write_bytes(data)
        return
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(_mode(target, file))
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _mode(target: Path, file: str) -> int:
    """As readable as what it replaces, else as the state it was made from."""
    for path in (target, Path(file)):
        if path.is_file():
            return path.stat().st_mode & 0o777
    return _PRIVATE
