"""A run and the runs inside it: walking them, and whose a call is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from hitl.dialects.openai_python.fingerprint import CALLS
from hitl.document import escape
from hitl.model import positions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hitl.model import Call, Item, RunState

_CALLS = frozenset({"tool_call", "handoff_call", "mcp_approval_request"})


def every(run: RunState, path: str = "") -> Iterator[tuple[str, RunState]]:
    """Give a run and all runs inside it, outermost first, each with its JSON Pointer."""
    yield path, run
    for at, call in functions(run, path):
        if call.run is not None:
            yield from every(call.run, f"{at}/agent_run_state")


def functions(run: RunState, path: str) -> Iterator[tuple[str, Call]]:
    """Give the function calls of the last response, each with its JSON Pointer."""
    calls = run.processed.calls if run.processed else ()
    found = [call for call in calls if call.group == "function"]
    for index, call in enumerate(found):
        yield f"{path}/last_processed_response/functions/{index}", call


def on_every(run: RunState, change: Callable[[RunState], RunState]) -> RunState:
    """Give a run with a change made to it and to all runs inside, innermost first."""
    return change(on_inner(run, lambda inner: on_every(inner, change)))


def on_inner(run: RunState, change: Callable[[RunState], RunState]) -> RunState:
    """Give a run with a change made to each run that is directly inside it."""
    if run.processed is None or all(call.run is None for call in run.processed.calls):
        return run
    calls = tuple(
        call if call.run is None else evolve(call, run=change(call.run))
        for call in run.processed.calls
    )
    return evolve(run, processed=evolve(run.processed, calls=calls))


def undecided(run: RunState) -> RunState:
    """Give a run as its writer left it: without the decisions taken with hitl."""
    return on_every(run, lambda each: evolve(each, decisions=()))


def own(run: RunState) -> dict[str, Item]:
    """Give the calls a run made itself, by id; as the request for approval where there is one.

    What waits inside is repeated outside as a request without a call of its own.
    """
    items = [record.item for record in run.log if record.item is not None]
    found: dict[str, Item] = {}
    for item in items:
        if item.kind in _CALLS and item.call_id is not None and _is_call(item):
            found.setdefault(item.call_id, item)
    for call in run.processed.calls if run.processed else ():
        item = run.log.item(call.item)
        if item.call_id is not None and _is_call(item):
            found.setdefault(item.call_id, evolve(item, agent=run.current_agent))
    for item in items:
        mine = found.get(item.call_id or "")
        if item.kind == "approval" and mine is not None and item.agent == mine.agent:
            found[item.call_id or ""] = item
    return found


def waiting(run: RunState) -> list[Item]:
    """Give the requests that stopped a run, those of runs inside too, as the SDK lists them."""
    packed = run.step.interruptions if run.step else None
    return [run.log.item(position) for position in positions(packed or ())]


def kind(item: Item) -> str:
    """Give the type of a call in the Responses API."""
    return str(item.raw.get("type")) if isinstance(item.raw, dict) else ""


def record_at(path: str, key: str | None) -> str:
    """Give the JSON Pointer of a record that is kept by tool name."""
    return f"{path}/context/approvals/{escape(key or '')}"


def _is_call(item: Item) -> bool:
    return kind(item) in CALLS
