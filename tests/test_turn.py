"""R-2, R-15, X-9: turns are counted once, over pauses, cuts, resumes and formats."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from agents import MaxTurnsExceeded, RunHooks, Runner, RunState
from attrs import evolve

import hitl
from hitl import transfer
from hitl.errors import InputRefused, LossError
from hitl.model import MOST_TURNS, Turn
from tests.agents import corpus
from tests.conversation.durable import CONFIG, MODES, RUN, Stage, TurnedDown, short
from tests.conversation.server import called, replied

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hitl.store import Store

STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
EVERYWHERE = pytest.mark.parametrize("mode", MODES)
KNOWN = pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "conversation"])
"""A request that a conversation may have received is in doubt when it is cut (law 7)."""
TURNS = 3


def on_a_store(play: Callable[[Store], Awaitable[Any]]) -> Any:  # noqa: ANN401
    """Play on a store of its own."""

    async def opened() -> Any:  # noqa: ANN401
        async with hitl.connect("memory:") as store:
            return await play(store)

    return asyncio.run(opened())


def turns(store: Store, mode: str, **options: Any) -> Stage:  # noqa: ANN401
    """A run of three turns that waits after each of the first two."""
    calls = [[called(str(number))] for number in range(1, TURNS)]
    return Stage(store, mode, *calls, [replied("end")], **options)


def turn(run: hitl.DurableRun) -> tuple[int, int | None]:
    """The turn counter of a run."""
    assert run.state is not None
    return run.state.turn.current, run.state.turn.max


class TestCounter:
    @STREAMED
    @EVERYWHERE
    def test_over_pauses(self, mode: str, *, streamed: bool) -> None:
        """R-2, R-15: the model call after turn N is turn N+1; the limit is the one of the start."""

        async def play(store: Store) -> None:
            stage = turns(store, mode, streamed=streamed)
            run = await stage.step(max_turns=TURNS)
            for number in range(1, TURNS):
                assert turn(run) == (number, TURNS)
                for _ in range(2):  # nothing is decided: nothing is counted
                    assert turn(await stage.step(force=True)) == (number, TURNS)
                await stage.approve(str(number))
                run = await stage.step()
            assert (run.status, turn(run)) == ("finished", (TURNS, TURNS))
            assert len(stage.model.requests) == TURNS

        on_a_store(play)

    @STREAMED
    @EVERYWHERE
    @pytest.mark.parametrize("limit", range(1, TURNS))
    def test_limit(self, limit: int, mode: str, *, streamed: bool) -> None:
        """R-2: several pauses do not allow more turns in total; raised, the run goes on whole."""

        async def play(store: Store) -> None:
            stage = turns(store, mode, streamed=streamed)
            options: dict[str, Any] = {"max_turns": limit}
            for number in range(1, limit + 1):
                await stage.step(**options)
                options = {}
                await stage.approve(str(number))
            for _ in range(3):  # a lower limit changes nothing
                with pytest.raises(MaxTurnsExceeded):
                    await stage.step(max_turns=1)
                row = await store.run(RUN)
                assert (row.status, row.reason) == ("stopped", "turn_limit")
                assert (await stage.stored()).turn == Turn(current=limit, max=limit)
            assert len(stage.model.requests) == limit
            options = {"max_turns": TURNS}
            for number in range(limit + 1, TURNS + 1):
                run = await stage.step(**options)
                options = {}
                assert turn(run) == (number, TURNS)
                if number < TURNS:
                    await stage.approve(str(number))
            _whole(stage)

        on_a_store(play)

    @STREAMED
    @EVERYWHERE
    def test_no_limit(self, mode: str, *, streamed: bool) -> None:
        """A limit is raised to none, as a run is started without one."""

        async def play(store: Store) -> None:
            stage = turns(store, mode, streamed=streamed)
            await stage.step(max_turns=1)
            await stage.approve("1")
            with pytest.raises(MaxTurnsExceeded):
                await stage.step()
            assert turn(await stage.step(max_turns=None)) == (2, None)
            for number in range(2, TURNS):
                await stage.approve(str(number))
                run = await stage.step(max_turns=1)
            assert (run.status, turn(run)) == ("finished", (TURNS, None))
            _whole(stage)

        on_a_store(play)

    @EVERYWHERE
    def test_raised_while_it_waits(self, mode: str) -> None:
        """R-41: as `add_input` says: with a turn more what people say is heard; nothing runs."""

        async def play(store: Store) -> None:
            stage = Stage(store, mode, [called("1")], [replied("end")])
            await stage.step(max_turns=1)
            with pytest.raises(InputRefused, match="higher max_turns"):
                await stage.add("one")
            run = await stage.step(max_turns=2, session=None)
            assert (run.status, turn(run), stage.ran) == ("waiting", (1, 2), [])
            assert turn(await stage.step(max_turns=1)) == (1, 2)
            await stage.add("one")
            await stage.approve("1")
            assert turn(await stage.step()) == (2, 2)
            assert stage.told == ["go", ">1", "<1", "one", "end"]

        on_a_store(play)

    @EVERYWHERE
    @pytest.mark.parametrize("first", [True, False], ids=["first", "second"])
    def test_raised_and_cut(self, mode: str, *, first: bool) -> None:
        """R-15: a limit stays raised although the run is cut before its next checkpoint."""

        class Fails(RunHooks[Any]):
            """Hooks of the app."""

            async def on_agent_start(self, *_: object) -> None:
                """Fail."""
                raise LookupError

        async def play(store: Store) -> None:
            stage = turns(store, mode)
            if not first:
                await stage.step(max_turns=1)
                await stage.approve("1")
            with pytest.raises(MaxTurnsExceeded):
                await stage.step(max_turns=0 if first else 1)
            for limit in (2, TURNS):
                with pytest.raises(LookupError):
                    await stage.step(max_turns=limit, hooks=Fails())
            run = await stage.step()
            assert turn(run) == (1 if first else 2, TURNS)
            assert not any("~" in each.call for each in (await store.load(RUN)).effects)
            for number in range(run.state.turn.current, TURNS):  # type: ignore[union-attr]
                await stage.approve(str(number))
                run = await stage.step()
            assert (run.status, turn(run)) == ("finished", (TURNS, TURNS))
            _whole(stage)

        on_a_store(play)

    @pytest.mark.parametrize("wanted", [{}, {"max_turns": 2}], ids=["as stored", "lower"])
    def test_raised_by_another(self, wanted: dict[str, int]) -> None:
        """R-15: a limit that another process raises at the same time is not lowered again."""

        class Late:
            """A store that is slow to claim."""

            def __getattr__(self, name: str) -> Any:  # noqa: ANN401
                return getattr(stages[0].store, name)

            async def claim(self, *given: Any, **options: Any) -> Any:  # noqa: ANN401
                with pytest.raises(TurnedDown):
                    await hitl.resume(
                        stages[0].agent(), RUN, store=stages[0].store, max_turns=TURNS
                    )
                return await stages[0].store.claim(*given, **options)

        stages: list[Stage] = []

        async def play(store: Store) -> None:
            stages.append(stage := turns(store, "plain"))
            await stage.step(max_turns=1)
            await stage.approve("1")
            stage.model.busy = 1
            late: Any = Late()
            assert turn(await stage.step(store=late, **wanted)) == (2, TURNS)

        on_a_store(play)

    @pytest.mark.parametrize("wanted", [True, 2.5, "3", -1])
    def test_no_number_at_the_start(self, wanted: object) -> None:
        """What is no number of turns is refused before there is a run that nobody can read."""

        async def play(store: Store) -> None:
            stage = turns(store, "plain")
            with pytest.raises(ValueError, match="max_turns"):
                await stage.step(max_turns=wanted)
            assert await store.runs() == []

        on_a_store(play)

    @pytest.mark.parametrize("wanted", [True, 2.5, "3", -1, float("inf")])
    def test_no_number(self, wanted: object) -> None:
        """What is no number of turns is refused before anything is claimed."""

        async def play(store: Store) -> None:
            stage = turns(store, "plain")
            await stage.step()
            await stage.approve("1")
            with pytest.raises(ValueError, match="max_turns"):
                await stage.step(max_turns=wanted)
            assert ((await store.run(RUN)).generation, stage.ran) == (1, [])

        on_a_store(play)

    @EVERYWHERE
    def test_none_at_all(self, mode: str) -> None:
        """A run that may make no call keeps its input; raised, it starts as it should have."""

        async def play(store: Store) -> None:
            stage = turns(store, mode)
            with pytest.raises(MaxTurnsExceeded):
                await stage.step(max_turns=0)
            assert (await store.run(RUN)).reason == "turn_limit"
            assert stage.model.requests == []
            run = await stage.step(max_turns=TURNS)
            assert (run.status, turn(run)) == ("waiting", (1, TURNS))
            assert stage.told == ["go", ">1"]
            if mode == "session":
                assert short(stage.session.items) == ["go", ">1"]

        on_a_store(play)

    def test_limit_inside(self) -> None:
        """The limit of an agent used as a tool is an error of the run, which keeps its own turn."""

        async def play(store: Store) -> None:
            inner = Stage(store, "plain", [called("i")], [replied("never")])
            inner_agent = inner.agent()
            inner_agent.tools[0].needs_approval = False  # type: ignore[union-attr]
            ask = inner_agent.as_tool(
                "ask", "Ask.", max_turns=1, failure_error_function=None, needs_approval=True
            )
            call = {**called("o"), "name": "ask", "arguments": '{"input": "i"}'}
            stage = Stage(store, "plain", [called("1")], [call], [replied("end")])
            agent = stage.agent
            stage.agent = lambda: _with(agent(), ask)  # type: ignore[method-assign]
            await stage.step()
            await stage.approve("1")
            run = await stage.step()
            assert turn(run) == (2, 10)
            await stage.approve("o")
            with pytest.raises(MaxTurnsExceeded):
                await stage.step()
            state = await stage.stored()
            assert state.turn == Turn(current=2, max=10)
            assert short(each.raw for each in state.items if each.kind != "approval") == [
                *(">1", "<1", ">o"),
            ]
            assert (await store.run(RUN)).reason != "turn_limit"

        on_a_store(play)


def _with(agent: Any, tool: Any) -> Any:  # noqa: ANN401
    agent.tools.append(tool)
    return agent


def _whole(stage: Stage) -> None:
    """Each call, request and entry of the session once, as if nothing had happened."""
    calls = [str(number) for number in range(1, TURNS)]
    expected = ["go", *(mark + call for call in calls for mark in "><"), "end"]
    assert stage.told == expected
    assert (stage.ran, len(stage.model.requests)) == (calls, TURNS)
    if stage.mode == "session":
        assert short(stage.session.items) == expected


class Gone(BaseException):
    """The process is killed here: nothing that it would do after this is done."""


class Mortal:
    """A store that a killed process can no longer reach.

    Attributes:
        dead: whether it is killed.
        dies_in: the method it is killed at; None for none.
    """

    def __init__(self, store: Store) -> None:
        self._store, self.dead = store, False
        self.dies_in: str | None = None

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        method = getattr(self._store, name)

        async def called(*given: Any, **options: Any) -> Any:  # noqa: ANN401
            self.dead |= name == self.dies_in
            if self.dead:
                raise Gone
            return await method(*given, **options)

        return called


class TestCut:
    """X-9: a cut does not use a turn, at the last turn too."""

    @STREAMED
    @EVERYWHERE
    @pytest.mark.parametrize("number", range(1, TURNS + 1))
    def test_error(self, number: int, mode: str, *, streamed: bool) -> None:
        """The model fails, again and again, at a turn that is the last one allowed."""

        async def play(store: Store) -> None:
            stage = turns(store, mode, streamed=streamed)
            options: dict[str, Any] = {"max_turns": number}
            for before in range(1, number):
                await stage.step(**options)
                options = {}
                await stage.approve(str(before))
            for _ in range(3):
                stage.model.busy = 1
                with pytest.raises(TurnedDown):
                    await stage.step(**options)
                options = {}
                if number > 1:
                    assert (await stage.stored()).turn == Turn(current=number - 1, max=number)
            run = await stage.step()
            assert turn(run) == (number, number)
            await _through(stage, number, run)

        on_a_store(play)

    @KNOWN
    @pytest.mark.parametrize("number", range(1, TURNS + 1))
    @pytest.mark.parametrize("how", ["task", "immediate"])
    def test_cancel(self, how: str, number: int, mode: str) -> None:
        """Whoever waits for the run is cancelled, or stops it, while the model is asked."""

        async def play(store: Store) -> None:
            stage = turns(store, mode, streamed=True)
            options: dict[str, Any] = {"max_turns": number}
            for before in range(1, number):
                await stage.step(**options)
                options = {}
                await stage.approve(str(before))
            await _cancelled(stage, how, options)
            if number > 1:
                assert (await stage.stored()).turn == Turn(current=number - 1, max=number)
            run = await stage.step()
            assert turn(run) == (number, number)
            await _through(stage, number, run)

        on_a_store(play)

    @STREAMED
    @KNOWN
    @pytest.mark.parametrize("number", range(1, TURNS + 1))
    def test_kill(self, number: int, mode: str, *, streamed: bool) -> None:
        """The process dies while the model is asked; the next one takes the run over."""

        async def play(store: Store) -> None:
            stage = turns(store, mode, streamed=streamed)
            options: dict[str, Any] = {"max_turns": number, "lease_s": 0.05}
            for before in range(1, number):
                await stage.step(**options)
                options = {"lease_s": 0.05}
                await stage.approve(str(before))
            mortal: Any = Mortal(store)
            model: Any = stage.model
            create = model._create

            def die(*_: Any) -> Any:  # noqa: ANN401
                mortal.dead = True
                raise Gone

            model._create, stage.store = die, mortal
            with pytest.raises(Gone):
                await stage.step(**options)
            model._create, stage.store = create, store
            await asyncio.sleep(0.1)
            run = await stage.step()
            assert turn(run) == (number, number)
            await _through(stage, number, run)

        on_a_store(play)

    @EVERYWHERE
    def test_after_a_turn(self, mode: str) -> None:
        """A run that is stopped after a whole turn has used it, and goes on with the next."""

        async def play(store: Store) -> None:
            stage = Stage(
                store, mode, [called("1")], [called("2")], [replied("end")], streamed=True
            )
            await stage.step(max_turns=3)
            await stage.approve("1")
            stream = hitl.resume_streamed(
                stage.agent(), RUN, store=store, run_config=CONFIG, **stage.memory
            )
            async for _ in stream.stream_events():
                stream.cancel("after_turn")
            assert (stream.run.status, turn(stream.run)) == ("stopped", (1, 3))
            assert turn(await stage.step()) == (2, 3)
            await stage.approve("2")
            assert turn(await stage.step()) == (3, 3)
            assert stage.told == ["go", ">1", "<1", ">2", "<2", "end"]

        on_a_store(play)


async def _through(stage: Stage, number: int, run: hitl.DurableRun) -> None:
    """Go on to the end: at the limit first, then beyond it."""
    if run.status == "waiting":
        await stage.approve(str(number))
        with pytest.raises(MaxTurnsExceeded):
            await stage.step()
        run = await stage.step(max_turns=TURNS)
        for later in range(number + 1, TURNS):
            await stage.approve(str(later))
            run = await stage.step()
    assert (run.status, turn(run)) == ("finished", (TURNS, TURNS))
    _whole(stage)


async def _cancelled(stage: Stage, how: str, options: dict[str, Any]) -> None:
    """Take a step that is stopped when the model is asked."""
    asked = asyncio.Event()
    ask = stage.model.stream_response

    async def hangs(*_: Any, **__: Any) -> Any:  # noqa: ANN401
        asked.set()
        await asyncio.Event().wait()
        yield

    stage.model.stream_response = hangs  # type: ignore[method-assign]
    task = asyncio.create_task(stage.step(**options))
    await asked.wait()
    if how == "task":
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    else:
        assert stage.stream is not None
        stage.stream.cancel()
        assert (await task).status == "stopped"
    stage.model.stream_response = ask  # type: ignore[method-assign]


class TestFormats:
    """R-15: no format lowers the turn or changes the limit."""

    @pytest.mark.parametrize("limit", [7, None])
    @pytest.mark.parametrize("target", sorted(transfer.dialects()))
    def test_every_label(self, target: str, limit: int | None) -> None:
        """Written at each label and read again; no limit is no limit, or a loss that says so."""
        state = evolve(_captured(), turn=Turn(current=3, max=limit))
        endless = set()
        for label in transfer.dialects()[target].chain.versions:
            written = hitl.convert(state, dialect=target, version=label, allow_loss=True)
            found = hitl.loads(written.data).turn
            assert found.current == 3
            if limit is None and found.max is not None:
                assert found.max >= MOST_TURNS - 1  # SDKs count in 31 bits
                endless.add(label)
                reasons = [each.reason for each in written.losses if "urns" in each.path]
                assert len(reasons) == 1
            else:
                assert found.max == limit
        assert endless == (ENDLESS[target] if limit is None else set())

    def test_recorded_states(self) -> None:
        """Every recorded state, on its way to every dialect's newest label and back."""
        crossed = 0
        for name in (*corpus.every(), *corpus.javascript()):
            state = hitl.loads(corpus.read(name))
            for target in transfer.dialects():
                try:
                    data = hitl.dumps(state, dialect=target, allow_loss=True)
                except LossError:
                    continue
                crossed += 1
                assert hitl.loads(data).turn == state.turn
        assert crossed > len(corpus.every())

    @STREAMED
    def test_sdk(self, *, streamed: bool) -> None:
        """The real SDK goes on from a state of ours at the next turn, and stops at its limit."""

        async def play(store: Store) -> None:
            stage = turns(store, "plain")
            result = await Runner.run(stage.agent(), "go", run_config=CONFIG, max_turns=2)
            for number in (1, 2):
                state = hitl.loads(hitl.dumps(hitl.capture(result)))
                assert state.turn == Turn(current=number, max=2)
                live = await hitl.restore(stage.agent(), state.approve(str(number)))
                if number == 2:
                    break
                result = await _run(stage, live, streamed=streamed)
            with pytest.raises(MaxTurnsExceeded):
                await _run(stage, live, streamed=streamed)

        on_a_store(play)


ENDLESS: dict[str, set[str]] = {
    "native": set(),
    "openai-agents-python": {f"1.{minor}" for minor in range(10)},
    "openai-agents-js": {f"1.{minor}" for minor in range(11)},
}


def _captured() -> Any:  # noqa: ANN401
    async def play(store: Store) -> Any:  # noqa: ANN401
        stage = turns(store, "plain")
        return hitl.capture(await Runner.run(stage.agent(), "go", run_config=CONFIG))

    return on_a_store(play)


async def _run(stage: Stage, live: RunState[Any, Any], *, streamed: bool) -> Any:  # noqa: ANN401
    if not streamed:
        return await Runner.run(stage.agent(), live, run_config=CONFIG)
    result = Runner.run_streamed(stage.agent(), live, run_config=CONFIG)
    async for _ in result.stream_events():
        pass
    return result
