"""Law 3: what cannot resume is refused by name before anything runs; the check tells all of it."""

# ruff: noqa: ANN401  (documents and `options` are any)

from __future__ import annotations

import asyncio
import copy
import json
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from agents import Agent, RunContextWrapper, Runner, handoff
from mcp.types import Tool

import hitl
from hitl.errors import (
    AgentMismatch,
    ArgumentsChanged,
    ContextMismatch,
    HitlError,
    RestoreError,
    RunFinished,
    StepUnknown,
    ToolMismatch,
    UnknownCall,
)
from hitl.model import Step
from tests.agents import SCENARIOS, Log, ScriptedModel, call, corpus, tools
from tests.agents.cycle import go

if TYPE_CHECKING:
    from tests.agents.scenario import Cast

HITL = "openai-agents-python/hitl/"
DELETE = call("delete_file", {"path": "/"}, "call_d")


def ops(
    log: Log, *added: Any, name: str = "ops", calls: Any = (DELETE,), **options: Any
) -> Agent[Any]:
    """An agent that deletes when allowed."""
    model = ScriptedModel(name, [calls, None], log)
    options.setdefault("tools", [tools.delete_file(log), *added])
    return Agent(name=name, model=model, **options)


def pause(root: Agent[Any], **options: Any) -> hitl.RunState:
    """The state at the first pause, through a document."""
    state = hitl.capture(asyncio.run(go(root, "go", **options)))
    return hitl.loads(hitl.dumps(state))


def check(root: Agent[Any], state: hitl.RunState, **options: Any) -> tuple[HitlError, ...]:
    """What stands in the way."""
    return asyncio.run(hitl.check_restore(root, state, **options))


def refused(
    cast: Cast, state: hitl.RunState, error: type[HitlError], match: str, **options: Any
) -> HitlError:
    """Restoring is refused with this error, the check says the same, and nothing ran."""
    log = Log()
    root, before = cast(log), copy.deepcopy(state)
    with pytest.raises(error, match=match) as caught:
        asyncio.run(hitl.restore(root, state, **options))
    told = check(root, state, **options)
    assert [(type(each), str(each)) for each in told[:1]] == [(error, str(caught.value))]
    assert (log.requests, log.tool_runs) == ([], [])
    assert state == before
    return caught.value


def fits(cast: Cast, state: hitl.RunState, **options: Any) -> Log:
    """Nothing stands in the way; the run ends. Gives what it did."""
    log = Log()
    root = cast(log)
    assert check(root, state, **options) == ()

    async def finish() -> object:
        return await go(root, await hitl.restore(root, state, **options))

    asyncio.run(finish())
    return log


def team(
    log: Log, *, target: str = "worker", source: str = "triage", to: bool = True
) -> Agent[Any]:
    """An agent that hands over to another, which deletes."""
    worker = ops(log, name=target)
    hands: list[Any] = [handoff(worker, tool_name_override="to_worker")] if to else []
    model = ScriptedModel(source, [[call("to_worker", {}, "call_h")]], log)
    return Agent(name=source, model=model, handoffs=hands)


class TestAgents:
    def test_current_is_gone(self) -> None:
        """The agent whose turn it is."""
        state = pause(ops(Log()))
        error = refused(lambda log: ops(log, name="other"), state, AgentMismatch, "agent 'ops'")
        assert error.path == "/agents/0"

    def test_source_of_a_handoff_is_gone(self) -> None:
        """The SDK drops the items of an agent it cannot find, then fails over what is missing."""
        state = pause(team(Log()))
        refused(lambda log: team(log, source="desk"), state, AgentMismatch, "agent 'triage'")

    def test_target_of_a_handoff_is_gone(self) -> None:
        """The agent that was handed over to."""
        state = pause(team(Log()))
        refused(lambda log: team(log, target="helper"), state, AgentMismatch, "agent 'worker'")
        refused(lambda log: team(log, to=False), state, AgentMismatch, "agent 'worker'")

    def test_nested_is_gone(self) -> None:
        """An agent used as a tool; the SDK loads such a state with nothing waiting."""

        def outer(log: Log, name: str) -> Agent[Any]:
            ask = ops(log, name=name).as_tool(tool_name="ask", tool_description="ask")
            step = [call("ask", {"input": "x"}, "call_a")]
            return ops(log, name="outer", calls=step, tools=[ask])

        def plain(log: Log) -> Agent[Any]:
            ask = tools.function(log, "ask", {"input": tools.TEXT}, lambda _: "")
            return ops(log, name="outer", tools=[ask])

        state = pause(outer(Log(), "inner"))
        refused(lambda log: outer(log, "other"), state, AgentMismatch, "agent 'inner'")
        options = {"allow_changed": True, "agents": {"inner": "outer"}}
        error = refused(plain, state, ToolMismatch, "'ask' was an agent", **options)
        assert error.path == "/processed/calls/0"

    def test_doubles_are_swapped(self) -> None:
        """Editing one of two agents of a name swaps which is which; the SDK runs the wrong one."""

        def cast(log: Log, first: str, second: str) -> Agent[Any]:
            doubles = [ops(log, name="dup", instructions=text) for text in (first, second)]
            names = ("to_first", "to_second")
            hands = [handoff(d, tool_name_override=n) for d, n in zip(doubles, names, strict=True)]
            step = [call("to_second", {}, "call_h")]
            return ops(log, name="root", calls=step, tools=[], handoffs=hands)

        state = pause(cast(Log(), "A", "B"))
        assert fits(lambda log: cast(log, "A", "B"), state.approve("call_d")).tool_runs
        match = "'dup' are told apart by their settings"
        refused(lambda log: cast(log, "Z", "B"), state, AgentMismatch, match)

    def test_became_doubles(self) -> None:
        """An agent that was alone under its name has got a double since."""
        state = pause(ops(Log(), instructions="B"))

        def cast(log: Log) -> Agent[Any]:
            hands: list[Any] = [ops(log, name="ops", instructions="B")]
            return ops(log, name="ops", instructions="A", handoffs=hands)

        refused(cast, state, AgentMismatch, "'ops' are told apart")

    def test_doubles_forget_decisions(self) -> None:
        """The SDK keeps no decision on a call of an agent that is like another."""

        def cast(log: Log) -> Agent[Any]:
            doubles = [ops(log, name="dup"), ops(log, name="dup")]
            names = ("to_first", "to_second")
            hands = [handoff(d, tool_name_override=n) for d, n in zip(doubles, names, strict=True)]
            step = [call("to_second", {}, "call_h")]
            return ops(log, name="root", calls=step, tools=[], handoffs=hands)

        state = pause(cast(Log()))
        assert check(cast(Log()), state) == ()
        refused(cast, state.approve("call_d"), AgentMismatch, "'dup' are alike")


class TestTools:
    def test_is_gone(self) -> None:
        """The tool a call waits for; the SDK fails over it when it is approved."""
        state = pause(ops(Log()))
        error = refused(
            lambda log: ops(log, tools=[]), state, ToolMismatch, "'ops' has no tool 'delete_file'"
        )
        assert error.path == "/processed/calls/0"

    def test_of_a_finished_call_may_go(self) -> None:
        """A tool that has run is not asked for again."""
        stat = call("stat_file", {"path": "/"}, "call_s")
        state = pause(ops(Log(), tools.stat_file(Log()), calls=[stat, DELETE])).approve("call_d")
        assert len(fits(ops, state).tool_runs) == 1

    @pytest.mark.parametrize("kind", ["function", "custom"])
    def test_is_of_another_kind(self, kind: str) -> None:
        """A tool of the same name that is run in another way is another tool."""
        state = pause(SCENARIOS[HITL + "kinds_native"].cast(Log()))
        query = tools.function(Log(), "query", {}, lambda _: "")

        def cast(log: Log) -> Agent[Any]:
            root = SCENARIOS[HITL + "kinds_native"].cast(log)
            root.tools = [*root.tools[:2], query] if kind == "function" else root.tools[:2]
            return root

        refused(cast, state, ToolMismatch, "has no tool 'query'")

    def test_takes_other_parameters(self) -> None:
        """A call decided by its arguments must mean the same; the caller may know better."""

        def cast(log: Log, **parameters: Any) -> Agent[Any]:
            gate = tools.function(
                log, "delete_file", parameters, lambda _: "gone", needs_approval=True
            )
            return ops(log, tools=[gate])

        state = pause(cast(Log(), path=tools.TEXT)).approve("call_d")
        match = "'delete_file' takes other parameters"
        refused(lambda log: cast(log, path=tools.NUMBER), state, ToolMismatch, match)
        refused(lambda log: cast(log, path=tools.TEXT, n=tools.NUMBER), state, ToolMismatch, match)
        assert fits(lambda log: cast(log, path=tools.NUMBER), state, allow_changed=True).tool_runs

    def test_says_it_otherwise(self) -> None:
        """Other words about a parameter change no call."""

        def cast(log: Log, words: str) -> Agent[Any]:
            parameter = {"type": "string", "description": words, "title": words}
            gate = tools.function(
                log,
                "delete_file",
                {"path": parameter},
                lambda _: "",
                needs_approval=True,
                description=words,
            )
            return ops(log, tools=[gate])

        state = pause(cast(Log(), "one")).approve("call_d")
        assert fits(lambda log: cast(log, "another"), state).tool_runs

    def test_is_disabled(self) -> None:
        """The SDK drops the call of a tool that is not enabled, and asks for ever."""

        def cast(log: Log) -> Agent[Any]:
            root = ops(log)
            root.tools[0].is_enabled = False  # type: ignore[union-attr]
            return root

        refused(cast, pause(ops(Log())), ToolMismatch, "'delete_file'.*not enabled")

    def test_handoff_is_gone(self) -> None:
        """A handoff that waits beside a call."""

        def cast(log: Log, tool: str) -> Agent[Any]:
            hands = [handoff(ops(log, name="worker"), tool_name_override=tool)]
            return ops(log, calls=[call(tool, {}, "call_h"), DELETE], handoffs=hands)

        state = pause(cast(Log(), "old"))
        refused(lambda log: cast(log, "new"), state, ToolMismatch, "'ops' has no handoff 'old'")

    def test_hosted_server_is_gone(self) -> None:
        """A hosted MCP server goes by its label."""
        state = pause(SCENARIOS[HITL + "kinds_hosted_mcp"].cast(Log()))

        def cast(log: Log) -> Agent[Any]:
            root = SCENARIOS[HITL + "kinds_hosted_mcp"].cast(log)
            root.tools = root.tools[1:]
            return root

        refused(cast, state, ToolMismatch, "has no hosted MCP server 'vault'")

    def test_local_mcp_tool_is_gone(self) -> None:
        """A server is asked for its tools when one of them is needed."""
        state = pause(_with_server(Log(), "find"))
        match = "'ops' has no tool 'find'"
        refused(lambda log: _with_server(log, "seek"), state, ToolMismatch, match)
        refused(ops, state, ToolMismatch, match)

    def test_local_mcp_server_is_away(self) -> None:
        """A server that does not answer is no tool that is gone."""

        def cast(log: Log) -> Agent[Any]:
            root = _with_server(log, "find")
            root.mcp_servers[0].tool_filter = _away  # type: ignore[attr-defined]
            return root

        state = pause(_with_server(Log(), "find"))
        refused(cast, state, ToolMismatch, "did not list its tools.*connect")

    def test_local_mcp_server_that_asks(self) -> None:
        """A server that filters its tools by the context gets the context of the run."""

        def cast(log: Log) -> Agent[Any]:
            root = _with_server(log, "find")
            root.mcp_servers[0].tool_filter = _for_admins  # type: ignore[attr-defined]
            return root

        state = pause(_with_server(Log(), "find"), context={"admin": True})
        assert check(cast(Log()), state) == ()


def _with_server(log: Log, name: str) -> Agent[Any]:
    tool = Tool(name=name, input_schema={"type": "object", "properties": {}})
    server = _Filtering(log, "s", tool, lambda _: "found", require_approval="always")
    return ops(log, calls=[call(name, {}, "call_1")], mcp_servers=[server])


class _Filtering(tools.LocalMcp):
    """A server that may look at the context before it lists its tools."""

    tool_filter: Any = None

    async def list_tools(self, run_context: Any = None, agent: object = None) -> list[Tool]:
        if self.tool_filter is not None:
            self.tool_filter(run_context)
        return await super().list_tools(run_context, agent)


def _for_admins(context: RunContextWrapper[Any]) -> None:
    assert context.context["admin"]


def _away(_context: object) -> None:
    raise OSError("away")


class TestEnding:
    def test_finished(self) -> None:
        """The SDK would call the model again."""
        state = hitl.capture(asyncio.run(go(ops(Log(), calls=[]), "go")))
        assert state.step is None
        log = Log()
        state = hitl.capture(asyncio.run(go(SCENARIOS[HITL + "turns_finished"].cast(log), "go")))
        state = state if state.step is None else hitl.loads(corpus.read(HITL + "turns_finished"))
        refused(SCENARIOS[HITL + "turns_finished"].cast, state, RunFinished, "has ended")

    def test_terminal(self) -> None:
        """The SDK marked the run as one that nothing can finish."""
        document = _document(ops(Log()))
        state = hitl.loads(document | {"terminal_unrecoverable": True})
        refused(ops, state, RunFinished, "no resume can finish")

    def test_unknown(self) -> None:
        """A writer that says nothing of the step, after a call: the caller must know."""
        state = hitl.loads(_document(ops(Log())) | {"current_step": None})
        refused(ops, state, StepUnknown, "whether anything is left")
        assert check(ops(Log()), state, assume="run_again") == ()
        (told,) = check(ops(Log()), state, assume="finished")
        assert isinstance(told, StepUnknown)
        assert "expected assume" in str(told)

    @pytest.mark.parametrize("outputs", [[[]], []])
    def test_said_nothing(self, outputs: list[list[object]]) -> None:
        """A response without output, or none but the last one: nothing says that it is over."""
        document = _document(ops(Log())) | {"current_step": None}
        responses = [document["model_responses"][0] | {"output": each} for each in outputs]
        state = hitl.loads(document | {"model_responses": responses})
        refused(ops, state, StepUnknown, "whether anything is left")

    def test_of_another_kind(self) -> None:
        """A step hitl does not know is no step it may skip."""
        state = pause(ops(Log()))
        odd = attrs.evolve(state, step=Step(kind="unknown", extra={"type": "next_step_nap"}))
        refused(ops, odd, StepUnknown, "whether anything is left")

    def test_cut_in_the_first_turn(self) -> None:
        """R-50: with a server's history the SDK would send nothing; without, it starts over."""
        local = fits(ops, _cut())
        assert [request.input for request in local.requests[:1]] == [
            ({"role": "user", "content": "please"},)
        ]
        for options in ({"conversation_id": "c"}, {"previous_response_id": "r"}):
            match = "cut in its first turn.*start it anew"
            refused(ops, _cut(**options), RestoreError, match)

    def test_newer(self) -> None:
        """A newer minor may hold what this hitl does not know."""
        document = _document(ops(Log())) | {"$schemaVersion": "1.99"}
        refused(ops, hitl.loads(document), RestoreError, "version 1.99.*upgrade hitl")
        native = json.loads(hitl.dumps(pause(ops(Log())))) | {"$hitl": "1.99"}
        refused(ops, hitl.loads(native), RestoreError, "version 1.99.*upgrade hitl")


def _document(root: Agent[Any], **options: Any) -> dict[str, Any]:
    """What the SDK writes at the first pause."""
    document = asyncio.run(go(root, "go", **options)).to_state().to_json()
    copied: dict[str, Any] = json.loads(json.dumps(document))
    return copied


def _cut(**options: Any) -> hitl.RunState:
    """A run whose first request failed."""

    async def cut() -> hitl.RunState:
        root = ops(Log(), calls=OSError("away"))
        root.model = ScriptedModel("ops", [OSError("away")], Log())
        result = Runner.run_streamed(root, "please", **options)
        with pytest.raises(OSError, match="away"):
            async for _ in result.stream_events():
                pass
        return hitl.capture(result)

    return asyncio.run(cut())


class TestHistory:
    @pytest.mark.parametrize("key", ["generated_items", "session_items"])
    def test_unknown_item(self, key: str) -> None:
        """Law 6: an item of a kind the SDK drops without a word."""
        document = _document(ops(Log()))
        document[key].append({"type": "future_item", "raw_item": {"x": 1}})
        name = key.partition("_")[0]
        error = refused(
            ops, hitl.loads(document), RestoreError, "kind that the installed SDK drops"
        )
        assert error.path == f"/{name}/{len(document[key]) - 1}"

    def test_unreadable_item(self) -> None:
        """Law 6: an item the SDK's reader rejects is dropped too; counting finds it."""
        document = _document(ops(Log()))
        odd = {"type": "reasoning", "id": 7, "summary": "none"}
        item = {"type": "reasoning_item", "raw_item": odd, "agent": {"name": "ops"}}
        document["session_items"].append(item)
        error = refused(ops, hitl.loads(document), RestoreError, "took 2 of 3")
        assert error.path == "/session"

    def test_unknown_output_of_a_response(self) -> None:
        """One unknown type in a response makes the SDK refuse the whole state."""
        document = _document(ops(Log()))
        document["model_responses"][0]["output"].append({"type": "from_the_future"})
        refused(ops, hitl.loads(document), RestoreError, "the SDK refuses")

    def test_guardrail_result(self) -> None:
        """A guardrail result the SDK's reader skips."""
        document = _document(ops(Log()))
        document["input_guardrail_results"] = [{"guardrail": {"type": "odd"}}]
        error = refused(ops, hitl.loads(document), RestoreError, "took 0 of 1")
        assert error.path == "/guardrails/input"


class TestCalls:
    def test_arguments_changed_after_the_decision(self) -> None:
        """R-21: what the person saw is what runs."""
        data = hitl.dumps(pause(ops(Log())).approve("call_d", by="ana"))
        assert data.count(b'{\\"path\\": \\"/\\"}') == 1
        state = hitl.loads(data.replace(b'{\\"path\\": \\"/\\"}', b'{\\"path\\": \\"/etc\\"}'))
        log = Log()
        with pytest.raises(ArgumentsChanged, match="not the one that was decided") as caught:
            asyncio.run(hitl.restore(ops(log), state))
        assert caught.value.path == "/decisions/0"
        assert [type(each) for each in check(ops(log), state)] == [ArgumentsChanged]
        assert log.tool_runs == []

    def test_ledger_says_otherwise(self) -> None:
        """R-21: the SDK's own record of the call tells a document that was edited."""
        live = asyncio.run(go(ops(Log()), "go")).to_state()
        live.approve(live.get_interruptions()[0])
        edited = json.dumps(live.to_json()).replace(
            '{\\"path\\": \\"/\\"}', '{\\"path\\": \\"/etc\\"}'
        )
        for state in (hitl.loads(edited), hitl.loads(hitl.dumps(hitl.loads(edited)))):
            refused(ops, state, ArgumentsChanged, "'call_d' is not the call the SDK recorded")

    def test_shown_and_run_differ(self) -> None:
        """R-21: the request a person is shown must be the call that runs."""
        document = _document(ops(Log()))
        run = document["last_processed_response"]["functions"][0]["tool_call"]
        run["arguments"] = '{"path": "/etc"}'
        refused(ops, hitl.loads(document), ArgumentsChanged, "'call_d' is not the call")

    def test_decision_without_a_call(self) -> None:
        """A decision for a call that does not wait is no decision to skip."""
        state = pause(ops(Log())).approve("call_d")
        odd = attrs.evolve(state.decisions[0], call_id="call_x")
        state = attrs.evolve(state, decisions=(odd, *state.decisions))
        told = check(ops(Log()), state)
        assert [(type(each), each.path) for each in told] == [(UnknownCall, "/decisions/0")]

    def test_twins(self) -> None:
        """Two waiting calls of one id: no verdict can tell them apart."""
        document = _document(ops(Log()))
        waiting = document["current_step"]["data"]["interruptions"]
        waiting.append(json.loads(json.dumps(waiting[0])))
        waiting[1]["raw_item"]["arguments"] = '{"path": "/etc"}'
        told = check(ops(Log()), hitl.loads(document))
        assert any("share the id 'call_d'" in str(each) for each in told)
        cast = SCENARIOS[HITL + "turns_nested_twins"].cast
        refused(cast, pause(cast(Log())), RestoreError, "share the id 'call_1'")


class TestCheck:
    def test_tells_all(self) -> None:
        """One call names everything that stands in the way, in the order restore meets it."""
        state = pause(ops(Log()), context=object())
        log = Log()
        odd = attrs.evolve(state.approve("call_d").decisions[0], arguments_sha256="0" * 64)
        root = ops(log, tools=[])
        told = check(root, attrs.evolve(state, decisions=(odd,)))
        assert [type(each) for each in told] == [ArgumentsChanged, ToolMismatch, ContextMismatch]
        assert (log.requests, log.tool_runs) == ([], [])

    def test_tells_all_inside(self) -> None:
        """Each run inside is looked at too; every place is a path from the top."""
        cast = SCENARIOS[HITL + "turns_nested_deep"].cast

        def stripped(log: Log) -> Agent[Any]:
            root = cast(log)
            middle: Any = root.tools[0]._agent_instance  # type: ignore[union-attr]
            inner = middle.tools[0]._agent_instance
            inner.tools, middle.tools = [], middle.tools[:1]
            return root

        told = check(stripped(Log()), pause(cast(Log())))
        within = "/processed/calls/0/run"
        assert [each.path for each in told] == [
            f"{within}{within}/processed/calls/0",
            f"{within}{within}/processed/calls/1",
            f"{within}/processed/calls/1",
        ]

    def test_changes_nothing(self) -> None:
        """Checking leaves the state and the agents as they were; the run goes on after it."""
        cast = SCENARIOS[HITL + "turns_nested_structured"].cast
        state = pause(cast(Log())).approve("call_q")
        before, log = hitl.dumps(state), Log()
        root = cast(log)
        assert check(root, state) == check(root, state) == ()
        assert hitl.dumps(state) == before

        async def finish() -> Any:
            return await go(root, await hitl.restore(root, state))

        result = asyncio.run(finish())
        assert [each.name for each in result.interruptions] == ["delete_file"]
