"""Schema 1.1: the run of an agent used as a tool stands inside the call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.dialects.openai_python.nest import every, own, waiting
from hitl.dialects.openai_python.shape import SHAPE
from hitl.revision import Added, Loss, Mend
from hitl.schema import ref

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.model import RunState

ADDED = (
    Added(
        place="FunctionCall",
        key="agent_run_state",
        schema=ref("Run"),
        severity="error",
        reason="the run inside the call is forgotten: the agent in it would start again",
    ),
)


def lost_runs(state: RunState) -> Iterator[Loss]:
    """Give the requests of runs inside that were not written down."""
    for path, run in every(state):
        inside = [inner for _, inner in every(run) if inner is not run]
        known = own(run).keys() | {item.call_id for inner in inside for item in waiting(inner)}
        for index, item in enumerate(waiting(run)):
            if item.call_id not in known:
                reason = "the run that asks was not saved: the agent in it would start again"
                at = f"{path}/current_step/data/interruptions/{index}"
                yield Loss(path=at, severity="error", reason=reason)


MENDS = (
    Mend(
        name="inner-run",
        reason="the run inside a call was not saved, and nothing can bring it back",
        left=lost_runs,
    ),
)

REVISION = SHAPE.revision(
    version="1.1",
    parent="1.0",
    summary="runs inside runs",
    source="openai-agents 0.9.1, agents/run_state.py",
    added=ADDED,
    mends=MENDS,
)
