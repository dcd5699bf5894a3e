"""What a stopped worker wrote to a session after its last checkpoint, taken back.

A session is a store of the user's without our fence. What follows the checkpoint there was written
by this run and will be written again; only what holds no message of a user is touched, but for the
input that the checkpoint has staged, so another conversation that went on in the meantime is left
alone.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from hitl import document
from hitl.model import positions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agents import Session

    from hitl.document import JSONObject
    from hitl.model import RunState

log = logging.getLogger("hitl")

_TAIL = 200  # items that are looked at
_UNSAVED = frozenset({"approval", "opaque"})


async def roll_back(session: Session, state: RunState) -> None:
    """Take back what follows the checkpoint `state` in its session."""
    if state.session_write is not None:  # the SDK settles such a write by itself
        return
    packed = state.session if state.session is not None else state.generated or ()
    items = [state.log.item(position) for position in positions(packed)]
    last = next((item.raw for item in reversed(items) if item.kind not in _UNSAVED), None)
    staged: list[Any] = [each.raw for each in state.pending_input]
    if isinstance(last, dict):
        await _pop_after(session, [last], staged=staged)


async def start_over(session: Session, given: object) -> None:
    """Take back an input, and what followed it, before it is given again."""
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    if isinstance(items, list) and items and all(isinstance(each, dict) for each in items):
        await _pop_after(session, items, themselves=True)


async def _pop_after(
    session: Session,
    wanted: Sequence[JSONObject],
    *,
    themselves: bool = False,
    staged: Sequence[JSONObject] = (),
) -> None:
    tail: list[Any] = list(await session.get_items(_TAIL))
    end = _end_of(tail, wanted)
    if end is None:
        return
    said = [_mark(each) for each in tail[end:] if _is_users(each)]
    # More may have been staged since; what that worker wrote is where it begins.
    if said != [_mark(each) for each in staged if _is_users(each)][: len(said)]:
        return
    surplus = len(tail) - end + (len(wanted) if themselves else 0)
    if surplus:
        log.warning("session: %s items of a stopped worker are taken back", surplus)
    for _ in range(surplus):
        await session.pop_item()


def _end_of(tail: Sequence[Any], wanted: Sequence[JSONObject]) -> int | None:
    """Give the place after the last occurrence of `wanted` in `tail`."""
    marks = [_mark(each) for each in tail]
    looked_for = [_mark(each) for each in wanted]
    for end in range(len(tail), len(wanted) - 1, -1):
        if marks[end - len(wanted) : end] == looked_for:
            return end
    return None


def _mark(item: Any) -> object:  # noqa: ANN401 - an item of a session
    kind, name = item.get("type"), item.get("call_id") or item.get("id")
    if name is not None:
        return kind, name
    return document.canonical([item.get("role"), item.get("content")])


def _is_users(item: Any) -> bool:  # noqa: ANN401
    return bool(item.get("role") in {"user", "system", "developer"})
