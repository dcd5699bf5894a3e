"""`hitl.once`: any session of the SDK's protocol, each entry stored once (R-8, R-12, R-17)."""

# ruff: noqa: ANN401  (sessions of any kind)

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any

import pytest
from agents import OpenAIConversationsSession, SessionSettings, SQLiteSession
from agents.extensions.memory import EncryptedSession
from agents.memory import (
    OpenAIResponsesCompactionSession,
    Session,
    is_openai_responses_compaction_aware_session,
)
from agents.run_internal.session_persistence import rewind_session_items
from hypothesis import given, settings
from hypothesis import strategies as st

import hitl
from hitl.runtime.once import Once
from tests.agents.session import MemorySession
from tests.conversation.server import Refused, called, done, replied, said
from tests.conversation.sessions import KINDS, NAME, ConversationServer, sessions, told
from tests.conversation.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.conversation.server import Raw

GO = ["u:go", "call_1", "call_1=done"]


class TestHoles:
    """§3.2 (1) on plain openai-agents, each kind of session without and with the wrapper."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_resumed_twice(self, kind: str, tmp_path: Path) -> None:
        """Resumed twice from one state: the output is there twice, or a server refuses it."""

        async def play() -> list[str]:
            async with sessions(kind, tmp_path) as opened:
                stage = Stage()
                text = await stage.paused(opened())
                await stage.resumed(text, opened())
                if kind == "conversations":
                    with pytest.raises(Refused, match="Duplicate function_call_output"):
                        await stage.resumed(text, opened())
                else:
                    await stage.resumed(text, opened())
                assert stage.ran == 2
                return told(await opened().get_items())

        held = asyncio.run(play())
        again = [] if kind == "conversations" else ["call_1=done", "a:hello"]
        assert held == [*GO, "a:hello", *again]

    @pytest.mark.parametrize("kind", KINDS)
    def test_once(self, kind: str, tmp_path: Path) -> None:
        """Closed: the output is there once, whoever resumes; each reply is a reply."""

        async def play() -> list[str]:
            async with sessions(kind, tmp_path) as opened:
                stage = Stage()
                text = await stage.paused(hitl.once(opened()))
                await stage.resumed(text, hitl.once(opened()))
                await stage.resumed(text, hitl.once(opened()))
                return told(await opened().get_items())

        assert asyncio.run(play()) == [*GO, "a:hello", "a:hello"]

    @pytest.mark.parametrize("wrapped", [False, True], ids=["plain", "once"])
    @pytest.mark.parametrize("kind", ["sqlite_file", "sqlalchemy", "encrypted"])
    def test_retried_after_a_failure(self, kind: str, tmp_path: Path, *, wrapped: bool) -> None:
        """Retried from the stored state after the model failed: what most apps do."""

        async def play() -> list[str]:
            async with sessions(kind, tmp_path) as opened:
                stage = Stage()

                def session() -> Any:
                    return hitl.once(opened()) if wrapped else opened()

                text = await stage.paused(session())
                stage.model.fails = 1
                with pytest.raises(ConnectionError):
                    await stage.resumed(text, session())
                await stage.resumed(text, session())
                return told(await opened().get_items())

        again = [] if wrapped else ["call_1=done"]
        assert asyncio.run(play()) == [*GO, *again, "a:hello"]

    def test_as_without_it(self) -> None:
        """R-3: an orderly run is stored as without the wrapper, item by item."""

        async def play() -> tuple[list[Raw], list[Raw]]:
            plain, wrapped = Stage(), Stage()
            await plain.resumed(await plain.paused(), plain.session)
            once = hitl.once(wrapped.session)
            await wrapped.resumed(await wrapped.paused(once), once)
            return plain.session.items, wrapped.session.items  # type: ignore[return-value]

        one, other = asyncio.run(play())
        assert one == other
        assert len(one) == 4


class TestAppend:
    def test_half_a_batch(self) -> None:
        """R-12: what an append left out is appended; what is all there is not asked again."""

        async def play() -> MemorySession:
            session = MemorySession("s", BATCH[:2])  # type: ignore[arg-type]
            once = hitl.once(session)
            await once.add_items(BATCH)  # type: ignore[arg-type]
            session.appends_left = 0  # the next append fails
            await once.add_items(BATCH)  # type: ignore[arg-type]
            return session

        assert asyncio.run(play()).items == BATCH

    def test_at_the_same_time(self) -> None:
        """Two that append at once in one process are one after the other."""

        async def play() -> Slow:
            session = Slow("s")
            once = hitl.once(session)
            await asyncio.gather(*(once.add_items(BATCH) for _ in range(3)))  # type: ignore[arg-type]
            return session

        session = asyncio.run(play())
        assert session.items == BATCH
        assert session.most == 100  # the most that OpenAI's server gives at once

    def test_at_the_same_time_in_two_wrappers(self) -> None:
        """The same where each of them wraps the session for itself, as request handlers do."""

        async def play() -> list[Any]:
            session = Slow("s")
            await asyncio.gather(*(hitl.once(session).add_items(BATCH) for _ in range(3)))  # type: ignore[arg-type]
            return session.items

        assert asyncio.run(play()) == BATCH

    def test_in_two_loops(self) -> None:
        """A wrapper outlives the event loop it was waited for in."""
        once = hitl.once(Slow("s"))

        async def play() -> None:
            await asyncio.gather(*(once.add_items(BATCH) for _ in range(3)))  # type: ignore[arg-type]

        for _ in range(2):
            asyncio.run(play())
        assert told(asyncio.run(once.get_items())) == ["a", "a=done", "a:hello"]

    def test_texts_are_not_looked_up(self) -> None:
        """A batch without any id is always new; the session is not read for it."""

        async def play() -> Slow:
            session = Slow("s")
            once = hitl.once(session)
            await once.add_items([said("go")])  # type: ignore[list-item]
            await once.add_items([said("go")])  # type: ignore[list-item]
            return session

        session = asyncio.run(play())
        assert (told(session.items), session.reads) == (["u:go", "u:go"], 0)

    def test_refused_before(self) -> None:
        """What is awaited before each append may refuse it."""

        async def no(_: object) -> None:
            raise PermissionError

        async def play() -> MemorySession:
            session = MemorySession("s")
            with pytest.raises(PermissionError):
                await Once(session, no).add_items(BATCH)
            return session

        assert asyncio.run(play()).items == []


BATCH = [called("a"), done("a"), replied("m")]


class Slow(MemorySession):
    """A session that lets others work while it is read.

    Attributes:
        reads: how often it was read.
        most: how many entries were asked for at once.
    """

    reads = 0
    most = 0

    async def get_items(self, limit: int | None = None) -> list[Any]:
        """Give what it holds, later."""
        self.reads += 1
        self.most = max(self.most, limit or 0)
        found = await super().get_items(limit)
        await asyncio.sleep(0.01)
        return found


class Wrapping(MemorySession):
    """A session that wants to know the run, as the SDK offers it.

    Attributes:
        told: which of its methods were.
    """

    def __init__(self) -> None:
        super().__init__("s")
        self.told: list[str] = []

    async def get_items(self, limit: int | None = None, *, wrapper: Any = None) -> list[Any]:
        """Note whether it is told."""
        self.told += ["get"] * (wrapper is not None)
        return await super().get_items(limit)

    async def add_items(self, items: list[Any], *, wrapper: Any = None) -> None:
        """Note whether it is told."""
        self.told += ["add"] * (wrapper is not None)
        await super().add_items(items)

    async def pop_item(self, *, wrapper: Any = None) -> Any:
        """Take the newest item."""
        del wrapper
        return await super().pop_item()

    async def clear_session(self, *, wrapper: Any = None) -> None:
        """Forget everything."""
        del wrapper
        await super().clear_session()


class TestStandsFor:
    """Whatever the SDK asks of a session, the wrapper answers as the session would."""

    @pytest.mark.parametrize("kind", KINDS)
    def test_is_it(self, kind: str, tmp_path: Path) -> None:
        """It is of the session's class and follows the protocol; wrapped twice is once."""

        async def play() -> None:
            async with sessions(kind, tmp_path) as opened:
                session = opened()
                once = hitl.once(session)
                assert isinstance(once, type(session))
                assert isinstance(once, Session)
                assert hitl.once(once) is once
                assert repr(once).startswith("once(")
                for name in ("get_items", "add_items", "pop_item", "clear_session"):
                    theirs = inspect.signature(getattr(session, name))
                    assert inspect.signature(getattr(once, name)) == theirs

        asyncio.run(play())

    @pytest.mark.parametrize("kind", KINDS)
    def test_protocol(self, kind: str, tmp_path: Path) -> None:
        """It gives, takes back and forgets what the session holds."""

        async def play() -> tuple[list[str], ...]:
            async with sessions(kind, tmp_path) as opened:
                once = hitl.once(opened())
                await once.add_items([said("one"), replied("m")])
                newest = await once.get_items(limit=1)
                taken = await once.pop_item()
                left = await once.get_items()
                await once.clear_session()
                after = [] if kind == "conversations" else await once.get_items()
                return told(newest), told([taken]), told(left), told(after)

        assert asyncio.run(play()) == (["a:hello"], ["a:hello"], ["u:one"], [])

    def test_settings(self) -> None:
        """The settings are the session's, read and set; an app's session may have none."""
        session = SQLiteSession(NAME)
        once = hitl.once(session)
        once.session_settings = SessionSettings(limit=2)
        assert session.session_settings is once.session_settings
        assert session.session_settings.limit == 2
        once.session_id = "renamed"
        assert session.session_id == "renamed"
        del once.session_id
        assert not hasattr(session, "session_id")
        assert getattr(hitl.once(object()), "session_settings", None) is None
        session.close()

    def test_a_few_are_read(self) -> None:
        """A session that gives its newest few is looked through all the same."""

        async def play() -> list[str]:
            session = SQLiteSession(NAME, session_settings=SessionSettings(limit=1))
            once = hitl.once(session)
            await once.add_items([*BATCH, said("more")])  # type: ignore[list-item]
            await once.add_items(BATCH)  # type: ignore[arg-type]
            found = told(await session.get_items(limit=10))
            session.close()
            return found

        assert asyncio.run(play()) == ["a", "a=done", "a:hello", "u:more"]

    def test_told_of_the_run(self) -> None:
        """A session that wants to know the run is told, in reading and in appending."""

        async def play() -> list[str]:
            session, stage = Wrapping(), Stage()
            await stage.paused(hitl.once(session))
            return session.told

        # The input has no id, so nothing is read for it: what is read is the history, by the SDK.
        assert asyncio.run(play()) == ["get", "add", "get", "add"]

    def test_compaction(self) -> None:
        """A session that compacts itself is asked to, with the wrapper around it and without."""
        asked = [asyncio.run(compactions(wrapped=wrapped)) for wrapped in (False, True)]
        assert asked[0] == asked[1] != []

    @pytest.mark.parametrize("kind", KINDS)
    def test_rewound(self, kind: str, tmp_path: Path) -> None:
        """R-18: the SDK takes a batch back only where the end is exactly that; then it is new."""

        async def play() -> tuple[list[str], ...]:
            async with sessions(kind, tmp_path) as opened:
                once: Any = hitl.once(opened())
                batch: list[Any] = [said("go"), called("a"), done("a")]
                await once.add_items(batch)
                await rewind_session_items(once, batch)
                empty = told(await once.get_items())
                await once.add_items(batch)
                await once.add_items([said("and")])
                await rewind_session_items(once, batch)
                return empty, told(await once.get_items())

        assert asyncio.run(play()) == ([], ["u:go", "a", "a=done", "u:and"])

    def test_inside_an_encrypted_one(self) -> None:
        """Inside, it passes everything on: what it sees is sealed, so nothing is recognised."""

        async def play() -> list[str]:
            inner = SQLiteSession(NAME)
            session = EncryptedSession(NAME, hitl.once(inner), encryption_key="a key")
            await session.add_items(BATCH)  # type: ignore[arg-type]
            taken = await session.pop_item()
            found = told([taken, *await session.get_items()])
            inner.close()
            return found

        assert asyncio.run(play()) == ["a:hello", "a", "a=done"]

    def test_conversations(self) -> None:
        """R-17: what the SDK does for a server's conversation, it does behind the wrapper too."""
        server = ConversationServer()
        once = hitl.once(OpenAIConversationsSession(openai_client=server.client))
        with pytest.raises(ValueError, match="not yet available"):
            _ = once.session_id

        async def play() -> list[Raw]:
            stage = Stage()
            await stage.resumed(await stage.paused(once), once)
            return server.held[once.session_id]

        held = asyncio.run(play())
        assert told(held) == [*GO, "a:hello"]
        # The model's own ids were taken off: the server gave its own.
        assert {each["id"].partition("_")[0] for each in held} == {"item"}


async def compactions(*, wrapped: bool) -> list[object]:
    """Run twice in a session that compacts itself; give what it looked at each time."""
    seen: list[object] = []
    inner = MemorySession(NAME)
    session: Any = OpenAIResponsesCompactionSession(
        NAME, inner, client=ConversationServer().client, should_trigger_compaction=_decline(seen)
    )
    session = hitl.once(session) if wrapped else session
    assert is_openai_responses_compaction_aware_session(session)
    stage = Stage()
    await stage.resumed(await stage.paused(session), session)
    assert told(inner.items) == [*GO, "a:hello"]
    return seen


def _decline(seen: list[object]) -> Any:
    def decline(asked: dict[str, Any]) -> bool:
        seen.append(len(asked["session_items"]))
        return False

    return decline


MOVES = st.lists(st.tuples(st.sampled_from(["done", "before", "after", "half"]), st.booleans()))
SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=6)


def batches(sizes: Sequence[int]) -> list[list[Raw]]:
    """What a run appends, turn by turn: each batch has a call or an answer, texts among them."""
    made = []
    for turn, size in enumerate(sizes):
        first = called(f"c{turn}") if turn % 2 == 0 else done(f"c{turn - 1}")
        made.append([first, *(replied("__fake_id__") for _ in range(size - 1))])
    return made


async def play_once(sizes: Sequence[int], moves: Sequence[tuple[str, bool]]) -> None:
    """Append batches; cut here and there, and go on from the batch before, or from an older one."""
    session, made = Cutting(NAME), batches(sizes)
    at = 0
    cuts = iter(moves)
    while at < len(made):
        session.cut, back = next(cuts, ("done", False))
        try:
            await hitl.once(session).add_items(made[at])
        except ConnectionError:
            at = max(0, at - back)  # the checkpoint may be one turn older
            continue
        at += 1
    assert session.items == [each for batch in made for each in batch]


class Cutting(MemorySession):
    """A session whose worker is cut before, after or in the middle of an append."""

    cut = "done"

    async def add_items(self, items: list[Any]) -> None:
        """Append as told."""
        kept = {"before": 0, "half": len(items) // 2}.get(self.cut, len(items))
        self.items.extend(items[:kept])
        if self.cut != "done":
            raise ConnectionError(self.cut)


class TestProperty:
    """Law 7: wherever an append is cut and from wherever it is repeated, each entry is once."""

    @settings(max_examples=500, deadline=None)
    @given(SIZES, MOVES)
    def test_each_once(self, sizes: list[int], moves: list[tuple[str, bool]]) -> None:
        """500 runs."""
        asyncio.run(play_once(sizes, moves))

    @pytest.mark.soak
    @settings(max_examples=10_000, deadline=None)
    @given(SIZES, MOVES)
    def test_each_once_often(self, sizes: list[int], moves: list[tuple[str, bool]]) -> None:
        """10,000 runs."""
        asyncio.run(play_once(sizes, moves))
