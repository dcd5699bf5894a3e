"""The shape of a document: where the objects of each definition stand, and how a version is undone.

A place is the name of a definition in the schema. Runs inside a run are kept as text and have the
same places, so every function here goes through all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any, TypeAlias, cast

from hitl import document as json_document
from hitl.dialects.openai_js.fingerprint import dumps
from hitl.dialects.openai_js.wire import VERSION_KEY
from hitl.document import JSONObject, JSONValue, escape
from hitl.errors import DocumentError
from hitl.revision import Added, Loss, Mend, Revision

Route: TypeAlias = tuple[str, ...]
"""Keys from a run to an object; `*` is every entry of an array and every value of an object."""
RunStep: TypeAlias = Callable[[JSONObject], JSONObject]
Unknown: TypeAlias = Callable[[JSONObject, str], Iterator[Loss]]
"""Names what an older version does not know in a run; the run stands at the JSON Pointer."""

RUNS = "pendingAgentToolRuns"
ITEMS: tuple[Route, ...] = (
    ("generatedItems", "*"),
    ("currentStep", "data", "interruptions", "*"),
    ("lastProcessedResponse", "newItems", "*"),
)
PLACES: dict[str, tuple[Route, ...]] = {
    "Run": ((),),
    "Context": (("context",),),
    "Agent": (
        ("currentAgent",),
        ("outputGuardrailResults", "*", "agent"),
        *((*item, key) for item in ITEMS for key in ("agent", "sourceAgent", "targetAgent")),
    ),
    "Item": ITEMS,
    "Response": (("modelResponses", "*"), ("lastModelResponse",)),
    "Approval": (
        ("context", "approvals", "*"),
        ("context", "hostedMcpApprovals", "*"),
        ("context", "functionApprovals", "*", "approvals", "*"),
        ("context", "approvalInvocations", "*", "approvals", "*"),
    ),
    "Processed": (("lastProcessedResponse",),),
    "FunctionCall": (("lastProcessedResponse", "functions", "*"),),
}


def inner(given: JSONValue) -> JSONObject | None:
    """Give a run that is kept as text; None if it is no object."""
    if not isinstance(given, str):
        return None
    try:
        found = json_document.parse(given.encode("utf-8", "surrogatepass"), lenient=True)
    except DocumentError:
        return None
    return found if isinstance(found, dict) else None


def same_run(one: JSONValue, other: JSONValue) -> bool:
    """Tell whether two texts hold the same run, however they are spelled."""
    first, second = inner(one), inner(other)
    if first is None or second is None:
        return False
    return json_document.equal(_opened(first), _opened(second))


def _opened(run: JSONObject) -> JSONObject:
    """Give a run with the runs inside as objects."""
    texts = run.get(RUNS)
    if not isinstance(texts, dict):
        return run
    found = {key: (inner(text), text) for key, text in texts.items()}
    opened: JSONObject = {
        key: text if each is None else _opened(each) for key, (each, text) in found.items()
    }
    return {**run, RUNS: opened}


def runs(document: JSONObject, path: str = "") -> Iterator[tuple[str, JSONObject]]:
    """Give a run and all runs inside it, outermost first, each with its JSON Pointer."""
    yield path, document
    texts = document.get(RUNS)
    for key, text in texts.items() if isinstance(texts, dict) else ():
        found = inner(text)
        if found is not None:
            yield from runs(found, f"{path}/{RUNS}/{escape(key)}")


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


def every_run(step: RunStep) -> RunStep:
    """Make a step of one run a step of it and all runs inside, innermost first."""

    def all_of(run: JSONObject) -> JSONObject:
        texts = run.get(RUNS)
        if isinstance(texts, dict) and texts:
            run = {**run, RUNS: {key: changed(text) for key, text in texts.items()}}
        return step(run)

    def changed(text: JSONValue) -> JSONValue:
        found = inner(text)
        return text if found is None else dumps(all_of(found))

    return all_of


def revision(
    *,
    version: str,
    parent: str,
    summary: str,
    source: str,
    added: tuple[Added, ...] = (),
    downgrade: RunStep = lambda run: run,
    mends: tuple[Mend[Any], ...] = (),
    unknown: tuple[Unknown, ...] = (),
) -> Revision:
    """Make a version of what it declares; reading it changes the label and nothing else.

    On the way down its own `downgrade` rewrites one run, then the keys it added go.

    Args:
        version: see `Revision`, as for the next three.
        parent: the version before it.
        summary: one line: what it added.
        source: what first wrote it.
        added: the keys it added or changed.
        downgrade: rewrites what the parent says in other words; of one run.
        mends: what states of older versions need.
        unknown: name what the parent does not know although it has the key; of one run.
    """

    def up(run: JSONObject) -> JSONObject:
        return _relabelled(run, parent, version)

    def down(run: JSONObject) -> JSONObject:
        run = downgrade(run)
        for each in added:
            if not each.changed:
                run = edit_place(run, each.place, lambda given, key=each.key: _less(given, key))  # type: ignore[misc]
        return _relabelled(run, version, parent)

    def lost(document: JSONObject) -> tuple[Loss, ...]:
        found = tuple(each for path, run in runs(document) for each in _lost(run, path, added))
        more = (names(run, path) for path, run in runs(document) for names in unknown)
        return (*found, *chain.from_iterable(more))

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


def _less(given: JSONObject, key: str) -> JSONObject:
    return {k: v for k, v in given.items() if k != key} if key in given else given


def _relabelled(run: JSONObject, old: str, new: str) -> JSONObject:
    return {**run, VERSION_KEY: new} if run.get(VERSION_KEY) == old else run


def _lost(run: JSONObject, path: str, added: Iterable[Added]) -> Iterator[Loss]:
    for each in added:
        if each.severity is None:
            continue
        for at, given in find(run, each.place, path):
            if each.key in given and each.says(given[each.key]):
                place = f"{at}/{escape(each.key)}"
                yield Loss(path=place, severity=each.severity, reason=each.reason)
