"""R-40, X-9: what was said to a run that goes on is heard, whatever becomes of its process."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from agents import RunHooks, ToolsToFinalOutputResult, UserError

import hitl
from hitl.document import DEFAULT_LIMITS
from hitl.errors import InputRefused, LimitExceeded, StoreUnavailable
from tests.conversation import talker
from tests.conversation.child import LEASE_S
from tests.conversation.durable import MODES, RUN, Stage, TurnedDown, short, waiting
from tests.conversation.life import Life
from tests.conversation.server import called, replied
from tests.conversation.server import said as asked
from tests.conversation.server import short as said_short
from tests.test_turn import Gone, Mortal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hitl.store import Store

EVERYWHERE = pytest.mark.parametrize("mode", MODES)
KNOWN = pytest.mark.parametrize("mode", [mode for mode in MODES if mode != "conversation"])
"""A request that a conversation may have received is in doubt when it is cut (law 7)."""
SHORT_S = 0.05
ANSWERS = ([called("1")], [called("2")], [replied("end")])


def on_a_store(play: Callable[[Store], Awaitable[Any]]) -> Any:  # noqa: ANN401
    """Play on a store of its own."""

    async def opened() -> Any:  # noqa: ANN401
        async with hitl.connect("memory:") as store:
            return await play(store)

    return asyncio.run(opened())


async def killed(stage: Stage, store: Store, when: Callable[[Any], None]) -> None:
    """Let the process of a step die where `when` says, and the lease end."""
    mortal: Any = Mortal(store)
    stage.store = mortal
    when(mortal)
    with pytest.raises(Gone):
        await stage.step(lease_s=SHORT_S)
    stage.store = store
    await asyncio.sleep(2 * SHORT_S)


async def through(stage: Stage) -> hitl.DurableRun:
    """Go on to the end."""
    for _ in range(5):
        run = await stage.step()
        if run.status == "finished":
            return run
        for request in await stage.store.waiting(run_id=RUN):
            await stage.approve(request.call)
    raise AssertionError(f"expected the run to end, found it {run.status}")


def heard(stage: Stage, *expected: str) -> None:
    """Hold that the model was told this, and the session holds it, each once and in order."""
    assert stage.told == [*expected]
    if stage.mode == "session":
        assert short(stage.session.items) == [*expected]


def _die() -> None:
    raise Gone


async def _nothing(_call_id: str) -> None:
    """Do nothing."""


class TestKilled:
    """The process dies once the input is stored."""

    @KNOWN
    @pytest.mark.parametrize("first", [True, False], ids=["first", "second"])
    def test_while_the_model_is_asked(self, mode: str, *, first: bool) -> None:
        """It comes with the next request; behind the input of the run and what answers it."""

        async def play(store: Store) -> None:
            stage = Stage(store, mode, *ANSWERS, streamed=True)
            ask = stage.model.stream_response
            if not first:
                await stage.step()
                await stage.approve("1")

            def when(mortal: Any) -> None:  # noqa: ANN401
                async def dies(*_: object, **__: object) -> Any:  # noqa: ANN401
                    await stage.tell("late")
                    mortal.dead = True
                    _die()
                    yield

                stage.model.stream_response = dies  # type: ignore[method-assign]

            await killed(stage, store, when)
            stage.model.stream_response = ask  # type: ignore[method-assign]
            await through(stage)
            heard(stage, "go", ">1", "<1", "late", ">2", "<2", "end")

        on_a_store(play)

    @EVERYWHERE
    def test_in_a_tool(self, mode: str) -> None:
        """It comes after the outputs of the turn; twice so, in order."""

        async def play(store: Store) -> None:
            stage = Stage(store, mode, [called("1"), called("2")], [replied("end")], streamed=True)
            await stage.step()
            await stage.approve("1", "2")

            def when(mortal: Any) -> None:  # noqa: ANN401
                async def say(call_id: str) -> None:
                    if call_id == "2":
                        return
                    await stage.tell("late")
                    await stage.tell("late")
                    await asyncio.sleep(0)
                    mortal.dead = True

                stage.in_tool = say

            await killed(stage, store, when)
            for effect in (await store.load(RUN)).effects:
                if effect.state != "finished":
                    with pytest.raises(hitl.errors.InDoubt):
                        await stage.step()
                    await store.settle(RUN, effect.call, "happened", result=b'{"value":"done"}')
            await stage.add("later")
            assert waiting(await stage.stored()) == ["late", "late", "later"]
            await through(stage)
            heard(stage, "go", ">1", ">2", "<1", "<2", "late", "late", "later", "end")

        on_a_store(play)

    @EVERYWHERE
    @pytest.mark.parametrize("number", ["1", "2"])
    def test_before_the_checkpoint(self, mode: str, number: str) -> None:
        """The session has it already, and the response it came behind is given again."""

        async def play(store: Store) -> None:
            stage = free(store, mode)

            def when(mortal: Any) -> None:  # noqa: ANN401
                async def say(call_id: str) -> None:
                    if call_id == number and not mortal.dies_in:
                        await stage.tell("late")
                        mortal.dies_in = "save"

                stage.in_tool = say

            await killed(stage, store, when)
            if mode == "session":
                assert short(stage.session.items)[-1] == "late"
            assert (await stage.step()).status == "finished"
            said = ["go", ">1", "<1", ">2", "<2", "end"]
            heard(stage, *said[: 1 + 2 * int(number)], "late", *said[1 + 2 * int(number) :])

        on_a_store(play)

    @pytest.mark.parametrize("number", ["1", "2"])
    def test_overtaken(self, number: str) -> None:
        """Law 7: the session has it before what others wrote since, and so it is there once."""

        async def play(store: Store) -> None:
            stage = free(store, "session")
            written = stage.session.add_items

            def when(mortal: Any) -> None:  # noqa: ANN401
                async def say(call_id: str) -> None:
                    if call_id == number:
                        await stage.tell("late")

                async def dies(items: list[Any]) -> None:
                    await written(items)
                    if short(items)[-1:] == ["late"]:
                        mortal.dead = True
                        _die()

                stage.in_tool, stage.session.add_items = say, dies  # type: ignore[method-assign]

            await killed(stage, store, when)
            stage.in_tool, stage.session.add_items = _nothing, written  # type: ignore[method-assign]
            await stage.session.add_items([asked("hello?"), replied("y")])  # type: ignore[list-item]
            await through(stage)
            mine = ["go", ">1", "<1", ">2", "<2", "end"]
            at = mine.index(f"<{number}") + 1
            assert short(stage.session.items) == [*mine[:at], "late", "hello?", "y", *mine[at:]]

        on_a_store(play)

    def test_while_it_is_stored(self) -> None:
        """A row that was begun says nothing, and goes with the next checkpoint."""

        async def play(store: Store) -> None:
            stage = free(store, "plain")

            def when(mortal: Any) -> None:  # noqa: ANN401
                async def say(_call_id: str) -> None:
                    if not mortal.dies_in:
                        mortal.dies_in = "finish"
                        await stage.tell("late")

                stage.in_tool = say

            await killed(stage, store, when)
            assert (await stage.step()).status == "finished"
            heard(stage, "go", ">1", "<1", ">2", "<2", "end")
            assert (await store.load(RUN)).effects == ()

        on_a_store(play)


def free(store: Store, mode: str, **options: Any) -> Stage:  # noqa: ANN401
    """A run whose tool asks nobody."""
    stage = Stage(store, mode, *ANSWERS, streamed=True, **options)
    agent = stage.agent

    def built() -> Any:  # noqa: ANN401
        found = agent()
        found.tools[0].needs_approval = False  # type: ignore[union-attr]
        return found

    stage.agent = built  # type: ignore[method-assign]
    return stage


class TestStopped:
    """An error stops the run."""

    @EVERYWHERE
    def test_in_the_first_turn(self, mode: str) -> None:
        """There is no checkpoint yet: it is heard all the same."""

        async def play(store: Store) -> None:
            stage = free(store, mode)
            ask = stage.model.stream_response

            async def fails(*args: Any, **options: Any) -> Any:  # noqa: ANN401
                stage.tell("late")
                stage.model.busy = 1
                async for event in ask(*args, **options):
                    yield event

            stage.model.stream_response = fails  # type: ignore[method-assign]
            with pytest.raises(TurnedDown):
                await stage.step()
            stage.model.stream_response = ask  # type: ignore[method-assign]
            assert (await stage.step()).status == "finished"
            heard(stage, "go", ">1", "<1", "late", ">2", "<2", "end")

        on_a_store(play)

    @pytest.mark.parametrize("then", ["resumed", "cleared"])
    def test_that_may_end(self, then: str) -> None:
        """The run may end before it is heard: it is kept, and can be taken back."""

        class Fails(RunHooks[Any]):
            """Hooks of the app."""

            async def on_tool_start(self, *_: object) -> None:
                """Fail."""
                stages[0].tell("late")
                raise LookupError

        stages: list[Stage] = []

        async def play(store: Store) -> None:
            behavior: Any = lambda *_: ToolsToFinalOutputResult(is_final_output=False)  # noqa: E731
            stage = Stage(store, "plain", *ANSWERS, streamed=True, tool_use_behavior=behavior)
            stages.append(stage)
            await stage.step()
            await stage.approve("1")
            with pytest.raises(UserError):
                await stage.step(hooks=Fails())
            if then == "cleared":
                await hitl.clear_input(store, RUN)
            await through(stage)
            late = ["late"] if then == "resumed" else []
            heard(stage, "go", ">1", "<1", *late, ">2", "<2", "end")

        on_a_store(play)


class TestStoring:
    """What whoever waits for it is told."""

    @pytest.mark.parametrize("there", [False, True], ids=["lost", "there"])
    def test_a_store_that_fails(self, *, there: bool) -> None:
        """It says that only this process has it; the next checkpoint does all the same, once."""

        class Away:
            """A store that is gone for one row, before it has it or right after."""

            def __init__(self, store: Store) -> None:
                self._store, self.gone = store, True

            def __getattr__(self, name: str) -> Any:  # noqa: ANN401
                return getattr(self._store, name)

            async def finish(self, *given: Any) -> Any:  # noqa: ANN401
                gone = given[1].startswith("~said:") and self.gone
                effect = None if gone and not there else await self._store.finish(*given)
                if gone:
                    self.gone = False
                    raise StoreUnavailable("away")
                return effect

        async def play(store: Store) -> None:
            away: Any = Away(store)
            stage = free(away, "plain")
            told: list[BaseException | None] = []

            async def say(call_id: str) -> None:
                if call_id == "1":
                    first, second = stage.tell("one"), stage.tell("two")
                    told.extend(await asyncio.gather(first, second, return_exceptions=True))
                if call_id == "2" and stage.stream is not None:
                    stage.stream.cancel()

            stage.in_tool = say
            assert (await stage.step()).status == "stopped"
            stage.in_tool = _nothing
            assert (await stage.step()).status == "finished"
            heard(stage, "go", ">1", "<1", "one", "two", ">2", "<2", "end")
            assert [type(each) for each in told] == [StoreUnavailable, type(None)]

        on_a_store(play)

    def test_refused(self) -> None:
        """What is too deep to be stored is refused, and no part of the run."""

        async def play(store: Store) -> None:
            stage = free(store, "plain")
            deep: Any = []
            for _ in range(DEFAULT_LIMITS.depth - 3):
                deep = [deep]

            async def say(_call_id: str) -> None:
                with pytest.raises(LimitExceeded):
                    stage.tell([asked("late") | {"deep": [deep]}])  # type: ignore[arg-type]

            stage.in_tool = say
            assert (await stage.step()).status == "finished"
            heard(stage, "go", ">1", "<1", ">2", "<2", "end")

        on_a_store(play)

    def test_given_up(self) -> None:
        """Whoever stops waiting stops nothing."""

        async def play(store: Store) -> None:
            stage = free(store, "plain")

            async def say(call_id: str) -> None:
                if call_id == "1":
                    stage.tell("late").cancel()

            stage.in_tool = say
            assert (await stage.step()).status == "finished"
            heard(stage, "go", ">1", "<1", "late", ">2", "<2", "end")

        on_a_store(play)

    def test_from_a_thread(self) -> None:
        """A tool that is no coroutine runs beside the loop: it is taken before the call returns."""

        async def play(store: Store) -> None:
            stage = free(store, "plain")
            refused: list[str] = []

            def say(call_id: str) -> None:
                if call_id == "1":
                    stage.tell("late")
                    with pytest.raises(InputRefused) as caught:
                        hitl.DurableStream(lambda _: None).add_input("x")  # type: ignore[arg-type, return-value]
                    refused.append(caught.value.reason)

            async def beside(call_id: str) -> None:
                await asyncio.to_thread(say, call_id)

            stage.in_tool = beside
            assert (await stage.step()).status == "finished"
            heard(stage, "go", ">1", "<1", "late", ">2", "<2", "end")
            assert refused == ["leaving"]

        on_a_store(play)


class TestSigkill:
    """`kill -9`, with everything in files."""

    @pytest.mark.parametrize("place", ["after said", "before save", "after save"])
    def test_before_the_first_checkpoint(self, tmp_path: Path, place: str) -> None:
        """Said in the first turn: not in the session yet, in it, and in the checkpoint."""
        command = [sys.executable, "-m", "tests.conversation.talker", str(tmp_path), place]
        root = Path(__file__).parents[1]
        done = subprocess.run(command, cwd=root, capture_output=True, check=False, timeout=60)
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
        time.sleep(LEASE_S)
        run = asyncio.run(talker.work(tmp_path, Life()))
        told = ["go", "call_1?", "call_1!", "more", "call_2?", "call_2!", "msg_1"]
        last = talker.server(tmp_path).exchanges[-1]
        assert [*map(said_short, [*last.input, *last.output])] == told
        items: list[Any] = asyncio.run(talker.session(tmp_path).get_items())
        assert [said_short({"type": "message", **each}) for each in items] == told
        assert (run.status, waiting(run.state)) == ("finished", [])  # type: ignore[arg-type]
