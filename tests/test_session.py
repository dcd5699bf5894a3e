"""What a session holds of a run: each entry once, nothing dangling, nobody else's (R-3, R-8)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from agents import Agent, RunConfig, Runner, RunState, SQLiteSession, function_tool
from hypothesis import given
from hypothesis import strategies as st

import hitl
from hitl.conversation import compare, unsaved
from hitl.runtime.once import OnceSession
from tests.agents.session import MemorySession
from tests.conversation.model import ServerModel
from tests.conversation.run import Run
from tests.conversation.server import Server, called, done, replied, said

if TYPE_CHECKING:
    from hitl.conversation import SessionDifference
    from tests.conversation.server import Raw

CONFIG = RunConfig(tracing_disabled=True)
TOLD = [said("go"), called("a"), done("a"), replied("m"), said("go"), called("b")]


def difference(*held: Raw) -> SessionDifference:
    """Compare a session with a run that said `TOLD`, its last call waiting."""
    run = Run()
    run.add(TOLD)
    return compare(run.state(), held)


class TestCompare:
    def test_clean(self) -> None:
        """R-3: what the state says, after whatever came before, is as it should be."""
        before = [said("go"), replied("m_0")]
        assert difference(*TOLD).clean
        assert difference(*before, *TOLD).clean

    def test_nameless_there(self) -> None:
        """A session that keeps no ids of messages holds them all the same."""
        held = [{k: v for k, v in each.items() if k != "id" or "role" not in each} for each in TOLD]
        assert held != TOLD
        assert difference(*held).clean

    def test_nameless_here(self) -> None:
        """A provider that gives no ids, and a session that makes its own."""
        run = Run()
        run.add([said("go"), replied("__fake_id__")])
        assert compare(run.state(), [said("go"), replied("made_up")]).clean

    def test_text_again_behind(self) -> None:
        """R-44: an equal text behind what followed it is another occurrence."""
        found = difference(*TOLD[:4], TOLD[5], said("go"))
        assert [each.raw for each in found.missing] == [said("go")]
        assert found.interleaved == (5,)

    def test_other_form(self) -> None:
        """An item is the same without its defaults, and in parts."""
        held = [{"role": "user", "content": [{"type": "input_text", "text": "go"}]}, *TOLD[1:]]
        assert difference(*held).clean

    @pytest.mark.parametrize("at", range(len(TOLD)))
    def test_missing(self, at: int) -> None:
        """Law 7: what is missing is named by its occurrence, also of two equal texts."""
        found = difference(*TOLD[:at], *TOLD[at + 1 :])
        expected = 0 if at == 4 else at  # of two equal texts the later is found
        assert [TOLD[each.name] for each in found.missing] == [TOLD[expected]]
        assert not found.clean

    @pytest.mark.parametrize("at", [1, 2, 3, 5])
    def test_duplicate(self, at: int) -> None:
        """R-8: what is there twice is named by the place of the second."""
        found = difference(*TOLD, TOLD[at])
        assert (found.duplicates, found.interleaved) == ((6,), ())
        assert not found.missing

    def test_dangling(self) -> None:
        """§3.2 (2): a call without its answer is dangling unless it waits in the state."""
        found = difference(*(each for each in TOLD if each != done("a")))
        assert found.dangling == ("a",)
        assert [each.raw for each in found.missing] == [done("a")]

    def test_interleaved(self) -> None:
        """§3.2 (3): another turn after the run began is noticed."""
        found = difference(*TOLD[:3], said("hello?"), replied("m_9"), *TOLD[3:])
        assert found.interleaved == (3, 4)
        assert not found.missing

    @pytest.mark.parametrize("held", [[], [said("somebody"), replied("else")]])
    def test_other(self, held: list[Raw]) -> None:
        """A session that holds nothing of the run is another, or new."""
        found = difference(*held)
        assert found.other
        assert [each.raw for each in found.missing] == TOLD


class TestUnsaved:
    @given(st.integers(0, len(TOLD)), st.integers(0, len(TOLD)))
    def test_again(self, start: int, stop: int) -> None:
        """R-12: of a batch that was cut anywhere, the rest is appended, in order."""
        batch = TOLD[1:]  # begins with what has an id
        held = [said("before"), *batch[:stop]]
        assert [*held, *unsaved(held, batch)] == [said("before"), *batch]
        assert unsaved([*held, *unsaved(held, batch)], batch) == []
        assert unsaved(TOLD[:start], []) == []

    def test_repeated_text(self) -> None:
        """R-44: a text said twice is stored twice."""
        assert unsaved([said("go")], [said("go")]) == [said("go")]
        assert unsaved([*TOLD[:4], said("go")], [said("go"), called("b")]) == TOLD[4:]

    def test_text_before_what_is_held(self) -> None:
        """A batch is appended in order: what comes before an item that is held, is."""
        assert unsaved(TOLD[:2], TOLD[:3]) == [done("a")]

    def test_gap(self) -> None:
        """What has an id and is not held is appended, late as it is; another id is another item."""
        assert unsaved([called("b")], [called("a"), called("b")]) == [called("a")]
        batch = [called("a"), replied("m_2")]
        assert unsaved([called("a"), replied("m_1")], batch) == [replied("m_2")]

    def test_placeholder(self) -> None:
        """An id that is none tells nothing."""
        one = replied("__fake_id__")
        assert unsaved([one], [one]) == [one]


class Stage:
    """An agent whose tool waits for approval, and a session.

    Attributes:
        ran: how often the tool ran.
    """

    def __init__(self, *answers: list[Raw]) -> None:
        script = answers or ([called("call_1")], [replied("msg_1")], [replied("msg_2")])
        self.model = ServerModel(Server(), *script)
        self.session = MemorySession("s")
        self.ran = 0

        @function_tool(needs_approval=True)
        def tool() -> str:
            self.ran += 1
            return "done"

        self.agent: Agent[Any] = Agent(name="ops", model=self.model, tools=[tool])

    async def paused(self, session: Any = None) -> str:  # noqa: ANN401 - any session
        """Run until the call waits; give the state as text, the call approved."""
        result = await self.play("go", session or self.session)
        state = result.to_state()
        state.approve(state.get_interruptions()[0])
        return str(state.to_string())

    async def play(self, given_: Any, session: Any) -> Any:  # noqa: ANN401
        """Run with a session."""
        return await Runner.run(self.agent, given_, run_config=CONFIG, session=session)

    async def resumed(self, text: str, session: Any) -> str:  # noqa: ANN401
        """Go on from the text, as another process does; give the state after it."""
        result = await self.play(await RunState.from_string(self.agent, text), session)
        return str(result.to_state().to_string())

    def difference(self, text: str) -> SessionDifference:
        """Compare the session with a state."""
        return compare(hitl.loads(text), self.session.items)  # type: ignore[arg-type]


class TestSDK:
    """The holes of §3.2, each shown on plain openai-agents, and what `compare` says of it."""

    def test_orderly(self) -> None:
        """R-3: at the pause and at the end the session is as the state says."""

        async def play() -> tuple[SessionDifference, SessionDifference]:
            stage = Stage()
            text = await stage.paused()
            first = stage.difference(text)
            return first, stage.difference(await stage.resumed(text, stage.session))

        first, last = asyncio.run(play())
        assert (first.clean, last.clean) == (True, True)

    def test_resumed_twice(self) -> None:
        """§3.2 (1): resumed twice from one text, the output is in the session twice."""

        async def play() -> tuple[Stage, str]:
            stage = Stage()
            text = await stage.paused()
            after = await stage.resumed(text, stage.session)
            await stage.resumed(text, stage.session)
            return stage, after

        stage, after = asyncio.run(play())
        kinds = [each.get("type") for each in stage.session.items]
        assert (stage.ran, kinds.count("function_call_output")) == (2, 2)
        assert len(stage.difference(after).duplicates) == 1

    def test_forgotten(self) -> None:
        """§3.2 (2): without `session=` at the resume, the call dangles for ever."""

        async def play() -> tuple[Stage, str]:
            stage = Stage()
            return stage, await stage.resumed(await stage.paused(), None)

        stage, after = asyncio.run(play())
        found = stage.difference(after)
        assert found.dangling == ("call_1",)
        assert [each.raw.get("type") for each in found.missing] == [
            "function_call_output",
            "message",
        ]

    def test_interleaved(self) -> None:
        """§3.2 (3): another turn while the run waits stands between the call and its output."""

        async def play() -> tuple[Stage, str]:
            stage = Stage([called("call_1")], [replied("msg_1")], [replied("msg_2")])
            text = await stage.paused()
            await stage.play("and you?", stage.session)
            return stage, await stage.resumed(text, stage.session)

        stage, after = asyncio.run(play())
        assert stage.difference(after).interleaved == (2, 3)

    def test_another_session(self) -> None:
        """A state that is resumed with another session: nothing of it is there."""

        async def play() -> tuple[Stage, str]:
            stage = Stage()
            text = await stage.paused()
            stage.session = MemorySession("another")
            return stage, text

        stage, text = asyncio.run(play())
        assert stage.difference(text).other


class TestOnce:
    """The wrapper, with sessions of the SDK's protocol."""

    @pytest.mark.parametrize("kind", [MemorySession, SQLiteSession])
    def test_resumed_twice(self, kind: Any) -> None:  # noqa: ANN401
        """§3.2 (1), R-8, R-12: the output is stored once, and a run is stored as without it."""

        async def play() -> tuple[list[Any], list[Any]]:
            plain, twice = Stage(), Stage()
            one, other = kind("one"), kind("other")
            await plain.resumed(await plain.paused(one), one)
            text = await twice.paused(OnceSession(other))
            await twice.resumed(text, OnceSession(other))
            await twice.resumed(text, OnceSession(other))
            return await one.get_items(), await other.get_items()

        one, other = asyncio.run(play())
        assert [each.get("call_id") for each in other].count("call_1") == 2
        assert other[: len(one)] == one

    def test_half_a_batch(self) -> None:
        """R-12: what an append left out is appended; what is all there is not asked again."""

        async def play() -> MemorySession:
            session = MemorySession("s", TOLD[1:3])  # type: ignore[arg-type]
            once = OnceSession(session)
            await once.add_items(TOLD[1:4])  # type: ignore[arg-type]
            session.appends_left = 0  # the next append fails
            await once.add_items(TOLD[1:4])  # type: ignore[arg-type]
            return session

        assert asyncio.run(play()).items == TOLD[1:4]

    def test_stands_before(self) -> None:
        """Whatever the session has, the wrapper has."""

        async def play() -> tuple[object, list[Any]]:
            once = OnceSession(SQLiteSession("named"))
            await once.add_items([said("one"), said("two")])  # type: ignore[list-item]
            newest = await once.get_items(limit=1)
            taken = await once.pop_item()
            left = await once.get_items()
            await once.clear_session()
            seen = (once.session_id, newest, taken, left)
            return seen, await once.get_items()

        two = said("two")
        assert asyncio.run(play()) == (("named", [two], two, [said("one")]), [])
