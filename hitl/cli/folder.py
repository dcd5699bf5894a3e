"""`hitl check` of many: what a deploy would break of the paused runs in a folder or a store."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, TypeAlias

from attrs import frozen

from hitl import transfer
from hitl.cli import operand, output, stored
from hitl.cli.command import loss_json, problem_json, repair_json
from hitl.cli.display import safe_display
from hitl.cli.operand import Target
from hitl.errors import UnknownDialect
from hitl.lifecycle import OPEN
from hitl.transfer import Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from hitl.document import JSONObject
    from hitl.store import Store

Fate: TypeAlias = Literal["goes on", "repaired", "asks again", "broken", "no state"]
_FATES: tuple[Fate, ...] = ("goes on", "repaired", "asks again", "broken", "no state")


@frozen(kw_only=True)
class _Row:
    """One file, or one stored run.

    Attributes:
        name: its path below the folder, or its run id.
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


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Give every file in a folder and below, by its path there."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield path.relative_to(folder).as_posix(), operand.read(str(path))


def runs(url: str) -> list[tuple[str, bytes]]:
    """Give the document of every run in a store that is still to go on, by its id.

    A run without a checkpoint starts anew, whatever the release: it is left out.
    """
    return stored.ask(url, _documents)


async def _documents(store: Store) -> list[tuple[str, bytes]]:
    from hitl.runtime.durable.packed import unpack

    found: list[tuple[str, bytes]] = []
    last: str | None = None
    while page := await store.runs(status=OPEN, after=last):
        last = page[-1].run_id
        for run in page:
            held = await store.load(run.run_id)
            if held.checkpoint is not None:
                found.append((run.run_id, transfer.dumps(unpack(held)[0])))
    return found


def check(given: Iterable[tuple[str, bytes]], target: Target | None, *, as_json: bool) -> bool:
    """Print what becomes of every document; give whether any would not go on.

    Args:
        given: the documents, each with its name.
        target: where the runs shall go; by default the newest version of their own format.
        as_json: print for programs.
    """
    rows = [_row(name, data, target) for name, data in given]
    counted = Counter(row.fate for row in rows)
    broken = bool(counted["broken"] or counted["asks again"])
    if as_json:
        totals: JSONObject = {fate: counted[fate] for fate in _FATES}
        output.machine({"files": [_json(row) for row in rows], "totals": totals})
        return broken
    lines = output.table([[safe_display(row.name).text, _format(row), row.fate] for row in rows])
    reasons = [line for row in rows for line in _reasons(row)]
    total = ", ".join(f"{fate}: {counted[fate]}" for fate in _FATES if counted[fate])
    output.data([*lines, *reasons, total or "nothing"])
    return broken


def _row(name: str, data: bytes, target: Target | None) -> _Row:
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
