"""The sessions of the SDK, each over storage that outlives it, as in another process."""

# ruff: noqa: ANN401  (a fake of a wide client)

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import attrs
from agents import OpenAIConversationsSession, SQLiteSession
from agents.extensions.memory import EncryptedSession, SQLAlchemySession
from sqlalchemy.ext.asyncio import create_async_engine

from tests.agents.session import MemorySession
from tests.conversation.server import Raw, Refused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

NAME = "s"
_Items = list[Raw]
KINDS = ("app", "sqlite", "sqlite_file", "sqlalchemy", "encrypted", "conversations")


@attrs.frozen
class _Listed:
    """An item as the client of the server gives it."""

    raw: Raw

    def model_dump(self, **_: Any) -> Raw:
        """Give it as JSON."""
        return dict(self.raw)


@attrs.define
class ConversationServer:
    """Conversations as `AsyncOpenAI` has them: gives ids, and refuses what it has already.

    Attributes:
        held: the items of each conversation, oldest first.
        made: how many ids it gave.
    """

    held: dict[str, _Items] = attrs.field(factory=dict)
    made: int = 0

    @property
    def client(self) -> Any:
        """The client: its resources are all this server."""
        return self

    conversations = client
    items = client

    def with_options(self, **_: object) -> ConversationServer:
        """Give a client with other options."""
        return self

    async def create(self, *, items: _Items, conversation_id: str | None = None) -> Any:
        """Begin a conversation, or append to one.

        Raises:
            Refused: an id or a call twice, an answer to no open call; nothing was appended.
        """
        if conversation_id is None:
            self.made += 1
            self.held[f"conv_{self.made}"] = []
            return attrs.make_class("Conversation", ["id"])(f"conv_{self.made}")
        held = [*self.held[conversation_id]]
        for each in items:
            self._refuse(held, each)
            self.made += 1
            held.append({"type": "message", "id": f"item_{self.made}", **each})
        self.held[conversation_id] = held
        return held

    @staticmethod
    def _refuse(held: _Items, given: Raw) -> None:
        if "id" in given and given["id"] in {each["id"] for each in held}:
            raise Refused(f"Duplicate item found with id {given['id']}.")
        key = (given.get("type"), given.get("call_id"))
        if key[1] is not None and key in {(each["type"], each.get("call_id")) for each in held}:
            raise Refused(f"Duplicate {key[0]} {key[1]}.")
        called = {each.get("call_id") for each in held if each["type"] == "function_call"}
        if key[0] == "function_call_output" and key[1] not in called:
            raise Refused(f"No tool call found for function call output {key[1]}.")

    async def list(
        self, *, conversation_id: str, order: str, limit: int = 20
    ) -> AsyncIterator[_Listed]:
        """List a conversation, page by page.

        Raises:
            Refused: the page is larger than the server gives.
        """
        if limit > 100:
            raise Refused("Expected a limit of at most 100.")
        held = self.held[conversation_id]
        for each in held if order == "asc" else reversed([*held]):
            yield _Listed(each)

    async def delete(self, *, conversation_id: str, item_id: str | None = None) -> None:
        """Remove an item, or a conversation."""
        if item_id is None:
            del self.held[conversation_id]
        else:
            held = self.held[conversation_id]
            self.held[conversation_id] = [each for each in held if each["id"] != item_id]


@contextlib.asynccontextmanager
async def sessions(kind: str, folder: Path) -> AsyncIterator[Callable[[], Any]]:
    """Give a function that opens the one session of a kind, each time as a new object."""
    async with contextlib.AsyncExitStack() as stack:
        if kind in {"sqlalchemy", "encrypted"}:
            engine = create_async_engine(f"sqlite+aiosqlite:///{folder / 'session.db'}")
            stack.push_async_callback(engine.dispose)

        def sql() -> Any:
            return SQLAlchemySession(NAME, engine=engine, create_tables=True)

        def sqlite() -> Any:
            session = SQLiteSession(NAME, folder / "session.db")
            stack.callback(session.close)
            return session

        def conversations() -> Any:
            return OpenAIConversationsSession(conversation_id="conv", openai_client=server.client)

        server = ConversationServer({"conv": []})
        one: Any = SQLiteSession(NAME) if kind == "sqlite" else MemorySession(NAME)
        if kind == "sqlite":
            stack.callback(one.close)
        yield {
            "app": lambda: one,
            "sqlite": lambda: one,
            "sqlite_file": sqlite,
            "sqlalchemy": sql,
            "encrypted": lambda: EncryptedSession(NAME, sql(), encryption_key="a key"),
            "conversations": conversations,
        }[kind]


def told(items: list[Any]) -> list[str]:
    """What a session holds, item by item, whatever the form: `u:go`, `call_1`, `call_1=paid`."""
    return [_told(each) for each in items]


def _told(raw: Raw) -> str:
    if raw.get("type") == "function_call":
        return str(raw["call_id"])
    if raw.get("type") == "function_call_output":
        return f"{raw['call_id']}={raw['output']}"
    content = raw.get("content") or ""
    text = content if isinstance(content, str) else "".join(each["text"] for each in content)
    return f"{str(raw.get('role', raw.get('type')))[0]}:{text}"
