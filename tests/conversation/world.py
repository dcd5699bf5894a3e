"""One durable run and the world around it, which outlives the processes that work on the run.

A process is a new loop, new agents, new models; what it reaches outside of itself is the store, the
model server, the session and what its tools act on. It is killed at any step. What a run comes to
is judged by what the world received, never by what the run says of itself alone.
"""

# ruff: noqa: ANN401  (the SDK's objects)

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

import attrs
import httpx2
import openai
from agents import Agent, MaxTurnsExceeded, ModelSettings, RunConfig, function_tool
from agents.retry import ModelRetrySettings, retry_policies
from agents.tool_context import ToolContext  # noqa: TC002  (function_tool reads annotations)

import hitl
from hitl.conversation import LOCAL, Place, history
from hitl.errors import AlreadyClaimed, InDoubt, InputRefused, UnknownRun
from hitl.runtime.durable.packed import unpack
from hitl.runtime.durable.settle import by_hand
from hitl.runtime.durable.turn import turn_of
from hitl.model import Conversation
from hitl.stores.memory import MemoryStore
from tests.agents.session import MemorySession
from tests.conversation.api import Api, ApiModel
from tests.conversation.life import Killed, Life, Reached
from tests.conversation.server import called, replied, said, short
from tests.stores.clock import TICK_S, Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.conversation.api import Fault
    from tests.conversation.server import Raw

RUN = "run_1"
TEXTS = ("go", "on")
EARLIER = [said("go"), replied("msg_0")]
"""What a session, a conversation or a chain holds of a talk before: the same words."""
_FIRST = "resp_0"
_LEASE = 4  # ticks
_ENOUGH = 40  # processes, to come to an end when nothing is disturbed any more

Mode = Literal["local", "session", "conversation", "chain", "auto"]
Outcome = Literal["waiting", "finished", "killed", "failed", "doubt", "limit"]


@attrs.frozen(kw_only=True)
class Plan:
    """What the model will do, and how the run is run.

    Attributes:
        turns: the tools it calls, turn by turn; after the last it says goodbye.
        mode: who keeps the history at first; `auto` is a chain that begins with the run.
        gate: see `hitl.run`.
        max_turns: the limit it is started with.
    """

    turns: tuple[tuple[str, ...], ...]
    mode: Mode
    gate: str = "approval"
    max_turns: int = 10


@attrs.frozen(kw_only=True)
class Trouble:
    """What befalls one process.

    Attributes:
        faults: of its requests, in order; None for none.
        killed_at: the step at which it is killed; None for never.
        streamed: whether it reads events and asks models to stream.
        retries: whether the SDK asks again when a request fails.
    """

    faults: tuple[Fault | None, ...] = ()
    killed_at: int | None = None
    streamed: bool = True
    retries: bool = False


CALM = Trouble()


class World:
    """A run, and all that outlives its processes.

    Attributes:
        ran: how often each call had its effect.
        verdicts: what was said of each call.
        turn: the highest the run's counter was seen at.
        limit: how many turns it may take.
        doubt: the names of what is in doubt.
        place: where it is told to go on, until it has; None: where it was.
        spoken: the input it took while it was paused.
        said: what the model ever said, by the number of the answer, in short.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.clock = Clock()
        self.store = MemoryStore(clock=self.clock.now)
        self.api = Api(self._answer)
        self.session = MemorySession("s") if plan.mode == "session" else None
        self.ran: Counter[str] = Counter()
        self.verdicts: dict[str, bool] = {}
        self.turn = 0
        self.limit = plan.max_turns
        self.doubt: tuple[str, ...] = ()
        self.place: Place | None = None
        self.spoken: list[str] = []
        self.said: dict[int, list[str]] = {}
        self.earlier = [] if plan.mode in {"local", "auto"} else EARLIER
        if plan.mode == "session":
            self.session.items += self.earlier  # type: ignore[union-attr, arg-type]
        elif plan.mode == "chain":
            self.api.server.responses[_FIRST] = [*EARLIER]
        elif plan.mode == "conversation":
            self.api.server.conversations["conv_0"] = [*EARLIER]

    def _answer(self, told: list[Raw]) -> Sequence[Raw]:
        """Say the next turn of the plan; the same turn asked for again gets other ids."""
        turn = 1 + max((place[0] for item in told if (place := _place(short(item)))), default=0)
        serial = len(self.said) + 1
        tools = self.plan.turns[turn - 1] if turn <= len(self.plan.turns) else ()
        output = [called(f"call_{turn}_{serial}_{n}", tool) for n, tool in enumerate(tools)]
        if not tools or len(tools) % 2 == 0:
            output.insert(0, replied(f"msg_{turn}_{serial}"))
        self.said[serial] = [*map(short, output)]
        return output

    # What a process does.

    def process(self, trouble: Trouble = CALM, **options: Any) -> Outcome:
        """Work on the run until it stops, or the process is killed."""
        life = Life(trouble.killed_at)
        self.api.faults[:] = trouble.faults
        with asyncio.Runner() as loop:
            outcome = loop.run(self._outcome(life, trouble, options))
        self.api.faults.clear()
        if outcome == "killed":
            self.clock.ticks += _LEASE + 1
        return outcome

    def places(self) -> list[Place]:
        """Where the run can go on from here, its own place aside."""
        if self.plan.mode == "session" or not self.turn:
            return []
        state = asyncio.run(stored_state(self.store))
        found = [LOCAL, Place(auto=True), Place(conversation_id=f"conv_{len(self.said)}")]
        if state.conversation is None or state.conversation.mode != "conversation":
            own = {each.id for each in state.responses} & self.api.server.responses.keys()
            found += [Place(previous_response_id=each) for each in sorted(own)]
        return found

    async def _outcome(self, life: Life, trouble: Trouble, options: dict[str, Any]) -> Outcome:
        try:
            run = await self._work(life, trouble, options)
        except Killed:
            return "killed"
        except InDoubt as doubt:
            self.doubt = doubt.calls
            return "doubt"
        except MaxTurnsExceeded:
            return "limit"
        except (openai.APIError, httpx2.HTTPError):
            if life.over:
                return "killed"
            if not any(trouble.faults):
                raise  # the server refused what it was sent
            return "failed"
        self.check(run)
        return "finished" if run.status == "finished" else "waiting"

    async def _work(self, life: Life, trouble: Trouble, options: dict[str, Any]) -> hitl.DurableRun:
        options = {
            "store": Reached(self.store, life),
            "session": self.session and Reached(self.session, life),
            "run_config": RunConfig(tracing_disabled=True, model_settings=_settings(trouble)),
            "lease_s": _LEASE * TICK_S,
            "gate": self.plan.gate,
            "stream_model": trouble.streamed,
            **options,
        }
        agent = self._agent(life)
        try:
            await self.store.run(RUN)
        except UnknownRun:
            start = {"run_id": RUN, "max_turns": self.limit, **self._start()}
            return await _read(hitl.run_streamed(agent, "go", **start, **options))
        options |= {"max_turns": self.limit, "place": self.place}
        run = await _read(hitl.resume_streamed(agent, RUN, **options))
        self.place = None
        return run

    def _start(self) -> dict[str, Any]:
        return {
            "conversation": {"conversation_id": "conv_0"},
            "chain": {"previous_response_id": _FIRST},
            "auto": {"auto_previous_response_id": True},
        }.get(self.plan.mode, {})

    def _agent(self, life: Life) -> Agent[Any]:
        def act(context: ToolContext[Any]) -> str:
            life.step()
            self.ran[context.tool_call_id] += 1
            life.step()
            return "done"

        tools = [
            function_tool(act, name_override=name, needs_approval=name == "pay")
            for name in ("pay", "look")
        ]
        return Agent(name="ops", model=ApiModel(self.api, life), tools=[*tools])

    # What people do.

    def waiting(self) -> list[str]:
        """The calls that wait for a verdict."""
        return [each.call for each in asyncio.run(_all(self.store.waiting()))]

    def decide(self, call: str, *, yes: bool) -> None:
        """Say yes or no."""
        verdict = hitl.approve(by="ana") if yes else hitl.reject(by="ana")
        asyncio.run(_all(self.store.decide(RUN, call, verdict)))
        self.verdicts[call] = yes

    def say(self, text: str) -> bool:
        """Stage input; gives whether the run took it."""
        try:
            asyncio.run(hitl.add_input(RUN, text, store=self.store))
        except (InputRefused, InDoubt, UnknownRun, AlreadyClaimed):
            return False
        self.spoken.append(text)
        return True

    def settle(self, *, listing: bool = False) -> None:
        """Say the truth of what is in doubt, as somebody who looks at the world.

        Args:
            listing: let the server's listing say what became of a request.
        """
        for name in self.doubt:
            asyncio.run(self._settled(name, listing=listing))
        self.doubt = ()

    async def _settled(self, name: str, *, listing: bool) -> None:
        turn = turn_of(name)
        if turn is None:
            happened = bool(self.ran[name])
            result = b'{"value":"done"}' if happened else None
            await self.store.settle(RUN, name, "happened" if happened else "rerun", result=result)
            return
        last = self.api.exchanges[-1] if self.api.exchanges else None
        arrived = last if last is not None and _turn(last.output) == turn else None
        if listing:
            talk = last.parameters["conversation"] if last is not None else ""
            items = self.api.server.conversations.get(talk, [])
            start = len(items) - len(arrived.input + arrived.output if arrived else ())
            await hitl.reconcile(self.store, RUN, items, start=start if turn == 1 else None)
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

    # What must hold.

    def check(self, run: hitl.DurableRun) -> None:
        """Hold the run against the world: it stands still, waiting or finished."""
        assert run.state is not None
        before = [*map(short, self.earlier)]
        told = [short({"type": "message", **each.raw}) for each in history(run.state)]
        if self.session is not None:  # what a session held is a part of the input
            assert told[: len(before)] == before
            told = told[len(before) :]
        ended = run.status == "finished"
        turns = self._grammar(told, ended=ended)
        assert run.state.turn.current == turns, (run.state.turn, told)
        assert self.turn <= turns <= self.limit
        self.turn = turns
        self._received(run.state, told, ended=ended)
        if self.session is not None:
            held = [short({"type": "message", **each}) for each in self.session.items]  # type: ignore[dict-item]
            assert held == [*before, *told]
        self._effects(told, ended=ended)

    def _grammar(self, told: list[str], *, ended: bool) -> int:
        """What the model was told is the input, then turns: said, and answered; gives how many."""
        assert told[0] == "go"
        at, turns = 1, 0
        spoken: list[str] = []
        while at < len(told):
            place = _place(told[at])
            assert place is not None, told
            turns += 1
            assert place[0] == turns, told
            output = self.said[place[1]]
            assert told[at : at + len(output)] == output, told
            at += len(output)
            wanted = {each[:-1] + "!" for each in output if each.endswith("?")}
            answers = told[at : at + len(wanted)]
            at += len(answers)
            assert len(set(answers)) == len(answers), told
            assert set(answers) <= wanted, told
            assert set(answers) == wanted or (at == len(told) and not ended), told
            while at < len(told) and told[at] in TEXTS:
                spoken.append(told[at])
                at += 1
        assert spoken == (self.spoken if ended else self.spoken[: len(spoken)]), told
        assert not ended or turns == len(self.plan.turns) + 1
        return turns

    def _received(self, state: hitl.RunState, told: list[str], *, ended: bool) -> None:
        """The server was told this, in order; what it does not have yet are the last answers."""
        server, talk = self.api.server, state.conversation or Conversation()
        if talk.mode == "conversation":
            having = server.conversations.get(talk.id or "", [])
        elif talk.mode == "response_chain":
            having = server.responses.get(talk.previous_response_id or "", [])
        else:
            last = [each for each in self.api.exchanges if each.arrived][-1]
            if last.parameters.keys() != {"input"}:
                return  # it has just come here, and asked nothing yet
            having = [*last.input, *last.output]
        there, before = [*map(short, having)], [*map(short, EARLIER)]
        if there[: len(before)] == before:  # not where a run has moved to
            there = there[len(before) :]
        assert there == told[: len(there)], (there, told)
        assert all(each.endswith("!") for each in told[len(there) :]), (there, told)
        assert not ended or there == told

    def _effects(self, told: list[str], *, ended: bool) -> None:
        """No call had its effect twice; of those asked about, each approved one, no other any."""
        gated = {
            call: n
            for call, n in self.ran.items()
            if self.plan.gate == "all" or call in self.verdicts
        }
        assert max(gated.values(), default=0) <= 1, self.ran
        for call, yes in self.verdicts.items() if ended else ():
            assert self.ran[call] == yes, (call, told)


def _place(item: str) -> tuple[int, int] | None:
    """Turn and number of the answer that an item of the model is of; None for other items."""
    if not item.startswith(("call_", "msg_")) or item.endswith("!") or item == "msg_0":
        return None
    turn, serial = item.rstrip("?").split("_")[1:3]
    return int(turn), int(serial)


def _turn(output: Sequence[Raw]) -> int | None:
    """Which turn an answer is; None for no answer."""
    places = [_place(short(each)) for each in output]
    return places[0][0] if places and places[0] is not None else None


async def stored_state(store: MemoryStore) -> hitl.RunState:
    """The state of the run as it is stored."""
    return unpack(await store.load(RUN))[0]


def _settings(trouble: Trouble) -> ModelSettings:
    if not trouble.retries:
        return ModelSettings(retry=ModelRetrySettings(max_retries=0))
    again = retry_policies.network_error()
    return ModelSettings(
        retry=ModelRetrySettings(max_retries=1, backoff={"initial_delay": 0.0}, policy=again)
    )


async def _read(stream: hitl.DurableStream) -> hitl.DurableRun:
    async for _ in stream.stream_events():
        pass
    return stream.run


async def _all(step: Any) -> Any:
    return await step
