"""`hitl resume`: go on with a stored run, with the agent's own code."""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hitl.cli import operand, output
from hitl.cli.command import Command
from hitl.cli.stored import ask, shown, store_option
from hitl.runtime.door import STORED

if TYPE_CHECKING:
    from hitl.runtime.durable.outcome import DurableRun
    from hitl.store import Store

_AGENT = "The agent the run started with, or a function that gives it."
_SESSION = "The session it started with, or a function that gives it."


@click.command(cls=Command, short_help="Go on with a stored run.")
@click.argument("run_id", metavar="RUN", callback=operand.text)
@store_option(required=True)
@click.option("--agent", "spec", required=True, metavar="MODULE:ATTRIBUTE", help=_AGENT)
@click.option("--max-turns", type=click.IntRange(1), help="A higher turn limit.")
@click.option("--no-turn-limit", "endless", is_flag=True, help="No turn limit.")
@click.option("--session", "memory", metavar="MODULE:ATTRIBUTE", help=_SESSION)
@click.option("--repair-session", is_flag=True, help="Take back what stands in it twice.")
@click.option("--allow-other-session", is_flag=True, help="Go on in another one, or without.")
@click.option("--force", is_flag=True, help="Go on although no verdict is new.")
def resume(
    *,
    run_id: str,
    url: str,
    spec: str,
    memory: str | None,
    max_turns: int | None,
    endless: bool,
    as_json: bool,
    **options: Any,  # noqa: ANN401 - of `hitl.resume`
) -> None:
    """Claim RUN and go on with it until a person is needed again, or it ends.

    A run that somebody else has is refused; one that waits, or has ended, is shown as it is.
    """
    if endless and max_turns is not None:
        raise click.UsageError("say one of --max-turns, --no-turn-limit")
    agent = _named("--agent", spec)
    session = None if memory is None else _named("--session", memory)
    turns = None if endless else STORED if max_turns is None else max_turns
    options["max_turns"] = turns
    run = ask(url, lambda store: _go_on(agent, run_id, store, session, options))
    waiting = [each.call for each in run.interruptions if each.decision is None]
    waits = run.status != "finished"
    final = None if run.final_output is None else str(run.final_output)
    if as_json:
        calls = list(waiting) if waits else []
        said: dict[str, Any] = {"run": run.id, "status": run.status, "waiting": calls}
        output.machine({**said, "final_output": final})
        return
    output.data([f"{shown(run.id)}: {run.status}"])
    if waits:
        output.data([f"waits: {shown(call)}" for call in waiting])
    elif final is not None:
        output.data([final])


async def _go_on(
    agent: Any,  # noqa: ANN401 - an agent, or what makes one
    run_id: str,
    store: Store,
    session: Any,  # noqa: ANN401 - a session, or what makes one
    options: dict[str, Any],
) -> DurableRun:
    from hitl.runtime.durable.door import resume as go_on

    agent, session = await _made(agent, "name"), await _made(session, "add_items")
    return await go_on(agent, run_id, store=store, session=session, **options)


async def _made(found: Any, has: str) -> Any:  # noqa: ANN401
    """Give what a function makes; what is no function, itself: it has what such a thing has."""
    if callable(found) and not hasattr(found, has):
        found = found()
    return await found if inspect.isawaitable(found) else found


def _named(option: str, spec: str) -> Any:  # noqa: ANN401 - a thing, or what makes one
    """Import what `module:attribute` names; modules are looked for here first.

    Raises:
        UsageError: there is no such thing.
    """
    module, _, attribute = spec.partition(":")
    if not module or not attribute:
        raise click.UsageError(f"expected {option} MODULE:ATTRIBUTE")
    sys.path.insert(0, str(Path.cwd()))
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as exc:
        raise click.UsageError(f"{option} {spec}: {exc}") from exc
    finally:
        sys.path.pop(0)
    return found
