"""`hitl runs`, `cancel` and `prune`: stored runs, listed and looked after."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from hitl.cli import operand, output, stored
from hitl.cli.command import Command
from hitl.lifecycle import STATUSES

if TYPE_CHECKING:
    from hitl.lifecycle import Status
    from hitl.store import Run

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def duration(ctx: click.Context, param: click.Parameter, given: str) -> float:
    """Read `30d`, `12h`, `15m` or `90s`, in seconds."""
    found = re.fullmatch(r"(\d{1,9})([smhd])", given)
    if not found:
        raise click.BadParameter("expected a length of time such as 30d, 12h, 15m, 90s", ctx, param)
    return float(int(found[1]) * _UNITS[found[2]])


@click.command(cls=Command, short_help="Stored runs, oldest first.")
@stored.store_option(required=True)
@click.option("--status", multiple=True, type=click.Choice(STATUSES), help="Only such runs.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, help="How many; 100.")
@click.option("--after", metavar="RUN", callback=operand.text, help="Go on behind this run.")
def runs(
    *, url: str, status: tuple[Status, ...], limit: int, after: str | None, as_json: bool
) -> None:
    """List the runs in a store."""
    found = stored.ask(
        url, lambda store: store.runs(status=status or None, limit=limit, after=after)
    )
    if as_json:
        output.machine({"runs": [stored.run_json(run) for run in found]})
        return
    if found:
        output.data(output.table([_row(run) for run in found]))
    else:
        output.words("no runs")


def _row(run: Run) -> list[str]:
    why = f" ({run.reason})" if run.reason else ""
    return [shown(run.run_id), f"{run.status}{why}", stored.moment(run.updated_at) or ""]


shown = stored.shown


@click.command(cls=Command, short_help="Give a stored run up.")
@click.argument("run", callback=operand.text)
@stored.store_option(required=True)
@click.option("--note", callback=operand.text, help="Why, in one line.")
def cancel(*, run: str, url: str, note: str | None, as_json: bool) -> None:
    """Cancel RUN, on which nobody works; nothing of it can be decided or resumed any more."""
    report(stored.ask(url, lambda store: store.cancel(run, note=note)), as_json=as_json)


@click.command(cls=Command, short_help="Delete stored runs that ended long ago.")
@stored.store_option(required=True)
@click.option(
    "--older-than",
    "older_than_s",
    required=True,
    metavar="TIME",
    callback=duration,
    help="Not touched for so long: 30d, 12h, 15m, 90s.",
)
def prune(*, url: str, older_than_s: float, as_json: bool) -> None:
    """Delete finished and cancelled runs for good, from the file too."""
    count = stored.ask(url, lambda store: store.prune(older_than_s=older_than_s))
    if as_json:
        output.machine({"deleted": count})
    else:
        output.words(f"{count} {'run' if count == 1 else 'runs'} deleted")


def report(run: Run, *, as_json: bool) -> None:
    """Say what a run is now."""
    if as_json:
        output.machine(stored.run_json(run))
    else:
        output.words(f"{shown(run.run_id)} is {run.status}")
