"""`hitl diff`: what differs between two paused runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hitl import document, transfer, values
from hitl.cli import operand, output
from hitl.cli.command import REFUSED, Command
from hitl.cli.delivery import STDIO
from hitl.cli.display import safe_display
from hitl.cli.show import compact
from hitl.document import escape
from hitl.model import decide

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.document import Change, JSONObject, JSONValue
    from hitl.model import RunState
    from hitl.transfer import Report

_SIGN = {"added": "+", "removed": "-", "changed": "~"}
_SECRET = "(secret)"  # noqa: S105 - what stands in for one
_PATH, _VALUE = 200, 120


@click.command(cls=Command, short_help="What differs between two states.")
@click.argument("a", type=operand.FILE)
@click.argument("b", type=operand.FILE)
@click.pass_context
def diff(ctx: click.Context, a: str, b: str, *, as_json: bool) -> None:
    """Show what differs between the paused runs A and B, by JSON Pointer; exit code 1 if any does.

    Documents of one dialect are compared as they stand, others by what native says of them.
    """
    if a == b == STDIO:
        raise click.UsageError("A and B cannot both be stdin")
    one, other = operand.read(a), operand.read(b)
    (first, mine), (second, theirs) = operand.readable(one), operand.readable(other)
    if first.dialect == second.dialect:
        dialect = str(first.dialect)
        changes = document.diff(_parsed(one, first), _parsed(other, second))
    else:
        dialect = transfer.NATIVE
        changes = document.diff(_native(mine), _native(theirs))
    secrets = {*_secrets(mine), *_secrets(theirs)}
    found = [_redacted(each, secrets) for each in changes]
    if as_json:
        output.machine({"different": bool(found), "compared_as": dialect, "changes": [*found]})
    else:
        output.data(_lines(found))
        output.words(_summary(len(found), dialect))
    ctx.exit(REFUSED if found else 0)


def _parsed(data: bytes, report: Report) -> JSONValue:
    return transfer.codecs()[str(report.codec)].parse(data, lenient=True)


def _native(state: RunState) -> JSONValue:
    converted = transfer.convert(state, allow_loss=True)
    return transfer.codecs()[converted.codec].parse(converted.data)


def _secrets(state: RunState) -> Iterator[str]:
    yield from state.secrets
    for _, run in decide.nested_runs(state):
        yield from _secrets(run)


def _redacted(change: Change, secrets: set[str]) -> JSONObject:
    body: JSONObject = {"kind": change.kind, "path": change.path}
    if change.kind != "added":
        body["before"] = values.encode(_without(change.before, change.path, secrets))
    if change.kind != "removed":
        body["after"] = values.encode(_without(change.after, change.path, secrets))
    return body


def _without(value: JSONValue, path: str, secrets: set[str]) -> JSONValue:
    """Give the value without secrets.

    A run inside another names its secrets from its own top, so a pointer may end with one.
    """
    if any(f"{secret}/" in f"{path}/" for secret in secrets):
        return _SECRET
    if isinstance(value, dict):
        return {k: _without(each, f"{path}/{escape(k)}", secrets) for k, each in value.items()}
    if isinstance(value, list):
        return [_without(each, f"{path}/{i}", secrets) for i, each in enumerate(value)]
    return value


def _lines(found: list[JSONObject]) -> list[str]:
    rows = []
    for each in found:
        shown = [
            safe_display(compact(each[side]), _VALUE).text
            for side in ("before", "after")
            if side in each
        ]
        path = safe_display(str(each["path"]), _PATH).text or "(top)"
        rows.append([_SIGN[str(each["kind"])], path, " -> ".join(shown)])
    return output.table(rows)


def _summary(count: int, dialect: str) -> str:
    if not count:
        return f"no difference, compared as {dialect}"
    return f"{count} {'difference' if count == 1 else 'differences'}, compared as {dialect}"
