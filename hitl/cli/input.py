"""`hitl add-input` and `hitl clear-input`: what a person says to a paused run; no agent needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hitl import transfer
from hitl.cli import operand, output, stored
from hitl.cli.command import Command
from hitl.cli.delivery import STDIO, deliver, refuse_same

if TYPE_CHECKING:
    from collections.abc import Callable

    from hitl.document import JSONObject
    from hitl.model import RunState

_BY = "With --store: who says it; for the record."
_OUT = "Where to; stdout."


def _options(function: Callable[..., None]) -> Callable[..., None]:
    for wrap in (
        click.option("-o", "--out", type=operand.OUT, default=STDIO, help=_OUT),
        click.option("--by", callback=operand.text, metavar="WHO", help=_BY),
        click.argument("file", metavar="FILE|RUN", callback=stored.file_or_run),
        stored.store_option(required=False),
    ):
        function = wrap(function)
    return function


@click.command("add-input", cls=Command, short_help="Say something to a paused run.")
@_options
@click.argument("text", callback=operand.text)
def add_input(
    *, file: str, text: str, url: str | None, by: str | None, out: str, as_json: bool
) -> None:
    """Stage TEXT: the model is told it once, after the outputs of the calls that wait.

    The changed state goes to stdout or OUT; FILE itself is never edited. With --store it is staged
    for RUN, on which nobody works now. A run that may end before the model is asked refuses it.
    """
    if url is not None:
        _stored(text, file, url, by, out, as_json=as_json)
    else:
        _changed(lambda state: state.add_input(text), file, by, out, as_json=as_json)


@click.command("clear-input", cls=Command, short_help="Take back what was said and not delivered.")
@_options
def clear_input(*, file: str, url: str | None, by: str | None, out: str, as_json: bool) -> None:
    """Take back all that is staged; the changed state goes to stdout or OUT, or stays in the store.

    FILE itself is never edited.
    """
    if url is not None:
        _stored(None, file, url, by, out, as_json=as_json)
    else:
        _changed(lambda state: state.clear_input(), file, by, out, as_json=as_json)


def _changed(
    change: Callable[[RunState], RunState], file: str, by: str | None, out: str, *, as_json: bool
) -> None:
    if by is not None:
        raise click.UsageError("--by goes with --store: a file does not record who says it")
    refuse_same(file, out)
    report, state = operand.sound(operand.read(file))
    changed = change(state)
    converted = transfer.convert(
        changed, dialect=report.dialect or "", version=report.version, codec=report.codec or ""
    )
    if not as_json:
        output.words(_sentence(changed))
    facts: JSONObject = {"pending_input": len(changed.pending_input)}
    deliver(converted, file, out, as_json=as_json, facts=facts)


def _stored(
    text: str | None, run_id: str, url: str, by: str | None, out: str, *, as_json: bool
) -> None:
    from hitl.runtime.durable import input as door

    if out != STDIO:
        raise click.UsageError("OUT is for files: a stored run is changed in its store")
    if text is None:
        run = stored.ask(url, lambda store: door.clear_input(store, run_id, by=by))
    else:
        run = stored.ask(url, lambda store: door.add_input(store, run_id, text, by=by))
    count = 0 if run.state is None else len(run.state.pending_input)
    if as_json:
        output.machine({"run": run.id, "status": run.status, "pending_input": count})
    elif run.state is not None:
        output.words(f"{_sentence(run.state)}; {stored.shown(run.id)} is {run.status}")


def _sentence(state: RunState) -> str:
    count = len(state.pending_input)
    if not count:
        return "nothing is staged"
    return f"{count} {'item is' if count == 1 else 'items are'} staged for the next model call"
