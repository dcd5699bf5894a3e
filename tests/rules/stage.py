"""A durable run in one mode, its server, its tools, and what was seen of them.

Every step is taken as a new process takes it: agents built anew, the state read from the store.
"""

# ruff: noqa: ANN401  (the SDK's objects)

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs
from agents import Agent, RunConfig, function_tool
from agents.tool_context import ToolContext  # noqa: TC002  (function_tool reads annotations)

import hitl
from hitl.stores.memory import MemoryStore
from tests.agents.session import MemorySession
from tests.conversation.api import Api, ApiModel, script
from tests.conversation.server import called, replied, said, short
from tests.rules.rule import SERVER, Mode

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence

    from tests.conversation.api import Fault
    from tests.conversation.server import Raw

E = TypeVar("E", bound=BaseException)

RUN = "run_1"
CONVERSATION = "conv_1"
BEFORE = "resp_0"
"""The response that a chain follows: of a talk before the run."""
QUIET = RunConfig(tracing_disabled=True)
MSG = replied("msg_1")


def pay(call_id: str) -> Raw:
    """A call that waits for a person."""
    return called(call_id, "pay")


def look(call_id: str) -> Raw:
    """A call that nobody is asked about."""
    return called(call_id, "look")


async def refused(kind: type[E], step: Awaitable[object]) -> E:
    """The error that `step` ends in.

    Raises:
        AssertionError: it did not end in one of that kind.
    """
    try:
        await step
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}, found none")


class Recorded(MemorySession):
    """A session that keeps what was appended, batch by batch, and lets no item in twice.

    A conversation of a server answers so to an item it has.
    """

    def __init__(self) -> None:
        super().__init__("s")
        self.batches: list[list[str]] = []

    def holds(self, *items: Raw) -> None:
        """Let it hold what was not appended by the run."""
        self.items += cast("list[Any]", items)

    async def add_items(self, items: Any) -> None:
        """Append, unless an item with an id is there."""
        held = {(each.get("type"), _name(each)) for each in self.items if _name(each)}
        for each in items:
            if (each.get("type"), _name(each)) in held:
                raise AssertionError(f"item already in the session: {each}")
        self.batches.append([short({"type": "message", **each}) for each in items])
        await super().add_items(items)


def _name(item: Any) -> Any:
    return item.get("call_id") or item.get("id")


@attrs.define
class Stage:
    """One run.

    Attributes:
        mode, streamed: how it is run.
        api: what its models reach.
        store: where it lives.
        session: its session; None but in that mode.
        ran: the calls whose tool ran, in order.
        makes: the tools; a new set for each process.
        options: what every step is given besides.
        built: what makes the agent; None for one with the tools.
        saying: what is said to the run while it goes on, when `look` runs.
        stream: what is being read.
    """

    mode: Mode
    streamed: bool
    api: Api = attrs.field(factory=lambda: Api(script([pay("call_1")], [MSG])))
    store: MemoryStore = attrs.field(factory=MemoryStore)
    session: Recorded | None = None
    ran: list[str] = attrs.field(factory=list)
    tools: list[Any] = attrs.field(factory=list)
    options: dict[str, Any] = attrs.field(factory=dict)
    built: Callable[[], Agent[Any]] | None = None
    saying: list[str] = attrs.field(factory=list)
    stream: hitl.DurableStream | None = None

    def __attrs_post_init__(self) -> None:
        if self.mode == "session":
            self.session = Recorded()
        if self.mode == "chain":
            self.api.server.responses[BEFORE] = [said("before"), replied("msg_before")]

    @property
    def keeps(self) -> bool:
        """Whether the server keeps the history."""
        return self.mode in SERVER

    def answers(self, *answers: Sequence[Raw]) -> None:
        """Let the server answer so, one after the other."""
        self.api.answer = script(*answers)

    def fails(self, *faults: Fault | None) -> None:
        """Let the next requests fail so."""
        self.api.faults += faults

    def agent(self) -> Agent[Any]:
        """The agent, as a new process builds it."""
        if self.built is not None:
            return self.built()
        return Agent(name="ops", model=ApiModel(self.api), tools=[*self.agent_tools(), *self.tools])

    def agent_tools(self) -> list[Any]:
        """One tool that asks first, and one that does not, which note that they ran."""

        @function_tool(needs_approval=True)
        def pay(context: ToolContext[Any]) -> str:
            self.ran.append(context.tool_call_id)
            return f"paid {context.tool_call_id}"

        @function_tool
        def look(context: ToolContext[Any]) -> str:
            self.ran.append(context.tool_call_id)
            while self.saying and self.stream is not None:
                self.stream.add_input(self.saying.pop(0))
            return f"saw {context.tool_call_id}"

        return [pay, look]

    async def run(self, given: Any = "go", **options: Any) -> hitl.DurableRun:
        """Start the run."""
        start: dict[str, Any] = {
            "plain": {},
            "session": {},
            "conversation": {"conversation_id": CONVERSATION},
            "chain": {"previous_response_id": BEFORE},
        }[self.mode]
        options = {"run_id": RUN, **start, **options}
        return await self._step(hitl.run, hitl.run_streamed, given, options)

    async def resume(self, **options: Any) -> hitl.DurableRun:
        """Take it up again."""
        return await self._step(hitl.resume, hitl.resume_streamed, RUN, options)

    async def _step(
        self, whole: Any, streamed: Any, given: Any, options: dict[str, Any]
    ) -> hitl.DurableRun:
        options = {"run_config": QUIET, "session": self.session, **self.options, **options}
        options["store"] = self.store
        run: hitl.DurableRun
        if self.streamed:
            self.stream = streamed(self.agent(), given, **options)
            async for _ in self.stream.stream_events():
                pass
            run = self.stream.run
        else:
            run = await whole(self.agent(), given, stream_model=False, **options)
        return run

    async def approve(self, *calls: str) -> None:
        """Say yes."""
        for call in calls:
            await self.store.decide(RUN, call, hitl.approve(by="ana"))

    async def reject(self, *calls: str) -> None:
        """Say no."""
        for call in calls:
            await self.store.decide(RUN, call, hitl.reject(message="no", by="ana"))

    async def say(self, text: str) -> hitl.DurableRun:
        """Stage input."""
        return await hitl.add_input(self.store, RUN, text)

    def twin(self) -> Stage:
        """Another run in the same mode, with nothing in common."""
        return Stage(self.mode, streamed=self.streamed)

    async def finish(self) -> hitl.DurableRun:
        """Approve whatever waits until the run has ended."""
        for _ in range(12):
            for request in await self.store.waiting(run_id=RUN):
                await self.approve(request.call)
            run = await self.resume()
            if run.status == "finished":
                return run
        raise AssertionError(f"expected the run to end, found it {run.status}")

    @property
    def arrived(self) -> list[list[str]]:
        """What the server took, request by request, in short."""
        return [[*map(short, each.input)] for each in self.api.exchanges if each.arrived]

    @property
    def told(self) -> list[str]:
        """All that the model was told and said, where the run is now, in short; without `BEFORE`.

        The whole conversation; the chain up to the last response; the last request and its answer.
        """
        last = [each for each in self.api.exchanges if each.arrived][-1]
        if self.mode == "conversation":
            history = self.api.server.conversations[CONVERSATION]
        elif self.mode == "chain":
            history = self.api.server.before(last.parameters) + last.input + last.output
            history = history[2:]
        else:
            history = [*last.input, *last.output]
        return [*map(short, history)]

    @property
    def held(self) -> list[str]:
        """What the session holds, in short."""
        items: list[Any] = [] if self.session is None else self.session.items
        return [short({"type": "message", **each}) for each in items]

    def once(self, *expected: str) -> None:
        """Hold that the model was told this, and the session holds it, each once and in order."""
        assert self.told == [*expected], self.told
        if self.session is not None:
            assert self.held == [*expected], self.held


def turn(run: hitl.DurableRun) -> int:
    """The turn a run is in."""
    assert run.state is not None
    return run.state.turn.current
