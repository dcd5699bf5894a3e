"""Which of the generated items the current response brought: computed where no writer said it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from hitl.dialects.openai_python.nest import every
from hitl.model import positions, spans

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.document import JSONObject
    from hitl.model import RunState

_KEY = "generated_session_item_indexes"


def places(state: RunState) -> Iterator[str]:
    """Give the runs whose current response can be found among the items."""
    for path, run in every(state):
        if run.current_response is None and _found(run) is not None:
            yield f"{path}/current_response_generated_item_ownership"


def with_boundary(run: RunState) -> RunState:
    """Say where the current response begins, and which items of the two lists are one."""
    found = _found(run)
    if run.current_response is not None or found is None:
        return run
    dialect = run.origin.dialect
    own = run.extras.get(dialect, {})
    document = own.get("document")
    if not isinstance(document, dict) or _KEY not in document:
        own = {**own, "indexes": True}
    return evolve(run, current_response=found, extras={**run.extras, dialect: own})


def of_another(run: RunState) -> JSONObject | None:
    """Give the current response of a run that another SDK wrote, said or found.

    With output guardrails the SDK goes on with no run that does not say it. Another SDK lists a
    hosted request for approval among the items that came with it.
    """
    if run.current_response is not None or run.processed is None or run.step is None:
        return run.current_response
    asked = {*positions(run.step.interruptions or ())}
    new = spans(each for each in positions(run.processed.new_items or ()) if each not in asked)
    return _found(evolve(run, processed=evolve(run.processed, new_items=new)))


def _found(run: RunState) -> JSONObject | None:
    """Find the response as the SDK does (`run_state.py`, 0.24.0); None unless in one place only."""
    if run.processed is None or run.step is None or run.step.kind != "interruption":
        return None
    items = list(positions(run.generated or ()))
    new = list(positions(run.processed.new_items or ()))
    asked = list(positions(run.step.interruptions or ()))
    starts = _starts(run, items, new) if new and asked else []
    if len(starts) != 1 or items[starts[0] : starts[0] + len(new)] != new:
        return None
    after = starts[0] + len(new)
    if any(items[after:].count(position) != 1 for position in asked):
        return None
    indexes = [items.index(position, after) for position in asked]
    return {"start": starts[0], "end": len(items), "interruptions": [*indexes]}


def _starts(run: RunState, items: list[int], new: list[int]) -> list[int]:
    """Give the places where items stand that say the same as those the response brought."""
    chunks = run.log.chunks
    wanted = [chunks[position] for position in new]
    return [
        start
        for start in range(len(items) - len(new) + 1)
        if [chunks[position] for position in items[start : start + len(new)]] == wanted
    ]
