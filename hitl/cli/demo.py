"""`hitl demo`: the whole cycle on a scripted model, offline, in a few seconds."""

from __future__ import annotations

import click

from hitl.cli import output
from hitl.cli.command import Command


@click.command(cls=Command, short_help="Pause, decide and resume a run, offline, in seconds.")
def demo(*, as_json: bool) -> None:
    """Pause a real run, decide it without its agent, resume it: three processes.

    Says what was proved. Needs no network and no key.
    """
    from hitl.runtime import demo as cycle  # imports an agent SDK, as no other command does

    facts = cycle.run(echo=output.words if as_json else _line)
    if as_json:
        output.machine(facts)


def _line(text: str) -> None:
    output.data([text])
