"""One durable run and the world around it, which outlives the processes that work on the run.

A process is a new loop, new agents, new models; what it reaches outside of itself is the store, the
model server, the session and what its tools act on. It is killed at any step. What a run comes to
is judged by what the world received, never by what the run says of itself alone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from typing import TYPE_CHECKING, Any, TypeVar, cast

import httpx2
import openai
from agents import Agent, MaxTurnsExceeded, RunConfig, UserError, function_tool
from agents.tool_context import ToolContext  # noqa: TC002  (function_tool reads annotations)

import hitl
from hitl.conversation import LOCAL, Place
from hitl.errors import AlreadyClaimed, InDoubt, InputRefused, UnknownRun
from hitl.runtime.durable.packed import unpack
from hitl.runtime.durable.settle import by_hand
from hitl.runtime.durable.turn import turn_of
from hitl.stores.memory import MemoryStore
from tests.agents.session import MemorySession
from tests.conversation.api import UNKNOWN, Api, ApiModel
from tests.conversation.judge import EARLIER, judge, place_of, turn_of_answer
from tests.conversation.life import Impatient, Killed, Life, Reached
from tests.conversation.plan import CALM, LATE, Outcome, Plan, Trouble
from tests.conversation.server import called, replied, said, short
from tests.stores.clock import TICK_S, Clock

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from tests.conversation.api import Exchange
    from tests.conversation.server import Raw

T = TypeVar("T")

RUN = "run_1"
_FIRST = "resp_0"
_LEASE = 4  # ticks
_GIVEN = {"pay": "{}", "look": "{}", "ask": '{"input": "pay"}'}
_MODES = {"conversation": "conversation", "chain": "response_chain", "auto": "response_chain"}
_NAMES: dict[str, set[str]] = {
    "conversation": {"conversation"},
    "response_chain": {"previous_response_id"},
    "local": set(),
}
_ENOUGH = 40  # processes, to come to an end when nothing is disturbed any more


class World:
    """A run, and all that outlives its processes.

    Attributes:
        inside: the server of the agent that is a tool, which has no other.
        ran: how often each call had its effect, by id.
        verdicts: what was said of each call, by id.
        turn: the highest the run's counter was seen at.
        limit: how many turns it may take.
        doubt: the names of what is in doubt.
        place: where it is told to go on, until it has; None: where it was.
        silent: whether it has asked nothing since it was told so.
        spoken: the input it took while it was paused.
        theirs: what others wrote to the session since, in short.
        late: how often it took input while it went on that its checkpoint holds.
        late_lost: how often it took it otherwise: its process was killed, goes on still, or had
            no checkpoint yet.
        said: what the model ever said, by the number of the answer, in short.
        seen: how often what happened.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.clock = Clock()
        self.store = MemoryStore(clock=self.clock.now)
        self.api = Api(self._answer)
        self.inside = Api(self._answer_inside)
        self.session = MemorySession("s") if plan.mode == "session" else None
        self.ran: Counter[str] = Counter()
        self.verdicts: dict[str, bool] = {}
        self.turn = 0
        self.limit = plan.max_turns
        self.doubt: tuple[str, ...] = ()
        self.place: Place | None = None
        self.silent = False
        self.spoken: list[str] = []
        self.theirs: list[str] = []
        self.late = self.late_lost = 0
        self.said: dict[int, list[str]] = {}
        self.seen: Counter[str] = Counter()
        self._newest = self._cut = self._begun = 0
        self._stream: hitl.DurableStream | None = None
        if self.session is not None:
            self.session.items += cast("list[Any]", EARLIER)
        elif plan.mode == "chain":
            self.api.server.responses[_FIRST] = [*EARLIER]
        elif plan.mode == "conversation":
            self.api.server.conversations["conv_0"] = [*EARLIER]

    def _answer(self, told: list[Raw]) -> Sequence[Raw]:
        """Say the next turn of the plan; the same turn asked for again gets other ids."""
        turn = 1 + max((place[0] for item in told if (place := place_of(short(item)))), default=0)
        serial = len(self.said) + 1
        tools = self.plan.turns[turn - 1] if turn <= len(self.plan.turns) else ()
        ids = [f"call_{turn}_{serial}_{n}" for n in range(len(tools))]
        output = [called(each, tool, _GIVEN[tool]) for each, tool in zip(ids, tools, strict=True)]
        if not tools or len(tools) % 2 == 0:
            output.insert(0, replied(f"msg_{turn}_{serial}"))
        self.said[serial] = [*map(short, output)]
        return output

    def _answer_inside(self, told: list[Raw]) -> Sequence[Raw]:
        """Pay, then say so: what an agent that is a tool is told; asked again, with another id."""
        number = len(self.inside.exchanges)
        return [called(f"in_{number}", "pay") if len(told) == 1 else replied(f"msg_in_{number}")]

    # What a process does.

    def process(self, trouble: Trouble = CALM) -> Outcome:
        """Work on the run until it stops, or the process is killed."""
        life, self._begun = Life(trouble.killed_at), len(self.api.exchanges)
        where = _where(self.place) or self._mode()
        conversation = self.place.conversation_id if self.place is not None else None
        (self.inside if trouble.inside else self.api).faults[:] = trouble.faults
        with asyncio.Runner(loop_factory=Impatient) as loop:
            outcome = loop.run(self._outcome(life, trouble))
        self.api.faults.clear()
        self.inside.faults.clear()
        if outcome == "killed":
            self.clock.ticks += _LEASE + 1
        self._judge(outcome, self.asked)
        for each in self.asked:
            named = each.parameters.keys() - {"input"}
            assert named == _NAMES[where] or (where == "response_chain" and not named)
            assert conversation in {None, each.parameters.get("conversation")}
        return outcome

    @property
    def asked(self) -> list[Exchange]:
        """The requests of the last process, or of the one that works now."""
        return self.api.exchanges[self._begun :]

    def _judge(self, outcome: Outcome, asked: Sequence[Exchange]) -> None:
        """What holds however a process ended."""
        self.seen[outcome] += 1
        asked_all = [*self.api.exchanges, *self.inside.exchanges]
        assert not [each.error for each in asked_all if each.error]
        unknown = any(each.fault in UNKNOWN for each in asked)
        if outcome == "doubt":
            requests = [each for each in self.doubt if turn_of(each) is not None]
            self.seen["request in doubt"] += len(requests)
            # In doubt where law 7 says so, and then nothing was sent.
            assert not requests or self._mode() == "conversation"
            assert not requests or self._cut or unknown
            assert unknown or not asked
        self._cut = outcome == "killed" or unknown or (outcome == "doubt" and self._cut)
        state = self._state()
        if outcome in {"waiting", "finished"}:  # what a checkpoint holds has no row
            rows = [each.call for each in _now(self.store.load(RUN)).effects]
            assert not [each for each in rows if turn_of(each) is not None]
        if state is not None:
            assert self._newest <= state.turn.current <= self.limit
            assert outcome != "limit" or state.turn.current == self.limit
            taken = state.turn.current - self._newest
            self.seen["replayed"] += taken > sum(each.arrived for each in asked)
            self._newest = state.turn.current

    def _state(self) -> hitl.RunState | None:
        """The run as it is stored; None before its first checkpoint."""
        try:
            stored = _now(self.store.load(RUN))
        except UnknownRun:
            return None
        return None if stored.checkpoint is None else unpack(stored)[0]

    def _mode(self) -> str:
        """Who keeps the history, as it is stored."""
        state = self._state()
        if state is None:
            return _MODES.get(self.plan.mode, "local")
        return "local" if state.conversation is None else state.conversation.mode

    def places(self) -> list[Place]:
        """Where the run can go on from here, its own place aside."""
        state = None if self.plan.mode == "session" else self._state()
        if state is None:
            return []
        here = None if state.conversation is None else state.conversation.id
        known = self.api.server.conversations.keys() - {here}
        found = [LOCAL, Place(auto=True), Place(conversation_id=f"conv_{len(self.said)}")]
        found += [Place(conversation_id=each) for each in sorted(known)]
        if state.conversation is None or state.conversation.mode != "conversation":
            own = {str(each.id) for each in state.responses} & self.api.server.responses.keys()
            found += [Place(previous_response_id=each) for each in sorted(own)]
        return found

    def move(self, place: Place) -> None:
        """Let the next process go on there."""
        self.place, self.silent = place, True

    async def _outcome(self, life: Life, trouble: Trouble) -> Outcome:
        try:
            run = await self._work(life, trouble)
        except Killed:
            return "killed"
        except InDoubt as doubt:
            self.doubt = doubt.calls
            return "doubt"
        except MaxTurnsExceeded:
            return "limit"
        except (openai.APIError, httpx2.HTTPError, UserError) as error:
            if isinstance(error, UserError) and not isinstance(error.__cause__, openai.APIError):
                raise  # of an agent that is a tool, the SDK says so
            if life.over:
                return "killed"
            if not any(trouble.faults):
                raise  # the server refused what it was sent
            return "failed"
        self.silent = self.silent and not any(each.arrived for each in self.asked)
        taken = judge(self, run)
        assert self.turn <= taken
        self.turn = taken
        return "finished" if run.status == "finished" else "waiting"

    async def _work(self, life: Life, trouble: Trouble) -> hitl.DurableRun:
        options: dict[str, Any] = {
            "store": Reached(self.store, life),
            "session": self.session and Reached(self.session, life),
            "run_config": RunConfig(tracing_disabled=True, model_settings=trouble.settings),
            "lease_s": _LEASE * TICK_S,
            "gate": self.plan.gate,
            "stream_model": trouble.streamed,
        }
        agent = self._agent(life, late=trouble.late)
        try:
            await self.store.run(RUN)
        except UnknownRun:
            start = {"run_id": RUN, "max_turns": self.limit, **self._start()}
            return await self._read(hitl.run_streamed(agent, "go", **start, **options))
        options["max_turns"] = self.limit
        if self.place is not None:
            options["place"] = self.place
        run = await self._read(hitl.resume_streamed(agent, RUN, **options))
        self.place = None
        return run

    async def _read(self, stream: hitl.DurableStream) -> hitl.DurableRun:
        self._stream = stream
        async for _ in stream.stream_events():
            pass
        return stream.run

    def _start(self) -> dict[str, Any]:
        starts: dict[str, dict[str, Any]] = {
            "conversation": {"conversation_id": "conv_0"},
            "chain": {"previous_response_id": _FIRST},
            "auto": {"auto_previous_response_id": True},
        }
        return starts.get(self.plan.mode, {})

    def _agent(self, life: Life, *, late: bool) -> Agent[Any]:
        async def act(context: ToolContext[Any]) -> str:
            life.step()
            self.ran[context.tool_call_id] += 1
            if late and not life.said and self._stream is not None:
                with contextlib.suppress(InputRefused):  # in the last turn, nobody would hear it
                    stored = self._stream.add_input(LATE)
                    life.said = True
                    self.late_lost += 1
                    self.seen["late"] += 1
                    await stored
                    self.late, self.late_lost = self.late + 1, self.late_lost - 1
            life.step()
            return "done"

        pay, look = (
            function_tool(act, name_override=name, needs_approval=name == "pay")
            for name in ("pay", "look")
        )
        clerk = Agent(name="clerk", model=ApiModel(self.inside, life), tools=[pay])
        ask = clerk.as_tool("ask", "Ask.", failure_error_function=None)
        return Agent(name="ops", model=ApiModel(self.api, life), tools=[pay, look, ask])

    # What people do.

    def waiting(self) -> list[str]:
        """The calls that wait for a verdict."""
        return [each.call for each in _now(self.store.waiting())]

    def decide(self, call: str, *, yes: bool) -> None:
        """Say yes or no."""
        verdict = hitl.approve(by="ana") if yes else hitl.reject(by="ana")
        _now(self.store.decide(RUN, call, verdict))
        self.verdicts[last_of(call)] = yes

    def say(self, text: str) -> bool:
        """Stage input; gives whether the run took it."""
        try:
            _now(hitl.add_input(self.store, RUN, text))
        except (InputRefused, InDoubt, UnknownRun, AlreadyClaimed):
            return False
        self.spoken.append(text)
        return True

    def others(self, *, whole: bool) -> None:
        """Let somebody else write to the session: a turn, its beginning, or the end of it."""
        if self.session is None:
            return
        number = len(self.theirs)
        question, answer = said(f"their {number}"), replied(f"their_{number}")
        begun = number and self.theirs[-1].startswith("their ")
        written = [answer] if begun else [question, answer] if whole else [question]
        self.session.items += cast("list[Any]", written)
        self.theirs += map(short, written)
        self.seen["others"] += 1

    def settle(self, *, listing: bool = False) -> None:
        """Say the truth of what is in doubt, as somebody who looks at the world.

        Args:
            listing: let the server's listing say what became of a request.
        """
        for name in self.doubt:
            _now(self._settled(name, listing=listing))
        self.doubt = ()

    async def _settled(self, name: str, *, listing: bool) -> None:
        if turn_of(name) is None:
            happened = bool(self.ran[last_of(name)])
            result = b'{"value":"done"}' if happened else None
            await self.store.settle(RUN, name, "happened" if happened else "rerun", result=result)
            return
        self.seen["listed" if listing else "told by a person"] += 1
        state = self._state()
        last = self.api.exchanges[-1] if self.api.exchanges else None
        turn = 1 if state is None else state.turn.current + 1  # the SDK may note a response twice
        arrived = last if last is not None and turn_of_answer(last.output) == turn else None
        if listing:
            talk = state.conversation if state is not None else None
            items = self.api.server.conversations.get((talk and talk.id) or "conv_0", [])
            start = len(items) - len(arrived.input + arrived.output if arrived else ())
            begins = talk is None or not talk.acknowledged
            await hitl.reconcile(self.store, RUN, items, start=start if begins else None)
        elif arrived is not None:
            await by_hand(self.store, RUN, name, arrived.output)
        else:
            await self.store.settle(RUN, name, "rerun")

    def finish(self) -> None:
        """Come to the end, undisturbed."""
        for _ in range(_ENOUGH):
            self.settle()
            for call in self.waiting():
                self.decide(call, yes=True)
            outcome = self.process()
            if outcome == "finished":
                return
            if outcome == "limit":
                self.limit += 1
        raise AssertionError(f"expected an end, found {outcome}")


def last_of(call: str) -> str:
    """The id of a call by its name, which also says what it is inside of."""
    return call.rpartition("/")[2]


def _where(place: Place | None) -> str | None:
    """Who keeps the history at a place; None where nobody was named."""
    if place is None:
        return None
    if place.conversation_id is not None:
        return "conversation"
    return "local" if place == LOCAL else "response_chain"


def _now(step: Coroutine[Any, Any, T]) -> T:
    """What a step gives that waits for nothing, as no step of a store in memory does."""
    try:
        step.send(None)
    except StopIteration as stop:
        value: T = stop.value
        return value
    raise RuntimeError("expected a step that waits for nothing")
