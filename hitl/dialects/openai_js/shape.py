"""The shape of the JavaScript SDK's RunState JSON; a run inside a run is kept as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl import document as json_document
from hitl.dialects.openai_js.fingerprint import dumps
from hitl.dialects.openai_js.wire import VERSION_KEY
from hitl.document import escape
from hitl.errors import DocumentError
from hitl.shape import Route, RunStep, Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hitl.document import JSONObject, JSONValue

RUNS = "pendingAgentToolRuns"
_ITEMS: tuple[Route, ...] = (
    ("generatedItems", "*"),
    ("currentStep", "data", "interruptions", "*"),
    ("lastProcessedResponse", "newItems", "*"),
)
_PLACES: dict[str, tuple[Route, ...]] = {
    "Run": ((),),
    "Context": (("context",),),
    "Agent": (
        ("currentAgent",),
        ("outputGuardrailResults", "*", "agent"),
        *((*item, key) for item in _ITEMS for key in ("agent", "sourceAgent", "targetAgent")),
    ),
    "Item": _ITEMS,
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


def run_keys(name: JSONValue, space: JSONValue, call_id: JSONValue) -> frozenset[str]:
    """Give the keys that the run inside a call can stand under, those of older releases too.

    Args:
        name: the name of the tool.
        space: its namespace.
        call_id: the call, whose id may hold colons as well.
    """
    tools = (
        str(name),
        f"{space}.{name}",
        dumps(["bare", name]),
        dumps(["namespaced", space, name]),
        dumps(["deferred_top_level", name]),
    )
    return frozenset(f"{tool}:{call_id}" for tool in tools)


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
    return _replaced(run, _opened)


def _inside(run: JSONObject, path: str) -> Iterator[tuple[str, JSONObject]]:
    texts = run.get(RUNS)
    for key, text in texts.items() if isinstance(texts, dict) else ():
        found = inner(text)
        if found is not None:
            yield f"{path}/{RUNS}/{escape(key)}", found


def _changed_inside(run: JSONObject, step: RunStep) -> JSONObject:
    return _replaced(run, lambda each: dumps(step(each)))


def _replaced(run: JSONObject, change: Callable[[JSONObject], JSONValue]) -> JSONObject:
    texts = run.get(RUNS)
    if not isinstance(texts, dict) or not texts:
        return run
    found = {key: (inner(text), text) for key, text in texts.items()}
    return {
        **run,
        RUNS: {key: text if each is None else change(each) for key, (each, text) in found.items()},
    }


SHAPE = Shape(
    version_key=VERSION_KEY, places=_PLACES, inside=_inside, changed_inside=_changed_inside
)
