"""What a run says of the runs inside it: it repeats the requests that wait there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.model.approval import request_mark
from hitl.model.decide import interruptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hitl.model.agent import Agent
    from hitl.model.record import Item
    from hitl.model.state import RunState


def asked_inside(runs: Iterable[RunState]) -> frozenset[bytes]:
    """Give the marks of what waits in runs inside, and deeper in them; see `mark`."""
    waiting = (each for run in runs for each in interruptions(run))
    return frozenset(request_mark(each.agent, each.call_id, each.raw) for each in waiting)


def mark(agents: Sequence[Agent], item: Item) -> bytes:
    """Give the mark of a request, with the table of agents of its run; see `request_mark`."""
    at = item.agent
    agent = None if at is None or not 0 <= at < len(agents) else agents[at].name
    return request_mark(agent, item.call_id or "", item.raw)
