"""The shape of the Python SDK's RunState JSON; a run inside a run stands in its call."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from hitl.dialects.openai_python.wire import GROUPS, VERSION_KEY
from hitl.shape import Route, RunStep, Shape, edit, follow

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hitl.document import JSONObject, JSONValue

_INSIDE: Route = ("last_processed_response", "functions", "*", "agent_run_state")
_ITEMS: tuple[Route, ...] = (
    ("generated_items", "*"),
    ("session_items", "*"),
    ("current_step", "data", "interruptions", "*"),
    ("last_processed_response", "new_items", "*"),
    ("last_processed_response", "interruptions", "*"),
)
_RECORDS: tuple[Route, ...] = (
    ("context", "approvals", "*"),
    ("context", "function_tool_approvals", "*", "decision"),
    ("context", "hosted_mcp_approvals", "*", "decision"),
)
_PLACES: dict[str, tuple[Route, ...]] = {
    "Run": ((),),
    "Context": (("context",),),
    "Agent": (
        ("current_agent",),
        ("output_guardrail_results", "*", "agent"),
        ("context", "function_tool_approvals", "*", "agent"),
        *((*item, key) for item in _ITEMS for key in ("agent", "source_agent", "target_agent")),
    ),
    "Item": _ITEMS,
    "Response": (("model_responses", "*"), ("last_model_response",)),
    "Approval": _RECORDS,
    "Waiting": (("current_step", "data"),),
    "Processed": (("last_processed_response",),),
    "FunctionCall": (("last_processed_response", "functions", "*"),),
    "FunctionTool": (("last_processed_response", "functions", "*", "tool"),),
    "SessionWrite": (("pending_session_write",),),
    "Step": (("current_step",),),
    "Trace": (("trace",),),
}
ACTIONS: tuple[Route, ...] = tuple(("last_processed_response", key, "*") for key, _, _ in GROUPS)


def _inside(run: JSONObject, path: str) -> Iterator[tuple[str, JSONObject]]:
    return follow(run, _INSIDE, path)


def _changed_inside(run: JSONObject, step: RunStep) -> JSONObject:
    return cast("JSONObject", edit(run, _INSIDE, step))


SHAPE = Shape(
    version_key=VERSION_KEY, places=_PLACES, inside=_inside, changed_inside=_changed_inside
)


def without_items(run: JSONObject, *types: str) -> JSONObject:
    """Give a run without items of some types; the map between its lists goes with them."""

    def change(run: JSONValue, route: Route) -> JSONValue:
        *holder, key = route[:-1]

        def kept(given: JSONObject) -> JSONObject:
            items = given.get(key)
            if not isinstance(items, list) or not any(_typed(each, types) for each in items):
                return given
            return {**given, key: [each for each in items if not _typed(each, types)]}

        return edit(run, tuple(holder), kept)

    left: JSONValue = run
    for route in _ITEMS:
        left = change(left, route)
    maps = ("generated_session_item_indexes", "nested_history_owned_session_item_refs")
    run_left = cast("JSONObject", left)
    return run_left if left is run else {**run_left, **{k: [] for k in maps if k in run_left}}


def typed_items(run: JSONObject, path: str, *types: str) -> Iterator[str]:
    """Give the JSON Pointers of the items of some types."""
    return (at for at, item in SHAPE.find(run, "Item", path) if _typed(item, types))


def _typed(item: JSONValue, types: Sequence[str]) -> bool:
    return isinstance(item, dict) and item.get("type") in types
