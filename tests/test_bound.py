"""Rule 3: what a person saw is what runs; a decision is bound to call, tool, agent and bytes."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from agents import Agent, RunConfig, Runner, function_tool

import hitl
from hitl.errors import AmbiguousCall, ArgumentsChanged, DecisionError
from hitl.runtime.scripted import ScriptedModel, call

if TYPE_CHECKING:
    from collections.abc import Callable

    from hitl import RunState

UNTRACED = RunConfig(tracing_disabled=True)


@function_tool(needs_approval=True)
def refund(order: int) -> str:
    """Pay back."""
    return f"refunded {order}"


@function_tool(needs_approval=True)
def wire(order: int) -> str:
    """Pay out."""
    return f"wired {order}"


def agent(calls: int = 1) -> Agent[Any]:
    """An agent that wants to refund `calls` orders at once."""
    script = [call("refund", f"c{index}", {"order": index}) for index in range(calls)]
    return Agent(name="support", model=ScriptedModel(script), tools=[refund, wire])


def paused(calls: int = 1) -> RunState:
    """The run at its pause."""
    return hitl.capture(asyncio.run(Runner.run(agent(calls), "go", run_config=UNTRACED)))


def forged(state: RunState, change: Callable[[dict[str, Any]], None]) -> RunState:
    """The state as somebody with the file at hand made it."""
    document = json.loads(hitl.dumps(state))
    change(document)
    return hitl.loads(json.dumps(document))


def _rename(document: dict[str, Any]) -> None:
    for entry in document["items"]:
        item = entry.get("item", {})
        if item.get("raw", {}).get("name") == "refund":
            item["raw"]["name"] = "wire"
        for key, value in (("tool_name", "wire"), ("tool_key", ["bare", None, "wire"])):
            if key in item:
                item[key] = value
    for waiting in document["processed"]["calls"]:
        waiting["tool"] |= {"name": "wire", "lookupKey": {"kind": "bare", "name": "wire"}}


def _relabel(document: dict[str, Any]) -> None:
    approval = next(
        each["item"] for each in document["items"] if each["item"].get("call") is not None
    )
    approval["tool_name"] = "quote"


def _reroute(document: dict[str, Any]) -> None:
    for waiting in document["processed"]["calls"]:
        waiting["tool"] |= {"name": "wire", "lookupKey": {"kind": "bare", "name": "wire"}}


class TestBinding:
    def test_another_tool(self) -> None:
        """A call that was renamed after the decision is not the call that was decided."""
        state = forged(paused().approve("c0"), _rename)
        with pytest.raises(ArgumentsChanged):
            hitl.dumps(state, dialect=state.origin.dialect)
        assert any(
            isinstance(each, ArgumentsChanged) for each in hitl.check(hitl.dumps(state)).problems
        )
        with pytest.raises(ArgumentsChanged):
            asyncio.run(hitl.restore(agent(), state))

    def test_another_agent(self) -> None:
        """The agent is part of what was decided."""
        state = forged(
            paused().approve("c0"), lambda document: document["agents"][0].update(name="x")
        )
        with pytest.raises(ArgumentsChanged):
            hitl.dumps(state, dialect=state.origin.dialect)

    @pytest.mark.parametrize("change", [_relabel, _reroute])
    def test_shown_is_what_runs(self, change: Callable[[dict[str, Any]], None]) -> None:
        """A note beside the call, or where it is sent, cannot name another tool than the call."""
        state = forged(paused(), change)
        assert state.interruptions[0].tool_name == "refund"
        assert any(
            isinstance(each, ArgumentsChanged) for each in hitl.check(hitl.dumps(state)).problems
        )
        with pytest.raises(ArgumentsChanged):
            state.approve("c0")
        with pytest.raises(ArgumentsChanged):
            asyncio.run(hitl.restore(agent(), state))

    @pytest.mark.parametrize(
        ("raw", "shown"),
        [
            ({"type": "custom_tool_call", "input": "rm -rf /", "arguments": "ls"}, "rm -rf /"),
            ({"type": "shell_call", "action": {"commands": ["rm"]}, "arguments": "ls"}, None),
        ],
    )
    def test_field_of_the_type(self, raw: dict[str, Any], shown: str | None) -> None:
        """What is shown, and bound, is the field that the type of the call runs."""
        assert hitl.model.approval.call_text(raw) == shown
        digest = hitl.model.arguments_sha256(raw)
        assert digest == hitl.model.arguments_sha256(raw | {"arguments": "pwd"})
        changed = {"input": "echo", "action": {"commands": ["ls"]}}
        assert digest != hitl.model.arguments_sha256(raw | changed)

    def test_no_text(self) -> None:
        """A function call without an argument string cannot be decided."""

        def drop(document: dict[str, Any]) -> None:
            for entry in document["items"]:
                if entry.get("item", {}).get("raw", {}).get("name") == "refund":
                    entry["item"]["raw"]["arguments"] = {"order": 0}

        with pytest.raises(ArgumentsChanged):
            forged(paused(), drop).approve("c0")


class TestNames:
    def test_slash(self) -> None:
        """A slash in a call's id is escaped in its name, as in a JSON Pointer."""
        script = [call("refund", "a/b", {"order": 1})]
        owner: Agent[Any] = Agent(name="s", model=ScriptedModel(script), tools=[refund])
        state = hitl.capture(asyncio.run(Runner.run(owner, "go", run_config=UNTRACED)))
        assert [each.call for each in state.interruptions] == ["a~1b"]
        assert state.approve("a~1b").interruptions[0].decision is not None
        assert state.approve("a/b").interruptions[0].decision is not None

    def test_twin_outer_calls(self) -> None:
        """Two outer calls of one id: a decision inside cannot be placed."""
        inner: Agent[Any] = Agent(
            name="inner",
            model=ScriptedModel(
                [call("refund", "i", {"order": 1})], [call("refund", "j", {"order": 2})]
            ),
            tools=[refund],
        )
        outer = [call("ask", "o1", {"input": "x"}), call("ask", "o2", {"input": "y"})]
        owner: Agent[Any] = Agent(
            name="outer", model=ScriptedModel(outer), tools=[inner.as_tool("ask", "d")]
        )
        state = hitl.capture(asyncio.run(Runner.run(owner, "go", run_config=UNTRACED)))

        def twin(document: dict[str, Any]) -> None:
            for entry in document["items"]:
                if entry.get("item", {}).get("raw", {}).get("call_id") == "o2":
                    entry["item"]["raw"]["call_id"] = "o1"

        with pytest.raises(AmbiguousCall):
            forged(state, twin).approve("i")


class TestOptions:
    def test_always_is_a_bool(self) -> None:
        """What could not be read back is refused before it is written."""
        with pytest.raises(DecisionError, match="true or false"):
            paused().approve("c0", always=1)  # type: ignore[arg-type]


def test_many_calls() -> None:
    """Parallel calls are decided one by one, each by its own name (this once took minutes)."""
    state = paused(80)
    for each in state.interruptions:
        state = state.approve(each.call)
    hitl.dumps(state, dialect=state.origin.dialect)
    assert all(each.decision for each in state.interruptions)
