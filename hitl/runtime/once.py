"""A session that takes each item once: appending a batch again appends what was not held."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, cast

from hitl.conversation import unsaved

if TYPE_CHECKING:
    from agents import Session, TResponseInputItem

    from hitl.document import JSONObject

log = logging.getLogger("hitl")

_TAIL = 200  # items that are looked at, beside as many as are appended


class OnceSession:
    """Stands before any session of the SDK's protocol and makes `add_items` idempotent.

    A worker that was cut between its append and its checkpoint appends again; so does one that is
    not the only one. Not a fence: between reading the end and appending, another may append.
    See `hitl.conversation.unsaved` for what is recognised.
    """

    def __init__(self, session: Session) -> None:
        """Stand before `session`; whatever else it can do, it does."""
        self._session = session

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the session has
        return getattr(self._session, name)

    async def get_items(self, *args: Any, **kwargs: Any) -> list[TResponseInputItem]:  # noqa: ANN401
        """Give what is stored."""
        return await self._session.get_items(*args, **kwargs)

    async def add_items(self, items: list[TResponseInputItem], *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Append what of `items` the session does not hold."""
        held = await self._session.get_items(_TAIL + len(items))
        given = cast("list[JSONObject]", items)
        new = unsaved(cast("list[JSONObject]", held), given)
        if len(new) < len(items):
            log.warning("session: %s items were there already", len(items) - len(new))
        if new:
            await self._session.add_items(cast("Any", new), *args, **kwargs)

    async def pop_item(self) -> TResponseInputItem | None:
        """Take the newest item back."""
        return await self._session.pop_item()

    async def clear_session(self) -> None:
        """Forget everything."""
        await self._session.clear_session()
