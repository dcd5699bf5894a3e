"""What older releases say in other words, or in none: one run on the way down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hitl.dialects.openai_js import tool_names
from hitl.dialects.openai_js.fingerprint import dumps
from hitl.dialects.openai_js.shape import RUNS, SHAPE

if TYPE_CHECKING:
    from hitl.document import JSONObject

_ALIASES = "pendingAgentToolRunAliases"


def by_tool_name(run: JSONObject) -> JSONObject:
    """Record the decisions, and keep the runs inside, by the plain name of the tool."""
    run = tool_names.joined(run, tool_names.owned)
    texts, aliases = run.get(RUNS), run.get(_ALIASES)
    if not isinstance(texts, dict) or not isinstance(aliases, dict):
        return run
    plain = {str(canonical): alias for alias, canonical in aliases.items()}
    return {**run, RUNS: {plain.get(key, key): text for key, text in texts.items()}}


def unbound(run: JSONObject) -> JSONObject:
    """Record hosted decisions by tool name, and keep outputs as the text the model saw."""
    run = tool_names.joined(run, tool_names.hosted)
    return SHAPE.edit_place(run, "Item", _as_text)


def _as_text(item: JSONObject) -> JSONObject:
    output = item.get("output")
    if item.get("type") != "tool_call_output_item" or isinstance(output, str | None):
        return item
    raw: Any = item.get("rawItem")
    seen = raw.get("output") if isinstance(raw, dict) else None
    text = seen.get("text") if isinstance(seen, dict) else seen
    return {**item, "output": text if isinstance(text, str) else dumps(output)}
