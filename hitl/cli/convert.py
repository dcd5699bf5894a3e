"""`hitl convert`: a paused run in another dialect, version or codec."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hitl import transfer
from hitl.cli import operand
from hitl.cli.command import Command
from hitl.cli.delivery import STDIO, deliver, refuse_same
from hitl.errors import UnknownRepair

if TYPE_CHECKING:
    from hitl.cli.operand import Target


_TO = "What to write; the newest version."
_RENAME = "For another SDK: what a pending tool or handoff is called there."
_TARGET = "For another SDK: the agent that a pending handoff goes to."
_AGENT = "For another SDK: an agent, by name or identity, and the one it is there."
_REPAIR = "A repair that is done only when asked for; see `hitl check`."


@click.command(cls=Command, short_help="The same run in another dialect, version or codec.")
@click.argument("file", type=operand.FILE)
@click.option(
    "--to", "target", callback=operand.target, required=True, metavar="DIALECT[@VERSION]", help=_TO
)
@click.option("-o", "--out", type=operand.OUT, default=STDIO, help="Where to; stdout.")
@click.option("--codec", callback=operand.codec, default="json", show_default=True)
@click.option("--allow-loss", is_flag=True, help="The target may ask again or need help.")
@click.option(
    "--repair",
    "repairs",
    multiple=True,
    metavar="NAME",
    help=_REPAIR,
)
@operand.pairs("--rename", "OLD=NEW", _RENAME)
@operand.pairs("--handoff-target", "NAME=AGENT", _TARGET, into="handoff_targets")
@operand.pairs("--agent-map", "OLD=NEW", _AGENT)
def convert(
    *,
    file: str,
    target: Target,
    out: str,
    codec: str,
    allow_loss: bool,
    repairs: tuple[str, ...],
    rename: dict[str, str],
    handoff_targets: dict[str, str],
    agent_map: dict[str, str],
    as_json: bool,
) -> None:
    """Write FILE in another dialect, version or codec.

    What the target cannot hold goes to stderr, and what was repaired; it is refused when the run
    would go on otherwise.
    """
    refuse_same(file, out)
    _refuse_unknown(repairs)
    _, state = operand.sound(operand.read(file))
    target = target.checked(state)
    converted = transfer.convert(
        state,
        dialect=target.dialect,
        version=target.version,
        codec=codec,
        allow_loss=allow_loss,
        repairs=repairs,
        rename=rename,
        handoff_targets=handoff_targets,
        agent_map=agent_map,
    )
    deliver(converted, file, out, as_json=as_json, facts={})


def _refuse_unknown(repairs: tuple[str, ...]) -> None:
    try:
        transfer.refuse_unknown(repairs)
    except UnknownRepair as exc:
        raise click.BadParameter(exc.message, param_hint="--repair") from None
