"""A session in memory, as an app would write one; the SDK's own needs a database."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

from agents.memory.session import SessionABC

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agents import TResponseInputItem


class MemorySession(SessionABC):
    """Keeps items in a list; `fails` says how many of the next appends raise instead."""

    def __init__(
        self, session_id: str, items: Iterable[TResponseInputItem] = (), *, fails: int = 0
    ) -> None:
        self.session_id = session_id
        self.items = list(items)
        self.fails = fails

    async def get_items(self, limit: int | None = None) -> list[TResponseInputItem]:
        """The newest `limit` items, oldest first."""
        items = self.items if limit is None else self.items[max(0, len(self.items) - limit) :]
        return copy.deepcopy(items)

    async def add_items(self, items: list[TResponseInputItem]) -> None:
        """Append, or fail as told."""
        if self.fails > 0:
            self.fails -= 1
            raise OSError("session store is away")
        self.items.extend(copy.deepcopy(items))

    async def pop_item(self) -> TResponseInputItem | None:
        """Remove the newest item; None when there is none."""
        return self.items.pop() if self.items else None

    async def clear_session(self) -> None:
        """Forget everything."""
        self.items.clear()
