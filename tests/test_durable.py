"""`hitl.run` and `hitl.resume`: what they promise, one by one, on the real SDK."""

# ruff: noqa: ANN401  (options of hitl.run)

from __future__ import annotations

import asyncio
import contextlib
import copy
from typing import TYPE_CHECKING, Any

import pytest
from agents import (
    Agent,
    RunContextWrapper,
    RunHooks,
    Runner,
    ToolOutputImage,
    function_tool,
)
from agents.run import get_default_agent_runner
from openai import AsyncOpenAI
from pydantic import BaseModel

import hitl
from hitl.errors import (
    AlreadyClaimed,
    ArgumentsChanged,
    InDoubt,
    RunExists,
    Superseded,
    ToolMismatch,
)
from hitl.runtime.durable.seam import Seam
from tests.agents.disturbed import LOOK, SHAPES, Trouble, Troubled, buy, look
from tests.agents.durably import QUIET as CONFIG
from tests.agents.log import Log
from tests.agents.model import ScriptedModel, call
from tests.agents.session import MemorySession

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from hitl.store import Store

RUN = "run_1"
YES = hitl.approve(by="ana")


def on_a_store(test: Callable[[Store], Awaitable[None]]) -> Callable[[], None]:
    """Run a test on a store of its own."""

    async def opened() -> None:
        async with hitl.connect("memory:") as store:
            await test(store)

    def run(*_: object) -> None:
        asyncio.run(opened())

    run.__doc__ = test.__doc__
    return run


async def start(store: Store, shape: str = "plain", log: Log | None = None, **more: Any) -> Any:
    """Start a run of a shape."""
    agent = SHAPES[shape](log or Log())
    return await hitl.run(agent, "go", store=store, run_id=RUN, run_config=CONFIG, **more)


async def again(store: Store, shape: str = "plain", log: Log | None = None, **more: Any) -> Any:
    """Take it up with agents of its own."""
    agent = more.pop("agent", None) or SHAPES[shape](log or Log())
    return await hitl.resume(agent, RUN, store=store, run_config=CONFIG, **more)


def paid(log: Log) -> list[str | None]:
    """The ids of the calls that ran."""
    return [each.call_id for each in log.tool_runs if each.tool == "pay"]


class TestStart:
    @staticmethod
    @on_a_store
    async def test_again(store: Store) -> None:
        """The same id with the same input gives the run there is, and runs nothing."""
        log = Log()
        first = await start(store, log=log)
        asked = len(log.requests)
        second = await start(store, log=log)
        assert (second.status, second.interruptions[0].call) == ("waiting", "call_1")
        assert (first.id, second.id, second.result) == (RUN, RUN, None)
        assert len(log.requests) == asked

    @staticmethod
    @on_a_store
    async def test_other_input(store: Store) -> None:
        """The same id with other input is refused."""
        await start(store)
        with pytest.raises(RunExists):
            await hitl.run(SHAPES["plain"](Log()), "stop", store=store, run_id=RUN)

    def test_a_session_without_a_name(self) -> None:
        """A session that its server names later goes by its kind."""
        from agents import OpenAIConversationsSession

        from hitl.runtime.durable.session import session_name

        session = OpenAIConversationsSession(openai_client=AsyncOpenAI(api_key="none"))
        assert session_name(session) == "OpenAIConversationsSession"
        assert session_name(MemorySession("s")) == "s"

    @staticmethod
    @on_a_store
    async def test_own_name(store: Store) -> None:
        """Without an id a run gets one of its own."""
        one = await hitl.run(SHAPES["plain"](Log()), "go", store=store, run_config=CONFIG)
        two = await hitl.run(SHAPES["plain"](Log()), "go", store=store, run_config=CONFIG)
        assert one.id != two.id


class TestResume:
    @staticmethod
    @on_a_store
    async def test_without_a_verdict(store: Store) -> None:
        """Without a new verdict a run is given as it is; nobody claims it."""
        log = Log()
        await start(store)
        run = await again(store, log=log)
        assert (run.status, run.result, log.requests) == ("waiting", None, [])
        assert (await store.run(RUN)).generation == 1

    @staticmethod
    @on_a_store
    async def test_finished(store: Store) -> None:
        """A finished run gives its output again and runs nothing."""
        await start(store)
        for number in (1, 2):
            await store.decide(RUN, f"call_{number}", YES)
            run = await again(store)
        log = Log()
        stored = await again(store, log=log)
        assert (stored.status, log.requests, log.tool_runs) == ("finished", [], [])
        assert stored.final_output == run.final_output
        assert str(run.final_output).startswith("ops saw")

    @staticmethod
    @on_a_store
    async def test_some_verdicts(store: Store) -> None:
        """R-7: some verdicts are enough; the other call goes on waiting."""
        log = Log()
        await start(store, "parallel")
        await store.decide(RUN, "call_2", YES)
        run = await again(store, "parallel", log)
        assert (run.status, paid(log)) == ("waiting", ["call_2"])
        assert [each.call for each in await store.waiting()] == ["call_1"]

    @staticmethod
    @on_a_store
    async def test_claimed_elsewhere(store: Store) -> None:
        """A second resume is refused before anything runs, and told who has the run."""
        await start(store)
        await store.decide(RUN, "call_1", YES)
        await store.claim(RUN, worker="bo", lease_s=60)
        log = Log()
        with pytest.raises(AlreadyClaimed) as caught:
            await again(store, log=log)
        assert (caught.value.worker, log.tool_runs) == ("bo", [])

    @staticmethod
    @on_a_store
    async def test_cancelled(store: Store) -> None:
        """A cancelled run is given as it is."""
        await start(store)
        await store.cancel(RUN)
        log = Log()
        assert (await again(store, log=log)).status == "cancelled"
        assert log.requests == []

    @staticmethod
    @on_a_store
    async def test_a_refusal_costs_nothing(store: Store) -> None:
        """Law 3: an agent that cannot go on is refused before anything runs; the next one can."""
        await start(store)
        await store.decide(RUN, "call_1", YES)
        log = Log()
        other = Agent(name="ops", model=ScriptedModel("ops", [None], log), tools=[look(log)])
        with pytest.raises(ToolMismatch):
            await again(store, agent=other)
        assert (await again(store, log=log)).status == "waiting"
        assert paid(log) == ["call_1"]

    @staticmethod
    @on_a_store
    async def test_turns(store: Store) -> None:
        """R-15: a limit passed on resume raises the stored one and never lowers it."""
        await start(store, max_turns=5)
        await store.decide(RUN, "call_1", YES)
        assert (await again(store, max_turns=2)).state.turn.max == 5
        await store.decide(RUN, "call_2", YES)
        assert (await again(store, max_turns=9)).state.turn.max == 9


class TestVerdicts:
    @staticmethod
    @on_a_store
    async def test_of_other_arguments(store: Store) -> None:
        """T11, rule 3: a verdict on other bytes than those that would run stops before they do."""
        await start(store)
        await store.decide(RUN, "call_1", YES)
        log = Log()
        forged = _Forging(store)
        with pytest.raises(ArgumentsChanged):
            await again(forged, log=log)
        assert log.tool_runs == []

    @staticmethod
    @on_a_store
    async def test_by_themselves(store: Store) -> None:
        """An expired request has its default verdict; the run goes on with it."""
        log = Log()
        no = hitl.reject(message="too late")
        await start(store, expires_in_s=0.01, default=no)
        await asyncio.sleep(0.02)
        run = await again(store, log=log)  # whoever takes it up sees to what has expired
        assert list(await store.expire()) == []
        assert (run.status, paid(log)) == ("waiting", [])
        assert "too late" in str(log.requests[-1].input)

    @staticmethod
    @on_a_store
    async def test_always_is_a_row_each(store: Store) -> None:
        """Law 8: a call that a sticky verdict covers has an intent and a result of its own."""
        log = Log()
        await start(store, log=log)
        await store.decide(RUN, "call_1", hitl.approve(by="ana", always=True))
        assert (await again(store, log=log)).status == "finished"
        effects = (await store.load(RUN)).effects
        assert [(each.call, each.state) for each in effects] == [
            ("call_1", "finished"),
            ("call_2", "finished"),
        ]

    @staticmethod
    @on_a_store
    async def test_every_call_by_option(store: Store) -> None:
        """`gate="all"`: a call that nobody is asked about has its row too."""
        await start(store, gate="all")
        assert [each.call for each in (await store.load(RUN)).effects] == ["call_l"]
        assert [each.call for each in await store.waiting()] == ["call_1"]


class _Forging:
    """A store whose requests say other arguments than those that were shown."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def load(self, run_id: str, **more: Any) -> Any:
        """Load, with other digests."""
        from attrs import evolve

        stored = await self._store.load(run_id, **more)
        rows = (evolve(each, arguments_sha256="0" * 64) for each in stored.requests)
        return evolve(stored, requests=tuple(rows))


class TestIdempotent:
    @staticmethod
    @on_a_store
    async def test_runs_again_by_itself(store: Store) -> None:
        """Rule 5: a marked tool that was cut runs again under the same key, unasked."""
        keys: list[str | None] = []
        fails = [True]

        @function_tool(needs_approval=True, failure_error_function=None)
        @hitl.idempotent
        def pay(amount: int) -> str:
            """Pay."""
            keys.append(hitl.idempotency_key())
            if fails:
                fails.pop()
                raise OSError
            return f"paid {amount}"

        def agent() -> Agent[Any]:
            return Agent(
                name="ops", model=ScriptedModel("ops", [[buy(1)], None], Log()), tools=[pay]
            )

        await hitl.run(agent(), "go", store=store, run_id=RUN, run_config=CONFIG)
        await store.decide(RUN, "call_1", YES)
        with pytest.raises(Exception, match="Error running tool"):
            await again(store, agent=agent())
        run = await again(store, agent=agent())
        assert run.status == "finished"
        assert len(keys) == 2
        assert len(set(keys)) == 1
        assert keys[0] is not None
        assert hitl.idempotency_key() is None


class TestFence:
    @staticmethod
    @on_a_store
    async def test_a_stale_worker_stops(store: Store) -> None:
        """T5: a worker that slept through its lease is refused before its next effect."""
        await start(store)
        await store.decide(RUN, "call_1", YES)
        log, other = Log(), Log()

        async def overtaken() -> None:
            while not other.requests:
                with contextlib.suppress(AlreadyClaimed):
                    await again(store, log=other)
                await asyncio.sleep(0.01)

        trouble = Trouble("tool_start", 1, overtaken)
        hooks = _Meeting(trouble)
        agent = SHAPES["plain"](log)
        slow = _Overtaken(store)
        with pytest.raises(Superseded):
            await hitl.resume(agent, RUN, store=slow, run_config=CONFIG, hooks=hooks, lease_s=0.05)
        assert (paid(log), paid(other)) == ([], ["call_1"])

    @staticmethod
    @on_a_store
    async def test_a_lost_lease_cuts_the_model_call(store: Store) -> None:
        """A worker whose lease is taken stops at once, not at its next effect."""
        log = Log()
        begun = asyncio.Event()

        async def hang() -> None:
            begun.set()
            await asyncio.sleep(30)

        agent = SHAPES["plain"](log, Trouble("model", 1, hang))
        slow = _Overtaken(store, renews=1)
        running = asyncio.create_task(
            hitl.run(agent, "go", store=slow, run_id=RUN, run_config=CONFIG, lease_s=0.05)
        )
        await begun.wait()
        done, _ = await asyncio.wait({running}, timeout=10)
        assert done == {running}
        assert isinstance(running.exception(), Superseded)

    @staticmethod
    @on_a_store
    async def test_a_lost_response_is_said(store: Store) -> None:
        """Law 8: a call that ran unasked, and whose response is lost, is not made again."""
        log = Log()
        claim = await store.create(RUN, _kickoff(), worker="w", lease_s=60)
        await store.start(claim, "call_9", tool="computer", arguments_sha256="0" * 64)
        await store.finish(claim, "call_9", b'{"value":1}')
        await store.release(claim, reason="error")
        with pytest.raises(InDoubt) as caught:
            await again(store, log=log)
        assert (caught.value.calls, log.requests) == (("call_9",), [])
        assert (await again(store, log=log, force=True)).status == "waiting"


def _kickoff() -> bytes:
    from hitl.runtime.durable.kickoff import Kickoff, dump_kickoff

    return dump_kickoff(Kickoff(input="go", max_turns=10))


class _Meeting(RunHooks[Any]):
    """Hooks that meet trouble before a tool."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble

    async def on_tool_start(self, *_: Any) -> None:
        """Meet it."""
        await self.trouble.met("tool_start")


class _Overtaken:
    """A store in which this worker's heart does not beat."""

    def __init__(self, store: Store, renews: int | None = None) -> None:
        self._store, self._left = store, renews

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def renew(self, claim: Any, *, lease_s: float) -> Any:
        """Renew nothing; after a while, say that another worker has the run."""
        del lease_s
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise Superseded("expected the newest claim, found an older one")
        else:
            await asyncio.sleep(0.2)
        return claim


class TestTheUsersOwn:
    @staticmethod
    @on_a_store
    async def test_agents_are_not_edited(store: Store) -> None:
        """Agents, tools and hooks are the user's own: what they hold is what they held."""
        log = Log()
        agent = SHAPES["nested"](log)
        before = [(each, copy.copy(vars(each))) for each in (agent, *agent.tools)]
        run = await hitl.run(agent, "go", store=store, run_id=RUN, run_config=CONFIG)
        await store.decide(RUN, run.interruptions[0].call, YES)
        await hitl.resume(agent, RUN, store=store, run_config=CONFIG)
        for each, fields in before:
            assert vars(each) == fields
            assert all(vars(each)[name] is value for name, value in fields.items())

    @staticmethod
    @on_a_store
    async def test_hooks_see_the_users_agents(store: Store) -> None:
        """Hooks are called as the SDK calls them, with the user's agents."""
        seen: list[tuple[str, bool]] = []
        agent = SHAPES["handed"](Log())
        known = [agent, agent.handoffs[0]]

        class Hooks(RunHooks[Any]):
            async def on_agent_start(self, context: Any, agent: Any) -> None:
                del context
                seen.append(("start", any(agent is each for each in known)))

            async def on_handoff(self, context: Any, from_agent: Any, to_agent: Any) -> None:
                del context
                mine = [any(one is each for each in known) for one in (from_agent, to_agent)]
                seen.append(("handoff", all(mine)))

            async def on_llm_start(self, context: Any, agent: Any, *_: Any) -> None:
                del context
                seen.append(("llm", any(agent is each for each in known)))

        await hitl.run(agent, "go", store=store, hooks=Hooks(), run_config=CONFIG)
        assert [name for name, _ in seen] == ["start", "llm", "handoff", "start", "llm"]
        assert all(mine for _, mine in seen)

    @staticmethod
    @on_a_store
    async def test_tools_that_a_hook_gives(store: Store) -> None:
        """A tool that a hook gives an agent passes the gate like the others."""
        log = Log()
        agent = SHAPES["plain"](log)
        held, agent.tools = agent.tools, [agent.tools[1]]

        class Hooks(RunHooks[Any]):
            async def on_agent_start(self, context: Any, agent: Any) -> None:
                del context
                agent.tools = held

        run = await hitl.run(agent, "go", store=store, run_id=RUN, hooks=Hooks(), run_config=CONFIG)
        assert run.status == "waiting"
        await store.decide(RUN, "call_1", YES)
        await hitl.resume(agent, RUN, store=store, hooks=Hooks(), run_config=CONFIG)
        assert [each.call for each in (await store.load(RUN)).effects] == ["call_1"]

    @staticmethod
    @on_a_store
    async def test_other_runs_are_left_alone(store: Store) -> None:
        """Outside a durable run, and in runs a tool starts by itself, nothing of ours happens."""
        log, inner_log = Log(), Log()

        @function_tool(needs_approval=True)
        async def pay(amount: int) -> str:
            """Pay, with a run of its own."""
            log.ran("pay", amount)
            inner = SHAPES["plain"](inner_log)
            result = await Runner.run(inner, "go", run_config=CONFIG)
            return str(len(result.interruptions))

        def agent() -> Agent[Any]:
            return Agent(name="ops", model=ScriptedModel("ops", [[buy(1)], None], log), tools=[pay])

        await hitl.run(agent(), "go", store=store, run_id=RUN, run_config=CONFIG)
        await store.decide(RUN, "call_1", YES)
        run = await again(store, agent=agent())
        assert run.status == "finished"
        assert [each.call for each in (await store.load(RUN)).effects] == ["call_1"]
        assert isinstance(get_default_agent_runner(), Seam)
        alone = await Runner.run(SHAPES["plain"](Log()), "go", run_config=CONFIG)
        assert len(alone.interruptions) == 1
        assert len(await store.runs()) == 1

    @staticmethod
    @on_a_store
    async def test_a_durable_run_in_a_tool(store: Store) -> None:
        """A tool may start a durable run: it is another run, with names of its own."""

        @function_tool(needs_approval=True)
        async def pay(amount: int) -> str:
            """Pay, in a durable run."""
            inner = SHAPES["plain"](Log())
            run = await hitl.run(
                inner, str(amount), store=store, run_id="2", run_config=CONFIG, gate="all"
            )
            return run.status

        def agent() -> Agent[Any]:
            ask = Agent(
                name="i", model=ScriptedModel("i", [[buy(1)], None], Log()), tools=[pay]
            ).as_tool("ask", "Ask.")
            steps: Any = [[call("ask", {"input": "x"}, "call_o")], None]
            return Agent(name="ops", model=ScriptedModel("ops", steps, Log()), tools=[ask])

        await hitl.run(agent(), "go", store=store, run_id=RUN, run_config=CONFIG)
        await store.decide(RUN, "call_o/call_1", YES)
        assert (await again(store, agent=agent())).status == "finished"
        assert [(each.run_id, each.call) for each in await store.waiting()] == [("2", "call_1")]
        assert [each.call for each in (await store.load("2")).effects] == ["call_l"]

    @staticmethod
    @on_a_store
    async def test_a_run_beside_an_agent_that_is_a_tool(store: Store) -> None:
        """What `as_tool` runs besides its agent, such as an extractor, is left alone."""
        others = []

        async def extract(result: Any) -> str:
            other = await Runner.run(SHAPES["plain"](Log()), "go", run_config=CONFIG)
            others.append(len(other.interruptions))
            return f"extracted {result.final_output}"

        def agent() -> Agent[Any]:
            log = Log()
            model = ScriptedModel("i", [[LOOK], None], log)
            ask = Agent(name="i", model=model, tools=[look(log)]).as_tool(
                "ask", "Ask.", custom_output_extractor=extract, needs_approval=True
            )
            steps: Any = [[call("ask", {"input": "x"}, "call_o")], None]
            return Agent(name="ops", model=ScriptedModel("ops", steps, log), tools=[ask])

        await hitl.run(agent(), "go", store=store, run_id=RUN, run_config=CONFIG)
        await store.decide(RUN, "call_o", YES)
        run = await again(store, agent=agent())
        assert (run.status, others) == ("finished", [1])
        assert "extracted i saw" in str(run.final_output)
        assert [each.state for each in (await store.load(RUN)).effects] == ["finished"]


class TestStreams:
    @staticmethod
    @on_a_store
    async def test_events_are_the_sdks(store: Store) -> None:
        """The events are those the SDK gives, in its order."""

        async def kinds(events: AsyncIterator[Any]) -> list[tuple[str, str | None]]:
            return [(each.type, getattr(each, "name", None)) async for each in events]

        alone = Runner.run_streamed(SHAPES["plain"](Log()), "go", run_config=CONFIG)
        expected = await kinds(alone.stream_events())
        stream = hitl.run_streamed(
            SHAPES["plain"](Log()), "go", store=store, run_id=RUN, run_config=CONFIG
        )
        with pytest.raises(RuntimeError):
            _ = stream.run
        assert await kinds(stream.stream_events()) == expected
        assert stream.run.status == "waiting"

    @staticmethod
    @on_a_store
    async def test_whoever_stops_reading_stops_the_run(store: Store) -> None:
        """A stream that is left alone lets the run go; it can be taken up again."""
        stream = hitl.run_streamed(
            SHAPES["plain"](Log()), "go", store=store, run_id=RUN, run_config=CONFIG
        )
        events = stream.stream_events()
        await anext(events)
        await events.aclose()
        run = await store.run(RUN)
        assert (run.status, run.reason, run.worker is not None) == ("stopped", "cancel", True)
        assert (await again(store)).status == "waiting"

    @staticmethod
    @on_a_store
    async def test_cancelled(store: Store) -> None:
        """A run can be stopped from outside, at once or after its turn, and goes on as it was."""
        for name, mode in (("1", "immediate"), ("2", "after_turn")):
            log = Log()
            stream = hitl.run_streamed(
                _looks_twice(log), "go", store=store, run_id=name, run_config=CONFIG
            )
            async for event in stream.stream_events():
                if getattr(event, "name", None) == "tool_called":
                    stream.cancel(mode)  # type: ignore[arg-type]
            assert stream.run.status == "stopped"
            run = await hitl.resume(_looks_twice(log), name, store=store, run_config=CONFIG)
            assert run.status == "finished"
            if mode == "after_turn":
                assert run.state is not None
                assert run.state.turn.current == len(log.requests) == 3

    @staticmethod
    @on_a_store
    async def test_models_that_must_not_stream(store: Store) -> None:
        """`stream_model=False` asks models for whole replies; the run is the same."""

        class Whole(ScriptedModel):
            def stream_response(self, *_: Any, **__: Any) -> Any:
                raise AssertionError

        def agent(log: Log, kind: type[ScriptedModel]) -> Agent[Any]:
            model = kind("ops", [[LOOK], None], log)
            return Agent(name="ops", model=model, tools=[look(log)])

        one, two = Log(), Log()
        whole = await hitl.run(
            agent(one, Whole), "go", store=store, run_config=CONFIG, stream_model=False
        )
        streamed = await hitl.run(agent(two, ScriptedModel), "go", store=store, run_config=CONFIG)
        assert whole.final_output == streamed.final_output
        assert one.requests == two.requests
        assert whole.state is not None
        assert streamed.state is not None
        assert whole.state.usage == streamed.state.usage


def _looks_twice(log: Log) -> Agent[Any]:
    other = call("look", {}, "call_l2")
    return Agent(
        name="ops", model=ScriptedModel("ops", [[LOOK], [other], None], log), tools=[look(log)]
    )


class Receipt(BaseModel):
    """What a run gives."""

    amount: int


class TestValues:
    @staticmethod
    @on_a_store
    async def test_an_output_type(store: Store) -> None:
        """A finished run gives its output as the agent's output type, in any process."""
        log = Log()
        answer: Any = {
            "type": "message",
            "id": "m",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": '{"amount": 3}', "annotations": []}],
        }

        def agent() -> Agent[Any]:
            model = ScriptedModel("ops", [[answer]], log)
            return Agent(name="ops", model=model, output_type=Receipt)

        run = await hitl.run(agent(), "go", store=store, run_id=RUN, run_config=CONFIG)
        stored = await again(store, agent=agent())
        assert run.final_output == stored.final_output == Receipt(amount=3)

    @staticmethod
    @on_a_store
    async def test_a_recorded_image_is_an_image(store: Store) -> None:
        """A result that is used again is of the type it was; so the model sees the same."""
        logs = Log(), Log()

        def agent(log: Log, trouble: Trouble | None = None) -> Agent[Any]:
            @function_tool(needs_approval=True)
            def pay(amount: int) -> ToolOutputImage:
                """Pay."""
                log.ran("pay", amount, "call_1")
                return ToolOutputImage(image_url=f"data:,{amount}")

            model = Troubled("ops", [[buy(1)], None], log)
            if trouble is not None:
                model.trouble = trouble
            return Agent(name="ops", model=model, tools=[pay])

        async def boom() -> None:
            raise OSError

        await hitl.run(agent(logs[0]), "go", store=store, run_id=RUN, run_config=CONFIG)
        await store.decide(RUN, "call_1", YES)
        hooks = _Meeting(Trouble("tool_start", 9, boom))
        hooks.on_tool_end = lambda *_: boom()  # type: ignore[method-assign]
        with pytest.raises(Exception, match="pay"):
            await again(store, agent=agent(logs[0]), hooks=hooks)
        run = await again(store, agent=agent(logs[1]))
        assert run.status == "finished"
        assert (len(paid(logs[0])), len(paid(logs[1]))) == (1, 0)
        assert "input_image" in str(logs[1].requests[-1].input)

    @staticmethod
    @on_a_store
    async def test_what_a_person_recorded(store: Store) -> None:
        """Rule 5: a call that happened, settled by hand, gives the model that text."""
        log = Log()
        await start(store)
        await store.decide(RUN, "call_1", YES)
        claim = await store.claim(RUN, worker="w", lease_s=60)
        request = (await store.load(RUN)).requests[0]
        await store.start(
            claim, "call_1", tool=request.tool, arguments_sha256=request.arguments_sha256
        )
        await store.release(claim, reason="error")
        with pytest.raises(InDoubt):
            await again(store, log=log)
        await store.settle(RUN, "call_1", "happened", result=b"paid by hand")
        assert (await again(store, log=log)).status == "waiting"
        assert paid(log) == []
        assert "paid by hand" in str(log.requests[-1].input)

    @staticmethod
    @on_a_store
    async def test_context(store: Store) -> None:
        """The app context is stored at each checkpoint, unless another is given."""
        seen: list[Any] = []

        @function_tool(needs_approval=True)
        def pay(context: RunContextWrapper[Any], amount: int) -> str:
            """Pay."""
            seen.append(copy.copy(context.context))
            context.context["paid"] = amount
            return str(amount)

        def agent() -> Agent[Any]:
            model = ScriptedModel("ops", [[buy(1)], [buy(2)], [buy(3)], None], Log())
            return Agent(name="ops", model=model, tools=[pay])

        given = {"user": "ana"}
        await hitl.run(agent(), "go", store=store, run_id=RUN, run_config=CONFIG, context=given)
        other: dict[str, Any] = {"context": {"user": "bo"}}
        nothing: dict[str, Any] = {}
        for number, more in ((1, nothing), (2, nothing), (3, other)):
            await store.decide(RUN, f"call_{number}", YES)
            await again(store, agent=agent(), **more)
        assert seen == [{"user": "ana"}, {"user": "ana", "paid": 1}, {"user": "bo"}]


class Cut(Exception):
    """What ends a run."""


class TestKickoff:
    @staticmethod
    @on_a_store
    async def test_starts_over(store: Store) -> None:
        """R-50: cut before its first checkpoint, a run starts over; the session has no double."""
        session, log = MemorySession("s"), Log()

        async def boom() -> None:
            raise Cut

        agent = SHAPES["plain"](log, Trouble("model", 1, boom))
        with pytest.raises(Cut):
            await hitl.run(agent, "go", store=store, run_id=RUN, session=session, run_config=CONFIG)
        assert session.items == [{"role": "user", "content": "go"}]
        assert (await store.run(RUN)).checkpoint == 0
        run = await again(store, log=log, session=session)
        assert (run.status, run.state.turn.current) == ("waiting", 1)
        assert [each.get("content") for each in session.items].count("go") == 1

    @staticmethod
    @on_a_store
    async def test_sends_the_server_its_input(store: Store) -> None:
        """R-50: once it is said that it did not arrive, the input goes out again."""
        log = Log()

        async def boom() -> None:
            raise Cut

        agent = SHAPES["plain"](log, Trouble("model", 1, boom))
        with pytest.raises(Cut):
            await hitl.run(
                agent, "go", store=store, run_id=RUN, conversation_id="c", run_config=CONFIG
            )
        with pytest.raises(InDoubt) as caught:
            await again(store, log=log)
        await hitl.reconcile(store, RUN, [])
        await again(store, log=log)
        assert caught.value.calls == ("~request:1",)
        assert [each.input for each in log.requests] == [({"content": "go", "role": "user"},)]
        assert log.requests[0].conversation_id == "c"

    @staticmethod
    @on_a_store
    async def test_another_conversation_is_left_alone(store: Store) -> None:
        """What a user said in the session since the checkpoint is never taken back."""
        session = MemorySession("s")
        await start(store, session=session)
        await session.add_items([{"role": "user", "content": "something else"}])
        await store.decide(RUN, "call_1", YES)
        await again(store, session=session)
        assert {"role": "user", "content": "something else"} in session.items


def test_tool_limits_still_hold() -> None:
    """A tool with a time limit is cut by the SDK as before; what the model is told is recorded."""

    async def through() -> None:
        async with hitl.connect("memory:") as store:
            log = Log()

            @function_tool(needs_approval=True, timeout=0.01)
            async def pay(amount: int) -> str:
                """Pay, slowly."""
                log.ran("pay", amount, "call_1")
                await asyncio.sleep(30)
                return "never"

            def agent() -> Agent[Any]:
                model = ScriptedModel("ops", [[buy(1)], None], log)
                return Agent(name="ops", model=model, tools=[pay])

            await hitl.run(agent(), "go", store=store, run_id=RUN, run_config=CONFIG)
            await store.decide(RUN, "call_1", YES)
            run = await asyncio.wait_for(again(store, agent=agent()), 10)
            assert run.status == "finished"
            effect = (await store.load(RUN)).effects[0]
            assert (effect.state, b"timed out" in (effect.result or b"")) == ("finished", True)

    asyncio.run(through())


def test_sync_twins() -> None:
    """`run_sync` and `resume_sync` do the same where no loop runs."""
    store = hitl.connect("memory:")

    async def decide() -> None:
        for request in await store.waiting():
            await store.decide(RUN, request.call, YES)

    asyncio.run(store.__aenter__())
    run = hitl.run_sync(SHAPES["parallel"](Log()), "go", store=store, run_id=RUN, run_config=CONFIG)
    assert run.status == "waiting"
    asyncio.run(decide())
    run = hitl.resume_sync(SHAPES["parallel"](Log()), RUN, store=store, run_config=CONFIG)
    assert run.status == "finished"
