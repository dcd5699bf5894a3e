"""What happened in a run, one line an item."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from hitl.cli.display import safe_display
from hitl.cli.output import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.document import JSONObject, JSONValue
    from hitl.model import Item, RunState

_CELL = 40  # characters of an agent's name in a column


class Entry(NamedTuple):
    """One item of the history."""

    number: int
    kind: str
    agent: str | None
    call_id: str | None
    text: str


def lines(state: RunState, last: int, limit: int | None) -> list[str]:
    """Give the end of the history for a person.

    Args:
        state: the run.
        last: how many items.
        limit: characters of each; None shows all.
    """
    count = len(state.items)
    cut = f", the last {last} of them" if count > last else ""
    rows = [
        [
            str(each.number),
            each.kind,
            safe_display(each.agent or "-", _CELL).text,
            str(safe_display(each.text, limit)),
        ]
        for each in _entries(state, last)
    ]
    return [f"{count} {'item' if count == 1 else 'items'} of history{cut}", *table(rows, 2)]


def entries(state: RunState, last: int) -> list[JSONValue]:
    """Give the end of the history for programs; nothing is cut."""
    return [each._asdict() for each in _entries(state, last)]


def agent_name(state: RunState, position: int | None) -> str | None:
    """Give the name at a position in the table of agents; None if nobody stands there."""
    there = position is not None and 0 <= position < len(state.agents)
    return state.agents[position].name if there and position is not None else None


def _entries(state: RunState, last: int) -> Iterator[Entry]:
    items = state.items
    for index in range(max(0, len(items) - last), len(items)):
        item = items[index]
        agent = agent_name(state, item.agent)
        yield Entry(index + 1, item.kind, agent, item.call_id, said(state, item))


def said(state: RunState, item: Item) -> str:
    """Give an item in words."""
    raw = item.raw if isinstance(item.raw, dict) else {}
    match item.kind:
        case "message" | "input":
            return f"{raw.get('role') or 'user'}: {_text(raw.get('content', item.raw))}"
        case "tool_call" | "approval" | "handoff_call" | "mcp_approval_request":
            return f"{item.tool_name or raw.get('name') or raw.get('type')} {_arguments(raw)}"
        case "tool_output":
            return f"{item.call_id or '-'}: {_text(raw.get('output'))}"
        case "handoff_output":
            source, target = agent_name(state, item.source), agent_name(state, item.target)
            return f"{source or '-'} to {target or '-'}"
        case "reasoning":
            return _text(raw.get("summary"))
        case _:
            return _text(item.raw)


def _arguments(raw: JSONObject) -> str:
    for key in ("arguments", "input", "action", "actions", "operation", "operations"):
        if raw.get(key) is not None:
            return _text(raw[key])
    return ""


def _text(value: JSONValue) -> str:
    """Give the words in a content, or the value as JSON where it is no list of contents."""
    if isinstance(value, str):
        return value
    if value is None or value == []:
        return "-"
    if isinstance(value, list) and all(isinstance(each, dict) for each in value):
        return " ".join(_part(each) for each in value if isinstance(each, dict))
    return json.dumps(value, ensure_ascii=False)


def _part(part: JSONObject) -> str:
    text = part.get("text")
    return text if isinstance(text, str) else f"[{part.get('type')}]"
