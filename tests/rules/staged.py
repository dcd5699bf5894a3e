"""Input staged while a run is paused, or goes on: R-40 to R-45."""

# ruff: noqa: ANN401  (what the SDK's guardrails and settings are)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    InputGuardrailTripwireTriggered,
)

import hitl
from hitl.errors import InputRefused
from tests.conversation.api import ApiModel
from tests.rules.rule import rule
from tests.rules.stage import MSG, RUN, look, pay, refused

if TYPE_CHECKING:
    from tests.rules.stage import Stage


def _staged(run: hitl.DurableRun) -> list[str]:
    assert run.state is not None
    raws: list[Any] = [each.raw for each in run.state.pending_input]
    return [each["content"] for each in raws]


@rule("R-40")
async def in_order(stage: Stage) -> None:
    """Staged input reaches the model once, in order, behind the outputs of the turn before it."""
    stage.answers([pay("call_1"), look("call_2")], [look("call_3")], [MSG])
    await stage.run()
    await stage.say("one")
    assert _staged(await stage.say("two")) == ["one", "two"]
    await stage.approve("call_1")
    later = ["three"] if stage.streamed else []  # said while the run goes on, by a tool of it
    stage.saying += later
    run = await stage.resume()
    assert _staged(run) == []
    paused = ["go", "call_1?", "call_2?", "call_2!", "call_1!", "one", "two"]
    assert stage.arrived[1] == (paused[3:] if stage.keeps else paused)
    stage.once(*paused, "call_3?", "call_3!", *later, "msg_1")


@rule("R-41")
async def not_certain(stage: Stage) -> None:
    """Input that might never be delivered is refused, and nothing is changed."""
    await _refuses(stage, "may_end", tool_use_behavior="stop_on_first_tool")
    await _refuses(stage, "may_end", tool_use_behavior={"stop_at_tool_names": ["pay"]})
    await _refuses(stage, "may_end", tool_use_behavior=lambda *_: None)
    await _refuses(stage, "no_turn", max_turns=1)
    twin = stage.twin()
    await twin.run()
    await twin.finish()
    await _unchanged(twin, "ended")


async def _refuses(
    stage: Stage, reason: str, *, max_turns: int = 10, tool_use_behavior: Any = "run_llm_again"
) -> None:
    twin = stage.twin()

    def build() -> Agent[Any]:
        model, tools = ApiModel(twin.api), twin.agent_tools()
        return Agent(name="ops", model=model, tools=tools, tool_use_behavior=tool_use_behavior)

    twin.built = build
    await twin.run(max_turns=max_turns)
    await _unchanged(twin, reason)


async def _unchanged(stage: Stage, reason: str) -> None:
    before = await stage.store.load(RUN)
    error = await refused(InputRefused, stage.say("one"))
    assert error.reason == reason
    assert await stage.store.load(RUN) == before


@rule("R-42")
async def after_a_failure(stage: Stage) -> None:
    """When the call that carries staged input fails, it is neither lost nor sent or saved twice."""
    await stage.run()
    await stage.say("one")
    await stage.approve("call_1")
    stage.fails("refused", "limited")
    await refused(openai.APIConnectionError, stage.resume())
    await refused(openai.RateLimitError, stage.resume())
    assert stage.told == ["go", "call_1?"]
    await stage.resume()
    stage.once("go", "call_1?", "call_1!", "one", "msg_1")


@rule("R-43")
async def guarded(stage: Stage) -> None:
    """Input that a guardrail stops stays staged; guardrails see the staged input alone."""
    seen: list[list[str]] = []

    def check(_context: object, _agent: object, given: Any) -> GuardrailFunctionOutput:
        items = [given] if isinstance(given, str) else [each["content"] for each in given]
        seen.append(items)
        return GuardrailFunctionOutput(output_info=None, tripwire_triggered="bad" in items)

    def build() -> Agent[Any]:
        model, tools = ApiModel(stage.api), stage.agent_tools()
        guard = InputGuardrail(check)
        return Agent(name="ops", model=model, tools=tools, input_guardrails=[guard])

    stage.built = build
    await stage.run()
    await stage.say("bad")
    await stage.approve("call_1")
    for _ in range(2):
        await refused(InputGuardrailTripwireTriggered, stage.resume())
    assert seen == [["go"], ["bad"], ["bad"]]
    assert "bad" not in stage.told
    await hitl.clear_input(stage.store, RUN)
    await stage.say("good")
    await stage.resume()
    assert seen[3:] == [["good"]]
    stage.once("go", "call_1?", "call_1!", "good", "msg_1")


@rule("R-44")
async def repeated(stage: Stage) -> None:
    """Equal texts are as many items: each is delivered."""
    stage.answers([pay("call_1")], [pay("call_2")], [MSG])
    await stage.run()
    for _ in range(2):
        await stage.say("go")
    await stage.approve("call_1")
    await stage.resume()
    await stage.say("go")
    await stage.finish()
    stage.once("go", "call_1?", "call_1!", "go", "go", "call_2?", "call_2!", "go", "msg_1")


@rule("R-45")
async def still_waiting(stage: Stage) -> None:
    """While a call waits undecided, staged input stays staged."""
    stage.answers([pay("call_1"), pay("call_2")], [MSG])
    await stage.run()
    await stage.say("one")
    await stage.approve("call_2")
    for _ in range(2):
        assert _staged(await stage.resume(force=True)) == ["one"]
    assert stage.arrived == [["go"]]
    await stage.approve("call_1")
    assert _staged(await stage.resume()) == []
    stage.once("go", "call_1?", "call_2?", "call_2!", "call_1!", "one", "msg_1")
