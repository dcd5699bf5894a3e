"""`hitl reconcile`: what became of a call, or of a request to a model, that was cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import click

from hitl import document
from hitl.cli import operand, stored
from hitl.cli.command import Command
from hitl.cli.runs import report
from hitl.runtime.durable.door import reconcile as by_listing
from hitl.runtime.durable.turn import turn_of

if TYPE_CHECKING:
    from hitl.store import Run, Settlement, Store


@click.command(cls=Command, short_help="Say what became of a call, or a request, that was cut.")
@click.argument("run", callback=operand.text)
@click.argument("call", callback=operand.text, required=False)
@stored.store_option(required=True)
@click.option("--happened", metavar="OUTPUT", callback=operand.text, help="It did; its output.")
@click.option("--rerun", is_flag=True, help="It did not: run it again.")
@click.option("--abandon", is_flag=True, help="Give the run up.")
@click.option("--listing", metavar="FILE", type=click.File("rb"), help="What the server has.")
@click.option("--start", metavar="N", type=int, help="Where in it the request would begin.")
def reconcile(
    *,
    run: str,
    call: str | None,
    url: str,
    happened: str | None,
    rerun: bool,
    abandon: bool,
    listing: BinaryIO | None,
    start: int | None,
    as_json: bool,
) -> None:
    """Settle CALL of RUN, which was cut between its start and its result.

    A request to a server conversation is settled by --listing, a JSON list of what the
    conversation holds, oldest first; no CALL is named then. Where the first request of a run
    would begin in it nobody knows: --start 0 says that the conversation was made for the run. The
    OUTPUT of a request is a JSON list of items too.
    """
    if (happened is not None) + rerun + abandon + (listing is not None) != 1:
        raise click.UsageError("say one of --happened OUTPUT, --rerun, --abandon, --listing FILE")
    if (call is None) is (listing is None):
        raise click.UsageError("name the CALL, or give a --listing of its conversation")
    items = None if listing is None else _items(listing.read())
    how: Settlement = "rerun" if rerun else "abandon" if abandon else "happened"

    async def settle(store: Store) -> Run:
        if items is not None:
            return await by_listing(store, run, items, start=start)
        names = [each.call for each in (await store.load(run)).effects]
        name = stored.exact(names, call or "")
        if happened is not None and turn_of(name) is not None:
            from hitl.runtime.durable.settle import by_hand

            return await by_hand(store, run, name, _items(happened.encode()))
        # As the runtime records what a tool gave.
        result = None if happened is None else document.encode({"value": happened})
        return await store.settle(run, name, how, result=result)

    report(stored.ask(url, settle), as_json=as_json)


def _items(data: bytes) -> list[Any]:
    found = document.parse(data)
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise click.BadParameter("expected a JSON list of items, found something else")
    return found
