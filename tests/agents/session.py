"""A session in memory, as an app would write one; the SDK's own needs a database."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from agents.memory.session import SessionABC

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agents import TResponseInputItem


class MemorySession(SessionABC):
    """Keeps items in a list.

    Attributes:
        appends_left: how many appends work before one fails; None when none will.
        compacting: whether a session around this one may compact it; raises OSError when False.
    """

    def __init__(self, session_id: str, items: Iterable[TResponseInputItem] = ()) -> None:
        self.session_id = session_id
        self.items = list(items)
        self.appends_left: int | None = None
        self.compacting = True

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """The newest `limit` items, oldest first."""
        items = self.items if limit is None else self.items[max(0, len(self.items) - limit) :]
        return copy.deepcopy(items)

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Append, or fail as told."""
        if self.appends_left == 0:
            self.appends_left = None
            raise OSError("session store is away")
        if self.appends_left is not None:
            self.appends_left -= 1
        self.items.extend(copy.deepcopy(items))

    def wants_compaction(self, _seen: object) -> bool:
        """Asked by a compacting session around this one; never wants it, or fails as told."""
        if not self.compacting:
            raise OSError("compaction is away")
        return False

    async def pop_item(self) -> TResponseInputItem | None:
        """Remove the newest item; None when there is none."""
        return self.items.pop() if self.items else None

    async def clear_session(self) -> None:
        """Forget everything."""
        self.items.clear()
