"""A session that takes each entry once: appending a batch again appends what was not held."""

from __future__ import annotations

import asyncio
import functools
import logging
from typing import TYPE_CHECKING, Any, TypeVar, cast
from weakref import WeakKeyDictionary, WeakValueDictionary

from hitl.conversation import unsaved
from hitl.conversation.entry import content_of, name_of

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop
    from collections.abc import Awaitable, Callable

    from hitl.document import JSONObject

log = logging.getLogger("hitl")

S = TypeVar("S")

_TAIL = 100  # entries that are looked at: as many as a server gives at once
_SHARED = frozenset({"wrapper"})  # what `get_items` takes of what `add_items` is given


def once(session: S) -> S:
    """Give a session whose `add_items` may be called again with the same entries.

    For `Runner.run(..., session=hitl.once(session))`, also without a store of hitl's; a durable run
    does it by itself. A state that is resumed twice, or again after an error, then stores a call's
    output once. Whatever else the session is and does, this is and does: `isinstance` too.

    An entry is known by its call id or its id, and one without by standing right after such a one
    in the same batch; so a batch of texts alone is always new. Outermost around other wrappers
    (`EncryptedSession`, compaction). It looks at the newest 100 entries. Not a fence: between the
    reading of them and the appending, another process, another event loop or another object for the
    same session may append; who wraps this object in this loop does not.

    Args:
        session: any object with the methods of the SDK's `Session`.
    """
    return session if isinstance(session, Once) else cast("S", Once(session))


def _passed(name: str) -> property:
    """Pass an attribute of the session on, where `isinstance` with a protocol looks for it."""
    return property(lambda once: once.__getattr__(name))


class Once:
    """Stands before a session; see `once`.

    What the SDK asks of a session is answered by the session: what class it is, which methods it
    has beyond the protocol, and which arguments they take.
    """

    __slots__ = ("__before", "__hides", "__session", "__there", "__weakref__")

    def __init__(
        self,
        session: object,
        before: Callable[[list[JSONObject]], Awaitable[object]] | None = None,
        there: list[JSONObject] | None = None,
        *,
        hides: bool = False,
    ) -> None:
        """Stand before `session`.

        Args:
            session: the user's.
            before: awaited with what is about to be appended; may refuse it.
            there: what will be appended and is there already, each once; it is emptied by that.
            hides: whether `get_items` leaves that out: to be said again, it is no history.
        """
        object.__setattr__(self, "_Once__session", session)
        object.__setattr__(self, "_Once__before", before)
        object.__setattr__(self, "_Once__there", there if there is not None else [])
        object.__setattr__(self, "_Once__hides", hides)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        """What the session is: the SDK treats some kinds of sessions specially."""
        return type(self.__session)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the session has
        return getattr(self.__session, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.__session, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self.__session, name)

    def __repr__(self) -> str:
        return f"once({self.__session!r})"

    session_id = _passed("session_id")
    session_settings = _passed("session_settings")
    pop_item = _passed("pop_item")
    clear_session = _passed("clear_session")

    @property
    def get_items(self) -> Callable[..., Awaitable[list[JSONObject]]]:
        """Give what the session holds; takes what the session's takes."""
        theirs: Any = cast("Any", self.__session).get_items
        return (
            functools.wraps(theirs)(functools.partial(self.__get, theirs))
            if self.__hides
            else theirs
        )

    async def __get(
        self,
        theirs: Callable[..., Awaitable[list[JSONObject]]],
        *args: Any,  # noqa: ANN401 - whatever the session takes
        **kwargs: Any,  # noqa: ANN401
    ) -> list[JSONObject]:
        return _without(await theirs(*args, **kwargs), self.__there)

    @property
    def add_items(self) -> Callable[..., Awaitable[None]]:
        """Append what of a batch the session does not hold; takes what the session's takes."""
        theirs = cast("Any", self.__session).add_items
        return functools.wraps(theirs)(functools.partial(self.__add, theirs))

    async def __add(
        self,
        theirs: Callable[..., Awaitable[None]],
        items: list[JSONObject],
        *args: Any,  # noqa: ANN401 - whatever the session takes
        **kwargs: Any,  # noqa: ANN401
    ) -> None:
        async with _lock(self.__session):
            new = await self.__new(items, {key: kwargs[key] for key in kwargs.keys() & _SHARED})
            if new and self.__before is not None:
                await self.__before(new)
            if new:
                await theirs(new, *args, **kwargs)

    async def __new(self, items: list[JSONObject], shared: dict[str, Any]) -> list[JSONObject]:
        new = [each for each in items if not self.__taken(each)]
        if any(name_of(each) is not None for each in new):
            few = {"limit": _TAIL} if len(new) <= _TAIL // 2 else {}
            new = unsaved(await cast("Any", self.__session).get_items(**few, **shared), new)
        if len(new) < len(items):
            log.warning("session: %s entries were there already", len(items) - len(new))
        return new

    def __taken(self, item: JSONObject) -> bool:
        there, wanted = self.__there, content_of(item)
        found = next((at for at, each in enumerate(there) if content_of(each) == wanted), None)
        if found is not None:
            del there[found]
        return found is not None


def _without(items: list[JSONObject], left_out: list[JSONObject]) -> list[JSONObject]:
    """Give `items` without the last ones that are these, each once."""
    left, kept = [*left_out], []
    for each in reversed(items):
        if each in left:
            left.remove(each)
        else:
            kept.append(each)
    return kept[::-1]


_LOCKS: WeakKeyDictionary[AbstractEventLoop, WeakValueDictionary[int, asyncio.Lock]] = (
    WeakKeyDictionary()
)


def _lock(session: object) -> asyncio.Lock:
    """Give the lock of a session, whoever wraps it; each event loop has its own."""
    locks = _LOCKS.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    return locks.setdefault(id(session), asyncio.Lock())
