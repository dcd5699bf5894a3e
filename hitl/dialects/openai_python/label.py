"""Calls of built-in tools that lack the name of their tool, which later releases compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from hitl.dialects.openai_python.nest import every
from hitl.model import ItemLog, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.model import Item, RunState

_BUILT_IN = frozenset({"apply_patch", "computer", "custom", "local_shell", "shell"})


def places(state: RunState) -> Iterator[str]:
    """Give the runs in which the last response calls such a tool."""
    for path, run in every(state):
        if any(_named(run, record.item) for record in run.log if record.item is not None):
            yield f"{path}/last_processed_response"


def with_names(run: RunState) -> RunState:
    """Give each such call the name its last response noted beside it."""
    codec = run.log.codec
    chunks = list(run.log.chunks)
    for position, chunk in enumerate(chunks):
        item = codec.read(chunk).item
        name = _named(run, item) if item is not None and item.call is None else None
        if item is not None and name is not None:
            chunks[position] = codec.encode(Record(item=evolve(item, tool_name=name)))
    return evolve(run, log=ItemLog(chunks, codec))


def _named(run: RunState, item: Item | None) -> str | None:
    if item is None or item.kind != "tool_call" or item.tool_name is not None:
        return None
    return _names(run).get(item.call_id or "")


def _names(run: RunState) -> dict[str, str]:
    found = {}
    for call in run.processed.calls if run.processed else ():
        name = call.tool.get("name") if isinstance(call.tool, dict) else None
        call_id = run.log.item(call.item).call_id
        if call.group in _BUILT_IN and isinstance(name, str) and call_id is not None:
            found[call_id] = name
    return found
