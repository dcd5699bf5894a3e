"""Positions packed into ranges are the positions."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hitl.model import ahead, behind, count, positions, spans

PLACES = st.lists(st.integers(0, 40), unique=True)


class TestSpans:
    @given(PLACES)
    def test_there_and_back(self, places: list[int]) -> None:
        """Packed and unpacked they are what they were, in their order."""
        assert [*positions(spans(places))] == places
        assert count(spans(places)) == len(places)

    @given(PLACES, st.integers(0, 50))
    def test_parts(self, places: list[int], length: int) -> None:
        """The first ones and those behind them are all of them."""
        packed = spans(places)
        assert [*positions(ahead(packed, length))] == places[:length]
        assert [*behind(packed, length)] == places[length:]
