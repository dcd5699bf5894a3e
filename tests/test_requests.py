"""What a durable run asks its models, with a server that refuses what the real one refuses."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from agents import (
    Agent,
    ModelProvider,
    RunConfig,
    RunHooks,
    Runner,
    ShellCommandOutput,
    ShellResult,
    ShellTool,
    function_tool,
)
from agents.run import CallModelData, ModelInputData
from agents.run_internal.oai_conversation import OpenAIServerConversationTracker
from agents.tool_context import ToolContext  # noqa: TC002  (function_tool reads annotations)

import hitl
from hitl.conversation import LOCAL, Place
from hitl.errors import ConversationMismatch, InDoubt, InputRefused, ReceiptUnknown, UnknownCall
from hitl.runtime.durable.turn import turn_of
from tests.conversation.durable import cut_behind
from tests.conversation.model import ServerModel
from tests.conversation.server import Server, called, done, replied, said, short
from tests.test_cli import invoke
from tests.test_cli import said as invoke_said

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from hitl.runtime.durable.outcome import DurableRun
    from hitl.store import Store
    from tests.conversation.server import Raw

RUN = "run"
CONFIG = RunConfig(tracing_disabled=True)
CONVERSATION: dict[str, Any] = {"conversation_id": "conv"}
CHAIN: dict[str, Any] = {"auto_previous_response_id": True}
YES = hitl.approve(by="ana")
MODES = pytest.mark.parametrize("mode", [{}, CHAIN, CONVERSATION], ids=["local", "chain", "conv"])


class Stage:
    """An agent, its tool and the server it talks to; the server outlives the agent.

    Attributes:
        ran: how often the tool ran.
    """

    def __init__(self, *answers: list[Raw]) -> None:
        script = answers or ([called("call_1")], [replied("msg_1")])
        self.server = Server()
        self.model = ServerModel(self.server, *script)
        self.ran = 0

    @property
    def agent(self) -> Agent[Any]:
        """Another one each time, as in another process."""

        @function_tool(needs_approval=True)
        def tool() -> str:
            self.ran += 1
            return "done"

        return Agent(name="ops", model=self.model, tools=[tool])

    async def start(self, store: Store, **options: Any) -> DurableRun:  # noqa: ANN401
        """Run to the first pause."""
        config = options.pop("run_config", CONFIG)
        return await hitl.run(
            self.agent, "go", store=store, run_id=RUN, run_config=config, **options
        )

    async def go_on(self, store: Store, **options: Any) -> DurableRun:  # noqa: ANN401
        """Go on as another process."""
        config = options.pop("run_config", CONFIG)
        return await hitl.resume(self.agent, RUN, store=store, run_config=config, **options)

    @property
    def carried(self) -> list[list[Any]]:
        """What each request carried, in short."""
        short = [each["input"] for each in self.model.requests]
        return [[raw.get("call_id") or raw["content"] for raw in each] for each in short]


def on_a_store(play: Callable[[Store], Awaitable[None]]) -> Callable[[], None]:
    """Let something be played on a store of its own."""

    async def opened() -> None:
        async with hitl.connect("memory:") as store:
            await play(store)

    return lambda: asyncio.run(opened())


class Raises(RunHooks[Any]):
    """A hook of the app that stops the run once, after a response."""

    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error

    async def on_llm_end(self, *_: object) -> None:
        """Stop the run."""
        if self.error is not None:
            error, self.error = self.error, None
            raise error


class TestRecorded:
    @staticmethod
    @MODES
    def test_given_again(mode: dict[str, Any]) -> None:
        """Law 7: a response that was received before a cut is not asked for again."""
        stage = Stage()

        @on_a_store
        async def through(store: Store) -> None:
            await cut_behind(stage.start, store, **mode)
            run = await stage.go_on(store)
            assert [each.call for each in run.interruptions] == ["call_1"]
            assert len(stage.model.requests) == 1
            await store.decide(RUN, "call_1", YES)
            assert (await stage.go_on(store)).final_output == "hello"
            assert (await store.load(RUN)).effects[0].call == "call_1"

        through()
        assert stage.ran == 1

    @staticmethod
    def test_takes_no_input() -> None:
        """R-41: input that is added before it is worked on would not be seen by it."""
        stage = Stage([called("call_1")], [called("call_2")], [replied("msg_1")])

        @on_a_store
        async def through(store: Store) -> None:
            await stage.start(store)
            await store.decide(RUN, "call_1", YES)
            await cut_behind(stage.go_on, store)
            with pytest.raises(InputRefused) as caught:
                await hitl.add_input(store, RUN, "and this")
            assert caught.value.reason == "accepted"
            assert [each.call for each in (await stage.go_on(store)).interruptions] == ["call_2"]
            await hitl.add_input(store, RUN, "and this")

        through()

    @staticmethod
    @MODES
    def test_asked_for_anew(mode: dict[str, Any]) -> None:
        """One that the SDK cannot go on with is asked for anew; a conversation has it for good."""
        stage = Stage([called("call_1")], [replied("msg_1")], [replied("msg_2")])

        @on_a_store
        async def through(store: Store) -> None:
            with pytest.raises(ValueError, match="no"):
                await stage.start(store, **mode, hooks=Raises(ValueError("no")))
            await stage.go_on(store)

        through()
        assert len(stage.model.requests) == (1 if mode == CONVERSATION else 2)

    @staticmethod
    def test_forgotten_with_the_checkpoint() -> None:
        """The row of a response goes when a checkpoint holds it: each item is stored once."""
        stage = Stage()

        @on_a_store
        async def through(store: Store) -> None:
            await stage.start(store)
            assert (await store.load(RUN)).effects == ()

        through()


class Hanging(ServerModel):
    """A model whose second request never comes back, the first time it is made."""

    def __init__(self, *answers: list[Raw]) -> None:
        super().__init__(Server(), *answers)
        self.there = asyncio.Event()

    async def get_response(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        """Ask the server, or hang."""
        if len(self.requests) == 1 and not self.there.is_set():
            self.there.set()
            await asyncio.Event().wait()
        return await super().get_response(*args, **options)


class TestInside:
    @staticmethod
    @pytest.mark.parametrize("before", [0, 1], ids=["first turn", "later turn"])
    @pytest.mark.parametrize(("gate", "runs"), [("approval", 2), ("all", 1)])
    def test_given_again(gate: Any, runs: int, before: int) -> None:  # noqa: ANN401
        """A run inside an agent used as a tool that is cut goes on with the answers it had."""
        asks = {**called("call_1"), "arguments": '{"input": "go"}'}
        turns = [[called("call_0", "look")]] * before
        outer = ServerModel(Server(), *turns, [asks], [replied("msg_1")])
        inner = Hanging([called("call_2")], [replied("msg_2")])
        ran: list[str] = []

        def agent() -> Agent[Any]:
            @function_tool
            def tool() -> str:
                ran.append("tool")
                return "done"

            @function_tool
            def look() -> str:
                return "seen"

            scout = Agent[Any](name="scout", model=inner, tools=[tool])
            ask = scout.as_tool(tool_name="tool", tool_description="Ask.")
            return Agent(name="ops", model=outer, tools=[ask, look])

        @on_a_store
        async def through(store: Store) -> None:
            options: dict[str, Any] = {"store": store, "run_config": CONFIG, "gate": gate}
            start = hitl.run(agent(), "go", run_id=RUN, **options)
            cut = asyncio.create_task(start)
            await inner.there.wait()
            cut.cancel()
            await asyncio.wait([cut])
            assert (await hitl.resume(agent(), RUN, **options)).final_output == "hello"
            rows = (await store.load(RUN)).effects
            assert [each.call for each in rows if turn_of(each.call) is not None] == []

        through()
        assert (len(outer.requests), len(inner.requests), len(ran)) == (2 + before, 2, runs)


HOSTED: list[Raw] = [
    {"type": "shell_call", "id": "sh_1", "call_id": "call_0", "status": "completed"},
    {"type": "shell_call_output", "id": "sho_1", "call_id": "call_0", "status": "completed"},
]
HOSTED[0] |= {"action": {"commands": ["ls"], "timeout_ms": None, "max_output_length": None}}
HOSTED[1] |= {"output": [{"stdout": "x", "stderr": "", "outcome": {"type": "timeout"}}]}
HOSTED[1] |= {"max_output_length": None, "created_by": "server"}


class TestHosted:
    """A server that runs a tool itself puts its output into the response."""

    @staticmethod
    @pytest.mark.parametrize("mode", [CHAIN, CONVERSATION], ids=["chain", "conv"])
    def test_is_there(mode: dict[str, Any]) -> None:
        """Law 7: that output is there, though the SDK keeps another copy of it."""
        stage = Stage([called("call_1")], [*HOSTED, called("call_2")], [replied("msg_1")])

        @on_a_store
        async def through(store: Store) -> None:
            options: dict[str, Any] = {"store": store, "run_config": CONFIG}
            await hitl.run(_hosting(stage), "go", run_id=RUN, **options, **mode)
            for call in ("call_1", "call_2"):
                await store.decide(RUN, call, YES)
                await hitl.resume(_hosting(stage), RUN, **options)

        through()
        assert stage.carried == [["go"], ["call_1"], ["call_2"]]

    @staticmethod
    def test_is_there_when_the_run_comes_back() -> None:
        """Law 7: it is in the conversation that was left with the response recorded."""
        calls = [called(f"call_{number}") for number in range(1, 4)]
        turns = [[calls[0]], [*HOSTED, calls[1]], [calls[2]], [replied("msg_1")]]
        stage = Stage(*turns)
        places = [Place(conversation_id="other"), Place(conversation_id="conv"), None]

        @on_a_store
        async def through(store: Store) -> None:
            options: dict[str, Any] = {"store": store, "run_config": CONFIG}
            await hitl.run(_hosting(stage), "go", run_id=RUN, **options, **CONVERSATION)
            await store.decide(RUN, "call_1", YES)
            await cut_behind(hitl.resume, _hosting(stage), RUN, **options)
            for call, place in zip(("call_1", "call_2", "call_3"), places, strict=True):
                if call != "call_1":
                    await store.decide(RUN, call, YES)
                await hitl.resume(_hosting(stage), RUN, place=place, **options)

        through()
        assert stage.carried == [["go"], ["call_1"], ["call_2"], ["call_3"]]


def _hosting(stage: Stage) -> Agent[Any]:
    agent = stage.agent
    agent.tools.append(ShellTool(environment={"type": "container_auto"}))
    return agent


class TestApart:
    @staticmethod
    @MODES
    @pytest.mark.parametrize("how", ["whole", "streamed", "sync"])
    def test_is_asked_for_itself(mode: dict[str, Any], how: str) -> None:
        """A run that a tool starts with the config it was handed is none of the durable run."""
        outer = ServerModel(Server(), [called("call_1")], [replied("msg_1", "outer")])
        other = ServerModel(Server(), [replied("msg_2", "other")])
        models = _Models({"outer": outer, "other": other})
        config = RunConfig(tracing_disabled=True, model_provider=models)
        heard: list[object] = []

        async def tool(context: ToolContext[Any]) -> str:
            scout = Agent[Any](name="scout", model="other")
            options: dict[str, Any] = {"run_config": context.run_config}
            result: Any
            if how == "streamed":
                result = Runner.run_streamed(scout, "look", **options)
                async for _ in result.stream_events():
                    pass
            elif how == "sync":
                result = await asyncio.to_thread(_in_a_thread, scout, options)
            else:
                result = await Runner.run(scout, "look", **options)
            heard.append(result.final_output)
            return "done"

        agent = Agent[Any](name="ops", model="outer", tools=[function_tool(tool)])

        @on_a_store
        async def through(store: Store) -> None:
            run = await hitl.run(agent, "go", store=store, run_id=RUN, run_config=config, **mode)
            assert run.final_output == "outer"

        through()
        assert heard == ["other"]
        assert (len(outer.requests), len(other.requests)) == (2, 1)


def _in_a_thread(agent: Agent[Any], options: dict[str, Any]) -> Any:  # noqa: ANN401
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        asyncio.set_event_loop(loop)
        return Runner.run_sync(agent, "look", **options)


class _Models(ModelProvider):
    """Gives models by name."""

    def __init__(self, models: dict[str, Any]) -> None:
        self._models = models

    def get_model(self, model_name: str | None) -> Any:  # noqa: ANN401
        """Give a model."""
        return self._models[model_name or ""]


class TestInDoubt:
    @staticmethod
    @pytest.mark.parametrize("mode", [{}, CHAIN], ids=["local", "chain"])
    def test_harmless(mode: dict[str, Any]) -> None:
        """R-50: the app's own history, and a chain, are sent again after a cut, with the input."""
        stage = Stage()
        stage.model.fails = 1

        @on_a_store
        async def through(store: Store) -> None:
            with pytest.raises(ConnectionError):
                await stage.start(store, **mode)
            assert (await store.load(RUN)).effects == ()
            await stage.go_on(store)

        through()
        assert stage.carried == [["go"], ["go"]]

    @staticmethod
    def test_turned_down() -> None:
        """R-18: a request the server refused did not arrive: it goes out again by itself."""
        stage = Stage()
        error = type("Refused", (Exception,), {"status_code": 400})

        @on_a_store
        async def through(store: Store) -> None:
            stage.model.server = _Failing(stage.server, error("no"))  # type: ignore[assignment]
            with pytest.raises(error):
                await stage.start(store, **CONVERSATION)
            assert (await store.run(RUN)).status == "stopped"
            stage.model.server = stage.server
            await stage.go_on(store)

        through()
        assert stage.server.received == [[said("go")]]

    @staticmethod
    @pytest.mark.parametrize("arrived", [False, True], ids=["lost", "arrived"])
    @pytest.mark.parametrize("turn", [1, 2])
    def test_settled_by_a_listing(turn: int, *, arrived: bool) -> None:
        """Law 7: nobody knows whether it arrived, until the conversation is listed."""
        stage = Stage()
        failing = _Failing(stage.server, TimeoutError(), arrives=arrived)

        @on_a_store
        async def through(store: Store) -> None:
            if turn == 2:
                await stage.start(store, **CONVERSATION)
                await store.decide(RUN, "call_1", YES)
            stage.model.server = failing  # type: ignore[assignment]
            with pytest.raises(TimeoutError):
                await (stage.start(store, **CONVERSATION) if turn == 1 else stage.go_on(store))
            stage.model.server = stage.server
            if arrived:
                stage.model.answers.pop(0)
            with pytest.raises(InDoubt):
                await stage.go_on(store)
            listing = stage.server.conversations.get("conv", [])
            if turn == 1 and arrived:  # it may have been there before the run
                with pytest.raises(ReceiptUnknown):
                    await hitl.reconcile(store, RUN, listing)
            await hitl.reconcile(store, RUN, listing, start=0 if turn == 1 else None)
            if turn == 1:
                await stage.go_on(store)
                await store.decide(RUN, "call_1", YES)
            assert (await stage.go_on(store)).final_output == "hello"

        through()
        assert stage.ran == 1
        assert [len(each) for each in stage.server.received] == [1, 1]

    @staticmethod
    @pytest.mark.parametrize("arrived", [False, True], ids=["lost", "arrived"])
    def test_begun_with_an_output(*, arrived: bool) -> None:
        """An app that ran the tool itself brings its output: that is no part of the answer."""
        stage = Stage()
        before: list[Raw] = [said("look"), called("call_0")]
        stage.server.conversations["conv"] = before

        @on_a_store
        async def through(store: Store) -> None:
            failing = _Failing(stage.server, TimeoutError(), arrives=arrived)
            stage.model.server = failing  # type: ignore[assignment]
            options: dict[str, Any] = {"store": store, "run_id": RUN, "run_config": CONFIG}
            with pytest.raises(TimeoutError):
                await hitl.run(stage.agent, [done("call_0")], **options, **CONVERSATION)
            stage.model.server = stage.server
            if arrived:
                stage.model.answers.pop(0)
            await hitl.reconcile(store, RUN, stage.server.conversations["conv"], start=len(before))
            await stage.go_on(store)
            await store.decide(RUN, "call_1", YES)
            assert (await stage.go_on(store)).final_output == "hello"

        through()
        told = [short(each) for each in stage.server.conversations["conv"]]
        assert told == ["look", "call_0?", "call_0!", "call_1?", "call_1!", "msg_1"]

    @staticmethod
    @pytest.mark.parametrize("more", [[], ["and this"], ["and this", "and this"]])
    @pytest.mark.parametrize("arrived", [False, True], ids=["lost", "arrived"])
    def test_settled_with_staged_input(more: list[str], *, arrived: bool) -> None:
        """R-40: what was staged is part of the request that a listing shows, not of its answer."""
        stage = Stage([called("call_1")], [called("call_2")], [replied("msg_1")])

        @on_a_store
        async def through(store: Store) -> None:
            await stage.start(store, **CONVERSATION)
            await store.decide(RUN, "call_1", YES)
            for text in more:
                await hitl.add_input(store, RUN, text)
            stage.model.server = _Failing(stage.server, TimeoutError(), arrives=arrived)  # type: ignore[assignment]
            with pytest.raises(TimeoutError):
                await stage.go_on(store)
            stage.model.server = stage.server
            if arrived:
                stage.model.answers.pop(0)
            await hitl.reconcile(store, RUN, stage.server.conversations["conv"])
            run = await stage.go_on(store)
            assert run.state is not None
            assert not run.state.pending_input
            await store.decide(RUN, "call_2", YES)
            assert (await stage.go_on(store)).final_output == "hello"

        through()
        received = [
            [raw.get("call_id") or raw["content"] for raw in each] for each in stage.server.received
        ]
        assert received == [["go"], ["call_1", *more], ["call_2"]]

    @staticmethod
    def test_a_listing_somebody_else_wrote_to() -> None:
        """What a user said behind the request is no answer of a model."""
        stage = Stage()

        @on_a_store
        async def through(store: Store) -> None:
            failing = _Failing(stage.server, TimeoutError(), arrives=True)
            stage.model.server = failing  # type: ignore[assignment]
            with pytest.raises(TimeoutError):
                await stage.start(store, **CONVERSATION)
            listing = [*stage.server.conversations["conv"], said("and this")]
            with pytest.raises(ReceiptUnknown):
                await hitl.reconcile(store, RUN, listing, start=0)

        through()

    @staticmethod
    def test_a_listing_that_does_not_tell() -> None:
        """A listing with the request and no response says nothing; one of a sound run neither."""
        stage = Stage()

        @on_a_store
        async def through(store: Store) -> None:
            stage.model.server = _Failing(stage.server, TimeoutError())  # type: ignore[assignment]
            with pytest.raises(TimeoutError):
                await stage.start(store, **CONVERSATION)
            with pytest.raises(ReceiptUnknown):
                await hitl.reconcile(store, RUN, [said("go")])
            await hitl.reconcile(store, RUN, [])
            with pytest.raises(UnknownCall):
                await hitl.reconcile(store, RUN, [])

        through()


class TestCommandLine:
    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        """A store with a run whose first request is in doubt."""
        stage = Stage()
        stage.model.server = _Failing(stage.server, TimeoutError())  # type: ignore[assignment]

        async def start() -> None:
            async with hitl.connect(f"sqlite:///{tmp_path}/runs.db") as store:
                with pytest.raises(TimeoutError):
                    await stage.start(store, **CONVERSATION)

        asyncio.run(start())
        return f"sqlite:///{tmp_path}/runs.db"

    @staticmethod
    def _go_on(url: str, stage: Stage) -> DurableRun:
        async def going() -> DurableRun:
            async with hitl.connect(url) as store:
                return await stage.go_on(store)

        return asyncio.run(going())

    def test_listing(self, url: str, tmp_path: Path) -> None:
        """A file with what the conversation holds settles it."""
        listing = tmp_path / "listing.json"
        listing.write_text("[]")
        told = invoke_said("reconcile", RUN, "--listing", listing, "--store", url)
        assert told["status"] == "stopped"
        stage = Stage()
        self._go_on(url, stage)
        assert stage.carried == [["go"]]

    def test_by_hand(self, url: str) -> None:
        """A person says what the server answered."""
        items = json.dumps([replied("msg_1", "hello")])
        invoke_said("reconcile", RUN, "~request:1", "--happened", items, "--store", url)
        stage = Stage()
        assert self._go_on(url, stage).final_output == "hello"
        assert stage.carried == []

    def test_usage(self, url: str, tmp_path: Path) -> None:
        """A listing names no call, and is a list; an answer to a request is one too."""
        listing = tmp_path / "listing.json"
        listing.write_text("{}")
        invoke("reconcile", RUN, "--listing", listing, "--store", url, code=2)
        invoke("reconcile", RUN, "~request:1", "--listing", listing, "--store", url, code=2)
        invoke("reconcile", RUN, "--rerun", "--store", url, code=2)
        invoke("reconcile", RUN, "~request:1", "--happened", "hello", "--store", url, code=1)


class _Failing:
    """A server whose next answer is lost."""

    def __init__(self, server: Server, error: Exception, *, arrives: bool = False) -> None:
        self._server, self._error, self._arrives = server, error, arrives

    def create(self, parameters: Raw, output: list[Raw]) -> str:
        """Take the request, or not, and fail."""
        if self._arrives:
            self._server.create(parameters, output)
        raise self._error


async def _executor(_request: object) -> ShellResult:
    return ShellResult(output=[ShellCommandOutput(stdout="x")], provider_data={"box": 1})


EVERYTHING = ["go", "call_1", "call_1"]


class TestPlace:
    @staticmethod
    @pytest.mark.parametrize(
        ("start", "place", "carries"),
        [
            ({}, Place(conversation_id="conv"), EVERYTHING),
            ({}, Place(auto=True), EVERYTHING),
            (CONVERSATION, Place(conversation_id="other"), EVERYTHING),
            (CONVERSATION, Place(conversation_id="conv"), ["call_1"]),
            (CONVERSATION, None, ["call_1"]),
            (CONVERSATION, LOCAL, EVERYTHING),
            (CHAIN, Place(previous_response_id="resp_0"), ["call_1"]),
            (CHAIN, Place(conversation_id="conv"), EVERYTHING),
            (CHAIN, LOCAL, EVERYTHING),
            (CHAIN, None, ["call_1"]),
        ],
    )
    def test_moved(start: dict[str, Any], place: Place | None, carries: list[str]) -> None:
        """Holes 2, 3 and 5 of the SDK: where a run goes on, it carries what is not there."""
        stage = Stage([called("call_1")], [called("call_2")], [replied("msg_1")])

        @on_a_store
        async def through(store: Store) -> None:
            await stage.start(store, **start)
            await store.decide(RUN, "call_1", YES)
            await stage.go_on(store, place=place)
            await store.decide(RUN, "call_2", YES)
            assert (await stage.go_on(store)).final_output == "hello"

        through()
        assert stage.carried[1] == carries
        stays = place == LOCAL
        assert stage.carried[2] == ([*carries, "call_2", "call_2"] if stays else ["call_2"])
        assert stage.ran == 2

    @staticmethod
    def test_as_the_sdk_writes_it() -> None:
        """What is put in carries no note of a server or an SDK: the API refuses unknown fields."""
        sent: list[Raw] = []
        for place in (LOCAL, Place(conversation_id="other")):
            action = {"commands": ["ls"], "timeout_ms": None, "max_output_length": None}
            shell = {"type": "shell_call", "action": action, "created_by": "agent"}
            shell |= {"id": "sh_1", "call_id": "call_0", "status": "completed"}
            stage = Stage([shell], [called("call_1")], [replied("msg_1")])
            tool = ShellTool(executor=_executor)

            @on_a_store
            async def through(
                store: Store, stage: Stage = stage, tool: ShellTool = tool, place: Place = place
            ) -> None:
                agent = stage.agent
                agent.tools.append(tool)
                options: dict[str, Any] = {"store": store, "run_config": CONFIG}
                await hitl.run(agent, "go", run_id=RUN, **options)
                await store.decide(RUN, "call_1", YES)
                await hitl.resume(agent, RUN, place=place, **options)

            through()
            sent.append(stage.model.requests[-1]["input"])
        assert sent[0] == sent[1]
        notes = {"shell_output", "provider_data", "created_by"}
        assert all(notes.isdisjoint(each) for each in sent[1])

    @staticmethod
    @pytest.mark.parametrize("start", [{}, CHAIN, CONVERSATION], ids=["local", "chain", "conv"])
    @pytest.mark.parametrize("named", [False, True])
    @pytest.mark.parametrize("arrived", [False, True], ids=["lost", "arrived"])
    def test_moved_before_the_first_checkpoint(
        start: dict[str, Any], *, named: bool, arrived: bool
    ) -> None:
        """Where the first request went is known to who settles it, and to who goes on."""
        stage = Stage([called("call_1")], [replied("msg_1")])
        refused = type("NotFound", (Exception,), {"status_code": 404})
        there = Place(conversation_id="other")

        @on_a_store
        async def through(store: Store) -> None:
            stage.model.server = _Failing(stage.server, refused())  # type: ignore[assignment]
            with pytest.raises(refused):
                await stage.start(store, **start)
            failing = _Failing(stage.server, TimeoutError(), arrives=arrived)
            stage.model.server = failing  # type: ignore[assignment]
            with pytest.raises(TimeoutError):
                await stage.go_on(store, place=there)
            stage.model.server = stage.server
            if arrived:
                stage.model.answers.pop(0)
            listing = stage.server.conversations.get("other", [])
            await hitl.reconcile(store, RUN, listing, start=0)
            await stage.go_on(store, place=there if named else None)
            await store.decide(RUN, "call_1", YES)
            assert (await stage.go_on(store)).final_output == "hello"
            assert [each.call for each in (await store.load(RUN)).effects] == ["call_1"]

        through()
        told = [short(each) for each in stage.server.conversations["other"]]
        assert told == ["go", "call_1?", "call_1!", "msg_1"]

    @staticmethod
    @pytest.mark.parametrize("start", [{}, CHAIN, CONVERSATION], ids=["local", "chain", "conv"])
    @pytest.mark.parametrize(
        "place", [Place(conversation_id="other"), Place(auto=True), LOCAL, None]
    )
    def test_moved_through_a_filter(start: dict[str, Any], place: Place | None) -> None:
        """A filter of the app is shown all that goes to another place; what it drops stays out."""
        stage = Stage([called("call_1")], [called("call_2")], [replied("msg_1")])
        shown: list[list[str]] = []

        def redact(data: CallModelData[Any]) -> ModelInputData:
            given: list[Any] = data.model_data.input
            shown.append([raw.get("call_id") or raw["content"] for raw in given])
            kept = [raw for raw in given if raw.get("content") != "go"]
            return ModelInputData(kept or given, data.model_data.instructions)

        config = RunConfig(tracing_disabled=True, call_model_input_filter=redact)

        @on_a_store
        async def through(store: Store) -> None:
            await stage.start(store, run_config=config, **start)
            await store.decide(RUN, "call_1", YES)
            await stage.go_on(store, run_config=config, place=place)
            await store.decide(RUN, "call_2", YES)
            await stage.go_on(store, run_config=config)

        through()
        stays = start != {} and (place is None or (start, place) == (CHAIN, Place(auto=True)))
        assert shown[1] == (["call_1"] if stays else EVERYTHING)
        assert stage.carried[1] == (["call_1"] if stays else EVERYTHING[1:])
        assert stage.ran == 2

    @staticmethod
    @pytest.mark.parametrize("again", [False, True], ids=["once", "cut twice"])
    @pytest.mark.parametrize(
        ("start", "place", "carries"),
        [
            ({}, Place(conversation_id="conv"), [*EVERYTHING, "call_2", "call_2"]),
            ({}, Place(auto=True), [*EVERYTHING, "call_2", "call_2"]),
            (CHAIN, Place(conversation_id="conv"), [*EVERYTHING, "call_2", "call_2"]),
            (CONVERSATION, Place(conversation_id="other"), [*EVERYTHING, "call_2", "call_2"]),
            (CONVERSATION, Place(auto=True), [*EVERYTHING, "call_2", "call_2"]),
            (CONVERSATION, LOCAL, [*EVERYTHING, "call_2", "call_2"]),
            (CONVERSATION, Place(conversation_id="conv"), ["call_2"]),
            (CHAIN, None, ["call_2"]),
        ],
    )
    def test_moved_with_a_response(
        start: dict[str, Any], place: Place | None, carries: list[str], *, again: bool
    ) -> None:
        """Law 7: a response that was received elsewhere is no part of the place a run moves to."""
        stage = Stage([called("call_1")], [called("call_2")], [replied("msg_1")])

        @on_a_store
        async def through(store: Store) -> None:
            await stage.start(store, **start)
            await store.decide(RUN, "call_1", YES)
            places: list[dict[str, Any]] = [{}, {"place": place}] if again else [{}]
            for options in places:
                await cut_behind(stage.go_on, store, **options)
            await stage.go_on(store, place=None if again else place)
            await store.decide(RUN, "call_2", YES)
            assert (await stage.go_on(store)).final_output == "hello"

        through()
        assert stage.carried[2] == carries
        assert (len(stage.carried), stage.ran) == (3, 2)

    @staticmethod
    @pytest.mark.parametrize("place", [Place(conversation_id="other"), Place(auto=True), LOCAL])
    @pytest.mark.parametrize("used", ["turned down", "used", "given again"])
    def test_there_and_back(place: Place, used: str) -> None:
        """Law 7: a conversation a run comes back to has what it had, and what it answered since."""
        calls = [[called(f"call_{number}")] for number in range(1, 4)]
        stage = Stage(*calls, [replied("msg_1")])
        back = Place(conversation_id="conv")

        @on_a_store
        async def through(store: Store) -> None:
            await stage.start(store, **CONVERSATION)
            await store.decide(RUN, "call_1", YES)
            if used == "turned down":
                error = type("NotFound", (Exception,), {"status_code": 404})
                stage.model.server = _Failing(stage.server, error())  # type: ignore[assignment]
                with pytest.raises(error):
                    await stage.go_on(store, place=place)
                stage.model.server = stage.server
                await stage.go_on(store, place=back)
                await store.decide(RUN, "call_2", YES)
                await stage.go_on(store)
            else:
                if used == "given again":
                    await cut_behind(stage.go_on, store)
                await stage.go_on(store, place=place)
                await store.decide(RUN, "call_2", YES)
                await stage.go_on(store, place=back)
            await store.decide(RUN, "call_3", YES)
            assert (await stage.go_on(store)).final_output == "hello"

        through()
        listed = [short(each) for each in stage.server.conversations["conv"]]
        turns = [f"call_{number}{mark}" for number in range(1, 4) for mark in "?!"]
        assert listed == ["go", *turns, "msg_1"]

    @staticmethod
    @pytest.mark.parametrize("place", [Place(conversation_id="other"), Place(auto=True), LOCAL])
    def test_moved_with_the_first_response(place: Place) -> None:
        """Law 7: so too where the run has no checkpoint yet."""
        stage = Stage([called("call_1")], [called("call_2")], [replied("msg_1")])

        @on_a_store
        async def through(store: Store) -> None:
            await cut_behind(stage.start, store, **CONVERSATION)
            for call in ("call_1", "call_2"):
                await stage.go_on(store, place=place if call == "call_1" else None)
                await store.decide(RUN, call, YES)
            assert (await stage.go_on(store)).final_output == "hello"

        through()
        assert stage.carried[1] == EVERYTHING
        assert stage.carried[2] == (
            [*EVERYTHING, "call_2", "call_2"] if place == LOCAL else ["call_2"]
        )

    @staticmethod
    def test_refused() -> None:
        """A response of nobody knows which run is refused, and nothing ran."""
        stage = Stage()

        @on_a_store
        async def through(store: Store) -> None:
            await stage.start(store, **CONVERSATION)
            await store.decide(RUN, "call_1", YES)
            with pytest.raises(ConversationMismatch):
                await stage.go_on(store, place=Place(previous_response_id="resp_0"))
            assert (await store.run(RUN)).status == "ready"
            await stage.go_on(store)

        through()
        assert stage.ran == 1


class TestCorrected:
    @staticmethod
    @pytest.mark.parametrize("mode", [CHAIN, CONVERSATION], ids=["chain", "conv"])
    @pytest.mark.parametrize("sends", ["everything", "nothing"])
    def test_wrong_requests(
        mode: dict[str, Any], sends: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever a release of the SDK sends: what the server has stays here, what not goes."""
        stage = Stage()

        def wrong(_self: object, given: Any, generated: Any) -> list[Any]:  # noqa: ANN401
            items = [said(given)] if isinstance(given, str) else [*given]
            items += [each.to_input_item() for each in generated]
            return items if sends == "everything" else []

        @on_a_store
        async def through(store: Store) -> None:
            await stage.start(store, **mode)
            await store.decide(RUN, "call_1", YES)
            monkeypatch.setattr(OpenAIServerConversationTracker, "prepare_input", wrong)
            run = await stage.go_on(store)
            (found,) = run.corrections
            assert (found.turn, len(found.repeated), len(found.missing)) == (
                2,
                2 if sends == "everything" else 0,
                0 if sends == "everything" else 1,
            )

        through()
        assert stage.carried == [["go"], ["call_1"]]
