"""`hitl check FOLDER`: what a deploy would break of the paused runs that lie in a folder."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, TypeAlias

from attrs import frozen

from hitl import transfer
from hitl.cli import operand, output
from hitl.cli.command import loss_json, problem_json, repair_json
from hitl.cli.display import safe_display
from hitl.cli.operand import Target
from hitl.errors import UnknownDialect
from hitl.transfer import Report

if TYPE_CHECKING:
    from pathlib import Path

    from hitl.document import JSONObject

Fate: TypeAlias = Literal["goes on", "repaired", "asks again", "broken", "no state"]
_FATES: tuple[Fate, ...] = ("goes on", "repaired", "asks again", "broken", "no state")


@frozen(kw_only=True)
class _Row:
    """One file.

    Attributes:
        name: its path below the folder.
        report: what it is, and what going to its target costs.
        target: where it would go; None when it is no state.
        fate: what becomes of the run.
    """

    name: str
    report: Report
    target: Target | None
    fate: Fate


def stopped(report: Report) -> bool:
    """Tell whether a state could not go there without more being allowed."""
    return bool(report.problems) or any(loss.severity != "info" for loss in report.losses)


def check(folder: Path, target: Target | None, *, as_json: bool) -> bool:
    """Print what becomes of every file in a folder and below; give whether any would not go on.

    Args:
        folder: where the files lie.
        target: where the runs shall go; by default the newest version of their own format.
        as_json: print for programs.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    rows = [_row(path, path.relative_to(folder).as_posix(), target) for path in files]
    counted = Counter(row.fate for row in rows)
    broken = bool(counted["broken"] or counted["asks again"])
    if as_json:
        totals: JSONObject = {fate: counted[fate] for fate in _FATES}
        output.machine({"files": [_json(row) for row in rows], "totals": totals})
        return broken
    lines = output.table([[safe_display(row.name).text, _format(row), row.fate] for row in rows])
    reasons = [line for row in rows for line in _reasons(row)]
    total = ", ".join(f"{fate}: {counted[fate]}" for fate in _FATES if counted[fate])
    output.data([*lines, *reasons, total or "no file"])
    return broken


def _row(path: Path, name: str, target: Target | None) -> _Row:
    data = operand.read(str(path))
    report = transfer.check(data)
    if report.state is None:
        # Session histories lie beside states: lists, or objects that no dialect claims.
        unknown = isinstance(report.problems[0], UnknownDialect) or data.lstrip()[:1] == b"["
        return _Row(name=name, report=report, target=None, fate="no state" if unknown else "broken")
    aim = target or Target(report.state.origin.dialect)
    if aim.dialect in transfer.dialects():
        aim = aim.checked(report.state)
        report = transfer.check(data, dialect=aim.dialect, version=aim.version)
    return _Row(name=name, report=report, target=aim, fate=_fate(report))


def _fate(report: Report) -> Fate:
    if report.problems or any(loss.severity == "error" for loss in report.losses):
        return "broken"
    if stopped(report):
        return "asks again"
    return "repaired" if any(not each.opt_in for each in report.repairs) else "goes on"


def _format(row: _Row) -> str:
    return safe_display(f"{row.report.dialect or '-'} {row.report.version or ''}", 60).text


def _reasons(row: _Row) -> list[str]:
    """Say why a run would not go on as it is."""
    if row.fate not in {"broken", "asks again"}:
        return []
    said = [str(each) for each in row.report.problems]
    said += [
        f"{each.severity}: {each.reason} - at {each.path or 'the top'}"
        for each in row.report.losses
        if each.severity != "info"
    ]
    return [f"{row.name}: {safe_display(each, 1000).text}" for each in said]


def _json(row: _Row) -> JSONObject:
    report = row.report
    return {
        "file": row.name,
        "dialect": report.dialect,
        "version": report.version,
        "for": {"dialect": row.target.dialect, "version": row.target.version}
        if row.target
        else None,
        "fate": row.fate,
        "problems": [problem_json(each) for each in report.problems],
        "losses": [loss_json(each) for each in report.losses],
        "repairs": [repair_json(each) for each in report.repairs],
    }
