"""The session of a durable run: each entry once, whoever forgets, moves, cuts or interleaves."""

# ruff: noqa: ANN401  (any session, any option of hitl.run)

from __future__ import annotations

import asyncio
import functools
import logging
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    OutputGuardrail,
    OutputGuardrailTripwireTriggered,
    RunConfig,
    Runner,
    RunState,
    SessionSettings,
    UserError,
)

import hitl
from hitl.conversation.told import kept
from hitl.errors import SessionMismatch, Superseded
from tests.agents.disturbed import QUIET, SHAPES, Trouble, buy, pay
from tests.agents.durably import QUIET as CONFIG
from tests.agents.log import Log
from tests.agents.model import ScriptedModel, message
from tests.agents.session import MemorySession
from tests.conversation.durable import cut_behind
from tests.conversation.server import done, replied, said
from tests.conversation.sessions import KINDS, sessions, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hitl.store import Store

RUN = "run_1"
FAKE = "__fake_id__"
WHOLE = [
    "u:go",
    "a:one",
    "call_1",
    "call_1=paid 1",
    "a:two",
    "call_2",
    "call_2=paid 2",
    "call_3",
    "call_3=paid 3",
    "a:bye",
]


class Boom(Exception):
    """What ends a worker."""


def chatty(log: Log, *, ids: bool = False) -> Agent[Any]:
    """Three calls that wait, one after the other; its messages have no ids, or their own."""
    texts = {text: message(text, f"msg_{text}" if ids else FAKE) for text in ("one", "two", "bye")}
    steps = [[texts["one"], buy(1)], [texts["two"], buy(2)], [buy(3)], [texts["bye"]]]
    return Agent(name="ops", model=ScriptedModel("ops", steps, log), tools=[pay(log, QUIET)])


@attrs.define
class Cut:
    """Ends the worker once, at the n-th append to the session: before it, or after it.

    Attributes:
        left: how many appends until then; 0: never.
        after: whether the append happens.
    """

    left: int = 0
    after: bool = False

    def on(self, session: Any) -> Any:
        """Let appends to a session be cut."""
        theirs = session.add_items

        @functools.wraps(theirs)
        async def add_items(*args: Any, **kwargs: Any) -> None:
            self.left -= 1
            if self.left == 0 and not self.after:
                raise Boom
            await theirs(*args, **kwargs)
            if self.left == 0:
                raise Boom

        session.add_items = add_items
        return session


@attrs.define
class Play:
    """A run in a store, taken up by new workers, each with its own session object.

    Attributes:
        store: where the run lives.
        opened: opens the session anew.
        agent: makes the agents of a worker, with a log.
        config, given: what it is run with, and begins with.
        reports: what each resume said of the session.
    """

    store: Any
    opened: Any
    log: Log = attrs.field(factory=Log)
    agent: Any = chatty
    streamed: bool = False
    cut: Cut = attrs.field(factory=Cut)
    config: Any = CONFIG
    given: Any = "go"
    begun: bool = False
    reports: list[Any] = attrs.field(factory=list)

    async def step(self, *, session: Any = attrs.NOTHING, **options: Any) -> hitl.DurableRun:
        """Start the run, or take it up."""
        given = self.cut.on(self.opened()) if session is attrs.NOTHING else session
        options |= {"session": given, "run_config": self.config, "store": self.store}
        agent, begun = self.agent(self.log), self.begun
        self.begun = True
        if not begun:
            options["run_id"] = RUN
        what = RUN if begun else self.given
        if not self.streamed:
            run = await (hitl.resume if begun else hitl.run)(agent, what, **options)
        else:
            either: Any = hitl.resume_streamed if begun else hitl.run_streamed
            stream = either(agent, what, **options)
            async for _ in stream.stream_events():
                pass
            run = stream.run
        self.reports.append(run.session)
        return run

    async def approve(self) -> None:
        """Say yes to all that waits."""
        for request in await self.store.waiting(run_id=RUN):
            await self.store.decide(RUN, request.call, hitl.approve(by="ana"))

    async def through(self, **options: Any) -> list[str]:
        """Play to the end; give what the session holds."""
        for _ in range(20):
            try:
                run = await self.step(**options)
            except Boom:
                continue
            if run.status == "finished":
                return await self.held()
            await self.approve()
        raise AssertionError(await self.store.run(RUN))

    async def held(self) -> list[str]:
        """What the session holds."""
        return told(await self.opened().get_items())


def played(test: Callable[[Play], Any], kind: str = "app", folder: Any = None) -> Any:
    """Play a test with a store, and a session of a kind."""

    async def play() -> Any:
        async with hitl.connect("memory:") as store, sessions(kind, folder) as opened:
            return await test(Play(store, opened))

    return asyncio.run(play())


class TestEachOnce:
    """R-3, R-11, X-9: after any number of pauses and cuts each entry is there exactly once."""

    @pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
    @pytest.mark.parametrize("kind", KINDS)
    def test_three_pauses(self, kind: str, tmp_path: Path, *, streamed: bool) -> None:
        """R-3: three pauses, each resumed by another worker."""

        async def test(play: Play) -> list[str]:
            play.streamed = streamed
            return await play.through()

        assert played(test, kind, tmp_path) == WHOLE

    @pytest.mark.parametrize("kind", KINDS)
    def test_ids(self, kind: str, tmp_path: Path) -> None:
        """R-3: the same where the model names its messages, and a server gives other names."""

        async def test(play: Play) -> list[str]:
            play.agent = functools.partial(chatty, ids=True)
            held = await play.through()
            assert all(report.clean for report in play.reports[1:])
            return held

        assert played(test, kind, tmp_path) == WHOLE

    def test_another_answer(self) -> None:
        """X-9: where the model is asked again and says something else, the session holds that."""

        async def test(play: Play) -> list[str]:
            await play.step()
            await play.approve()
            play.cut = Cut(2, after=True)  # the first append is the answer, then what followed
            play.agent = functools.partial(_second, 2)
            with pytest.raises(Boom):
                await play.step()
            assert "a:said 2" in await play.held()
            play.agent = functools.partial(_second, 7)
            run = await play.step()
            assert run.state is not None
            said_ = kept(run.state, [said("go")])
            assert await play.held() == told([each.raw for each in said_])
            return await play.held()

        assert len(played(test)) == 6

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize(
        ("kind", "streamed"), [("app", True), *((kind, False) for kind in KINDS)]
    )
    def test_cut_at_each_write(
        self, kind: str, tmp_path: Path, *, streamed: bool, after: bool
    ) -> None:
        """§5.5, R-12: a worker cut before or after any append leaves out none and doubles none."""

        async def test(number: int, play: Play) -> tuple[list[str], bool]:
            play.streamed, play.cut = streamed, Cut(number, after)
            return await play.through(), play.cut.left > 0

        for number in range(1, 20):
            folder = tmp_path / str(number)
            folder.mkdir()
            held, over = played(functools.partial(test, number), kind, folder)
            assert held == WHOLE, number
            if over:
                break
        assert number > 5

    @pytest.mark.parametrize("shape", SHAPES)
    def test_shapes(self, shape: str) -> None:
        """R-11: handoffs and agents used as tools too, each cut once at each append."""

        async def test(number: int, play: Play) -> tuple[list[str], bool]:
            play.agent, play.cut = SHAPES[shape], Cut(number, after=True)
            return await play.through(), play.cut.left > 0

        expected, _ = played(functools.partial(test, 0))
        for number in range(1, 9):
            held, over = played(functools.partial(test, number))
            assert held == expected
            if over:
                break
        assert len(expected) == len(set(expected))

    @pytest.mark.parametrize("kind", ["sqlite_file", "sqlalchemy", "conversations"])
    def test_a_few_are_read(self, kind: str, tmp_path: Path) -> None:
        """A session that gives its newest few holds the run all the same."""

        async def test(play: Play) -> list[str]:
            opened = play.opened

            def few() -> Any:
                session = opened()
                session.session_settings = SessionSettings(limit=1)
                return session

            play.opened = few
            await play.through()
            assert [report.found for report in play.reports[1:]] == [3, 6, 8]
            return told(await opened().get_items())

        assert played(test, kind, tmp_path) == WHOLE

    def test_model_failed(self) -> None:
        """§3.2 (1): taken up after the model failed, the answer is stored once."""

        async def test(play: Play) -> list[str]:
            trouble = Trouble("model", 2, _boom)
            play.agent = functools.partial(SHAPES["plain"], trouble=trouble)
            held = await play.through()
            assert trouble.seen > 2
            return held

        assert played(test) == played(_plain)

    def test_resumed_twice(self) -> None:
        """§3.2 (1): taken up twice from one pause, the second is refused or given the same run."""

        async def test(play: Play) -> list[str]:
            await play.step()
            await play.approve()
            runs = await asyncio.gather(*(play.step() for _ in range(2)), return_exceptions=True)
            assert sorted(type(each).__name__ for each in runs) == ["AlreadyClaimed", "DurableRun"]
            return await play.through()

        assert played(test) == WHOLE

    def test_inside_a_tool(self) -> None:
        """A session of an agent used as a tool is written to once too, over its pauses."""

        async def test(play: Play) -> list[str]:
            inner = MemorySession("inner")
            play.agent = functools.partial(_asking, inner)
            await play.step()
            # As a late worker would: the answer is there once all the same.
            await inner.add_items([done("call_1", "paid 1")])  # type: ignore[list-item]
            await play.approve()
            await play.through()
            return told(inner.items)

        assert played(test) == ["u:i", "call_1", "call_1=paid 1", "call_2", "call_2=paid 2", "a:ok"]


class Numbering(MemorySession):
    """A session of an app that gives messages ids of its own, as rows of a table have them."""

    async def add_items(self, items: list[Any]) -> None:
        """Append under new ids."""
        start = len(self.items)
        named = [
            {**each, "id": f"row_{start + at}"} if "role" in each else each
            for at, each in enumerate(items)
        ]
        await super().add_items(named)  # type: ignore[arg-type]


class Short(MemorySession):
    """A session of an app that keeps its newest few."""

    async def add_items(self, items: list[Any]) -> None:
        """Append, and let go of the oldest."""
        await super().add_items(items)
        del self.items[:-4]


def _stamped(history: list[Any], new: list[Any]) -> list[Any]:
    return [*history, {"role": "system", "content": "it is noon"}, *new]


def _redacted(history: list[Any], new: list[Any]) -> list[Any]:
    return [*history, *({**each, "content": "***"} for each in new)]


class TestApps:
    """What an app makes of what is stored is what is stored, once."""

    def test_own_ids(self) -> None:
        """R-3: a session that gives messages ids of its own, without saying so."""

        async def test(play: Play) -> list[str]:
            session = Numbering("s")
            play.opened = lambda: session
            play.agent = functools.partial(chatty, ids=True)
            return await play.through()

        assert played(test) == WHOLE

    def test_provider_data(self) -> None:
        """R-12: what a provider says beside a message, a server's session does not keep."""

        async def test(play: Play) -> list[str]:
            play.agent = _provided
            return await play.through()

        assert played(test, "conversations") == WHOLE[:4]

    @pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
    @pytest.mark.parametrize(
        ("callback", "given"), [(_stamped, ["s:it is noon", "u:go"]), (_redacted, ["u:***"])]
    )
    def test_input_callback(self, callback: Any, given: list[str], *, after: bool) -> None:
        """R-50: input that `session_input_callback` changed, wherever a worker is cut."""

        async def test(number: int, play: Play) -> list[str]:
            play.cut = Cut(number, after)
            play.config = RunConfig(tracing_disabled=True, session_input_callback=callback)
            return await play.through()

        for number in (1, 2, 3):
            assert played(functools.partial(test, number)) == [*given, *WHOLE[1:]]

    def test_input_left_out(self) -> None:
        """What the callback leaves out of the input is not stored at a resume either."""

        async def test(play: Play) -> list[str]:
            play.given = [said("go"), said("my number is 7")]
            play.config = RunConfig(
                tracing_disabled=True, session_input_callback=lambda old, new: [*old, *new[:1]]
            )
            return await play.through()

        assert played(test) == WHOLE

    def test_keeps_a_few(self) -> None:
        """R-50: a session that lets go of its oldest: the input of a dead worker is found."""

        async def test(play: Play) -> list[str]:
            session = Short("s", [said("a"), replied("m_0"), said("b"), replied("m_1")])  # type: ignore[list-item]
            play.opened = lambda: session
            play.cut = Cut(1, after=True)
            with pytest.raises(Boom):
                await play.step(session=play.cut.on(_fresh(session)))
            assert told(session.items)[-1] == "u:go"
            await play.step()
            return told(session.items)

        assert played(test) == ["a:hello", *WHOLE[:3]]


def _provided(log: Log) -> Agent[Any]:
    text = message("one", FAKE) | {"provider_data": {"model": "m", "response_id": "r"}}
    steps: Any = [[text, buy(1)]]
    model = ScriptedModel("ops", steps, log)
    return Agent(
        name="ops", model=model, tools=[pay(log, QUIET)], tool_use_behavior="stop_on_first_tool"
    )


def _second(number: int, log: Log) -> Agent[Any]:
    steps = [[message("one", FAKE), buy(1)], [message(f"said {number}", FAKE), buy(number)]]
    return Agent(name="ops", model=ScriptedModel("ops", steps, log), tools=[pay(log, QUIET)])


def _asking(inner: MemorySession, log: Log) -> Agent[Any]:
    steps = [[buy(1)], [buy(2)], [message("ok", FAKE)]]
    clerk = Agent(name="clerk", model=ScriptedModel("clerk", steps, log), tools=[pay(log, QUIET)])
    ask = clerk.as_tool("ask", "Ask.", session=inner)
    steps = [[{**buy(0), "name": "ask", "arguments": '{"input": "i"}'}], [message("bye", FAKE)]]
    return Agent(name="ops", model=ScriptedModel("ops", steps, log), tools=[ask])


async def _boom() -> None:
    raise Boom


async def _plain(play: Play) -> list[str]:
    play.agent = SHAPES["plain"]
    return await play.through()


class TestMismatch:
    """R-3: a run goes on in its own session, or says so before anything runs."""

    def test_forgotten(self) -> None:
        """§3.2 (2): without the session nothing is run, and the run waits on as it did."""

        async def test(play: Play) -> list[str]:
            await play.step()
            await play.approve()
            asked = len(play.log.requests)
            with pytest.raises(SessionMismatch, match="found none") as caught:
                await play.step(session=None)
            assert "allow_other_session" in str(caught.value.hint)
            assert (await play.store.run(RUN)).status == "ready"
            assert (len(play.log.requests), play.log.tool_runs) == (asked, [])
            return await play.through()

        assert played(test) == WHOLE

    def test_forgotten_before_a_checkpoint(self) -> None:
        """The same where there is no checkpoint yet; another name is another session."""

        async def test(play: Play) -> list[str]:
            play.cut = Cut(1, after=True)
            with pytest.raises(Boom):
                await play.step()
            for session in (None, MemorySession("another")):
                with pytest.raises(SessionMismatch):
                    await play.step(session=session)
            return await play.through()

        assert played(test) == WHOLE

    @pytest.mark.parametrize("name", ["s", "another"])
    def test_another(self, name: str) -> None:
        """A session that holds nothing of the run is refused, whatever its name."""

        async def test(play: Play) -> list[str]:
            await play.step()
            await play.approve()
            other = MemorySession(name, [said("hi"), replied("m_0")])  # type: ignore[list-item]
            with pytest.raises(SessionMismatch, match="nothing of the run"):
                await play.step(session=other)
            assert (await play.store.run(RUN)).status == "ready"
            assert told(other.items) == ["u:hi", "a:hello"]
            return await play.through()

        assert played(test) == WHOLE

    def test_another_behind_an_answer(self, caplog: pytest.LogCaptureFixture) -> None:
        """Refused with an answer recorded, the run is let go once, and that is all that is told."""

        async def test(play: Play) -> list[str]:
            await play.step()
            await play.approve()
            await cut_behind(play.step)
            caplog.clear()
            with pytest.raises(SessionMismatch, match="nothing of the run"):
                await play.step(session=MemorySession("another"))
            assert not caplog.records
            return await play.through()

        with caplog.at_level(logging.WARNING, "hitl"):
            assert played(test) == WHOLE

    def test_renamed(self) -> None:
        """A session under another name that holds the run is the run's."""

        async def test(play: Play) -> list[str]:
            await play.step()
            await play.approve()
            copied = MemorySession("copied", await play.opened().get_items())
            play.opened = lambda: copied
            return await play.through()

        assert played(test) == WHOLE

    def test_new_conversation(self) -> None:
        """A conversation that its server has not begun yet is another; none is begun."""
        from agents import OpenAIConversationsSession

        from tests.conversation.sessions import ConversationServer

        async def test(play: Play) -> list[str]:
            await play.step()
            await play.approve()
            server = ConversationServer()
            with pytest.raises(SessionMismatch, match="new one"):
                await play.step(session=OpenAIConversationsSession(openai_client=server.client))
            assert server.held == {}
            return await play.through()

        assert played(test) == WHOLE

    def test_wrapped_by_the_app(self) -> None:
        """A session behind `hitl.once` is what it is, also before its server has named it."""
        from agents import OpenAIConversationsSession

        from tests.conversation.sessions import ConversationServer

        async def test(play: Play) -> str:
            client = ConversationServer().client
            play.opened = lambda: OpenAIConversationsSession(openai_client=client)
            play.cut = Cut(1)
            with pytest.raises(Boom):
                await play.step()
            run = await play.step(session=hitl.once(play.opened()))
            return run.status

        assert played(test) == "waiting"

    def test_never_had_one(self) -> None:
        """A run without a session is given none at its resume."""

        async def test(play: Play) -> None:
            await play.step(session=None)
            await play.approve()
            with pytest.raises(SessionMismatch, match="found one"):
                await play.step()
            assert (await play.step(session=None)).session is None

        played(test)

    @pytest.mark.parametrize("kind", KINDS)
    def test_moved(self, kind: str, tmp_path: Path) -> None:
        """Asked to go on in another session, the whole run is written there, once."""

        async def test(play: Play) -> list[str]:
            earlier: Any = [said("hi"), replied("m_0")]
            await play.step(session=MemorySession("before", earlier))
            await play.approve()
            await play.step(allow_other_session=True)
            assert len(play.reports[-1].append) == 3
            await play.approve()
            return await play.through()

        assert played(test, kind, tmp_path) == WHOLE

    @pytest.mark.parametrize("kind", KINDS)
    def test_left_out(self, kind: str, tmp_path: Path) -> None:
        """§3.2 (2): what a resume without the session left out is written at the next with it."""

        async def test(play: Play) -> list[str]:
            await play.step()
            await play.approve()
            await play.step(session=None, allow_other_session=True)
            assert await play.held() == WHOLE[:3]
            await play.approve()
            held = await play.through()
            assert [each.raw["type"] for each in play.reports[2].append][-1] == "function_call"
            return held

        assert played(test, kind, tmp_path) == WHOLE

    @pytest.mark.parametrize("kind", KINDS)
    def test_left_out_to_the_end(self, kind: str, tmp_path: Path) -> None:
        """§3.2 (2): the session of a run that has ended is put right when that is asked for."""

        async def test(play: Play) -> list[str]:
            await play.step()
            for _ in range(3):
                await play.approve()
                await play.step(session=None, allow_other_session=True)
            assert await play.held() == WHOLE[:3]
            assert (await play.step()).session is None
            assert await play.held() == WHOLE[:3]
            first = await play.step(repair_session=True)
            again = await play.step(repair_session=True)
            assert (first.status, first.final_output) == ("finished", "bye")
            assert len(first.session.append if first.session else ()) == 7
            assert again.session is not None
            assert again.session.clean
            names = {str(each.get("id")) for each in await play.opened().get_items()}
            assert (kind == "conversations") == names.isdisjoint({"fc_call_2", "fc_call_3"})
            return await play.held()

        assert played(test, kind, tmp_path) == WHOLE

    def test_another_of_an_ended_run(self) -> None:
        """Another session is not written to because the run has ended."""

        async def test(play: Play) -> None:
            await play.through()
            other = MemorySession("another")
            with pytest.raises(SessionMismatch):
                await play.step(session=other, repair_session=True)
            assert other.items == []

        played(test)


def guarded(log: Log, *, trips: bool = False, guards: bool = True, calls: int = 1) -> Agent[Any]:
    """Calls whose results end the run, behind a guardrail."""

    async def check(*_: Any) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered=trips)

    return Agent(
        name="ops",
        model=ScriptedModel("ops", [[message("one", FAKE), *map(buy, range(1, calls + 1))]], log),
        tools=[pay(log, QUIET)],
        tool_use_behavior="stop_on_first_tool",
        output_guardrails=[OutputGuardrail(check)] if guards else [],
    )


class TestOutputGuardrails:
    """§3.2 (4): a pause that wrote to the session what is held back by now.

    Older releases wrote the response that waits to the session, as all do without guardrails.
    """

    def test_sdk(self) -> None:
        """Plain openai-agents refuses to go on, for good."""

        async def play() -> None:
            session, log = MemorySession("s"), Log()
            first = guarded(log, guards=False)
            result = await Runner.run(first, "go", session=session, run_config=CONFIG)
            state = result.to_state()
            state.approve(state.get_interruptions()[0])
            text = state.to_string()
            for _ in range(2):
                again = await RunState.from_string(guarded(log), text)
                with pytest.raises(UserError, match="items were persisted"):
                    await Runner.run(guarded(log), again, session=session, run_config=CONFIG)

        asyncio.run(play())

    @pytest.mark.parametrize("kind", KINDS)
    def test_held_back(self, kind: str, tmp_path: Path) -> None:
        """Asked to, the run takes it back, goes on, and it is stored once it has passed."""

        async def test(play: Play) -> list[str]:
            play.agent = functools.partial(guarded, guards=False)
            await play.step()
            await play.approve()
            play.agent = guarded
            with pytest.raises(SessionMismatch, match="output guardrail"):
                await play.step()
            assert (await play.store.run(RUN)).status == "ready"
            assert await play.held() == WHOLE[:3]
            run = await play.step(repair_session=True)
            assert (run.status, run.final_output) == ("finished", "paid 1")
            return await play.held()

        assert played(test, kind, tmp_path) == WHOLE[:4]

    def test_held_back_in_part(self) -> None:
        """One of two calls is decided: both are held back until the other one is, as ever."""

        async def test(play: Play) -> list[str]:
            play.agent = functools.partial(guarded, guards=False, calls=2)
            await play.step()
            play.agent = functools.partial(guarded, calls=2)
            await play.store.decide(RUN, "call_1", hitl.approve(by="ana"))
            run = await play.step(repair_session=True)
            assert run.state is not None
            assert run.state.session_write is not None
            assert await play.held() == ["u:go"]
            await play.approve()
            return await play.through()

        expected = ["u:go", "a:one", "call_1", "call_2", "call_1=paid 1", "call_2=paid 2"]
        assert sorted(played(test)) == sorted(expected)

    def test_cut_while_it_is_taken_back(self) -> None:
        """A worker that was cut right after it took it back: the next one goes on."""

        async def test(play: Play) -> list[str]:
            play.agent = functools.partial(guarded, guards=False)
            await play.step()
            await play.approve()
            play.agent = guarded
            del play.opened().items[1:]
            run = await play.step()
            assert (run.status, play.reports[-1].withdrawn) == ("finished", ())
            return await play.held()

        assert played(test) == WHOLE[:4]

    def test_tripped(self) -> None:
        """What the guardrail stops is not stored: neither the call's words nor its result."""

        async def test(play: Play) -> list[str]:
            play.agent = functools.partial(guarded, guards=False)
            await play.step()
            await play.approve()
            play.agent = functools.partial(guarded, trips=True)
            with pytest.raises(OutputGuardrailTripwireTriggered):
                await play.step(repair_session=True)
            return await play.held()

        assert "paid" not in " ".join(played(test))

    def test_not_written_early(self) -> None:
        """What this release holds back at a pause is not missing from the session."""

        async def test(play: Play) -> list[str]:
            play.agent = guarded
            await play.step()
            assert await play.held() == ["u:go"]
            await play.approve()
            await play.step()
            assert play.reports[-1].append == ()
            return await play.held()

        assert played(test) == WHOLE[:4]


class TestOthers:
    """What others write to the session."""

    def test_interleaved(self, caplog: pytest.LogCaptureFixture) -> None:
        """§3.2 (3): another turn while the run waits is noticed, reported and left as it is."""

        async def test(play: Play) -> list[str]:
            await play.step()
            await play.approve()
            steps = [[message("fine", "msg_x")]]
            other = Agent(name="other", model=ScriptedModel("other", steps, Log()))
            await Runner.run(other, "and you?", session=play.opened(), run_config=CONFIG)
            await play.step()
            assert play.reports[-1].interleaved == (3, 4)
            await play.approve()
            return await play.through()

        with caplog.at_level(logging.WARNING, "hitl"):
            held = played(test)
        assert held == [*WHOLE[:3], "u:and you?", "a:fine", *WHOLE[3:]]
        assert "2 entries of another turn" in caplog.text

    def test_compacted(self) -> None:
        """What a compaction stands for by now is not written again."""

        async def test(play: Play) -> list[str]:
            await play.step()
            await play.approve()
            session = play.opened()
            compaction = {"type": "compaction", "id": "cmp_1", "encrypted_content": "all of it"}
            session.items[:2] = [compaction]
            return await play.through()

        assert played(test) == ["c:", *WHOLE[2:]]

    def test_said_before(self) -> None:
        """R-50: a run that starts over takes back nothing that an earlier turn said alike."""

        async def test(play: Play) -> list[str]:
            session = play.opened()
            await session.add_items([said("go"), replied("m_0")])
            play.cut = Cut(1)
            with pytest.raises(Boom):
                await play.step(session=play.cut.on(_fresh(session)))
            return await play.through(session=session)

        assert played(test) == ["u:go", "a:hello", *WHOLE]

    @pytest.mark.parametrize("kind", ["app", "sqlite_file", "conversations"])
    @pytest.mark.parametrize("cut", ["input", "answer", "repair"])
    def test_under_way(self, kind: str, cut: str, tmp_path: Path) -> None:
        """Law 7: the end of a turn that began before the run is nobody else's, and stays."""

        async def test(play: Play) -> list[str]:
            await play.opened().add_items([said("and you?")])
            if cut != "input":
                await play.step()
                await play.approve()
            play.cut = Cut({"input": 1, "answer": 2, "repair": 0}[cut], after=cut == "input")
            if cut != "repair":  # it dies behind its input, or behind the answer
                with pytest.raises(Boom):
                    await play.step()
            await play.opened().add_items([replied("msg_x")])
            await play.step(**({} if cut == "input" else {"repair_session": True}))
            return await play.held()

        at = {"input": 1, "answer": 4, "repair": 3}[cut]
        end = 3 if cut == "input" else 6
        expected = ["u:and you?", *WHOLE[:at], "a:hello", *WHOLE[at:end]]
        assert played(test, kind, tmp_path) == expected

    @pytest.mark.parametrize("turns", [1, 60])
    @pytest.mark.parametrize("number", [1, 2, 8])
    def test_overtaken(self, tmp_path: Path, number: int, turns: int) -> None:
        """Law 7: what a worker wrote that died at it is there once, whoever wrote behind it."""

        async def test(play: Play) -> list[str]:
            play.cut = Cut(number, after=True)
            theirs = []
            for _ in range(8):
                try:
                    run = await play.step()
                except Boom:
                    theirs = [said("hello?"), replied(FAKE)] * turns
                    await play.opened().add_items(theirs)
                    continue
                if run.status == "finished":
                    break
                await play.approve()
            for request in play.log.requests:  # what is the run's it is told as such, and only so
                assert told([*request.input]).count("u:go") == 1
            held = await play.held()
            at = held.index("u:hello?")
            assert held[at : at + len(theirs)] == told(theirs)
            return [*held[:at], *held[at + len(theirs) :]]

        assert played(test, "sqlite_file", tmp_path) == WHOLE

    def test_overtaken_twice(self, tmp_path: Path) -> None:
        """R-50: the same where the next worker dies before a checkpoint, too."""

        async def test(play: Play) -> list[str]:
            for _ in range(2):  # behind its input, then behind what its model answered
                play.cut = Cut(1, after=True)
                with pytest.raises(Boom):
                    await play.step()
                await play.opened().add_items([said("hello?"), replied("msg_x")])
            await play.step()
            return await play.held()

        expected = ["u:go", "u:hello?", "a:hello", *WHOLE[1:3], "u:hello?", "a:hello"]
        held = played(test, "sqlite_file", tmp_path)
        assert sorted(held) == sorted(expected)

    def test_overtaken_and_given_up(self, tmp_path: Path) -> None:
        """Law 7: an answer is stored that says what one said that was given up, and overtaken."""
        texts = {text: message(text, FAKE) for text in ("one", "two")}
        answers = [[[texts["one"], buy(1)]], [[texts["two"], buy(2)], [texts["one"]]]]

        def agent(log: Log) -> Agent[Any]:
            tool: Any = pay(log, QUIET)
            tool.needs_approval = False
            return Agent(name="ops", model=ScriptedModel("ops", answers.pop(0), log), tools=[tool])

        async def test(play: Play) -> list[str]:
            play.agent, play.cut = agent, Cut(2, after=True)
            with pytest.raises(Boom):
                await play.step()
            await play.opened().add_items([said("hello?"), replied("msg_x")])
            await play.step()
            return await play.held()

        before = ["u:go", "a:one", "call_1", "call_1=paid 1", "u:hello?", "a:hello"]
        after = ["a:two", "call_2", "call_2=paid 2", "a:one"]
        assert played(test, "sqlite_file", tmp_path) == [*before, *after]

    def test_two_runs(self) -> None:
        """A run that is taken up takes back nothing that another run wrote behind it."""

        async def test(play: Play) -> list[str]:
            session = play.opened()
            log = Log()
            options: Any = {"store": play.store, "session": session, "run_config": CONFIG}
            steps = [[buy(9)], [message("nine", "msg_9")]]

            def other() -> Agent[Any]:
                return Agent(
                    name="other", model=ScriptedModel("other", steps, log), tools=[pay(log, QUIET)]
                )

            await hitl.run(other(), "nine", run_id="other", **options)
            await play.step()
            await play.store.decide("other", "call_9", hitl.approve(by="ana"))
            await hitl.resume(other(), "other", **options)
            await play.approve()
            play.cut = Cut(1)
            with pytest.raises(Boom):
                await play.step()
            return await play.through()

        held = played(test)
        assert held == ["u:nine", "call_9", *WHOLE[:3], "call_9=paid 9", "a:nine", *WHOLE[3:]]

    @pytest.mark.parametrize("kind", ["app", "sqlite_file", "sqlalchemy", "encrypted"])
    def test_late_worker(self, kind: str, tmp_path: Path) -> None:
        """Law 7: what a late worker wrote again is reported, and taken back when asked."""

        async def test(play: Play) -> list[str]:
            await play.step()
            await play.approve()
            await play.step()
            await play.opened().add_items([done("call_1", "paid 1")])
            await play.approve()
            await play.step()
            assert len(play.reports[-1].duplicates) == 1
            assert (await play.held()).count("call_1=paid 1") == 2
            await play.approve()
            held = await play.through(repair_session=True)
            assert len(play.reports[-1].repaired) == 1
            return held

        assert played(test, kind, tmp_path) == WHOLE

    def test_late_answer_and_reply(self) -> None:
        """The same of a worker whose model answered too: that reply is nobody's."""

        async def test(play: Play) -> list[str]:
            await play.step()
            await play.approve()
            await play.step()
            await play.opened().add_items([done("call_1", "paid 1"), replied("msg_late")])
            await play.approve()
            await play.step(repair_session=True)
            assert play.reports[-1].surplus == (6, 7)
            await play.approve()
            return await play.through()

        assert played(test) == WHOLE

    def test_late_after_the_end(self) -> None:
        """The same of a run that has ended."""

        async def test(play: Play) -> list[str]:
            await play.through()
            await play.opened().add_items([done("call_3", "paid 3"), replied("msg_late")])
            assert (await play.step()).session is None
            await play.step(repair_session=True)
            return await play.held()

        assert played(test) == WHOLE

    def test_at_the_same_time(self) -> None:
        """What somebody says while entries are taken back stays; the next resume goes on."""

        async def test(play: Play) -> list[str]:
            session = Overheard("s")
            play.opened = lambda: session
            await play.step()
            await play.approve()
            await play.step()
            await session.add_items([done("call_1", "paid 1")])  # type: ignore[list-item]
            await play.approve()
            session.says = said("hello?")
            with pytest.raises(SessionMismatch, match="changed"):
                await play.step(repair_session=True)
            assert told(session.items)[-2:] == ["call_1=paid 1", "u:hello?"]
            return await play.through(repair_session=True)

        assert played(test) == [*WHOLE[:6], "call_1=paid 1", "u:hello?", *WHOLE[6:]]

    @pytest.mark.parametrize("renewals", [1, 2])
    def test_fenced(self, renewals: int) -> None:
        """X-1: a worker whose run was taken by another appends nothing any more."""

        async def test(play: Play) -> list[str]:
            await play.step()
            await play.approve()
            real, session = play.store, play.opened()
            play.store = Overtaken(real, renewals)
            with pytest.raises(Superseded):
                await play.step()
            play.store = real
            return told(session.items)

        assert played(test) == WHOLE[: 2 + renewals]  # before the answer, and before what follows


class Overheard(MemorySession):
    """A session in which somebody says something once, right after it was read."""

    says: Any = None

    async def get_items(self, limit: int | None = None) -> list[Any]:
        """Give what it holds, without what is said then."""
        found = await super().get_items(limit)
        self.items += [self.says] if self.says else []
        self.says = None
        return found


class Overtaken:
    """A store in which another worker takes the run after some renewals of the claim."""

    def __init__(self, store: Store, renewals: int) -> None:
        self._store, self._left = store, renewals

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def renew(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse, when it is taken."""
        if self._left == 0:
            raise Superseded("expected the newest claim, found an older one")
        self._left -= 1
        return await self._store.renew(*args, **kwargs)


def _fresh(session: MemorySession) -> Any:
    """The same items under another object."""
    twin = type(session)("s")
    twin.items = session.items
    return twin
