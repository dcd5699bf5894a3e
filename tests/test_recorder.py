"""A run captured again and again: as if captured wholly, and only what is new is written."""

# ruff: noqa: ANN401  (live objects of the SDK)

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from agents import Agent, RunConfig, RunHooks, Runner, RunState, handoff
from agents.exceptions import AgentsException

import hitl
from hitl import document, transfer
from hitl.runtime.recorder import Recorder
from tests.agents import SCENARIOS, ScriptedModel, call, corpus, message, tools
from tests.agents.log import Log

if TYPE_CHECKING:
    from hitl.model import RunState as State

SDK = "openai-agents-python"
QUIET = RunConfig(tracing_disabled=True)


def written(state: State) -> Any:
    """What the SDK would be told."""
    return json.loads(hitl.dumps(state, dialect=SDK, allow_loss=True))


class Watch(RunHooks[Any]):
    """Captures before each model call both ways, and compares."""

    def __init__(self, recorder: Recorder, known: State | None = None) -> None:
        self.recorder = recorder
        self.known = known
        self.result: Any = None
        self.captures = 0

    async def on_llm_start(self, *_: Any) -> None:
        """The moment of a checkpoint."""
        self.compare()

    def compare(self) -> None:
        """Law: equal to a capture of its own, on a log that only grows."""
        if self.result is None:
            return
        state = self.recorder.capture(self.result)
        assert document.equal(written(state), written(hitl.capture(self.result)))
        if self.known is not None:
            before = self.known.log.chunks
            assert state.log.chunks[: len(before)] == before
        head, entries = transfer.pack(state)
        assert document.equal(written(transfer.unpack(head, entries)), written(state))
        self.known = state
        self.captures += 1

    async def run(self, agent: Agent[Any], given: Any, **options: Any) -> Any:
        """Run until it stops, or fails."""
        options = {"run_config": QUIET, **options}
        self.result = Runner.run_streamed(agent, given, hooks=self, **options)
        with contextlib.suppress(AgentsException):  # its state is captured then, too
            async for _ in self.result.stream_events():
                pass
        self.compare()
        return self.result


def cases() -> list[str]:
    """Every recorded state that somebody can resume."""
    known = [(name, SCENARIOS[name]) for name in corpus.names() if name in SCENARIOS]
    return [name for name, each in known if not each.finished and not each.refusal]


class TestRecorded:
    """Every recorded state, resumed in a process that has not seen it before."""

    @pytest.mark.parametrize("name", cases())
    def test_goes_on(self, name: str) -> None:
        """The stored log is kept, and each capture says what a capture of its own says."""
        stored = hitl.loads(corpus.read(name))
        stage = SCENARIOS[name].stage()

        async def go() -> int:
            fields = stored.context.value if stored.context and stored.context.data else {}
            live = await hitl.restore(stage.agent, stored, context=fields)
            for item in live.get_interruptions():
                live.approve(item)
            watch = Watch(Recorder(stored), stored)
            await watch.run(stage.agent, live, session=stage.memory, **stage.options)
            return watch.captures

        assert asyncio.run(go()) > 0


class TestLong:
    """A run of many turns."""

    @pytest.mark.parametrize("turns", [3, 40])
    def test_what_is_written(self, turns: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """What the SDK is asked to write of a pause does not grow with the run."""
        log = Log()
        steps = [[call("stat_file", {"path": f"/{n}"}, f"call_{n}")] for n in range(turns)]
        last = [call("delete_file", {"path": "/x"}, "call_x")]
        model = ScriptedModel("ops", [*steps, last, [message("done", "msg_1")]], log)
        agent = Agent(name="ops", model=model, tools=[tools.delete_file(log), tools.stat_file(log)])
        asked: list[Any] = []
        write = RunState._serialize_item

        def counted(self: Any, *args: Any, **options: Any) -> Any:
            asked.append(args)
            return write(self, *args, **options)

        async def go() -> tuple[int, int]:
            watch = Watch(Recorder())
            result = await watch.run(agent, "go", max_turns=None)
            live = result.to_state()
            live.approve(live.get_interruptions()[0])
            result = Runner.run_streamed(agent, live, run_config=QUIET, max_turns=None)
            async for _ in result.stream_events():
                pass
            before = watch.recorder.capture(result)
            monkeypatch.setattr(RunState, "_serialize_item", counted)
            again = watch.recorder.capture(result)
            return len(asked), len(again.log) - len(before.log)

        items, new = asyncio.run(go())
        assert items < 20
        assert new == 0

    def test_handoff_filter(self) -> None:
        """A handoff that rewrites the history is captured wholly; nothing stored moves."""
        log = Log()

        def none_of_it(data: Any) -> Any:
            return data.clone(pre_handoff_items=(), new_items=())

        second = Agent(
            name="second",
            model=ScriptedModel(
                "second",
                [[call("stat_file", {"path": "/"}, "c2")], [message("done", "msg_1")]],
                log,
            ),
            tools=[tools.stat_file(log)],
        )
        steps = [[call("stat_file", {"path": "/a"}, "c1")], [call("transfer_to_second", {}, "h1")]]
        first = Agent(
            name="first",
            model=ScriptedModel("first", steps, log),
            tools=[tools.stat_file(log)],
            handoffs=[handoff(second, input_filter=none_of_it)],
        )
        watch = Watch(Recorder())
        result = asyncio.run(watch.run(first, "go"))
        assert result.final_output == "done"
        assert watch.captures == 5
