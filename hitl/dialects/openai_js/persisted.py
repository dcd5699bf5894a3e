"""How much of the run a session has: an index over all generated items here, a count in the model.

The model counts the items of the current turn without requests for approval; the SDK names the
index behind the last item, requests included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.model import positions

if TYPE_CHECKING:
    from hitl.document import JSONObject
    from hitl.model import RunState

KEY = "currentTurnPersistedItemCount"


def read(state: RunState, given: JSONObject) -> int | None:
    """Give the count of the current turn."""
    index = given.get(KEY)
    if type(index) is not int or index < 0:
        return None
    kinds = _kinds(state)
    return sum(kind != "approval" for kind in kinds[_start(state) : index])


def write(state: RunState, *, alone: bool) -> int:
    """Give the index over all generated items.

    Args:
        state: the run.
        alone: whether it runs without a session as far as can be told.
    """
    count = state.persisted or 0
    if count == 0 and alone:
        return 0
    kinds = _kinds(state)
    index = _start(state)
    while index < len(kinds) and (count > 0 or kinds[index] == "approval"):
        count -= kinds[index] != "approval"
        index += 1
    return index


def _kinds(state: RunState) -> list[str]:
    return [state.log.item(position).kind for position in positions(state.generated or ())]


def _start(state: RunState) -> int:
    """Give the index of the first item of the current turn."""
    start = (state.current_response or {}).get("start")
    if isinstance(start, int):
        return start
    generated = list(positions(state.generated or ()))
    new = list(positions(state.processed.new_items or ())) if state.processed else []
    return generated.index(new[0]) if new and new[0] in generated else 0
