"""Run state → head and log entries of a store, and back.

The head is small: the native document without its log, and beside it what a durable run must know
and a run state does not say. `pack` is the one seam through which checkpoints are made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from attrs import field, frozen

from hitl import transfer
from hitl.dialects.native import wire
from hitl.errors import StoreCorrupt
from hitl.model import Agent
from hitl.model.fit import fit
from hitl.model.rebase import rebase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.document import JSONObject
    from hitl.model import RunState
    from hitl.store import Stored


@frozen(kw_only=True)
class Always:
    """A verdict that covers later calls of one tool of one agent in one run.

    Attributes:
        outer: the names of the calls around that run; empty for the outer run.
        agent, tool: whose calls.
        approved: the verdict.
        message: what the model is told of a rejected call.
        by: who said so.
    """

    outer: str
    agent: str | None
    tool: str
    approved: bool
    message: str | None = None
    by: str | None = None


@frozen(kw_only=True)
class Note:
    """What a durable run knows beside its run state.

    Attributes:
        always: the verdicts that cover later calls.
        waved: calls that were stopped for the gate alone; no person is asked.
        done: whether `final` is the final output.
        final: the final output, tagged.
        span: where the span of the claim that wrote it is, as a traceparent.
    """

    always: tuple[Always, ...] = ()
    waved: tuple[str, ...] = ()
    done: bool = False
    final: Any = None
    span: str | None = None


@frozen(kw_only=True)
class Packed:
    """A checkpoint as a store takes it.

    Attributes:
        head: everything but the log.
        base: how long the log is now.
        new: the entries to append.
        entries: the log with them.
        agents: the table of agents it was written under.
    """

    head: bytes
    base: int
    new: tuple[bytes, ...]
    entries: tuple[bytes, ...] = field(repr=False)
    agents: tuple[Agent, ...] = field(repr=False)


def pack(
    state: RunState, note: Note, known: Sequence[bytes], agents: Sequence[Agent] = ()
) -> Packed:
    """Write a run over the log a store has of it.

    Args:
        state: the run.
        note: what belongs to it.
        known: the log as it is stored.
        agents: the table of agents that log was written under.
    """
    moved = rebase(state, known, agents)
    codec = transfer.codecs()["json"]
    parts = codec.split(transfer.dumps(moved))
    entries = tuple(codec.elements(parts.pop(wire.ITEMS)))
    head: JSONObject = {name: codec.parse(part) for name, part in parts.items()}
    envelope: JSONObject = {"note": codec.parse(msgspec.json.encode(note)), "state": head}
    return Packed(
        head=codec.encode(envelope),
        base=len(known),
        new=entries[len(known) :],
        entries=entries,
        agents=moved.agents,
    )


def unpack(stored: Stored) -> tuple[RunState, Note]:
    """Read the run a store holds at a checkpoint.

    Raises:
        StoreCorrupt: what is stored is no checkpoint of a durable run.
    """
    codec = transfer.codecs()["json"]
    head = stored.checkpoint.head if stored.checkpoint else b"{}"
    envelope: Any = codec.parse(head)
    if not isinstance(envelope, dict) or not {"note", "state"} <= envelope.keys():
        raise StoreCorrupt("expected a checkpoint of a durable run, found something else")
    document = codec.join(envelope["state"], {wire.ITEMS: stored.entries})
    return transfer.loads(document), fit(envelope["note"], Note)
