"""`hitl check`: what a document is, and what stands in the way of going on with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hitl import transfer
from hitl.cli import folder, operand, output, stored
from hitl.cli.command import (
    REFUSED,
    Command,
    hint_text,
    loss_json,
    place,
    problem_json,
    repair_json,
)
from hitl.cli.display import safe_display
from hitl.cli.operand import Target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hitl.document import JSONObject
    from hitl.transfer import Report


_FOR = "Where the run shall go; its own format."


@click.command(cls=Command, short_help="What a state is, and what a target cannot hold of it.")
@click.argument("file", type=operand.FILE_OR_FOLDER, required=False)
@stored.store_option(required=False)
@click.option("--for", "target", callback=operand.target, metavar="DIALECT[@VERSION]", help=_FOR)
@click.pass_context
def check(
    ctx: click.Context, file: str | None, url: str | None, target: Target | None, *, as_json: bool
) -> None:
    """Say what FILE is, what is wrong with it, what a target cannot hold and what it repairs.

    Of a folder, or with --store of the runs there that have not ended, say for each what going
    there would break; by default the newest version of the state's own format. Exit code 1 when
    something could not go there without more being allowed.
    """
    if (file is None) == (url is None):
        raise click.UsageError("expected FILE or --store URL", ctx)
    many: Iterable[tuple[str, bytes]] | None = None
    if url is not None:
        many = folder.runs(url)
    elif Path(str(file)).is_dir():
        many = folder.files(Path(str(file)))
    if many is not None:
        ctx.exit(REFUSED if folder.check(many, target, as_json=as_json) else 0)
    data = operand.read(str(file))
    report = transfer.check(data)
    if target is not None and report.state is not None:
        target = target.checked(report.state)
        report = transfer.check(data, dialect=target.dialect, version=target.version)
    if as_json:
        output.machine(_json(report, target))
    else:
        output.data(_lines(report, target))
    ctx.exit(REFUSED if folder.stopped(report) else 0)


def _json(report: Report, target: Target | None) -> JSONObject:
    aim = target or Target(report.dialect or "", report.version)
    return {
        "dialect": report.dialect,
        "version": report.version,
        "codec": report.codec,
        "newer": report.newer,
        "for": {"dialect": aim.dialect, "version": _version(aim)} if aim.dialect else None,
        "problems": [problem_json(each) for each in report.problems],
        "losses": [loss_json(each) for each in report.losses],
        "repairs": [repair_json(each) for each in report.repairs],
    }


def _version(target: Target) -> str | None:
    if target.version is not None:
        return target.version
    return transfer.dialects()[target.dialect].chain.newest


def _lines(report: Report, target: Target | None) -> list[str]:
    rows = [["format", format_text(report)]]
    if target is not None:
        rows.append(["for", f"{target.dialect} {_version(target)}"])
    losses = [
        [
            f"  {each.severity}",
            place(each.path),
            safe_display(each.reason).text + hint_text(each),
        ]
        for each in report.losses
    ]
    repairs = [
        [
            f"  {each.name}",
            "when asked for" if each.opt_in else "always",
            place(each.path),
            safe_display(each.reason).text,
        ]
        for each in report.repairs
    ]
    problems = [f"  {safe_display(str(each), 1000).text}" for each in report.problems]
    rows += [["problems", _count(problems)]]
    lines = [*output.table(rows, 0), *problems]
    lines += [f"losses    {_count(losses)}", *output.table(losses)]
    return [*lines, f"repairs   {_count(repairs)}", *output.table(repairs)]


def _count(found: list[str] | list[list[str]]) -> str:
    return str(len(found) or "none")


def format_text(report: Report) -> str:
    """Give the format of a document for a person."""
    if report.dialect is None:
        return "not known"
    newer = ", newer than this hitl knows" if report.newer else ""
    version = safe_display(report.version or "", 40).text
    return f"{report.dialect} {version}, {report.codec}{newer}"
