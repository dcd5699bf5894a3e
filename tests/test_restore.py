"""A restored run is the run: values, contexts and secrets are back, and the state is untouched."""

# ruff: noqa: ANN401  (`options` are those of the SDK, contexts are any)

from __future__ import annotations

import asyncio
import copy
import dataclasses
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    RunContextWrapper,
    RunState,
    ToolGuardrailFunctionOutput,
    ToolInputGuardrail,
    function_tool,
)

import hitl
from hitl.errors import ContextMismatch, InvalidDocument
from tests.agents import SCENARIOS, Log, ScriptedModel, call, tools
from tests.agents.cycle import go
from tests.agents.model import plain

if TYPE_CHECKING:
    from agents import RunResult, RunResultStreaming, ToolInputGuardrailData

    from tests.agents.oracle import LiveState
    from tests.agents.scenario import Cast

HITL = "openai-agents-python/hitl/"


@attrs.define
class Cart:
    total: Decimal = Decimal(1)
    lines: list[str] = attrs.field(factory=list)


@attrs.frozen
class Tenant:
    name: str


for each in (Cart, Tenant):
    hitl.register(each, f"test_restore.{each.__name__}")


@dataclasses.dataclass
class Session:
    """A context nobody registered."""

    user: str = "ana"


def keeper(log: Log) -> Agent[Any]:
    """An agent whose tool changes the context, after one that gives a typed value."""

    @function_tool(needs_approval=True)
    def note(context: RunContextWrapper[Any], text: str) -> str:
        """Note something in the context."""
        log.ran("note", [text, context.context])
        if isinstance(context.context, dict):
            context.context["notes"].append(text)
            context.context["deep"]["n"] = 2
        return "noted"

    step = [call("give", {}, "call_g"), call("note", {"text": "b"}, "call_n")]
    give = tools.function(
        log, "give", {}, lambda _: Cart(Decimal("2.50")), custom_data_extractor=lambda _: {"n": 1}
    )
    model = ScriptedModel("ops", [step, None], log)
    return Agent(name="ops", model=model, tools=[give, note], input_guardrails=[_checked()])


def _checked() -> InputGuardrail[Any]:
    def check(_c: object, _a: object, _i: object) -> GuardrailFunctionOutput:
        return GuardrailFunctionOutput(output_info=Cart(), tripwire_triggered=False)

    return InputGuardrail(guardrail_function=check)


def pause(cast: Cast, **options: Any) -> hitl.RunState:
    """The state at the first pause."""
    return hitl.capture(asyncio.run(go(cast(Log()), "go", **options)))


def reread(state: hitl.RunState) -> hitl.RunState:
    """Write the state as a native document and read it."""
    return hitl.loads(hitl.dumps(state))


def restored(agent: Agent[Any], state: hitl.RunState, **options: Any) -> LiveState:
    """The live state."""
    return asyncio.run(hitl.restore(agent, state, **options))


def finish(
    agent: Agent[Any], state: hitl.RunState, *, streamed: bool = False, **options: Any
) -> RunResult | RunResultStreaming:
    """Restore and run."""

    async def both() -> RunResult | RunResultStreaming:
        return await go(agent, await hitl.restore(agent, state, **options), streamed=streamed)

    return asyncio.run(both())


NESTED = SCENARIOS[HITL + "turns_nested_deep"].cast


class TestState:
    @pytest.mark.parametrize("streamed", [False, True])
    def test_is_not_edited(self, *, streamed: bool) -> None:
        """Neither restoring nor running edits the state, nor what it says of the context."""
        state = pause(keeper, context={"notes": ["a"], "deep": {"n": 1}}).approve("call_n")
        before, twin = hitl.dumps(state), copy.deepcopy(state)
        finish(keeper(Log()), state, streamed=streamed)
        assert hitl.dumps(state) == before
        assert state == twin
        assert state.context
        assert state.context.value == {"notes": ["a"], "deep": {"n": 1}}

    def test_twice(self) -> None:
        """R-34: two live states from one state share nothing; each runs to the same end."""
        state = pause(keeper, context={"notes": [], "deep": {}}).approve("call_n")
        one, other = restored(keeper(Log()), state), restored(keeper(Log()), state)
        before = copy.deepcopy(plain(other.to_json()))
        asyncio.run(go(one._current_agent, one))
        assert plain(other.to_json()) == before
        assert one._context is not other._context
        log = Log()
        results = [finish(keeper(log), state).final_output for _ in range(2)]
        assert results[0] == results[1]
        assert [each.arguments for each in log.tool_runs] == [
            ["b", {"notes": ["b"], "deep": {"n": 2}}],
            ["b", {"notes": ["b"], "deep": {"n": 2}}],
        ]

    @pytest.mark.parametrize("name", ["kinds_native", "turns_nested_deep", "turns_two_pauses"])
    def test_comes_back(self, name: str) -> None:
        """Captured again before it runs, it is the same state; no schema of a tool is new."""
        cast = SCENARIOS[HITL + name].cast
        state = pause(cast)
        again = hitl.capture(restored(cast(Log()), reread(state)))
        assert again == state

    def test_decisions_come_back_as_grants(self) -> None:
        """Named difference: who decided stays in the document, the SDK keeps the verdict."""
        state = pause(keeper, context={}).approve("call_n", by="ana")
        again = hitl.capture(restored(keeper(Log()), state))
        assert again.decisions == ()
        (waiting,) = again.interruptions
        assert waiting.decision
        assert (waiting.decision.approved, waiting.decision.by) == (True, None)


class TestValues:
    def test_outputs(self) -> None:
        """R-4, R-13: live items have their outputs and custom data back, with their type."""
        live = restored(keeper(Log()), reread(pause(keeper)))
        for items in (live._generated_items, live._session_items):
            (item,) = (each for each in items if each.type == "tool_call_output_item")
            assert item.output == Cart(Decimal("2.50"))
            assert item.custom_data == {"n": 1}

    def test_custom_data(self) -> None:
        """What an app attached to a live item itself, of whatever type, is back too."""
        live = asyncio.run(go(keeper(Log()), "go")).to_state()
        for item in (*live._generated_items, *live._session_items):
            if item.type == "tool_call_output_item":
                item.custom_data = {"cart": Cart(), "raw": b"x"}
        live = restored(keeper(Log()), reread(hitl.capture(live)))
        (item,) = (each for each in live._session_items if each.type == "tool_call_output_item")
        assert item.custom_data == {"cart": Cart(), "raw": b"x"}

    def test_guardrails(self) -> None:
        """What guardrails said is back on the live results, with its type."""

        def check(_data: ToolInputGuardrailData) -> ToolGuardrailFunctionOutput:
            return ToolGuardrailFunctionOutput.allow(output_info={Decimal(1): b"x"})

        def cast(log: Log) -> Agent[Any]:
            agent = keeper(log)
            guard: ToolInputGuardrail[Any] = ToolInputGuardrail(guardrail_function=check)
            agent.tools[0].tool_input_guardrails = [guard]  # type: ignore[union-attr]
            return agent

        live = restored(cast(Log()), reread(pause(cast)))
        assert [each.output.output_info for each in live._input_guardrail_results] == [Cart()]
        infos = [each.output.output_info for each in live._tool_input_guardrail_results]
        assert infos == [{Decimal(1): b"x"}]

    def test_model_sees_the_same(self) -> None:
        """R-13: what the model is sent after the restore is what the SDK itself would send."""
        state, log = pause(keeper).approve("call_n"), Log()
        finish(keeper(log), reread(state))
        there = Log()
        result = asyncio.run(go(keeper(there), "go")).to_state()
        result.approve(result.get_interruptions()[0])
        asyncio.run(go(keeper(there), result))
        assert log.requests[-1] == there.requests[-1]
        assert "Cart(total=Decimal('2.50')" in str(log.requests[-1].input)

    def test_secrets(self) -> None:
        """R-33: the live agent supplies the secrets the document does not hold."""
        cast = SCENARIOS[HITL + "kinds_hosted_mcp"].cast
        state = reread(pause(cast))
        assert b"mcp-secret" not in hitl.dumps(state, dialect="openai-agents-python")
        written = str(restored(cast(Log()), state).to_json())
        assert "Bearer mcp-secret" in written
        assert "mcp-secret-key" in written


class TestContext:
    @pytest.mark.parametrize(
        "context",
        [
            {"a": (1, b"x"), 7: {Decimal(1)}},
            Cart(lines=["x"]),
            None,
            "tenant-1",
            ["a", {"b": 1}],
            7,
            Decimal("1.5"),
        ],
    )
    def test_stored(self, context: object) -> None:
        """A mapping, a registered type, a plain value or nothing: the run has it back."""
        log = Log()
        state = reread(pause(keeper, context=context)).approve("call_n")
        live = restored(keeper(log), state)
        assert live._context
        assert (live._context.context, type(live._context.context)) == (context, type(context))

    @pytest.mark.parametrize("given", [{"other": 1}, None, Session("bo")])
    def test_given(self, given: object) -> None:
        """R-32: a context given at the restore is the one, the very object."""
        live = restored(keeper(Log()), pause(keeper, context=Session()), context=given)
        assert live._context
        assert live._context.context is given

    def test_left_out(self) -> None:
        """R-32: a context that could not be stored is asked for, before anything runs."""
        log = Log()
        state = reread(pause(keeper, context=Session()))
        with pytest.raises(ContextMismatch, match=r"left out.*pass context= to restore"):
            restored(keeper(log), state)
        assert log.requests == []

    def test_lost_type(self) -> None:
        """R-32: the SDK wrote the fields of a context; its type is asked for."""
        result = asyncio.run(go(keeper(Log()), "go", context=Session("bo")))
        state = reread(hitl.loads(result.to_state().to_json()))
        with pytest.raises(ContextMismatch, match=r"lost its type.*its fields are stored"):
            restored(keeper(Log()), state)
        assert state.context
        fields: Any = state.context.value
        log = Log()
        finish(keeper(log), state.approve("call_n"), context=Session(**fields))
        assert [each.arguments for each in log.tool_runs] == [["b", Session("bo")]]

    def test_unknown_name(self) -> None:
        """A document of another app, or of a type no longer registered, is refused by place."""
        data = hitl.dumps(pause(keeper, context=Tenant("a"))).replace(
            b'"t":"test_restore.Tenant"', b'"t":"Gone"'
        )
        state = hitl.loads(data)
        with pytest.raises(ContextMismatch, match="registered"):
            restored(keeper(Log()), state)
        restored(keeper(Log()), state, context={})
        (problem,) = asyncio.run(hitl.check_restore(keeper(Log()), state))
        assert isinstance(problem, ContextMismatch)

    def test_output_of_an_unknown_name(self) -> None:
        """So is one in an output, by its place in the log."""
        data = hitl.dumps(pause(keeper)).replace(b'"t":"test_restore.Cart"', b'"t":"Gone"')
        state = hitl.loads(data)
        (problem,) = asyncio.run(hitl.check_restore(keeper(Log()), state))
        with pytest.raises(InvalidDocument, match="registered") as caught:
            restored(keeper(Log()), state)
        assert (caught.value.path, problem.path) == (problem.path, caught.value.path)
        assert str(problem.path).startswith("/items/")

    @pytest.mark.parametrize("given", [{}, {"context": {"n": 2}}])
    def test_inside(self, given: dict[str, Any]) -> None:
        """A run inside goes on with the context of the run around it: one object, as before."""
        state = reread(pause(NESTED, context={"n": 1}))
        live = restored(NESTED(Log()), state, **given)
        contexts = [each._context.context for each in _runs(live) if each._context]
        assert len(contexts) == 3
        assert all(each is contexts[0] for each in contexts)
        assert contexts[0] == given.get("context", {"n": 1})

    @pytest.mark.parametrize("given", [{}, {"context": {"n": 3}}])
    def test_inside_differs(self, given: dict[str, Any]) -> None:
        """The SDK writes a context per run: they stay apart, unless one is given for all."""
        document = asyncio.run(go(NESTED(Log()), "go", context={"n": 1})).to_state().to_json()
        inner = document["last_processed_response"]["functions"][0]["agent_run_state"]
        inner["context"]["context"] = {"n": 2}
        live = restored(NESTED(Log()), reread(hitl.loads(document)), **given)
        found = [each._context.context["n"] for each in _runs(live) if each._context]
        assert found == ([3, 3, 3] if given else [1, 2, 1])

    def test_inside_left_out(self) -> None:
        """A context that could not be stored is asked for once, and given to all runs."""
        state = reread(pause(NESTED, context=Session()))
        with pytest.raises(ContextMismatch):
            restored(NESTED(Log()), state)
        session = Session("bo")
        live = restored(NESTED(Log()), state, context=session)
        assert all(each._context and each._context.context is session for each in _runs(live))

    @pytest.mark.parametrize("stored", [True, False])
    def test_tools_that_ask(self, *, stored: bool) -> None:
        """Whether a tool is enabled may depend on the context: it is there from the start."""

        def enabled(context: RunContextWrapper[Any], _agent: object) -> bool:
            return bool(context.context["admin"])

        def cast(log: Log) -> Agent[Any]:
            gate = tools.delete_file(log)
            gate.is_enabled = enabled
            step = [call("delete_file", {"path": "/"}, "call_d")]
            return Agent(name="ops", model=ScriptedModel("ops", [step, None], log), tools=[gate])

        state = reread(pause(cast, context={"admin": True})).approve("call_d")
        log = Log()
        options: dict[str, Any] = {} if stored else {"context": {"admin": 1}}
        finish(cast(log), state, **options)
        assert len(log.tool_runs) == 1


def _runs(live: LiveState) -> list[RunState[Any, Any]]:
    from hitl.runtime import sdk

    return [live, *(run for _, inner in sdk.inside(live) for run in _runs(inner))]
