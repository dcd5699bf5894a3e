"""Schema 1.13: programs that call tools, and which item of one list is which of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.dialects.openai_python.shape import ACTIONS, SHAPE
from hitl.revision import Added, Loss
from hitl.schema import COUNT, COUNT_OR_NULL, DIGEST, closed, listed
from hitl.shape import follow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.document import JSONObject

ADDED = (
    Added(
        place="Run",
        key="nested_history_owned_session_item_refs",
        schema=listed(closed({"index": COUNT, "digest": DIGEST, "input_index": COUNT})),
        severity="warn",
        reason="items that a handoff put into the input may be sent to the model twice",
    ),
    # Found again by comparing the items.
    Added(place="Run", key="generated_session_item_indexes", schema=listed(COUNT_OR_NULL)),
)


def losses(run: JSONObject, path: str) -> Iterator[Loss]:
    """Name what a program did: no older release, and no reader of an older state, takes it."""
    raws = [(f"{at}/raw_item", item.get("raw_item")) for at, item in SHAPE.find(run, "Item", path)]
    for route in ACTIONS:
        raws += [
            (f"{at}/tool_call", call.get("tool_call")) for at, call in follow(run, route, path)
        ]
    for at, raw in raws:
        if isinstance(raw, dict) and _by_program(raw):
            reason = "a program that calls tools is unknown to the older release"
            yield Loss(path=at, severity="error", reason=reason)


def _by_program(raw: JSONObject) -> bool:
    caller = raw.get("caller")
    called = isinstance(caller, dict) and caller.get("type") == "program"
    return called or raw.get("type") in {"program", "program_output"}


REVISION = SHAPE.revision(
    version="1.13",
    parent="1.12",
    summary="programs that call tools; generated and session items are matched",
    source="openai-agents 0.19.0, agents/run_state.py",
    added=ADDED,
    unknown=(losses,),
)
