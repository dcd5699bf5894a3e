"""R-40 to R-45: input that is added to a run that rests, or goes on, reaches the model once."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrailTripwireTriggered,
    Runner,
    function_tool,
    input_guardrail,
)
from attrs import evolve

import hitl
from hitl import transfer
from hitl.errors import (
    AlreadyClaimed,
    InDoubt,
    InputRefused,
    LossError,
    StoreUnavailable,
    UnknownRun,
    ValueRefused,
)
from hitl.model import Step
from hitl.runtime.durable.packed import unpack
from tests.agents import corpus
from tests.agents.session import MemorySession
from tests.conversation.durable import (
    CONFIG,
    MODES,
    RUN,
    Stage,
    TurnedDown,
    cut_behind,
    short,
    waiting,
)
from tests.conversation.model import ServerModel
from tests.conversation.server import Server, called, replied

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hitl.model import RunState
    from hitl.store import Store

STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
EVERYWHERE = pytest.mark.parametrize("mode", MODES)
LOCAL = {"plain", "session"}
HOLDS = {"native": "1.0", "openai-agents-python": "1.15", "openai-agents-js": "1.18"}


def on_a_store(play: Callable[[Store], Awaitable[Any]]) -> Any:  # noqa: ANN401
    """Play on a store of its own."""

    async def opened() -> Any:  # noqa: ANN401
        async with hitl.connect("memory:") as store:
            return await play(store)

    return asyncio.run(opened())


async def paused(store: Store, mode: str = "plain", **options: Any) -> Stage:  # noqa: ANN401
    """A run that waits for two calls at once."""
    stage = Stage(store, mode, [called("1"), called("2")], [replied("end")], **options)
    await stage.step()
    return stage


def captured(**agent: Any) -> RunState:  # noqa: ANN401
    """The state of a run that waits for one call, taken without a store."""

    async def play(store: Store) -> RunState:
        stage = Stage(store, "plain", [called("1")], **agent)
        return hitl.capture(await Runner.run(stage.agent(), "go", run_config=CONFIG))

    state: RunState = on_a_store(play)
    return state


class TestState:
    """Without a store, without an agent."""

    def test_in_order(self) -> None:
        """R-40, R-44: what is added stands behind what is staged; two equal texts are two."""
        state = captured().add_input("one").add_input("two")
        state = state.add_input([{"role": "user", "content": "one"}])
        assert waiting(state) == ["one", "two", "one"]
        assert waiting(hitl.loads(hitl.dumps(state))) == ["one", "two", "one"]

    def test_nothing_is_edited(self) -> None:
        """Adding and clearing give new states; the one before stays as it was."""
        before = captured()
        added = before.add_input("one")
        assert waiting(before) == []
        assert waiting(added.clear_input()) == []
        assert waiting(added) == ["one"]
        assert before.clear_input() == before

    @pytest.mark.parametrize("given", [7, {"role": "user"}, ["one"], [{"content": b"one"}]])
    def test_no_items(self, given: Any) -> None:  # noqa: ANN401
        """Neither text nor items of JSON are refused."""
        with pytest.raises(ValueRefused):
            captured().add_input(given)

    @pytest.mark.parametrize("kind", ["function_call_output", "function_call", "shell_call_output"])
    def test_no_answers(self, kind: str) -> None:
        """R-41, R-21: what a tool gives is not said by anybody; the waiting call stays open."""
        with pytest.raises(InputRefused) as caught:
            captured().add_input([{"type": kind, "call_id": "1", "output": "done"}])
        assert (caught.value.reason, caught.value.path) == ("no_input", "/0")

    @pytest.mark.parametrize("target", sorted(transfer.dialects()))
    def test_every_label(self, target: str) -> None:
        """R-35: each label of each dialect holds what is staged, in order, or names the loss."""
        state = captured().add_input("one").add_input("one")
        versions = transfer.dialects()[target].chain.versions
        first = versions.index(HOLDS[target])
        for label in versions[first:]:
            data = hitl.dumps(state, dialect=target, version=label, allow_loss=True)
            assert waiting(hitl.loads(data)) == ["one", "one"]
        for label in versions[:first]:
            with pytest.raises(LossError) as caught:
                hitl.dumps(state, dialect=target, version=label, allow_loss=True)
            paths = {getattr(each, "path", None) for each in caught.value.losses}
            assert paths <= {"/pending_input", "/pendingInput"}

    def test_recorded_states(self) -> None:
        """Every recorded state takes input and holds it at its own label, or says why not."""
        told: dict[str, int] = {}
        for name in (*corpus.every(), *corpus.javascript()):
            state = hitl.loads(corpus.read(name))
            try:
                added = state.add_input("one").add_input("one")
            except InputRefused as exc:
                told[exc.reason] = told.get(exc.reason, 0) + 1
                continue
            before = waiting(state)
            told["taken"] = told.get("taken", 0) + 1
            assert waiting(added) == [*before, "one", "one"]
            assert added.interruptions == state.interruptions
        assert set(told) >= {"taken", "ended"}


class Behaviors:
    """What an agent does with the outputs of tools, and whether a waiting call may end the run."""

    @staticmethod
    def custom(*_: object) -> None:
        """Code of the app; nobody knows what it says."""

    ENDS: dict[str, Any] = {  # noqa: RUF012
        "first": "stop_on_first_tool",
        "names": {"stop_at_tool_names": ["other", "tool"]},
        "custom": custom,
    }
    GOES_ON: dict[str, Any] = {  # noqa: RUF012
        "again": "run_llm_again",
        "other names": {"stop_at_tool_names": ["other"]},
    }


class TestRefused:
    """R-41: nothing is staged that would not surely be delivered."""

    @pytest.mark.parametrize("name", Behaviors.ENDS)
    def test_may_end(self, name: str) -> None:
        """The output of the waiting call may end the run."""
        state = captured(tool_use_behavior=Behaviors.ENDS[name])
        with pytest.raises(InputRefused) as caught:
            state.add_input("one")
        assert caught.value.reason == "may_end"
        with pytest.raises(InputRefused):
            hitl.loads(hitl.dumps(state)).add_input("one")

    @pytest.mark.parametrize("name", Behaviors.GOES_ON)
    def test_goes_on(self, name: str) -> None:
        """Another behavior takes it."""
        state = captured(tool_use_behavior=Behaviors.GOES_ON[name])
        assert waiting(state.add_input("one")) == ["one"]

    def test_a_call_beside(self) -> None:
        """A call that has run beside the waiting one may end the run too."""
        fields = {"name": "free", "id": "fc_2", "call_id": "2", "arguments": "{}"}
        free = {"type": "function_call", "status": "completed", **fields}

        async def play(store: Store) -> RunState:
            stage = Stage(store, "plain", [called("1"), free])
            agent = stage.agent()
            agent.tools.append(function_tool(lambda: "free", name_override="free"))
            agent.tool_use_behavior = {"stop_at_tool_names": ["free"]}
            return hitl.capture(await Runner.run(agent, "go", run_config=CONFIG))

        with pytest.raises(InputRefused) as caught:
            on_a_store(play).add_input("one")
        assert caught.value.reason == "may_end"

    @pytest.mark.parametrize("name", Behaviors.ENDS)
    def test_found_at_restore(self, name: str) -> None:
        """A state of an SDK does not say; the agent does, before anything runs."""
        behavior = Behaviors.ENDS[name]
        written = hitl.dumps(captured(tool_use_behavior=behavior), dialect="openai-agents-python")
        state = hitl.loads(written).add_input("one").approve("1")

        async def play(store: Store) -> None:
            stage = Stage(store, "plain", tool_use_behavior=behavior)
            with pytest.raises(InputRefused) as caught:
                await hitl.restore(stage.agent(), state)
            assert caught.value.reason == "may_end"
            await hitl.restore(stage.agent(), state.clear_input())

        on_a_store(play)

    def test_no_turn(self) -> None:
        """No turn is left to deliver it."""
        state = captured()
        full = evolve(state, turn=evolve(state.turn, max=state.turn.current))
        with pytest.raises(InputRefused) as caught:
            full.add_input("one")
        assert (caught.value.reason, caught.value.path) == ("no_turn", "/turn")
        endless = evolve(state, turn=evolve(state.turn, max=None))
        assert waiting(endless.add_input("one")) == ["one"]

    def test_accepted(self) -> None:
        """A response was taken and is still to be worked on."""
        state = captured()
        step = evolve(state.step or Step(kind="interruption"), response_accepted=True)
        with pytest.raises(InputRefused) as caught:
            evolve(state, step=step).add_input("one")
        assert caught.value.reason == "accepted"

    @pytest.mark.parametrize("step", [None, Step(kind="unknown")])
    def test_ended(self, step: Step | None) -> None:
        """It has ended, or does not say that it has not; one without a response has not."""
        state = evolve(captured(), step=step)
        for ended in (state, evolve(captured(), terminal=True)):
            with pytest.raises(InputRefused) as caught:
                ended.add_input("one")
            assert caught.value.reason == "ended"
        cut = evolve(state, responded=(), last_response=None)
        assert waiting(cut.add_input("one")) == ["one"]


class TestStored:
    """`hitl.add_input`: any process, no agent; the run rests as it did."""

    def test_as_it_was(self) -> None:
        """Requests, verdicts, expiry and status stay; only the generation and the log grow."""

        async def play(store: Store) -> None:
            default = hitl.reject(by="clock")
            stage = Stage(store, "plain", [called("1"), called("2")], [replied("end")])
            await stage.step(expires_in_s=3600, default=default)
            await stage.approve("1")
            before = await store.load(RUN)
            run = await stage.add("one")
            after = await store.load(RUN)
            assert (run.status, after.run.status) == (before.run.status, "waiting")
            assert after.requests == before.requests
            assert waiting(unpack(after)[0]) == ["one"]
            assert [each.call for each in await store.waiting()] == ["2"]
            await stage.approve("2")
            assert (await stage.add("two")).status == "ready"
            assert (await stage.step()).status == "finished"
            assert stage.told[-3:] == ["one", "two", "end"]

        on_a_store(play)

    def test_stopped(self) -> None:
        """A run that an error stopped stays stopped, for the same reason, and takes input."""

        async def play(store: Store) -> None:
            stage = await paused(store)
            await stage.approve("1", "2")
            stage.model.busy = 1
            with pytest.raises(TurnedDown):
                await stage.step()
            before = await store.run(RUN)
            run = await stage.add("one")
            after = await store.run(RUN)
            why = ("error", "TurnedDown")
            assert (before.status, before.reason, before.note) == ("stopped", *why)
            assert (run.status, after.reason, after.note) == ("stopped", *why)
            assert (await stage.step()).status == "finished"
            assert stage.told[-2:] == ["one", "end"]
            assert stage.ran == ["1", "2"]

        on_a_store(play)

    def test_who(self) -> None:
        """Who said it is stored, as long as it waits."""

        async def play(store: Store) -> None:
            await paused(store)
            await hitl.add_input(store, RUN, "one", by="ana")
            await hitl.add_input(store, RUN, "two", by="bo")
            note = unpack(await store.load(RUN))[1]
            assert [(each.by, each.items) for each in note.added] == [("ana", 1), ("bo", 2)]
            await hitl.clear_input(store, RUN, by="cy")
            await hitl.add_input(store, RUN, "one", by="dan")
            note = unpack(await store.load(RUN))[1]
            assert [(each.by, each.items) for each in note.added] == [("dan", 1)]

        on_a_store(play)

    def test_claimed(self) -> None:
        """A run that somebody works on is left alone; one whose worker died is not."""

        async def play(store: Store) -> None:
            stage = await paused(store)
            claim = await store.claim(RUN, worker="bo", lease_s=60, force=True)
            with pytest.raises(AlreadyClaimed) as caught:
                await stage.add("one")
            assert caught.value.worker == "bo"
            await store.renew(claim, lease_s=0.001)
            await asyncio.sleep(0.01)
            assert (await stage.add("one")).status == "stopped"
            await stage.approve("1", "2")
            assert (await stage.step()).status == "finished"
            assert stage.told[-2:] == ["one", "end"]

        on_a_store(play)

    def test_refused(self) -> None:
        """R-41: a refusal changes nothing: nobody claimed the run, nothing was written."""

        async def play(store: Store) -> None:
            stage = await paused(store, tool_use_behavior="stop_on_first_tool")
            before = await store.load(RUN)
            with pytest.raises(InputRefused):
                await stage.add("one")
            assert await store.load(RUN) == before

        on_a_store(play)

    def test_not_begun(self) -> None:
        """A run without a checkpoint starts over from its input: there is nothing to add to."""

        async def play(store: Store) -> None:
            with pytest.raises(UnknownRun):
                await hitl.add_input(store, RUN, "one")
            stage = Stage(store, "plain", [replied("end")])
            stage.model.busy = 1
            with pytest.raises(TurnedDown):
                await stage.step()
            before = await store.run(RUN)
            with pytest.raises(InputRefused) as caught:
                await stage.add("one")
            assert caught.value.reason == "not_begun"
            assert await store.run(RUN) == before

        on_a_store(play)

    @pytest.mark.parametrize("how", ["finished", "cancelled"])
    def test_over(self, how: str) -> None:
        """A run that has ended takes none."""

        async def play(store: Store) -> None:
            stage = await paused(store)
            if how == "cancelled":
                await store.cancel(RUN)
            else:
                await stage.approve("1", "2")
                await stage.step()
            for change in (stage.add("one"), hitl.clear_input(store, RUN)):
                with pytest.raises(InputRefused) as caught:
                    await change
                assert caught.value.reason == "ended"

        on_a_store(play)

    def test_in_doubt(self) -> None:
        """A call that was cut is settled first."""

        async def play(store: Store) -> None:
            stage = await paused(store)
            claim = await store.claim(RUN, worker="bo", lease_s=60, force=True)
            call = (await store.load(RUN)).requests[0]
            await store.decide(RUN, call.call, hitl.approve())
            await store.start(
                claim, call.call, tool=call.tool, arguments_sha256=call.arguments_sha256
            )
            await store.release(claim)
            with pytest.raises(InDoubt):
                await stage.add("one")

        on_a_store(play)

    def test_while_others_work(self) -> None:
        """Two that add at once both do, or are told who has the run; nothing is lost."""

        async def play(store: Store) -> None:
            stage = await paused(store)
            texts = [str(number) for number in range(20)]
            told = await asyncio.gather(*map(stage.add, texts), return_exceptions=True)
            both = zip(texts, told, strict=True)
            taken = [text for text, one in both if isinstance(one, hitl.DurableRun)]
            assert all(isinstance(one, hitl.DurableRun | AlreadyClaimed) for one in told)
            assert sorted(waiting(await stage.stored())) == sorted(taken)
            assert taken

        on_a_store(play)

    def test_a_worker_in_between(self) -> None:
        """Who worked on the run between the look and the claim has not been overwritten."""

        class Busy:
            """A store whose run is taken up once, just before it is claimed here."""

            def __init__(self, store: Store, stage: Stage) -> None:
                self._store, self._stage, self._worked = store, stage, False

            def __getattr__(self, name: str) -> Any:  # noqa: ANN401
                return getattr(self._store, name)

            async def claim(self, *given: Any, **options: Any) -> Any:  # noqa: ANN401
                if not self._worked:
                    self._worked = True
                    await self._stage.step()
                return await self._store.claim(*given, **options)

        async def play(store: Store) -> None:
            stage = Stage(store, "plain", [called("1")], [called("2")], [replied("end")])
            await stage.step()
            await stage.approve("1")
            stage.model.busy = 1
            with pytest.raises(TurnedDown):
                await stage.step()
            busy: Any = Busy(store, stage)
            run = await hitl.add_input(busy, RUN, "one")
            assert (run.status, stage.ran) == ("waiting", ["1"])
            assert [each.call for each in await store.waiting()] == ["2"]
            await stage.approve("2")
            assert (await stage.step()).status == "finished"
            assert stage.told == ["go", ">1", "<1", ">2", "<2", "one", "end"]

        on_a_store(play)

    def test_a_store_that_fails(self) -> None:
        """When the checkpoint cannot be written the run is let go as it was."""

        class Full:
            """A store that saves nothing."""

            def __init__(self, store: Store) -> None:
                self._store = store

            def __getattr__(self, name: str) -> Any:  # noqa: ANN401
                return getattr(self._store, name)

            async def save(self, *_: object) -> None:
                raise OSError("disk full")

        async def play(store: Store) -> None:
            stage = await paused(store)
            full: Any = Full(store)
            with pytest.raises(OSError, match="disk full"):
                await hitl.add_input(full, RUN, "one")
            assert (await store.run(RUN)).status == "waiting"
            assert waiting((await stage.add("two")).state) == ["two"]  # type: ignore[arg-type]

        on_a_store(play)


class TestDelivered:
    """Once, in order, after the outputs; streamed and not, in every mode."""

    @STREAMED
    @EVERYWHERE
    def test_in_order(self, mode: str, *, streamed: bool) -> None:
        """R-40, R-44, R-45: staged while a call waits, delivered once after the last verdict."""

        async def play(store: Store) -> None:
            stage = await paused(store, mode, streamed=streamed)
            await stage.add("one", "two")
            for _ in range(2):
                run = await stage.step(force=True)
                assert run.status == "waiting"
            await stage.approve("2")
            assert waiting((await stage.step()).state) == ["one", "two"]  # type: ignore[arg-type]
            await stage.add("one")
            await stage.approve("1")
            run = await stage.step()
            assert run.status == "finished"
            expected = ["go", ">1", ">2", "<1", "<2", "one", "two", "one", "end"]
            assert sorted(stage.told[3:5]) == ["<1", "<2"]
            assert [*stage.told[:3], "<1", "<2", *stage.told[5:]] == expected
            state = await stage.stored()
            assert (waiting(state), len(stage.model.requests)) == ([], 2)
            assert sum(each.kind == "input" for each in state.items) == 3
            if mode == "session":
                assert sorted(short(stage.session.items)) == sorted(expected)
                assert short(stage.session.items)[5:] == expected[5:]

        on_a_store(play)

    @STREAMED
    @EVERYWHERE
    def test_model_fails(self, mode: str, *, streamed: bool) -> None:
        """R-42: the call fails: nothing lost, sent or saved twice; staged till acknowledged."""

        async def play(store: Store) -> None:
            stage = await paused(store, mode, streamed=streamed)
            await stage.approve("1", "2")
            await stage.add("one", "one")
            for _ in range(3):
                stage.model.busy = 1
                with pytest.raises(TurnedDown):
                    await stage.step()
                state = await stage.stored()
                assert waiting(state) == ([] if mode in LOCAL else ["one", "one"])
                told = short([*(each.raw for each in state.items), *_raw(state)])
                assert told.count("one") == 2
                assert stage.server.received[1:] == []
            assert (await stage.step()).status == "finished"
            assert stage.told[-3:] == ["one", "one", "end"]
            assert (stage.told.count("one"), sorted(stage.ran)) == (2, ["1", "2"])
            state = await stage.stored()
            assert [each.kind for each in state.items].count("input") == 2
            if mode == "session":
                assert short(stage.session.items).count("one") == 2

        on_a_store(play)

    @STREAMED
    @EVERYWHERE
    @pytest.mark.parametrize("then", ["cleared", "retried"])
    def test_guardrail(self, then: str, mode: str, *, streamed: bool) -> None:
        """R-43: what trips a guardrail stays staged, to be cleared or tried; it is seen alone."""
        seen: list[Any] = []

        @input_guardrail(run_in_parallel=False)
        async def guard(_context: Any, _agent: Any, given: Any) -> GuardrailFunctionOutput:  # noqa: ANN401
            seen.append([given] if isinstance(given, str) else short(given))
            trips = "bad" in seen[-1] and seen.count(seen[-1]) == 1
            return GuardrailFunctionOutput(output_info=None, tripwire_triggered=trips)

        async def play(store: Store) -> None:
            stage = await paused(store, mode, streamed=streamed, input_guardrails=[guard])
            await stage.add("bad")
            await stage.approve("1", "2")
            with pytest.raises(InputGuardrailTripwireTriggered):
                await stage.step()
            assert waiting(await stage.stored()) == ["bad"]
            if then == "cleared":
                await hitl.clear_input(store, RUN)
                await stage.add("good")
            assert (await stage.step()).status == "finished"
            said = "good" if then == "cleared" else "bad"
            assert stage.told[-2:] == [said, "end"]
            assert seen == [["go"], ["bad"], [said]]
            assert sorted(stage.ran) == ["1", "2"]
            if mode == "session":
                assert short(stage.session.items)[-2:] == [said, "end"]
                assert len(stage.session.items) == 7

        on_a_store(play)


def _raw(state: RunState) -> list[Any]:
    return [each.raw for each in state.pending_input]


class TestSession:
    """R-42, R-3: where a session keeps the history."""

    @STREAMED
    @pytest.mark.parametrize("later", [(), ("two",)], ids=["at once", "after more"])
    def test_cut_after_the_session(self, later: tuple[str, ...], *, streamed: bool) -> None:
        """A worker that dies between the session and the checkpoint has not said it twice."""

        class Cut:
            """A store that is gone for one checkpoint."""

            def __init__(self, store: Store) -> None:
                self._store, self.gone = store, False

            def __getattr__(self, name: str) -> Any:  # noqa: ANN401
                return getattr(self._store, name)

            async def save(self, *given: Any) -> Any:  # noqa: ANN401
                if self.gone:
                    self.gone = False
                    raise StoreUnavailable("away")
                return await self._store.save(*given)

        async def play(store: Store) -> None:
            cut: Any = Cut(store)
            stage = await paused(cut, "session", streamed=streamed)
            await stage.approve("1", "2")
            await stage.add("one", "one")
            cut.gone = True
            with pytest.raises(StoreUnavailable):
                await stage.step()
            assert short(stage.session.items)[-2:] == ["one", "one"]
            assert waiting(await stage.stored()) == ["one", "one"]
            for text in later:
                await stage.add(text)
            assert (await stage.step()).status == "finished"
            assert short(stage.session.items)[5:] == ["one", "one", *later, "end"]
            assert stage.told[5:] == ["one", "one", *later, "end"]

        on_a_store(play)

    def test_stopped_behind_it(self) -> None:
        """What a stopped worker wrote of a response that is asked for anew is taken back."""
        session = MemorySession("s")
        answers = [[called(call, "look")] for call in "123"]
        model = ServerModel(Server(), *answers, [replied("end")])
        streams: list[hitl.DurableStream] = []
        asked = 0

        @function_tool
        def look() -> str:
            if len(model.requests) == 2 and streams:
                streams[0].add_input("late")
            return "seen"

        def instructions(_context: Any, _agent: Any) -> str:  # noqa: ANN401
            nonlocal asked
            asked += 1
            if asked == 3:
                raise LookupError
            return "be quick"

        async def play(store: Store) -> None:
            agent = Agent[Any](name="ops", model=model, tools=[look], instructions=instructions)
            options: Any = {"store": store, "run_config": CONFIG, "session": session}
            streams.append(hitl.run_streamed(agent, "go", run_id=RUN, **options))
            with pytest.raises(LookupError):
                async for _ in streams[0].stream_events():
                    pass
            streams.clear()
            await hitl.resume(agent, RUN, **options)

        on_a_store(play)
        assert short(session.items) == ["go", ">1", "<1", "late", ">3", "<3", "end"]


class TestLive:
    """R-40: input added to a run that goes on."""

    @EVERYWHERE
    @pytest.mark.parametrize("cuts", [1, 2])
    def test_behind_a_response(self, mode: str, cuts: int) -> None:
        """R-41: it is no part of a request that was answered before it came, given again or not."""

        async def play(store: Store) -> None:
            answers = ([called("1")], [called("2")], [replied("end")])
            stage = Stage(store, mode, *answers, streamed=True)
            await stage.step()
            await stage.approve("1")
            late = [f"late {cut}" for cut in range(cuts)]
            for text in late:
                await cut_behind(stage.step, then=partial(stage.tell, text))
                assert waiting(await stage.stored()) == []
            run = await stage.step()
            assert waiting(run.state) == late  # type: ignore[arg-type]
            await stage.approve("2")
            assert (await stage.step()).status == "finished"
            assert stage.told == ["go", ">1", "<1", ">2", "<2", *late, "end"]
            if mode == "session":
                assert short(stage.session.items) == stage.told

        on_a_store(play)

    @EVERYWHERE
    def test_in_a_tool(self, mode: str) -> None:
        """It is told before the next model call, after the outputs of the turn."""

        async def play(store: Store) -> None:
            stage = await paused(store, mode, streamed=True)

            async def say(call_id: str) -> None:
                assert stage.stream is not None
                stage.stream.add_input(f"while {call_id}")

            stage.in_tool = say
            await stage.approve("1", "2")
            await stage.add("before")
            assert (await stage.step()).status == "finished"
            assert stage.told[5:6] == ["before"]
            assert sorted(stage.told[6:8]) == ["while 1", "while 2"]
            assert stage.told[8:] == ["end"]
            if mode == "session":
                assert short(stage.session.items)[5:] == stage.told[5:]

        on_a_store(play)

    @EVERYWHERE
    @pytest.mark.parametrize("first", [False, True], ids=["second", "first"])
    def test_while_the_model_is_asked(self, mode: str, *, first: bool) -> None:
        """It waits for the next call, also where a server is to acknowledge other input."""

        async def play(store: Store) -> None:
            answers = ([called("1")], [called("2")], [replied("end")])
            stage = Stage(store, mode, *answers, streamed=True)
            ask, when = stage.model.stream_response, 1 if first else 2

            async def asked(*args: Any, **options: Any) -> Any:  # noqa: ANN401
                if len(stage.model.requests) == when - 1 and stage.stream is not None:
                    stage.stream.add_input("meanwhile")
                async for event in ask(*args, **options):
                    yield event

            stage.model.stream_response = asked  # type: ignore[method-assign]
            await stage.step()
            await stage.add("before")
            await stage.approve("1")
            run = await stage.step()
            assert waiting(run.state) == ([] if first else ["meanwhile"])  # type: ignore[arg-type]
            await stage.approve("2")
            assert (await stage.step()).status == "finished"
            both = ["meanwhile", "before"] if first else ["before"]
            rest = [] if first else ["meanwhile"]
            assert stage.told == ["go", ">1", "<1", *both, ">2", "<2", *rest, "end"]

        on_a_store(play)

    @EVERYWHERE
    def test_while_it_is_handed_over(self, mode: str) -> None:
        """What is added while the SDK takes what is staged is neither lost nor told twice."""

        async def play(store: Store) -> None:
            answers = ([called("1")], [called("2")], [replied("end")])

            def instructions(_context: Any, _agent: Any) -> str:  # noqa: ANN401
                if len(stage.model.requests) == 1 and stage.stream is not None:
                    stage.stream.add_input("meanwhile")
                return "be quick"

            stage = Stage(store, mode, *answers, streamed=True, instructions=instructions)
            await stage.step()
            await stage.add("before")
            await stage.approve("1")
            await stage.step()
            await stage.approve("2")
            assert (await stage.step()).status == "finished"
            assert stage.told == ["go", ">1", "<1", "before", ">2", "<2", "meanwhile", "end"]

        on_a_store(play)

    @EVERYWHERE
    def test_between_agents(self, mode: str) -> None:
        """A handoff runs no tool: what was added while the model was asked comes right after."""

        async def play(store: Store) -> None:
            call = {**called("h"), "name": "transfer_to_desk"}
            stage = Stage(store, mode, [call], [replied("end")], streamed=True)
            ask = stage.model.stream_response

            async def asked(*args: Any, **options: Any) -> Any:  # noqa: ANN401
                if not stage.model.requests and stage.stream is not None:
                    stage.stream.add_input("meanwhile")
                async for event in ask(*args, **options):
                    yield event

            stage.model.stream_response = asked  # type: ignore[method-assign]
            agent = stage.agent
            stage.agent = lambda: _front(agent(), agent())  # type: ignore[method-assign]
            assert (await stage.step()).status == "finished"
            assert stage.told == ["go", ">h", "<h", "meanwhile", "end"]

        on_a_store(play)

    @STREAMED
    @EVERYWHERE
    def test_survives(self, mode: str, *, streamed: bool) -> None:
        """A model call that fails after it was added, before or after a checkpoint, keeps it."""

        async def play(store: Store) -> None:
            stage = await paused(store, mode, streamed=True)

            async def say(call_id: str) -> None:
                assert stage.stream is not None
                stage.stream.add_input(f"while {call_id}")

            stage.in_tool = say
            await stage.approve("1", "2")
            stage.model.busy = 1
            with pytest.raises(TurnedDown):
                await stage.step()
            stage.streamed = streamed
            assert (await stage.step()).status == "finished"
            assert sorted(stage.told[5:7]) == ["while 1", "while 2"]
            assert stage.told[7:] == ["end"]

        on_a_store(play)

    def test_after_the_checkpoint(self) -> None:
        """What no checkpoint holds yet is stored when an error stops the run."""

        async def play(store: Store) -> None:
            stage = await paused(store, streamed=True)

            async def failing(*args: Any, **options: Any) -> Any:  # noqa: ANN401
                assert stage.stream is not None
                stage.stream.add_input("late")
                stage.model.busy = 1
                async for event in ask(*args, **options):
                    yield event

            ask, stage.model.stream_response = stage.model.stream_response, failing  # type: ignore[method-assign]
            await stage.approve("1", "2")
            await stage.add("early")
            with pytest.raises(TurnedDown):
                await stage.step()
            assert waiting(await stage.stored()) == ["late"]
            stage.model.stream_response = ask  # type: ignore[method-assign]
            assert (await stage.step()).status == "finished"
            assert stage.told[5:] == ["early", "late", "end"]

        on_a_store(play)

    def test_ended_first(self, caplog: pytest.LogCaptureFixture) -> None:
        """A run that ends before the next call does not deliver it: the state has it, and says."""

        async def play(store: Store) -> None:
            stage = await paused(store, streamed=True)
            await stage.approve("1", "2")
            ask = stage.model.stream_response

            async def asked(*args: Any, **options: Any) -> Any:  # noqa: ANN401
                assert stage.stream is not None
                stage.stream.add_input("too late")
                async for event in ask(*args, **options):
                    yield event

            stage.model.stream_response = asked  # type: ignore[method-assign]
            run = await stage.step()
            assert run.status == "finished"
            assert waiting(run.state) == ["too late"]  # type: ignore[arg-type]
            assert stage.told[-1] == "end"

        on_a_store(play)
        assert "before staged input was delivered" in caplog.text

    def test_refused(self) -> None:
        """R-41: before the run has begun, after it rests, and in its last turn."""

        async def play(store: Store) -> None:
            stage = Stage(store, "plain", [called("1")], [replied("end")])
            stream = hitl.run_streamed(
                stage.agent(), "go", store=store, run_id=RUN, run_config=CONFIG, max_turns=1
            )
            reasons = [_refusal(stream)]
            async for _ in stream.stream_events():
                reasons += [_refusal(stream)]
            reasons += [_refusal(stream)]
            assert set(reasons[1:-1]) == {"no_turn"}
            assert (reasons[0], reasons[-1]) == ("leaving", "leaving")
            assert waiting(await stage.stored()) == []

        on_a_store(play)


def _front(front: Agent[Any], desk: Agent[Any]) -> Agent[Any]:
    """An agent that hands over to another."""
    desk.name = "desk"
    front.handoffs.append(desk)
    return front


def _refusal(stream: hitl.DurableStream) -> str:
    with pytest.raises(InputRefused) as caught:
        stream.add_input("one")
    return caught.value.reason
