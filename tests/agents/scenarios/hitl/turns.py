"""States at every kind of step: limits, second pauses, broken-off runs, sessions, nesting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pydantic
from agents import (
    Agent,
    ModelSettings,
    OpenAIResponsesCompactionSession,
    RunConfig,
    RunHooks,
    Runner,
    trace,
)
from agents.run_config import SandboxRunConfig
from agents.sandbox import Manifest, SandboxAgent
from agents.sandbox.entries import Dir, File
from agents.sandbox.manifest import Environment as SandboxEnvironment
from agents.sandbox.sandboxes.unix_local import UnixLocalSandboxClient
from agents.sandbox.snapshot import NoopSnapshotSpec
from openai import AsyncOpenAI

from tests.agents import tools
from tests.agents.model import ScriptedModel, call, message
from tests.agents.oracle import LiveState, always_approve, always_reject, approve, reject
from tests.agents.scenario import Cast, Scenario, Stage
from tests.agents.take import (
    Play,
    Step,
    Take,
    broken_off,
    decided,
    pause,
    reloaded,
    resumed,
    run,
    staged_input,
)

if TYPE_CHECKING:
    from agents import Session

    from tests.agents.log import Log
    from tests.agents.model import Step as ModelStep
    from tests.agents.session import MemorySession

_LAST = None


class Stopped(Exception):
    """What an app's own code may raise in the middle of a run."""


def _delete(number: int) -> dict[str, object]:
    return call("delete_file", {"path": f"/{number}"}, f"call_{number}")


def _deleter(*steps: ModelStep) -> Cast:
    def cast(log: Log) -> Agent[Any]:
        return Agent(
            name="ops",
            model=ScriptedModel("ops", steps, log),
            tools=[tools.delete_file(log), tools.stat_file(log)],
        )

    return cast


_STAT = call("stat_file", {"path": "/x"}, "call_s")
_once = _deleter([_delete(1)], _LAST)
_twice = _deleter([_delete(1)], [_delete(2)], _LAST)
_three = _deleter([_delete(1), _delete(2), _delete(3)], [_delete(4), _STAT], _LAST)
_thoughtful = _deleter(
    [{"type": "reasoning", "id": "rs_1", "summary": []}, _delete(1)],
    [{"type": "reasoning", "id": "rs_2", "summary": []}, _delete(2)],
    _LAST,
)
_slow = _deleter([_STAT], [_delete(1)], _LAST)


def _nested_deep(log: Log) -> Agent[Any]:
    """An agent in an agent in an agent; the two inner ones wait, one of them twice."""
    inner = Agent(
        name="inner",
        model=ScriptedModel("inner", [[_delete(1), _delete(2)], [_delete(3)], _LAST], log),
        tools=[tools.delete_file(log)],
    )
    ask = inner.as_tool(tool_name="ask_inner", tool_description="ask inner")
    middle = Agent(
        name="middle",
        model=ScriptedModel(
            "middle", [[call("ask_inner", {"input": "i"}, "call_i"), _delete(9)], _LAST], log
        ),
        tools=[ask, tools.delete_file(log)],
    )
    ask_middle = middle.as_tool(tool_name="ask_middle", tool_description="ask middle")
    first: ModelStep = [call("ask_middle", {"input": "m"}, "call_m"), _STAT]
    return Agent(
        name="outer",
        model=ScriptedModel("outer", [first, _LAST], log),
        tools=[ask_middle, tools.stat_file(log)],
    )


def _nested_twins(log: Log) -> Agent[Any]:
    """One agent used as a tool twice in a response, with equal call ids inside; both wait."""
    inner = Agent(
        name="inner",
        model=ScriptedModel("inner", [[_delete(1)], _LAST], log),
        tools=[tools.delete_file(log)],
    )
    ask = inner.as_tool(tool_name="ask_inner", tool_description="ask inner")
    first: ModelStep = [
        call("ask_inner", {"input": "a"}, "call_a"),
        call("ask_inner", {"input": "b"}, "call_b"),
    ]
    return Agent(name="outer", model=ScriptedModel("outer", [first, _LAST], log), tools=[ask])


class Question(pydantic.BaseModel):
    """Structured input of an agent used as a tool."""

    subject: str
    depth: int = 3


def _nested_structured(log: Log) -> Agent[Any]:
    """An agent used as a tool, with structured input, that itself needs approval first."""
    inner = Agent(
        name="inner",
        model=ScriptedModel("inner", [[_delete(1)], _LAST], log),
        tools=[tools.delete_file(log)],
    )
    ask = inner.as_tool(
        tool_name="ask_inner",
        tool_description="ask inner",
        parameters=Question,
        include_input_schema=True,
        needs_approval=True,
        max_turns=4,
    )
    first: ModelStep = [call("ask_inner", {"subject": "s", "depth": 5}, "call_q")]
    return Agent(name="outer", model=ScriptedModel("outer", [first, _LAST], log), tools=[ask])


class _StopAtModelEnd(RunHooks[Any]):
    async def on_llm_end(self, *_: object) -> None:
        raise Stopped


class _StopAtModelStart(RunHooks[Any]):
    async def on_llm_start(self, *_: object) -> None:
        raise Stopped


def _cancelled(given: str) -> Play:
    """A streamed run that is asked to stop after its first turn."""

    async def play(stage: Stage) -> LiveState:
        quiet = RunConfig(tracing_disabled=True)
        result = Runner.run_streamed(stage.agent, given, session=stage.memory, run_config=quiet)
        async for _ in result.stream_events():
            result.cancel(mode="after_turn")
        return result.to_state()

    return play


def _traced(given: str) -> Play:
    """A run inside a trace, with a key of its own."""

    async def play(stage: Stage) -> LiveState:
        config = RunConfig(tracing={"api_key": "sk-trace-secret"}, trace_metadata={"run": "r"})
        with trace("billing", group_id="group_1", metadata={"k": "v", "n": "1"}):
            result = await run(stage, given, run_config=config)
        return result.to_state()

    return play


def session_fails(*, after: int = 0) -> Step:
    """The run goes on until the session store is away, some appends later."""

    async def step(stage: Stage, state: LiveState) -> LiveState:
        assert stage.session is not None
        stage.session.appends_left = after
        return await broken_off(OSError)(stage, state)

    return step


async def _compaction_fails(stage: Stage, state: LiveState) -> LiveState:
    """The turn is saved, but looking after the session's size fails."""
    assert stage.session is not None
    stage.session.compacting = False
    return await broken_off(OSError)(stage, state)


def _compacting(session: MemorySession) -> Session:
    return OpenAIResponsesCompactionSession(
        session.session_id,
        session,
        client=AsyncOpenAI(api_key="none"),
        should_trigger_compaction=session.wants_compaction,
    )


def _boxed(log: Log) -> Agent[Any]:
    """An agent with a sandbox on this machine."""
    return SandboxAgent(
        name="boxed",
        base_instructions="You work in a box.",
        capabilities=[],
        model=ScriptedModel("boxed", [_delete_step, _LAST], log),
        tools=[tools.delete_file(log)],
    )


_delete_step: ModelStep = [_delete(1)]
_BOX = RunConfig(
    tracing_disabled=True,
    sandbox=SandboxRunConfig(
        client=UnixLocalSandboxClient(),
        snapshot=NoopSnapshotSpec(),
        manifest=Manifest(
            entries={"notes": Dir(children={"a.txt": File(content=b"noted")})},
            environment=SandboxEnvironment(value={"A": "b"}),
        ),
    ),
)
_UNSTORED = RunConfig(
    tracing_disabled=True,
    reasoning_item_id_policy="preserve",
    model_settings=ModelSettings(store=False, temperature=0.5),
)


async def _finished(stage: Stage) -> LiveState:
    return (await run(stage, "go")).to_state()


TAKES = {
    "turns_two_pauses": Take(
        scenario=Scenario(cast=_twice),
        play=pause(),
        then=[decided(approve, "call_1"), resumed()],
    ),
    "turns_one_from_limit": Take(scenario=Scenario(cast=_slow), play=pause(max_turns=3)),
    "turns_at_limit": Take(
        scenario=Scenario(cast=_slow, refusal="MaxTurnsExceeded"), play=pause(max_turns=2)
    ),
    "turns_no_limit": Take(scenario=Scenario(cast=_twice), play=pause(max_turns=None)),
    "turns_partly_decided": Take(
        scenario=Scenario(cast=_three, decided=frozenset({"call_2"})),
        play=pause(),
        then=[decided(reject, "call_2")],
    ),
    "turns_partly_run": Take(
        scenario=Scenario(cast=_three),
        play=pause(),
        then=[reloaded, decided(approve, "call_2"), resumed()],
    ),
    "turns_partly_run_streamed_session": Take(
        scenario=Scenario(cast=_three, session_id="s1"),
        play=pause(streamed=True),
        then=[decided(reject, "call_1"), resumed(streamed=True)],
        earlier=[{"role": "user", "content": "go"}, {"role": "assistant", "content": "ok"}],
    ),
    "turns_sticky_then_another": Take(
        scenario=Scenario(cast=_three, decided=frozenset({"call_1", "call_2", "call_3"})),
        play=pause(),
        then=[decided(always_approve, "call_1")],
    ),
    "turns_sticky_reject": Take(
        scenario=Scenario(cast=_three, decided=frozenset({"call_1", "call_2", "call_3"})),
        play=pause(),
        then=[decided(approve, "call_2"), decided(always_reject, "call_1")],
    ),
    "turns_nested_deep": Take(scenario=Scenario(cast=_nested_deep), play=pause()),
    "turns_nested_deep_decided": Take(
        scenario=Scenario(cast=_nested_deep, decided=frozenset({"call_1"})),
        play=pause(),
        then=[decided(approve, "call_1")],
    ),
    "turns_nested_deep_again": Take(
        scenario=Scenario(cast=_nested_deep),
        play=pause(),
        then=[reloaded, decided(approve, "call_1", "call_2", "call_9"), resumed()],
    ),
    "turns_nested_twins": Take(
        scenario=Scenario(cast=_nested_twins, refusal="UserError"), play=pause()
    ),
    "turns_nested_structured": Take(scenario=Scenario(cast=_nested_structured), play=pause()),
    "turns_nested_structured_inside": Take(
        scenario=Scenario(cast=_nested_structured),
        play=pause(context={"user": 1}),
        then=[decided(approve, "call_q"), resumed()],
    ),
    "turns_input_staged": Take(
        scenario=Scenario(cast=_once, session_id="s1"),
        play=pause(),
        then=[
            staged_input("one more thing"),
            staged_input([{"role": "user", "content": [{"type": "input_text", "text": "and"}]}]),
        ],
    ),
    "turns_input_taken": Take(
        scenario=Scenario(cast=_twice),
        play=pause(),
        then=[staged_input("one more thing"), decided(approve, "call_1"), resumed()],
    ),
    "turns_server_input_taken": Take(
        scenario=Scenario(cast=_twice),
        play=pause(auto_previous_response_id=True, previous_response_id="resp_prior"),
        then=[staged_input("one more thing"), decided(approve, "call_1"), resumed()],
    ),
    "turns_conversation_again": Take(
        scenario=Scenario(cast=_twice),
        play=pause(conversation_id="conv_1"),
        then=[reloaded, decided(approve, "call_1"), resumed(streamed=True)],
    ),
    "turns_response_accepted": Take(
        scenario=Scenario(cast=_twice),
        play=pause(conversation_id="conv_1"),
        then=[
            staged_input("one more thing"),
            decided(approve, "call_1"),
            broken_off(Stopped, hooks=_StopAtModelEnd()),
        ],
    ),
    "turns_run_again": Take(
        scenario=Scenario(cast=_once),
        play=pause(),
        then=[decided(approve, "call_1"), broken_off(Stopped, hooks=_StopAtModelStart())],
    ),
    "turns_run_again_server": Take(
        scenario=Scenario(cast=_once),
        play=pause(previous_response_id="resp_prior"),
        then=[decided(approve, "call_1"), broken_off(Stopped, hooks=_StopAtModelStart())],
    ),
    "turns_run_again_session": Take(
        scenario=Scenario(cast=_once, session_id="s1"),
        play=pause(),
        then=[decided(approve, "call_1"), broken_off(Stopped, hooks=_StopAtModelStart())],
    ),
    "turns_cancelled": Take(scenario=Scenario(cast=_slow, session_id="s1"), play=_cancelled("go")),
    "turns_session_unsettled": Take(
        scenario=Scenario(cast=_once, session_id="s1"),
        play=pause(),
        then=[decided(approve, "call_1"), session_fails()],
        earlier=[{"role": "user", "content": "go"}, {"role": "assistant", "content": "ok"}],
    ),
    "turns_session_unsettled_reasoning": Take(
        scenario=Scenario(cast=_thoughtful, session_id="s1", options={"run_config": _UNSTORED}),
        play=pause(streamed=True),
        then=[decided(approve, "call_1"), session_fails()],
    ),
    "turns_session_compacting": Take(
        scenario=Scenario(cast=_slow, session_id="s1", around=_compacting),
        play=pause(),
        then=[decided(approve, "call_1"), session_fails()],
    ),
    "turns_session_acknowledged": Take(
        scenario=Scenario(cast=_slow, session_id="s1", around=_compacting),
        play=pause(),
        then=[decided(approve, "call_1"), _compaction_fails],
    ),
    "turns_final_write_failed": Take(
        scenario=Scenario(cast=_once, session_id="s1", refusal="UserError"),
        play=pause(),
        then=[decided(approve, "call_1"), session_fails(after=1)],
    ),
    "turns_sandbox": Take(
        scenario=Scenario(cast=_boxed, options={"run_config": _BOX}), play=pause()
    ),
    "turns_traced": Take(
        scenario=Scenario(cast=_once),
        play=_traced("go"),
        write={"include_tracing_api_key": True},
    ),
    "turns_traced_hashed": Take(scenario=Scenario(cast=_once), play=_traced("go")),
    "turns_finished": Take(
        scenario=Scenario(cast=_deleter([message("Done.", "msg_1")], _LAST), finished=True),
        play=_finished,
    ),
}
