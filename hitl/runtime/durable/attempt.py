"""One claim's work: from a claim to the next pause, the end or a stop."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from agents import Agent as SdkAgent
from agents import MaxTurnsExceeded, Runner, RunResultStreaming
from attrs import evolve, field, frozen, mutable

from hitl.conversation import Place
from hitl.errors import HitlError
from hitl.model import RunState, count, staging
from hitl.runtime.durable import counter, private, telemetry
from hitl.runtime.durable.book import Book
from hitl.runtime.durable.calls import Open, outside
from hitl.runtime.durable.gate import Gate, Halt
from hitl.runtime.durable.graph import Graph
from hitl.runtime.durable.guard import Guards
from hitl.runtime.durable.hooks import Hooks
from hitl.runtime.durable.late import unacknowledged
from hitl.runtime.durable.outcome import DurableRun
from hitl.runtime.durable.request import Requests
from hitl.runtime.durable.session import Memory
from hitl.runtime.durable.talk import Talk
from hitl.runtime.durable.tool import Tools
from hitl.runtime.durable.value import tagged
from hitl.runtime.durable.verdict import asked, judge, wave
from hitl.runtime.recorder import Recorder
from hitl.runtime.restore import restore
from hitl.store import Claim, Store, Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from agents import StreamEvent

    from hitl.runtime.durable.kickoff import Kickoff
    from hitl.runtime.durable.packed import Note
    from hitl.runtime.durable.verdict import Judged
    from hitl.runtime.sdk import AnyState
    from hitl.store import Request, Run, Stop

log = logging.getLogger("hitl")


@frozen(kw_only=True)
class Settings:
    """What the caller says of how to run; see `hitl.run`.

    Attributes:
        agent: the user's root agent.
        options: what `Runner.run_streamed` is given besides.
        restoring: what `restore` is given besides.
        lease_s: for how long the run is claimed at a time.
        place: where a resumed run goes on; None: where it was.
        everything: whether every call passes the gate.
        streams: whether models may be asked to stream.
        expires_in_s, default: when a request gets which verdict by itself.
        repair_session, allow_other_session: see `hitl.resume`.
    """

    agent: SdkAgent[Any]
    options: Mapping[str, Any] = field(factory=dict)
    restoring: Mapping[str, Any] = field(factory=dict)
    lease_s: float = 60.0
    place: Place | None = None
    everything: bool = False
    streams: bool = True
    expires_in_s: float | None = None
    default: Verdict | None = None
    repair_session: bool = False
    allow_other_session: bool = False


@mutable(kw_only=True, eq=False)
class Attempt:
    """A claimed run, while this process works on it.

    Attributes:
        store, claim: where it is stored, and the right to go on.
        settings: how to run.
        result: what the SDK is running, or ran last.
        outcome: what came of it; None while it runs.
        book: what is stored of it.
    """

    store: Store
    claim: Claim
    settings: Settings
    result: RunResultStreaming | None = None
    outcome: DurableRun | None = None
    book: Book = field(init=False)
    _recorder: Recorder | None = field(default=None, init=False)
    _before: str | None = field(default=None, init=False)
    _cancelled: bool = field(default=False, init=False)
    _gate: Gate = field(init=False)
    _tools: Tools = field(init=False)
    _guards: Guards = field(init=False)
    _graph: Graph = field(init=False)

    def __attrs_post_init__(self) -> None:
        settings = self.settings
        self._gate = Gate(
            store=self.store,
            claim=self.claim,
            lease_s=settings.lease_s,
            everything=settings.everything,
            on_lost=self.cancel,
        )
        self._tools = Tools(gate=self._gate, open=Open())
        memory = Memory(
            session=settings.options.get("session"),
            gate=self._gate,
            repair=settings.repair_session,
            allow_other=settings.allow_other_session,
        )
        requests = Requests(gate=self._gate, talk=Talk(place=settings.place))
        self.book = Book(gate=self._gate, requests=requests, memory=memory)
        self._guards = Guards(requests, streams=settings.streams)
        self._graph = Graph(self._tools.gated, self._guards.model)

    def cancel(self, mode: Any = "immediate") -> None:  # noqa: ANN401 - the SDK's literal
        """Stop what the SDK is running."""
        self._cancelled = True
        if self.result is not None:
            self.result.cancel(mode)

    async def begin(self, kickoff: Kickoff, *, again: bool) -> AsyncGenerator[StreamEvent, None]:
        """Run from the start.

        Args:
            kickoff: what the run was started with.
            again: whether a worker before this one began it too, and wrote no checkpoint.
        """
        async with self._held("hitl.run"):
            await self.book.memory.begin(self.book.late.raws, again=again)
            self.book.requests.talk.begin(kickoff.place, kickoff.given)
            self.result = self._leg(
                kickoff.given,
                max_turns=kickoff.max_turns,
                conversation_id=kickoff.conversation_id,
                previous_response_id=kickoff.previous_response_id,
                auto_previous_response_id=kickoff.auto_previous_response_id,
            )
            async with contextlib.aclosing(self._legs()) as events:
                async for event in events:
                    yield event

    async def go_on(
        self, requests: tuple[Request, ...], kickoff: Kickoff
    ) -> AsyncGenerator[StreamEvent, None]:
        """Run from the newest checkpoint, with the verdicts given since."""
        if self.book.state is None:
            raise RuntimeError("expected a checkpoint to go on from")
        async with self._held("hitl.resume"):
            open_ = (each for each in self.book.state.interruptions if each.decision is None)
            waiting = {each.call for each in open_}
            given = [each for each in requests if each.call in waiting]
            telemetry.verdicts(given, self._before, self.claim.run_id)
            try:
                judged = judge(self.book.state, self.book.note, requests)
                judged = evolve(judged, state=self.book.requests.talk.resume(judged.state))
                self.book.requests.responses = count(judged.state.responded or ())
                live = await self._restored(judged)
                config = self.settings.options.get("run_config")
                told = staging.put(self.book.state, self.book.late.held)
                await self.book.memory.take_up(told, kickoff, live, config)
            except HitlError:
                await self.book.leave()
                raise
            self.result = self._leg(live)
            async with contextlib.aclosing(self._legs()) as events:
                async for event in events:
                    yield event

    @contextlib.asynccontextmanager
    async def _held(self, name: str) -> AsyncIterator[None]:
        """Keep the lease; however it ends, no tool runs on and the run is let go."""
        claim, self._before = self.claim, self.book.note.span
        what = {"hitl.run_id": claim.run_id, "hitl.generation": claim.generation}
        log.info("run %s: claimed by %s, %s", claim.run_id, claim.worker, name)
        with telemetry.span(name, self._before, what) as span:
            self.book.note = evolve(self.book.note, span=telemetry.place_of(span))
            async with self._gate:
                try:
                    yield
                except BaseException as exc:
                    await self._stopped(exc)
                    if isinstance(exc, Halt):
                        raise exc.error from exc
                    if self._gate.lost is not None and not isinstance(exc, GeneratorExit):
                        raise self._gate.lost from exc
                    raise
            if self.outcome is not None:
                telemetry.mark(span, status=self.outcome.status)

    async def _legs(self) -> AsyncGenerator[StreamEvent, None]:
        """Drive the SDK until a person is needed, or the run ends."""
        while self.result is not None:
            self.book.late.begin(self.result)
            async for event in self.result.stream_events():
                yield event
            self._gate.check()
            await self._gate.settle()
            self.book.late.end()
            live = await self._after()
            if live is None:
                return
            self._gate.reopen()
            self.result = self._leg(live)

    def _leg(self, given: Any, **start: Any) -> RunResultStreaming:  # noqa: ANN401
        options = {**self.settings.options, "session": self.book.memory.guarded}
        theirs = options.pop("hooks", None)
        options["run_config"] = self._guards.config(options.get("run_config"))
        hooks = Hooks(self._tools, self._graph, theirs, self._before_model, self.book.late)
        if not start:  # a restored state has its context
            options.pop("context", None)
        agent = self._graph.copy(self.settings.agent)
        # The SDK works in a task of its own. It starts with none of ours around it: this run may
        # have been started by a tool of another.
        around = contextvars.copy_context()
        around.run(outside)
        return around.run(
            lambda: Runner.run_streamed(agent, given, hooks=hooks, **options, **start)
        )

    async def _before_model(self) -> None:
        """Store the run before each model call; the first is covered by the kickoff."""
        self._gate.check()
        self.book.late.before_model()
        if self.result is None or not self.result.raw_responses:
            return
        await self.book.save("save", self._asking(self.result))

    def _asking(self, result: RunResultStreaming) -> RunState:
        """Take the state before a model call that the SDK has counted already."""
        return counter.asking(unacknowledged(self._captured(result)))

    async def _after(self) -> AnyState | None:
        """Store what the SDK stopped with; give a state to go on from, None when it must wait."""
        if self.result is None:
            return None
        state = self._captured(self.result)
        if self._cancelled and not _ended(state, self.result):
            await self._let_go(state)
            return None
        if not self.result.interruptions:
            await self._finish(state)
            return None
        judged = judge(state, self._waved(state))
        self.book.note = judged.note
        if judged.count:  # nobody needs to be asked about these: they run from here
            await self.book.save("save", state)
            return await self._restored(judged)
        requests = asked(
            state,
            judged.open,
            expires_in_s=self.settings.expires_in_s,
            default=self.settings.default,
        )
        self._done(await self.book.save("pause", state, requests=requests))
        return None

    def _waved(self, state: RunState) -> Note:
        """Note the calls that stopped for the gate alone."""
        free = {name for name, rules in self._tools.free.items() if rules == {False}}
        calls = {
            each.call
            for each in state.interruptions
            if each.call in self._tools.waved or (each.item.tool_name or each.tool_name) in free
        }
        everything = self.settings.everything
        return wave(self.book.note, calls if everything else ())

    async def _let_go(self, state: RunState) -> None:
        """Stop as asked: after a whole turn with what it brought, else as before it."""
        whole = counter.whole(unacknowledged(state), self.book.state)
        if whole is not None:
            self._done(await self.book.save("stop", whole, reason="cancel"))
        else:
            self._done(await self.book.rest("cancel"))

    async def _finish(self, state: RunState) -> None:
        if state.staged:
            log.warning("run %s: ended before staged input was delivered", self.claim.run_id)
        final = None if self.result is None else self.result.final_output
        self.book.note = evolve(self.book.note, done=True, final=tagged(final), waved=())
        self._done(await self.book.save("finish", state), final)

    def _captured(self, result: RunResultStreaming) -> RunState:
        """Take the state of what runs; its log begins with the one that is stored."""
        if self._recorder is None:
            self._recorder = Recorder(self.book.state)
        state = self._recorder.capture(result)
        self.book.requests.responses = count(state.responded or ())
        return self.book.requests.talk.follow(state)

    def _done(self, run: Run | None, final: object = None) -> None:
        if run is None:
            return
        log.info("run %s: %s", run.run_id, run.status)
        self.outcome = DurableRun(
            id=run.run_id,
            status=run.status,
            state=self.book.state,
            final_output=final,
            result=self.result,
            session=self.book.memory.report,
            corrections=tuple(self.book.requests.talk.corrections),
        )

    async def _restored(self, judged: Judged) -> AnyState:
        """Give the SDK a state in which every verdict is on the call it was given on."""
        self.book.note = judged.note
        self._gate.approved = {**self._gate.approved, **judged.approved}
        self._tools.open.restored(judged.state)
        root = self._graph.copy(self.settings.agent)
        return await restore(root, judged.state, **self.settings.restoring)

    async def _stopped(self, exc: BaseException) -> None:
        """Let the run go, as what stopped it allows; what stopped it is told, not what follows."""
        await self._quiet()
        if self.outcome is not None:
            return
        limited = isinstance(exc, MaxTurnsExceeded) and counter.at_limit(self.result)
        reason: Stop = "turn_limit" if limited else _reason(exc)
        note = type(exc).__name__
        self.book.late.end()
        try:
            if limited and self.result is not None and self.result.raw_responses:
                state = self._asking(self.result)
                self._done(await self.book.save("stop", state, reason=reason, note=note))
            else:
                # What the SDK cannot go on with may be answered otherwise when it is asked again.
                again = self.book.requests.unused() if isinstance(exc, Exception) else ()
                self._done(await self.book.rest(reason, note, again))
        except (HitlError, Halt) as failed:
            error = failed.error if isinstance(failed, Halt) else failed
            log.warning("run %s: not let go: %s", self.claim.run_id, error)

    async def _quiet(self) -> None:
        """Let nothing of the run go on: neither the SDK's loop nor a tool."""
        if self.result is not None:
            self.result.cancel("immediate")
            loop = private.loop_of(self.result)
            if loop is not None:
                await asyncio.wait([loop])
                if not loop.cancelled():
                    loop.exception()
        await self._gate.settle()


def _ended(state: RunState, result: RunResultStreaming) -> bool:
    """Tell whether a run that was asked to stop had come to its end, or to a pause, before."""
    return bool(result.interruptions) or (state.step is None and result.final_output is not None)


def _reason(exc: BaseException) -> Stop:
    match exc:
        case TimeoutError():
            return "timeout"
        case asyncio.CancelledError() | GeneratorExit():
            return "cancel"
        case _:
            return "timeout" if "Timeout" in type(exc).__name__ else "error"
