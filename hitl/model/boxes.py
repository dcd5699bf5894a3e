"""What the entries of a log are, and the ranges of a document, which pass over some.

The log has a response behind the items of each turn. With a range for all that stands between two
responses, each list of a run, and so its head, would grow with every turn. So the ranges of a
document are wider: one names the entries in it that are of its list's box.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from attrs import frozen

from hitl.model.span import count, spans

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hitl.model.record import Box
    from hitl.model.span import Spans


@frozen
class Boxes:
    """Where the entries of a log that are no items stand, in order.

    Attributes:
        responses: positions of model responses.
        guardrails: positions of guardrail results.
        others: positions of what no field of this version holds.
    """

    responses: tuple[int, ...] = ()
    guardrails: tuple[int, ...] = ()
    others: tuple[int, ...] = ()

    @classmethod
    def of(cls, boxes: Iterable[Box | None], start: int = 0) -> Boxes:
        """Note the boxes of entries, the first of which stands at `start`."""
        found: dict[Box | None, list[int]] = {"response": [], "guardrail": [], None: []}
        for position, box in enumerate(boxes, start):
            if box != "item":
                found[box].append(position)
        return cls(*map(tuple, found.values()))

    def __add__(self, other: Boxes) -> Boxes:
        """Give the boxes with those of entries that stand behind."""
        return Boxes(
            self.responses + other.responses,
            self.guardrails + other.guardrails,
            self.others + other.others,
        )

    def exact(self, start: int, stop: int, box: Box) -> Spans:
        """Give the positions of a box that a range of a document holds."""
        if box != "item":
            return spans(_between(self._of(box), start, stop))
        apart = sorted(
            position
            for each in (self.responses, self.guardrails, self.others)
            for position in _between(each, start, stop)
        )
        between = zip([start, *(each + 1 for each in apart)], [*apart, stop], strict=True)
        return tuple((first, last) for first, last in between if first < last)

    def wide(self, packed: Spans, box: Box) -> Spans:
        """Give the ranges of a document for positions, each of an entry of `box`."""
        if not packed:
            return packed
        start, stop = packed[0][0], packed[-1][1]
        if self._number(start, stop, box) == count(packed) and list(packed) == sorted(packed):
            return ((start, stop),)  # as for nearly every list: nothing of it is missing
        joined = [packed[0]]
        for first, last in packed[1:]:
            start, stop = joined[-1]
            if stop <= first and not self._number(stop, first, box):
                joined[-1] = (start, last)
            else:
                joined.append((first, last))
        return tuple(joined)

    def _number(self, start: int, stop: int, box: Box) -> int:
        """Give how many entries of a box a range holds."""
        if box != "item":
            return _number(self._of(box), start, stop)
        apart = (self.responses, self.guardrails, self.others)
        return stop - start - sum(_number(each, start, stop) for each in apart)

    def _of(self, box: Box) -> tuple[int, ...]:
        return self.responses if box == "response" else self.guardrails


def _between(positions: Sequence[int], start: int, stop: int) -> Sequence[int]:
    return positions[bisect_left(positions, start) : bisect_left(positions, stop)]


def _number(positions: Sequence[int], start: int, stop: int) -> int:
    return bisect_left(positions, stop) - bisect_left(positions, start)
