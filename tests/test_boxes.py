"""Ranges of a document: few, and they name what they were made from."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hitl.model import BOXES, Box, Spans, positions, spans
from hitl.model.boxes import Boxes

LOGS = st.lists(st.sampled_from([*BOXES, None]), max_size=30)


def exact(boxes: Boxes, packed: Spans, box: Box) -> list[int]:
    """What ranges of a document name."""
    return [at for span in packed for at in positions(boxes.exact(*span, box))]


class TestBoxes:
    @given(data=st.data(), log=LOGS, box=st.sampled_from(BOXES))
    def test_there_and_back(self, data: st.DataObject, log: list[Box | None], box: Box) -> None:
        """Wide ranges name what they were made from, in its order, whatever of the log that is."""
        own = [at for at, each in enumerate(log) if each == box]
        taken = data.draw(st.lists(st.sampled_from(own), unique=True) if own else st.just([]))
        if data.draw(st.booleans()):
            taken = own
        boxes = Boxes.of(log)
        wide = boxes.wide(spans(taken), box)
        assert exact(boxes, wide, box) == taken
        assert boxes.wide(wide, box) == wide
        assert len(wide) <= (1 if taken == own else len(taken))

    @given(log=LOGS, more=LOGS)
    def test_sum(self, log: list[Box | None], more: list[Box | None]) -> None:
        """What is added is noted behind what is known."""
        assert Boxes.of(log) + Boxes.of(more, len(log)) == Boxes.of([*log, *more])
