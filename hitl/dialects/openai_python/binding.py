"""Calls of local MCP tools that do not say which server they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.dialects.openai_python.nest import every, own, waiting
from hitl.revision import Loss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.model import RunState

_UNBOUND = (
    "which MCP server a call is for is not said, and the newer release does not run it; restore"
    " finds the server when it has the agent at hand"
)


def places(state: RunState) -> Iterator[str]:
    """Give the bindings that are missing, as far as a writer noted where a tool comes from."""
    for path, run in every(state):
        if run.processed is None or run.processed.mcp_bindings is not None:
            continue
        mine = own(run)
        if any(_local(mine.get(item.call_id or "")) for item in waiting(run)):
            yield f"{path}/last_processed_response/mcp_tool_bindings"


def unbound(state: RunState) -> Iterator[Loss]:
    """Say what cannot be computed from the state alone."""
    return (Loss(path=path, severity="warn", reason=_UNBOUND) for path in places(state))


def _local(item: object) -> bool:
    origin = getattr(item, "origin", None)
    return isinstance(origin, dict) and origin.get("type") == "mcp"
