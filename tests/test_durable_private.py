"""What durable runs rely on in openai-agents: there, and as it was read."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING

import pytest
from agents import Agent, FunctionTool, RunHooks, Runner, function_tool, handoff
from agents.run import AgentRunner

import hitl
from hitl.errors import RestoreError
from hitl.runtime.durable import private
from tests.agents.disturbed import SHAPES
from tests.agents.log import Log

if TYPE_CHECKING:
    from collections.abc import Callable


def test_a_release_that_lacks_something(monkeypatch: pytest.MonkeyPatch) -> None:
    """A release durable runs cannot hold on to is refused by name, before anything is stored."""
    monkeypatch.setattr(private, "_NEEDED", ((Runner, "run"), (Runner, "run_backwards")))

    async def start() -> int:
        async with hitl.connect("memory:") as store:
            with pytest.raises(RestoreError, match="run_backwards"):
                await hitl.run(SHAPES["plain"](Log()), "go", store=store)
            return len(await store.runs())

    assert asyncio.run(start()) == 0


@pytest.mark.parametrize("method", ["run", "run_streamed"])
def test_a_runner_takes_an_agent_and_an_input(method: str) -> None:
    """The seam stands where `Runner` hands a run on: these two by position, the rest by name."""
    parameters = [*inspect.signature(getattr(AgentRunner, method)).parameters.values()]
    assert [each.name for each in parameters[:3]] == ["self", "starting_agent", "input"]
    assert parameters[3].kind is inspect.Parameter.VAR_KEYWORD


def test_hooks_are_all_passed_on() -> None:
    """A hook the SDK has gained is passed on too, or this fails."""
    from hitl.runtime.durable.hooks import Hooks

    known = {name for name in dir(RunHooks) if name.startswith("on_")}
    assert known == {name for name in vars(Hooks) if name.startswith("on_")}


def test_what_a_copy_names() -> None:
    """A tool names its agent and a handoff its target, where their copies are told of copies."""
    inner, other = Agent(name="inner"), Agent(name="other")
    tool = inner.as_tool("ask", "Ask.")
    assert private.agent_of(tool) is inner
    private.set_agent_of(tool, other)
    assert private.agent_of(tool) is other
    goes = handoff(inner)
    assert private.target_of(goes) is inner
    private.set_target_of(goes, other)
    assert private.target_of(goes) is other


def _rule(wanted: bool) -> Callable[..., object]:  # noqa: FBT001
    async def rule(context: object, given: dict[str, object], call_id: str) -> bool:
        del context, call_id
        return wanted and given == {"amount": 1}

    return rule


def test_arguments_are_still_prepared() -> None:
    """A rule is asked of arguments as the SDK prepares them; what it cannot inspect waits."""

    def made(default: int | None) -> FunctionTool:
        def pay(amount: int = 0) -> str:
            """Pay."""
            return str(amount)

        def look(amount: int) -> str:
            """Look."""
            return str(amount)

        tool = function_tool(pay if default is not None else look, strict_mode=False)
        tool.needs_approval = _rule(wanted=False)  # type: ignore[assignment]
        return tool

    async def waits(tool: FunctionTool, arguments: str) -> list[str]:
        from tests.agents.durably import QUIET
        from tests.agents.model import ScriptedModel, call

        steps = [[call(tool.name, arguments, "call_1")], None]
        agent = Agent(name="ops", model=ScriptedModel("ops", steps, Log()), tools=[tool])
        alone = await Runner.run(agent, "go", run_config=QUIET)
        async with hitl.connect("memory:") as store:
            run = await hitl.run(agent, "go", store=store, run_config=QUIET)
        assert [each.call for each in run.interruptions] == [
            each.raw_item.call_id  # type: ignore[union-attr]
            for each in alone.interruptions
        ]
        return [each.call for each in run.interruptions]

    assert asyncio.run(waits(made(None), '{"amount": 1}')) == []
    # A default is filled in: the SDK lets nobody but a person say yes to that.
    assert asyncio.run(waits(made(0), "{}")) == ["call_1"]
