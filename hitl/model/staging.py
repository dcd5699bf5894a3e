"""Input for a run that rests: staged in order, delivered before the next model call.

Only what will surely be delivered is staged (R-41): a run whose end is at hand refuses it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from attrs import evolve

from hitl import document, values
from hitl.document import JSONObject, JSONValue
from hitl.errors import InputRefused, ValueRefused
from hitl.model.approval import tool_label
from hitl.model.record import Item, Record
from hitl.model.span import positions, spans

if TYPE_CHECKING:
    from hitl.model.agent import Agent
    from hitl.model.state import RunState

S = TypeVar("S", bound="RunState")

Given: TypeAlias = str | Sequence[JSONObject]
"""A text, said by the user, or items in the form of OpenAI's Responses API."""

_LATER = "resume it first; what it ends with can be answered in a new run"


def add(state: S, given: Given) -> S:
    """Give the state with more input staged; see `RunState.add_input` for errors."""
    return stage(state, items_of(given))


def stage(state: S, raws: Sequence[JSONValue]) -> S:
    """Give the state with more items staged, which are tagged.

    Raises:
        InputRefused: it can take none.
    """
    refused = refusal(state)
    if refused is not None:
        raise refused
    return put(state, raws)


def put(state: S, raws: Sequence[JSONValue]) -> S:
    """Give the state with more tagged items staged, whether it can take them or not."""
    start, log = len(state.log), state.log
    entries = (log.codec.encode(Record(item=Item(kind="input", raw=each))) for each in raws)
    return evolve(
        state,
        log=log.extended(entries),
        staged=spans((*positions(state.staged or ()), *range(start, start + len(raws)))),
    )


def clear(state: S) -> S:
    """Give the state with nothing staged; its log keeps what was."""
    return evolve(state, staged=()) if state.staged else state


def items_of(given: Given) -> list[JSONValue]:
    """Give input as tagged items; a text is said by the user.

    Raises:
        ValueRefused: something else, or a value that JSON cannot say.
        InputRefused: an item that is a call, or the answer to one.
    """
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    if not isinstance(given, list | tuple):
        raise ValueRefused(f"expected text or a list of items, found `{type(given).__name__}`")
    return [_tagged(each, f"/{index}") for index, each in enumerate(given)]


def _tagged(raw: JSONObject, path: str) -> JSONValue:
    if not isinstance(raw, dict):
        raise ValueRefused(f"expected an item, found `{type(raw).__name__}`", path=path)
    document.validate(raw, path)
    kind = str(raw.get("type", "message"))
    if kind.endswith(("_call", "_output")) or kind.startswith("mcp_approval"):
        # What a tool gave, and what a person decided, have doors of their own.
        message = f"expected what somebody says, found an item of type {kind!r}"
        raise InputRefused(message, reason="no_input", path=path)
    return values.encode(raw, path)


def refusal(state: RunState) -> InputRefused | None:
    """Say why a run cannot take input now; None when it can.

    Whether the output of a tool may end the run is known of an agent that was seen at the pause.
    Of another it is not refused here, but by `restore`, before anything runs.
    """
    step = state.step
    if state.terminal:
        return InputRefused("the run has ended", reason="ended", hint=_LATER)
    silent = step is None or step.kind == "unknown"
    if silent and (state.responded or state.last_response is not None):
        message = "the run has ended, or the state does not say that it has not"
        return InputRefused(message, reason="ended", path="/step", hint=_LATER)
    turn = state.turn
    if turn.max is not None and turn.current >= turn.max:
        message = f"all {turn.max} turns are used: no model call is left to deliver it"
        hint = "resume with a higher max_turns first"
        return InputRefused(message, reason="no_turn", path="/turn", hint=hint)
    if step is None or step.kind != "interruption":
        return None
    if step.response_accepted:
        message = "a response was taken and is not worked on yet"
        return InputRefused(message, reason="accepted", path="/step", hint="resume it first")
    current = None if state.current_agent is None else state.agents[state.current_agent]
    return None if current is None else may_end(state, current)


def may_end(state: RunState, agent: Agent) -> InputRefused | None:
    """Say that what waits may end the run, by how its agent treats the outputs of tools.

    Args:
        state: the run.
        agent: its current agent, as it was at the pause or as it is now.
    """
    if state.step is None or state.step.kind != "interruption":
        return None
    behavior = agent.tool_use_behavior
    listed = behavior == "stop_at_tools" and not set(agent.stop_at_tool_names).isdisjoint(
        _called(state)
    )
    if behavior not in {"stop_on_first_tool", "custom"} and not listed:
        return None
    message = "the output of a call that waits may end the run before the model is asked again"
    hint = "decide and resume it first; `clear_input` takes back what is staged"
    return InputRefused(message, reason="may_end", path="/step", hint=hint)


def _called(state: RunState) -> Iterator[str]:
    """Give the names of the tools whose outputs the run goes on with, bare and qualified.

    Those that have run beside the waiting ones count too, unless a handoff comes first.
    """
    step, processed = state.step, state.processed
    for position in positions((step and step.interruptions) or ()):
        item = state.log.item(position)
        yield from (tool_label(item), str(item.tool_name))
    calls = processed.calls if processed else ()
    if any(call.group == "handoff" for call in calls):
        return
    for call in calls:
        item = state.log.item(call.item)
        tool = call.tool if isinstance(call.tool, dict) else {}
        yield from (tool_label(item), str(tool.get("tool_name") or tool.get("name")))
        if isinstance(item.raw, dict):
            yield str(item.raw.get("name"))
