"""The turn counter of a durable run: never lowered, never charged twice.

A turn is a model call. The SDK counts it before it asks; a checkpoint counts those that were
answered, so that the call is counted when it is made again, and a cut uses no turn (X-9).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from hitl import document
from hitl.model import Step, count
from hitl.runtime.door import STORED
from hitl.runtime.durable.turn import LIMIT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agents import RunResultStreaming

    from hitl.model import RunState
    from hitl.store import Effect


def asking(state: RunState) -> RunState:
    """Give a state taken before a model call: one that makes the call when it is taken up."""
    turn = evolve(state.turn, current=max(0, state.turn.current - 1))
    return evolve(state, turn=turn, step=Step(kind="run_again"))


def whole(state: RunState, before: RunState | None) -> RunState | None:
    """Give a state taken where the run was stopped, if it is after whole turns; None if not.

    Args:
        state: the state; a call that was made and not answered is counted in it.
        before: the newest checkpoint; None before the first.
    """
    if state.step is None or not state.responded:
        return None
    known = 0 if before is None else before.turn.current
    had = 0 if before is None else count(before.responded or ())
    answered = count(state.responded) - had
    if state.turn.current <= known + answered:
        return state
    return asking(state) if answered else None


def at_limit(result: RunResultStreaming | None) -> bool:
    """Tell whether a run has come to its own turn limit, and not only one inside it."""
    if result is None or result.max_turns is None:
        return False
    return result.current_turn > result.max_turns


def raised(limit: int | None, wanted: object) -> int | None:
    """Give a limit raised to what is wanted; a lower one changes nothing.

    Args:
        limit: the limit there is; None for none.
        wanted: a number of turns, None for no limit, or `STORED` for the limit there is.

    Raises:
        ValueError: it is none of these.
    """
    if wanted is STORED:
        return limit
    if wanted is None:
        return None
    if type(wanted) is not int or wanted < 0:
        raise ValueError(f"expected a number of turns or None for max_turns, found {wanted!r}")
    return None if limit is None else max(limit, wanted)


def dump_limit(limit: int | None) -> bytes:
    """Write a limit that was raised since the newest checkpoint."""
    return document.encode(limit)


def limit_of(before: int | None, effects: Iterable[Effect]) -> int | None:
    """Give the limit of a run, raised since its newest checkpoint or not.

    Args:
        before: the limit there.
        effects: the run's.
    """
    for each in effects:
        if each.call.startswith(LIMIT) and each.result is not None:
            before = raised(before, document.parse(each.result))
    return before
