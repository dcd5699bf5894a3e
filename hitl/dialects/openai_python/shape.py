"""The shape of a document: where the objects of each definition stand, and how a version is undone.

A place is the name of a definition in the schema. Runs inside other runs have the same places, so
every function here goes through all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias, cast

from hitl.dialects.openai_python.wire import GROUPS, VERSION_KEY
from hitl.document import JSONObject, JSONValue, escape
from hitl.revision import Added, Loss, Mend, Revision

Route: TypeAlias = tuple[str, ...]
"""Keys from a run to an object; `*` is every entry of an array and every value of an object."""
RunStep: TypeAlias = Callable[[JSONObject], JSONObject]
RunLosses: TypeAlias = Callable[[JSONObject, str], Iterable[Loss]]

INSIDE: Route = ("last_processed_response", "functions", "*", "agent_run_state")
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
PLACES: dict[str, tuple[Route, ...]] = {
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


def find(run: JSONObject, place: str, path: str = "") -> Iterator[tuple[str, JSONObject]]:
    """Give the objects of a place in one run, each with its JSON Pointer."""
    for route in PLACES[place]:
        yield from follow(run, route, path)


def follow(value: JSONValue, route: Route, path: str = "") -> Iterator[tuple[str, JSONObject]]:
    """Give the objects a route leads to, each with its JSON Pointer."""
    if not route:
        if isinstance(value, dict):
            yield path, value
        return
    for key, child in _children(value, route[0]):
        yield from follow(child, route[1:], f"{path}/{escape(key)}")


def edit(value: JSONValue, route: Route, change: RunStep) -> JSONValue:
    """Give `value` with each object the route leads to replaced; nothing is edited in place."""
    if not route:
        return change(value) if isinstance(value, dict) else value
    children = _children(value, route[0])
    new = {key: edit(child, route[1:], change) for key, child in children}
    if all(new[key] is child for key, child in children):
        return value
    return {**value, **new} if isinstance(value, dict) else list(new.values())


def _children(value: JSONValue, part: str) -> list[tuple[Any, Any]]:
    if isinstance(value, list):
        return list(enumerate(value)) if part == "*" else []
    if not isinstance(value, dict):
        return []
    return [(key, child) for key, child in value.items() if part in {"*", key}]


def edit_place(run: JSONObject, place: str, change: RunStep) -> JSONObject:
    """Give a run with each object of a place replaced."""
    for route in PLACES[place]:
        run = cast("JSONObject", edit(run, route, change))
    return run


def without(run: JSONObject, place: str, *keys: str) -> JSONObject:
    """Give a run without some keys of a place."""

    def change(given: JSONObject) -> JSONObject:
        if not given.keys() & set(keys):
            return given
        return {key: value for key, value in given.items() if key not in keys}

    return edit_place(run, place, change)


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
    return (at for at, item in find(run, "Item", path) if _typed(item, types))


def _typed(item: JSONValue, types: Sequence[str]) -> bool:
    return isinstance(item, dict) and item.get("type") in types


def runs(document: JSONObject, path: str = "") -> Iterator[tuple[str, JSONObject]]:
    """Give a run and all runs inside it, outermost first, each with its JSON Pointer."""
    yield path, document
    for at, run in follow(document, INSIDE, path):
        yield from runs(run, at)


def every_run(step: RunStep) -> RunStep:
    """Make a step of one run a step of it and all runs inside, innermost first."""

    def all_of(run: JSONObject) -> JSONObject:
        return step(cast("JSONObject", edit(run, INSIDE, all_of)))

    return all_of


def revision(
    *,
    version: str,
    parent: str,
    summary: str,
    source: str,
    added: tuple[Added, ...] = (),
    downgrade: RunStep = lambda run: run,
    losses: RunLosses = lambda _run, _path: (),
    mends: tuple[Mend[Any], ...] = (),
) -> Revision:
    """Make a version of what it declares.

    Reading it changes the label and nothing else: what an older writer left out stays left out.
    On the way down its own `downgrade` rewrites one run, then the keys it added go.

    Args:
        version: see `Revision`, as for the next four.
        parent: the version before it.
        summary: one line: what it added.
        source: what first wrote it.
        added: the keys it added or changed.
        downgrade: rewrites what the parent says in other words; of one run.
        losses: what the keys alone do not tell; of one run at a JSON Pointer.
        mends: what states of older versions need.
    """

    def up(run: JSONObject) -> JSONObject:
        return _relabelled(run, parent, version)

    def down(run: JSONObject) -> JSONObject:
        run = downgrade(run)
        for each in added:
            if not each.changed:
                run = without(run, each.place, each.key)
        return _relabelled(run, version, parent)

    def lost(document: JSONObject) -> tuple[Loss, ...]:
        return tuple(
            loss
            for path, run in runs(document)
            for loss in (*losses(run, path), *_lost_keys(run, path, added))
        )

    return Revision(
        version=version,
        parent=parent,
        summary=summary,
        source=source,
        upgrade=every_run(up),
        downgrade=every_run(down),
        losses=lost,
        added=added,
        mends=mends,
    )


def foreign(document: JSONObject, later: Iterable[Revision]) -> Iterator[str]:
    """Give the JSON Pointers of what only `later` versions write."""
    for path, run in runs(document):
        for each in (added for revision in later for added in revision.added):
            for at, given in find(run, each.place, path):
                if each.key in given and (not each.changed or each.new(given[each.key])):
                    yield f"{at}/{escape(each.key)}"


def _relabelled(run: JSONObject, old: str, new: str) -> JSONObject:
    """Change the label."""
    return {**run, VERSION_KEY: new} if run.get(VERSION_KEY) == old else run


def _lost_keys(run: JSONObject, path: str, added: Iterable[Added]) -> Iterator[Loss]:
    for each in added:
        if each.severity is None:
            continue
        for at, given in find(run, each.place, path):
            if each.key in given and each.says(given[each.key]):
                place = f"{at}/{escape(each.key)}"
                yield Loss(path=place, severity=each.severity, reason=each.reason)
