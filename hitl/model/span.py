"""Positions in the log of a run, packed into ranges."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Spans: TypeAlias = tuple[tuple[int, int], ...]
"""Positions in the log, in order, as half-open ranges `(start, stop)`."""


def spans(positions: Iterable[int]) -> Spans:
    """Pack positions into ranges; runs of consecutive positions become one range."""
    packed: list[list[int]] = []
    for position in positions:
        if packed and packed[-1][1] == position:
            packed[-1][1] = position + 1
        else:
            packed.append([position, position + 1])
    return tuple((start, stop) for start, stop in packed)


def positions(packed: Spans) -> Iterator[int]:
    """Give each position of `packed` in order."""
    for start, stop in packed:
        yield from range(start, stop)


def count(packed: Spans) -> int:
    """Give how many positions `packed` holds, without walking them."""
    ends = [*chain.from_iterable(packed)]
    return sum(ends[1::2]) - sum(ends[::2])


def ahead(packed: Spans, length: int) -> Spans:
    """Give the first `length` positions of `packed`."""
    over, end = count(packed) - length, len(packed)
    if over <= 0:
        return packed
    while end and over >= packed[end - 1][1] - packed[end - 1][0]:  # most ask for nearly all
        end -= 1
        over -= packed[end][1] - packed[end][0]
    if not end or not over:
        return packed[:end]
    start, stop = packed[end - 1]
    return (*packed[: end - 1], (start, stop - over))


def behind(packed: Spans, length: int) -> Iterator[int]:
    """Give the positions of `packed` behind the first `length`."""
    left = length
    for start, stop in packed:
        yield from range(min(start + left, stop), stop)
        left = max(0, left - (stop - start))
