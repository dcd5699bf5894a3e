"""An app renamed agents or tools while a run waited: the run finishes under the new names."""

# ruff: noqa: ANN401  (`names` are those of restore)

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
from agents import Agent, handoff, tool_namespace

import hitl
from hitl.errors import AgentMismatch, ToolMismatch
from hitl.runtime.rename import rename
from tests.agents import SCENARIOS, Log, ScriptedModel, call, corpus, tools
from tests.agents.cycle import go

if TYPE_CHECKING:
    from agents import RunResult, RunResultStreaming

    from hitl import RunState

DELETE = {"path": tools.TEXT}


def remover(log: Log, name: str, **options: Any) -> Any:
    """A tool that waits; calls are noted under its name."""
    options = {"needs_approval": True, **options}
    return tools.function(log, name, DELETE, lambda given: f"gone {given['path']}", **options)


def delete(name: str, number: int, **extra: Any) -> dict[str, object]:
    """A call of such a tool."""
    return call(name, {"path": f"/{number}"}, f"call_{number}", **extra)


def agent(log: Log, name: str, *steps: Any, **options: Any) -> Agent[Any]:
    """An agent whose model says `steps`, then a last message."""
    return Agent(name=name, model=ScriptedModel(name, [*steps, None], log), **options)


def pause(root: Agent[Any]) -> RunState:
    """The state at the first pause, through a document."""
    return hitl.loads(hitl.dumps(hitl.capture(asyncio.run(go(root, "go")))))


def resume(root: Agent[Any], state: RunState, **names: Any) -> RunResult | RunResultStreaming:
    """Go on under new names, through a document."""

    async def both() -> RunResult | RunResultStreaming:
        again = hitl.loads(hitl.dumps(state))
        return await go(root, await hitl.restore(root, again, **names))

    return asyncio.run(both())


def ran(log: Log) -> list[tuple[str, str | None]]:
    """Name and call id of every tool that ran."""
    return [(each.tool, each.call_id) for each in log.tool_runs]


class TestTools:
    def test_function(self) -> None:
        """The open call runs on the tool of the new name, once; what ran keeps its old one."""
        log = Log()
        steps = [[delete("old", 1)], [delete("old", 2)]]
        gate = remover(log, "old", needs_approval=_second)
        state = pause(agent(log, "ops", *steps, tools=[gate])).approve("call_2")
        root = agent(log, "ops", steps[0], [delete("new", 2)], tools=[remover(log, "new")])
        result = resume(root, state, tools={"old": "new"})
        assert ran(log) == [("old", "call_1"), ("new", "call_2")]
        calls = [each for each in result.to_input_list() if each.get("type") == "function_call"]
        assert [each["name"] for each in calls] == ["old", "new"]  # type: ignore[typeddict-item]

    def test_sticky(self) -> None:
        """A sticky verdict goes along with its tool, whether or not one of its calls waits."""
        log = Log()
        state = pause(agent(log, "ops", [delete("old", 1)], tools=[remover(log, "old")]))
        state = state.approve("call_1", always=True)
        root = agent(
            log, "ops", [delete("new", 1)], [delete("new", 2)], tools=[remover(log, "new")]
        )
        result = resume(root, state, tools={"old": "new"})
        assert not result.interruptions
        assert ran(log) == [("new", "call_1"), ("new", "call_2")]

    @pytest.mark.parametrize("space", [None, "crm"])
    def test_sticky_of_another_tool(self, space: str | None) -> None:
        """The SDK's own sticky record follows a rename too, while a call of another tool waits."""
        log = Log()
        extra = {"namespace": space} if space else {}

        def root(name: str) -> Agent[Any]:
            steps = [delete("old", 1, **extra)], [delete("b", 2)], [delete(name, 3, **extra)]
            first = remover(log, name)
            named = tool_namespace(name=space, description="d", tools=[first]) if space else [first]
            return agent(log, "ops", *steps, tools=[*named, remover(log, "b")])

        async def second_pause() -> RunState:
            live = (await go(root("old"), "go")).to_state()
            live.approve(live.get_interruptions()[0], always_approve=True)
            return hitl.capture(await go(root("old"), live))

        state = asyncio.run(second_pause()).approve("call_2")
        result = resume(root("new"), state, tools={"old": "new"})
        assert not result.interruptions
        assert ran(log) == [("old", "call_1"), ("b", "call_2"), ("new", "call_3")]

    def test_never_one_of_two(self) -> None:
        """A sticky verdict on one tool is none on a call of another that gets the same name."""
        log = Log()
        both = [remover(log, "old"), remover(log, "new")]
        state = pause(agent(log, "ops", [delete("old", 1), delete("new", 2)], tools=both))
        state = state.approve("call_1", always=True)
        with pytest.raises(ToolMismatch, match="names that differ"):
            resume(agent(log, "ops", tools=both[1:]), state, tools={"old": "new"})
        assert log.tool_runs == []

    def test_handoff(self) -> None:
        """A handoff that waits beside a call goes to the agent by its new name."""
        log = Log()

        def root(tool: str) -> Agent[Any]:
            target = agent(log, "target")
            steps = [[call(tool, {}, "call_h"), delete("delete", 1)]]
            handoffs = [handoff(target, tool_name_override=tool)]
            return agent(log, "ops", *steps, handoffs=handoffs, tools=[remover(log, "delete")])

        state = pause(root("old")).approve("call_1")
        result = resume(root("new"), state, tools={"old": "new"})
        assert (result.last_agent.name, ran(log)) == ("target", [("delete", "call_1")])

    def test_local_mcp(self) -> None:
        """A call of an MCP server's tool is bound to the tool by its new name."""
        from mcp.types import Tool

        log = Log()

        def root(name: str) -> Agent[Any]:
            tool = Tool(name=name, input_schema={"type": "object", "properties": {}})
            server = tools.LocalMcp(log, "s", tool, lambda _: "found", require_approval="always")
            return agent(log, "ops", [call(name, {}, "call_1")], mcp_servers=[server])

        state = pause(root("old")).approve("call_1")
        result = resume(root("new"), state, tools={"old": "new"})
        assert (result.interruptions, [tool for tool, _ in ran(log)]) == ([], ["new"])

    def test_without_the_map(self) -> None:
        """A rename nobody mentioned is refused by name, with the way out."""
        state = pause(agent(Log(), "ops", [delete("old", 1)], tools=[remover(Log(), "old")]))
        log = Log()
        root = agent(log, "ops", tools=[remover(log, "new")])
        with pytest.raises(ToolMismatch, match=r"'ops' has no tool 'old'.*tools=\{"):
            resume(root, state)
        assert (log.requests, log.tool_runs) == ([], [])


async def _second(_context: object, given: dict[str, Any], _call_id: str) -> bool:
    return bool(given["path"] == "/2")


def nested(log: Log, inner: str, tool: str, ask: str) -> Agent[Any]:
    """An agent `outer` that asks an agent `inner` by the tool `ask`; its `tool` waits."""
    within = agent(log, inner, [delete(tool, 1)], tools=[remover(log, tool)])
    asker = within.as_tool(tool_name=ask, tool_description="ask")
    return agent(log, "outer", [call(ask, {"input": "x"}, "call_o")], tools=[asker])


class TestNested:
    NAMES = pytest.mark.parametrize(
        ("now", "names"),
        [
            (("helper", "old", "ask"), {"agents": {"inner": "helper"}}),
            (("inner", "new", "ask"), {"tools": {"old": "new"}}),
            (("inner", "old", "query"), {"tools": {"ask": "query"}}),
            (
                ("helper", "new", "query"),
                {"agents": {"inner": "helper"}, "tools": {"old": "new", "ask": "query"}},
            ),
        ],
    )

    @NAMES
    def test_finishes(self, now: tuple[str, str, str], names: Any) -> None:
        """The inner agent, its tool and the tool it is called by may all have new names."""
        state = pause(nested(Log(), "inner", "old", "ask")).approve("call_o/call_1")
        log = Log()
        result = resume(nested(log, *now), state, **names)
        assert ran(log) == [(now[1], "call_1")]
        assert not result.interruptions
        assert [request.agent for request in log.requests] == [now[0], "outer"]

    @NAMES
    def test_is_still_one_call(self, now: tuple[str, str, str], names: Any) -> None:
        """An undecided call inside waits once, also under its new name."""
        state = pause(nested(Log(), "inner", "old", "ask"))
        log = Log()
        again = hitl.capture(resume(nested(log, *now), state, **names))
        assert [each.call for each in again.interruptions] == ["call_o/call_1"]
        assert [each.tool_name for each in again.interruptions] == [now[1]]

    @NAMES
    def test_sticky(self, now: tuple[str, str, str], names: Any) -> None:
        """A sticky verdict inside goes along."""
        log = Log()
        state = pause(nested(Log(), "inner", "old", "ask")).reject("call_o/call_1", always=True)
        result = resume(nested(log, *now), state, **names)
        assert (result.interruptions, ran(log)) == ([], [])


class TestAgents:
    def test_current(self) -> None:
        """The agent whose turn it is."""
        log = Log()
        state = pause(agent(log, "old", [delete("d", 1)], tools=[remover(log, "d")]))
        root = agent(log, "new", [delete("d", 1)], tools=[remover(log, "d")])
        result = resume(root, state.approve("call_1"), agents={"old": "new"})
        assert (result.last_agent.name, ran(log)) == ("new", [("d", "call_1")])

    def test_all_that_took_part(self) -> None:
        """The agent that handed over, and the one it handed over to, with a sticky verdict."""
        log = Log()

        def root(first: str, second: str) -> Agent[Any]:
            steps = [delete("d", 1)], [delete("d", 2)]
            target = agent(log, second, *steps, tools=[remover(log, "d")])
            to = handoff(target, tool_name_override="to_target")
            return agent(log, first, [call("to_target", {}, "call_h")], handoffs=[to])

        state = pause(root("triage", "worker")).approve("call_1", always=True)
        names = {"triage": "desk", "worker": "helper"}
        result = resume(root("desk", "helper"), state, agents=names)
        assert (result.last_agent.name, result.interruptions) == ("helper", [])
        assert ran(log) == [("d", "call_1"), ("d", "call_2")]

    @pytest.mark.parametrize(
        ("now", "names"),
        [
            (("desk", "desk"), {"dup": "desk"}),
            (("dup", "worker"), {"dup#2": "worker"}),
            (("desk", "dup"), {"dup": "desk", "dup#2": "dup"}),
        ],
    )
    def test_of_one_name(self, now: tuple[str, str], names: dict[str, str]) -> None:
        """Agents that shared a name are renamed together, or one by one by their identity."""
        log = Log()

        def root(first: str, second: str) -> Agent[Any]:
            model = ScriptedModel("B", [[delete("d", 1)], None], log)
            target = Agent(name=second, instructions="B", model=model, tools=[remover(log, "d")])
            to = handoff(target, tool_name_override="to_target")
            steps = [call("to_target", {}, "call_h")]
            return agent(log, first, steps, instructions="A", handoffs=[to])

        state = pause(root("dup", "dup")).approve("call_1")
        result = resume(root(*now), state, agents=names)
        assert (result.last_agent.name, result.last_agent.instructions) == (now[1], "B")
        assert ran(log) == [("d", "call_1")]

    def test_in_a_sandbox(self) -> None:
        """The sandbox session belongs to the agent, under whatever name."""
        scenario = SCENARIOS["openai-agents-python/hitl/turns_sandbox"]
        state = hitl.loads(corpus.read("openai-agents-python/hitl/turns_sandbox"))
        stage = scenario.stage()
        stage.agent.name = "box"
        renamed = rename(state, {"boxed": "box"}, {}).sandbox
        assert renamed
        assert "boxed" not in json.dumps(renamed)
        live = asyncio.run(
            hitl.restore(stage.agent, state.approve("call_1"), agents={"boxed": "box"})
        )
        result = asyncio.run(go(stage.agent, live, **stage.options))
        assert (result.interruptions, ran(stage.log)) == ([], [("delete_file", "call_1")])

    def test_without_the_map(self) -> None:
        """A rename nobody mentioned is refused by name, with the way out."""
        state = pause(agent(Log(), "old", [delete("d", 1)], tools=[remover(Log(), "d")]))
        log = Log()
        with pytest.raises(AgentMismatch, match=r"agent 'old' cannot be reached.*agents=\{"):
            resume(agent(log, "new"), state)
        assert log.requests == []


def test_the_state_keeps_its_names() -> None:
    """Renaming is for this resume: the state handed in is as it was."""
    log = Log()
    state = pause(nested(log, "inner", "old", "ask"))
    before = hitl.dumps(state)
    names = {"agents": {"inner": "helper"}, "tools": {"old": "new", "ask": "query"}}
    resume(nested(log, "helper", "new", "query"), state, **names)
    assert hitl.dumps(state) == before
