"""How large a document may become from a log in which entries are named again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import asdict

from hitl.document import DEFAULT_LIMITS
from hitl.errors import LimitExceeded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hitl.model import RunState

_COPIES = 10  # times the SDK writes an item, at most


class Room:
    """How much a document may still grow by entries that stand in it more than once.

    A position costs a forger some bytes, and the entry it names, any number. What a log may become
    is bounded by its own size, over all runs of the document.
    """

    def __init__(self) -> None:
        self.left = DEFAULT_LIMITS.size_bytes
        self._sizes: dict[int, int] = {}

    def give(self, chunks: Iterable[bytes]) -> None:
        """Make room for the copies of a log."""
        self.left += _COPIES * sum(map(len, chunks))

    def take(self, size: int, path: str) -> None:
        """Take room for one copy.

        Raises:
            LimitExceeded: there is none left.
        """
        self.left -= size
        if self.left < 0:
            message = "expected entries repeated as a run does, found far more copies"
            raise LimitExceeded(message, path=path)

    def repeat(self, run: RunState, outer: RunState, path: str) -> None:
        """Take room for what a run inside has in common with the run around it."""
        for name in ("context", "usage"):
            shared = getattr(run, name)
            if shared is not None and shared is getattr(outer, name):
                if id(shared) not in self._sizes:
                    self._sizes[id(shared)] = len(str(asdict(shared, recurse=False)))
                self.take(self._sizes[id(shared)], path)
