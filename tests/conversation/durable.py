"""A durable run against the scripted server, in each of the modes, and what the server was told."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agents import Agent, RunConfig, RunHooks, function_tool
from agents.tool_context import ToolContext  # noqa: TC002  (function_tool reads annotations)

import hitl
from hitl.runtime.durable.packed import unpack
from tests.agents.session import MemorySession
from tests.conversation.model import ServerModel
from tests.conversation.server import Server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable

    from hitl.model import RunState
    from hitl.store import Store
    from tests.conversation.server import Raw

MODES: dict[str, dict[str, Any]] = {
    "plain": {},
    "session": {},
    "conversation": {"conversation_id": "c"},
    "chain": {"auto_previous_response_id": True},
}
RUN = "run_1"
CONFIG = RunConfig(tracing_disabled=True)


class TurnedDown(Exception):
    """The server turns a request down: it surely took nothing of it."""

    status_code = 429


class BusyModel(ServerModel):
    """Sends requests to a server that may turn them down.

    Attributes:
        busy: how many requests are turned down from now on.
    """

    busy = 0

    def _create(self, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[str, list[Any]]:
        if self.busy:
            self.busy -= 1
            raise TurnedDown
        return super()._create(args, options)


class _Hangs(RunHooks[Any]):
    """A hook of the app that never comes back after a response."""

    def __init__(self) -> None:
        self.there = asyncio.Event()

    async def on_llm_end(self, *_: object) -> None:
        """Hang."""
        self.there.set()
        await asyncio.Event().wait()


async def cut_behind(
    step: Callable[..., Coroutine[Any, Any, Any]],
    *given: Any,  # noqa: ANN401  (of the step)
    then: Callable[[], object] = lambda: None,
    **options: Any,  # noqa: ANN401  (of the step)
) -> None:
    """Cut a step of a run right behind a response that was recorded; `then` happens before."""
    hooks = _Hangs()
    cut = asyncio.create_task(step(*given, hooks=hooks, **options))
    await hooks.there.wait()
    then()
    cut.cancel()
    await asyncio.wait([cut])


async def _nothing(_call_id: str) -> None:
    """Do nothing."""


class Stage:
    """One run in a store; each step is made by an agent of its own.

    Attributes:
        ran: ids of the calls that ran, in order.
        session: what a run in the mode `session` has.
        stream: what is read now, or was read last.
        in_tool: what the tool does besides.
    """

    def __init__(
        self,
        store: Store,
        mode: str,
        *answers: list[Raw],
        streamed: bool = False,
        **agent: Any,  # noqa: ANN401  (options of the agent)
    ) -> None:
        self.store, self.mode, self.streamed = store, mode, streamed
        self.server = Server()
        self.model = BusyModel(self.server, *answers)
        self.session = MemorySession("s")
        self.ran: list[str] = []
        self.stream: hitl.DurableStream | None = None
        self.in_tool: Callable[[str], Awaitable[None]] = _nothing
        self._options = agent
        self._begun = False

    def agent(self) -> Agent[Any]:
        """The agent, made anew."""

        async def tool(context: ToolContext[Any]) -> str:
            """Do it."""
            self.ran.append(context.tool_call_id)
            await self.in_tool(context.tool_call_id)
            return "done"

        tools: list[Any] = [function_tool(tool, needs_approval=True)]
        return Agent(name="ops", model=self.model, tools=tools, **self._options)

    @property
    def memory(self) -> dict[str, Any]:
        """What a step is given of its session."""
        return {"session": self.session} if self.mode == "session" else {}

    async def step(self, **options: Any) -> hitl.DurableRun:  # noqa: ANN401  (of hitl.run)
        """Start the run, or take it up."""
        given: dict[str, Any] = {"store": self.store, "run_config": CONFIG, **self.memory}
        given |= options
        begin: tuple[Any, Any]
        if self._begun:
            begin, what = (hitl.resume, hitl.resume_streamed), RUN
        else:
            begin, what = (hitl.run, hitl.run_streamed), "go"
            given |= {"run_id": RUN, **MODES[self.mode]}
        self._begun = True
        if not self.streamed:
            run: hitl.DurableRun = await begin[0](self.agent(), what, **given)
            return run
        stream: hitl.DurableStream = begin[1](self.agent(), what, **given)
        self.stream = stream
        async for _ in stream.stream_events():
            pass
        return stream.run

    async def approve(self, *calls: str) -> None:
        """Say yes."""
        for call in calls:
            await self.store.decide(RUN, call, hitl.approve(by="ana"))

    async def add(self, *texts: str) -> hitl.DurableRun:
        """Stage texts while the run rests."""
        for text in texts:
            run = await hitl.add_input(self.store, RUN, text, by="ana")
        return run

    def tell(self, text: str) -> asyncio.Future[None]:
        """Add a text while the run goes on; done when it is stored."""
        if self.stream is None:
            raise RuntimeError("expected a step that is streamed")
        return self.stream.add_input(text)

    async def stored(self) -> RunState:
        """The newest checkpoint."""
        return unpack(await self.store.load(RUN))[0]

    @property
    def told(self) -> list[str]:
        """All that the model was told and said, in short: the whole history of its server."""
        return short(list(self.server.responses.values())[-1])


def short(items: Iterable[Any]) -> list[str]:
    """Items in short: a user's text, `>call`, `<call` for its output, the id of a message."""
    found = []
    for each in items:
        kind = each.get("type", "message")
        if kind == "function_call":
            found.append(f">{each['call_id']}")
        elif kind == "function_call_output":
            found.append(f"<{each['call_id']}")
        else:
            found.append(str(each.get("id") or each["content"]))
    return found


def waiting(state: RunState) -> list[Any]:
    """The texts that are staged."""
    return [each.raw["content"] for each in state.pending_input if isinstance(each.raw, dict)]
