"""What the calls of a run are for, and whether there is anything left to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from hitl.model import positions
from hitl.model.open import answered

if TYPE_CHECKING:
    from hitl.model import Call, Item, RunState

Ending: TypeAlias = Literal["paused", "cut", "finished", "unknown"]


def waiting(state: RunState) -> tuple[Item, ...]:
    """Give the approval requests that stopped the run, as the SDK lists them."""
    packed = state.step.interruptions if state.step else None
    return tuple(state.log.item(position) for position in positions(packed or ()))


def unsent(state: RunState) -> frozenset[str]:
    """Give the ids of the calls of the last response that have run: the server waits for them."""
    calls = state.processed.calls if state.processed else ()
    called = {state.log.item(call.item).call_id for call in calls}
    return frozenset(call for call in called & answered(state) if call)


def tool_of(call: Call) -> str:
    """Give the name of the tool a call is for; of a hosted MCP server, its label."""
    tool = call.tool if isinstance(call.tool, dict) else {}
    config = tool.get("tool_config")
    if call.group == "hosted_mcp" and isinstance(config, dict):
        return str(config.get("server_label"))
    return str(tool.get("tool_name") or tool.get("name"))


def ending(state: RunState) -> Ending:
    """Tell how the run stopped, also where the writer left no step.

    finished: the last response ends in a message and nothing it called is open. cut: there is no
    response yet, the run starts over. unknown: the writer's silence can mean either.
    """
    if state.step is not None and state.step.kind != "unknown":
        return "paused"
    if not state.responded and state.last_response is None:
        return "cut"
    last = state.responses[-1] if state.responded else None
    if last is None or not last.output:
        return "unknown"
    items = [state.log.item(position) for position in last.output]
    called = {item.call_id for item in items if item.call_id is not None}
    raw = items[-1].raw
    ends = isinstance(raw, dict) and raw.get("type", "message") == "message"
    return "finished" if ends and called <= answered(state) else "unknown"
