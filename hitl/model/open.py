"""Which calls of a run are still to run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.model.span import positions

if TYPE_CHECKING:
    from hitl.model.state import RunState


def open_calls(state: RunState) -> frozenset[str]:
    """Give the ids of the calls of the last response that have no output yet."""
    if state.processed is None:
        return frozenset()
    called = {state.log.item(call.item).call_id for call in state.processed.calls}
    called |= {waiting.call_id for waiting in state.interruptions if not waiting.outer}
    return frozenset(call for call in called if call) - answered(state)


def answered(state: RunState) -> frozenset[str | None]:
    """Give the ids of the calls of a run that have an output."""
    kinds = {"tool_output", "handoff_output", "mcp_approval_response"}
    packed = state.generated or ()
    items = (state.log.item(position) for position in positions(packed))
    return frozenset(item.call_id for item in items if item.kind in kinds)
