"""Runs that are cut once, at a chosen place, and agents to play them with."""

# ruff: noqa: ANN401  (the SDK's Model is wide)

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs
from agents import Agent, RunHooks, function_tool
from agents.tool_context import ToolContext  # noqa: TC002  (function_tool reads annotations)

from tests.agents.model import ScriptedModel, call

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agents import ModelResponse

    from tests.agents.log import Log


@attrs.define
class Trouble:
    """Something that happens once.

    Attributes:
        at: where: `model` (the n-th request of all), `tool`, `tool_end`.
        number: which one, counting from 1.
        what: what happens there; awaited.
    """

    at: str
    number: int
    what: Callable[[], Any]
    seen: int = 0

    async def met(self, place: str) -> None:
        """Be somewhere; the trouble happens if this is the place."""
        if place != self.at:
            return
        self.seen += 1
        if self.seen == self.number:
            await self.what()


async def _nothing() -> None:
    """Do nothing."""


QUIET = Trouble("nowhere", 0, _nothing)


class Troubled(ScriptedModel):
    """A scripted model that meets trouble after it was asked."""

    trouble: Trouble = QUIET

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """Meet the trouble, then answer."""
        await self.trouble.met("model")
        return await super().get_response(*args, **kwargs)

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """Meet the trouble, then answer."""
        await self.trouble.met("model")
        async for event in super().stream_response(*args, **kwargs):
            yield event


def pay(log: Log, trouble: Trouble, **options: Any) -> Any:
    """A tool that must not run twice."""

    async def pay(context: ToolContext[Any], amount: int) -> str:
        """Pay."""
        await trouble.met("tool_before")
        log.ran("pay", context.tool_arguments, context.tool_call_id)
        await trouble.met("tool")
        return f"paid {amount}"

    return function_tool(pay, needs_approval=True, **options)


def look(log: Log) -> Any:
    """A tool that nobody is asked about."""

    def look(context: ToolContext[Any]) -> str:
        """Look."""
        log.ran("look", context.tool_arguments, context.tool_call_id)
        return "seen"

    return function_tool(look)


class Failing(RunHooks[Any]):
    """Hooks that meet trouble."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble

    async def on_tool_end(self, *_: Any) -> None:
        """Meet it after a tool."""
        await self.trouble.met("tool_end")

    async def on_tool_start(self, *_: Any) -> None:
        """Meet it before a tool."""
        await self.trouble.met("tool_start")


def buy(number: int) -> dict[str, object]:
    """A call that waits."""
    return call("pay", {"amount": number}, f"call_{number}")


LOOK = call("look", {}, "call_l")


def _model(name: str, log: Log, trouble: Trouble, *steps: Any) -> Troubled:
    model = Troubled(name, [*steps, None], log)
    model.trouble = trouble
    return model


def plain(log: Log, trouble: Trouble = QUIET, **options: Any) -> Agent[Any]:
    """Two calls at once, one of which waits; then another."""
    model = _model("ops", log, trouble, [LOOK, buy(1)], [buy(2)])
    return Agent(name="ops", model=model, tools=[pay(log, trouble, **options), look(log)])


def parallel(log: Log, trouble: Trouble = QUIET, **options: Any) -> Agent[Any]:
    """Two calls that wait at once."""
    model = _model("ops", log, trouble, [buy(1), buy(2)])
    return Agent(name="ops", model=model, tools=[pay(log, trouble, **options)])


def nested(log: Log, trouble: Trouble = QUIET, **options: Any) -> Agent[Any]:
    """An agent used as a tool, whose calls wait."""
    inside = _model("inner", log, trouble, [buy(1)], [buy(2)])
    inner = Agent(name="inner", model=inside, tools=[pay(log, trouble, **options)])
    # An error inside ends the run, as one outside does.
    tool = inner.as_tool("ask", "Ask.", failure_error_function=None)
    outer = _model("outer", log, trouble, [LOOK, call("ask", {"input": "i"}, "call_o")])
    return Agent(name="outer", model=outer, tools=[tool, look(log)])


def asked(log: Log, trouble: Trouble = QUIET, **options: Any) -> Agent[Any]:
    """An agent used as a tool, which waits itself before its calls do."""
    inside = _model("inner", log, trouble, [buy(1), buy(2)])
    inner = Agent(name="inner", model=inside, tools=[pay(log, trouble, **options)])
    tool = inner.as_tool("ask", "Ask.", needs_approval=True, failure_error_function=None)
    outer = _model("outer", log, trouble, [LOOK, call("ask", {"input": "i"}, "call_o")])
    return Agent(name="outer", model=outer, tools=[tool, look(log)])


def handed(log: Log, trouble: Trouble = QUIET, **options: Any) -> Agent[Any]:
    """A handoff, then calls that wait."""
    desk = _model("desk", log, trouble, [buy(1)], [buy(2)])
    clerk = Agent(name="desk", model=desk, tools=[pay(log, trouble, **options)])
    front = _model("front", log, trouble, [call("transfer_to_desk", {}, "call_h")])
    return Agent(name="front", model=front, handoffs=[clerk], tools=[look(log)])


SHAPES: dict[str, Callable[..., Agent[Any]]] = {
    "plain": plain,
    "parallel": parallel,
    "nested": nested,
    "asked": asked,
    "handed": handed,
}
