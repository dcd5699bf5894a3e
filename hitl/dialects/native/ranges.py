"""The lists that grow with a run, as a document has them: few ranges however many turns there are.

A range of theirs names the entries in it that are of the list's kind, such as the items among the
responses; it begins and ends with one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from attrs import evolve

from hitl.errors import InvalidDocument

if TYPE_CHECKING:
    from collections.abc import Callable

    from hitl.model import Box, RunState, Spans

    Change = Callable[[str, Spans, Box], Spans]

S = TypeVar("S", bound="RunState")


def wide(state: S) -> S:
    """Give a state with the ranges of a document."""
    boxes = state.log.boxes
    return _changed(state, lambda _, packed, box: boxes.wide(packed, box))


def exact(state: S) -> S:
    """Give a state, read with the ranges of a document, with the positions they name.

    Raises:
        InvalidDocument: a range does not begin and end with an entry of its list's kind.
    """
    boxes = state.log.boxes

    def named(path: str, packed: Spans, box: Box) -> Spans:
        found: list[tuple[int, int]] = []
        for start, stop in packed:
            parts = boxes.exact(start, stop, box)
            if not parts or (parts[0][0], parts[-1][1]) != (start, stop):
                message = f"expected a range from one {box} to another, found other ends"
                raise InvalidDocument(message, path=path)
            found += parts
        return tuple(found)

    return _changed(state, named)


def _changed(state: S, change: Change) -> S:
    def ranges(path: str, packed: Spans | None, box: Box = "item") -> Spans | None:
        return None if packed is None else change(path, packed, box)

    talk = state.conversation
    if talk is not None and talk.acknowledged is not None:
        having = ranges("/conversation/acknowledged", talk.acknowledged)
        talk = evolve(talk, acknowledged=having)
    return evolve(
        state,
        generated=ranges("/generated", state.generated),
        session=ranges("/session", state.session),
        responded=ranges("/responded", state.responded, "response"),
        guardrails={
            stage: change(f"/guardrails/{stage}", packed, "guardrail")
            for stage, packed in state.guardrails.items()
        },
        conversation=talk,
    )
