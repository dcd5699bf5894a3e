"""Run state → head and log entries of a store, and back.

The head is small: the native document without its log, and beside it what a durable run must know
and a run state does not say. `pack` is the one seam through which checkpoints are made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from attrs import evolve, frozen

from hitl import transfer
from hitl.errors import StoreCorrupt
from hitl.model import Conversation
from hitl.model.fit import fit
from hitl.runtime.durable.counter import limit_of

if TYPE_CHECKING:
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
class Added:
    """Input that was staged, or taken back, while the run rested.

    Attributes:
        by: who; None when not recorded.
        at: when, in ISO 8601 by the store's clock.
        items: how many items were staged then; 0 after they were taken back.
    """

    by: str | None
    at: str
    items: int


@frozen(kw_only=True)
class Note:
    """What a durable run knows beside its run state.

    Attributes:
        always: the verdicts that cover later calls.
        waved: calls that were stopped for the gate alone; no person is asked.
        done: whether `final` is the final output.
        final: the final output, tagged.
        added: who staged what waits to be delivered, in order.
        cut: whether a worker died before input was added to the run; nobody worked on it since.
        late: input, tagged, that came behind a request whose response no checkpoint holds; to be
            staged once that is given.
        left: the server conversations the run was in before, with what each has of it.
        span: where the span of the claim that wrote it is, as a traceparent.
    """

    always: tuple[Always, ...] = ()
    waved: tuple[str, ...] = ()
    done: bool = False
    final: Any = None
    added: tuple[Added, ...] = ()
    cut: bool = False
    late: tuple[Any, ...] = ()
    left: tuple[Conversation, ...] = ()
    span: str | None = None


@frozen(kw_only=True)
class Packed:
    """A checkpoint as a store takes it.

    Attributes:
        head: everything but the log.
        base: how long the log is now.
        new: the entries to append.
        entries: how long it is with them.
    """

    head: bytes
    base: int
    new: tuple[bytes, ...]
    entries: int


def pack(state: RunState, note: Note, stored: int) -> Packed:
    """Write a run over the log a store has of it.

    Args:
        state: the run; its log begins with the stored one.
        note: what belongs to it.
        stored: how long the stored log is.
    """
    head, log = transfer.pack(state)
    envelope = {"note": note, "state": msgspec.Raw(head)}
    return Packed(
        head=msgspec.json.encode(envelope), base=stored, new=log[stored:], entries=len(log)
    )


def unpack(stored: Stored) -> tuple[RunState, Note]:
    """Read the run a store holds at a checkpoint.

    Raises:
        StoreCorrupt: what is stored is no checkpoint of a durable run.
    """
    codec = transfer.codecs()["json"]
    parts = codec.split(stored.checkpoint.head if stored.checkpoint else b"{}")
    if not {"note", "state"} <= parts.keys():
        raise StoreCorrupt("expected a checkpoint of a durable run, found something else")
    state = transfer.unpack(parts["state"], stored.entries)
    limit = limit_of(state.turn.max, stored.effects)
    state = evolve(state, turn=evolve(state.turn, max=limit))
    return state, fit(codec.parse(parts["note"]), Note)
