"""What a captured state holds: values as they were live, no secrets, and the SDK left alone."""

# ruff: noqa: ANN401  (`options` are those of the SDK, values are any)

from __future__ import annotations

import asyncio
import copy
import dataclasses
import enum
import json
import math
import uuid
from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs
import msgspec
import pydantic
import pytest
from agents import (
    Agent,
    GuardrailFunctionOutput,
    InputGuardrail,
    RunConfig,
    ToolGuardrailFunctionOutput,
    ToolOutputGuardrail,
    trace,
)
from agents import RunState as SdkState

import hitl
from hitl.errors import CaptureError
from tests.agents import SCENARIOS, Log, ScriptedModel, call, tools
from tests.agents.cycle import go

if TYPE_CHECKING:
    from agents import RunContextWrapper, RunResult, RunResultStreaming, ToolOutputGuardrailData

    from tests.agents.scenario import Cast

HITL = "openai-agents-python/hitl/"


@attrs.frozen
class Money:
    amount: Decimal
    currency: str = "EUR"


@dataclasses.dataclass
class Order:
    lines: list[Money]
    paid_at: datetime | None = None


class Customer(pydantic.BaseModel):
    name: str
    tags: list[str] = []


class Point(msgspec.Struct):
    x: int
    y: float = 0.0


class Colour(enum.Enum):
    RED = "#f00"


# Names are for the whole process; other tests have types of their own.
for each in (Money, Order, Customer, Point, Colour):
    hitl.register(each, f"test_capture.{each.__name__}")


@dataclasses.dataclass
class Unregistered:
    """A dataclass nobody registered, with a registered value in it."""

    price: Money
    raw: bytes = b"\xff"


@dataclasses.dataclass
class Linked:
    """A dataclass nobody registered, which may hold itself."""

    name: str = "a"
    other: Any = None

    def __repr__(self) -> str:
        return f"<Linked {self.name}>"


class Strange(pydantic.BaseModel):
    """A model nobody registered, with a registered value in it."""

    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    colour: Colour
    price: Money


class Opaque:
    """Nothing can be said of it."""

    def __repr__(self) -> str:
        return "<opaque>"


VALUES: dict[str, Any] = {
    "bytes": b"\xff\x00",
    "datetime": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
    "date": [date(2026, 1, 2), timedelta(hours=1)],
    "set": {1, 2},
    "frozenset": frozenset({"a"}),
    "decimal": Decimal("19.90"),
    "tuple": (1, "two", (3,)),
    "uuid": uuid.UUID(int=7),
    "infinity": {"all": [math.inf, -math.inf]},
    "huge": 10**40,
    "keys": {1: "int", None: "none", (1, 2): "pair"},
    "tag": {"$": "bytes", "v": "aGk="},
    "attrs": Money(Decimal("1.10")),
    "dataclass": Order([Money(Decimal(2), "USD")], datetime(2026, 1, 1, tzinfo=UTC)),
    "pydantic": Customer(name="ana", tags=["vip"]),
    "msgspec": Point(1, 2.5),
    "enum": Colour.RED,
    "inside": {"deep": [Order([]), {Colour.RED: b"x"}]},
    "none": None,
    "false": False,
    "float": 1.0,
    "text": "plain",
}


def giving(value: object, **options: Any) -> Cast:
    """An agent whose tool gives `value` before another one waits."""

    def cast(log: Log) -> Agent[Any]:
        step = [call("give", {}, "call_g"), call("delete_file", {"path": "/"}, "call_d")]
        given = tools.function(
            log, "give", {}, lambda _: value, custom_data_extractor=lambda _: {"n": [1, 10**40]}
        )
        model = ScriptedModel("ops", [step, None], log)
        return Agent(name="ops", model=model, tools=[given, tools.delete_file(log)], **options)

    return cast


def pause(cast: Cast, **options: Any) -> RunResult | RunResultStreaming:
    """Run up to the first pause."""
    return asyncio.run(go(cast(Log()), "go", **options))


def reread(state: hitl.RunState, codec: str = "json") -> hitl.RunState:
    """Write the state as a native document and read it."""
    return hitl.loads(hitl.dumps(state, codec=codec))


def same(one: object, other: object) -> bool:
    """Tell whether two values are equal, types and all, whatever the order of sets."""
    if type(one) is not type(other) or one != other:
        return False
    if isinstance(one, dict):
        return all(same(value, other[key]) for key, value in one.items())  # type: ignore[index]
    if isinstance(one, list | tuple):
        return all(same(a, b) for a, b in zip(one, other, strict=True))  # type: ignore[call-overload]
    return True


class TestSource:
    @pytest.mark.parametrize("streamed", [False, True])
    def test_result_or_state(self, *, streamed: bool) -> None:
        """A result, a streamed result and the SDK's state give the same run state."""
        result = pause(giving(b"x"), streamed=streamed)
        state = hitl.capture(result)
        assert hitl.capture(result.to_state()) == state
        assert [each.call for each in state.interruptions] == ["call_d"]
        assert (state.turn.current, state.turn.max) == (1, 10)

    @pytest.mark.parametrize("thing", [None, {}, "state", object(), Agent(name="a")])
    def test_something_else(self, thing: object) -> None:
        """What is no object of the SDK is refused by its type."""
        with pytest.raises(CaptureError, match=f"got {type(thing).__name__}"):
            hitl.capture(thing)

    @pytest.mark.parametrize("name", ["turns_nested_deep", "kinds_native", "turns_two_pauses"])
    def test_is_left_alone(self, name: str) -> None:
        """Capturing changes nothing: neither what the SDK writes nor what it remembers."""
        live = pause(SCENARIOS[HITL + name].cast).to_state()
        marker = live._generated_items_last_processed_marker
        before = copy.deepcopy(live.to_json())
        live._generated_items_last_processed_marker = marker
        one, other = hitl.capture(live), hitl.capture(live)
        assert (one, hitl.dumps(one)) == (other, hitl.dumps(other))
        assert live._generated_items_last_processed_marker == marker
        assert live.to_json() == before

    def test_two_captures_are_two(self) -> None:
        """R-34: what one does to the live context after the capture does not reach the state."""
        context: dict[str, Any] = {"notes": ["a"], "n": {"deep": [1]}}
        result = pause(giving(1), context=context)
        state = hitl.capture(result)
        before = hitl.dumps(state)
        context["notes"].append("b")
        context["n"]["deep"].append(2)
        assert hitl.dumps(state) == before
        assert state.context is not None
        assert state.context.value == {"notes": ["a"], "n": {"deep": [1]}}

    def test_finished(self) -> None:
        """A run that has ended is captured too; nothing waits in it."""
        state = hitl.capture(asyncio.run(go(_talker(Log()), "hi")))
        assert (state.interruptions, state.step) == ((), None)


def _talker(log: Log) -> Agent[Any]:
    return Agent(name="talker", model=ScriptedModel("talker", [None], log))


@pytest.mark.parametrize("codec", ["json", "msgpack"])
class TestValues:
    @pytest.mark.parametrize("name", VALUES)
    def test_outputs(self, name: str, codec: str) -> None:
        """R-4: an output, and the custom data beside it, come back with their value and type."""
        state = reread(hitl.capture(pause(giving(VALUES[name]))), codec)
        assert same(state.tool_outputs["call_g"], VALUES[name])
        assert [each.data for each in state.items if each.custom_data] == [{"n": [1, 10**40]}]
        assert state.missing == ()

    def test_nan(self, codec: str) -> None:
        """R-4: a NaN comes back as one."""
        found = reread(hitl.capture(pause(giving([math.nan]))), codec).tool_outputs["call_g"]
        assert isinstance(found, list)
        assert math.isnan(found[0])

    def test_context(self, codec: str) -> None:
        """A mapping with values JSON cannot say comes back as it was."""
        state = reread(hitl.capture(pause(giving(1), context=VALUES)), codec)
        assert state.context is not None
        assert same(state.context.value, VALUES)

    @pytest.mark.parametrize("name", ["attrs", "dataclass", "pydantic", "msgspec", "enum", "text"])
    def test_context_type(self, name: str, codec: str) -> None:
        """A context of a registered type comes back as that type."""
        state = reread(hitl.capture(pause(giving(1), context=VALUES[name])), codec)
        assert state.context is not None
        assert same(state.context.value, VALUES[name])

    def test_guardrails(self, codec: str) -> None:
        """What guardrails say of a run comes back with its type."""
        info = {"score": Decimal("0.1"), "who": Customer(name="ana")}

        def check(
            _c: RunContextWrapper[Any], _a: Agent[Any], _i: object
        ) -> GuardrailFunctionOutput:
            return GuardrailFunctionOutput(output_info=info, tripwire_triggered=False)

        def look(_data: ToolOutputGuardrailData) -> ToolGuardrailFunctionOutput:
            return ToolGuardrailFunctionOutput.allow(output_info=Money(Decimal(1)))

        def cast(log: Log) -> Agent[Any]:
            agent = giving(1, input_guardrails=[InputGuardrail(guardrail_function=check)])(log)
            agent.tools[0].tool_output_guardrails = [ToolOutputGuardrail(guardrail_function=look)]  # type: ignore[union-attr]
            return agent

        state = reread(hitl.capture(pause(cast)), codec)
        (given,) = state.guardrail_results("input")
        assert hitl.values.decode(given.result["output"]["outputInfo"]) == info  # type: ignore[index, call-overload]
        (tool,) = state.guardrail_results("tool_output")
        assert hitl.values.decode(tool.result["output"]["outputInfo"]) == Money(Decimal(1))  # type: ignore[index, call-overload]


class TestUnregistered:
    @pytest.mark.parametrize(
        "value",
        [Unregistered(Money(Decimal(1))), Strange(colour=Colour.RED, price=Money(Decimal(1)))],
    )
    def test_fields_are_kept(self, value: Any) -> None:
        """A type nobody registered keeps its fields, with their types, and is reported."""
        state = hitl.capture(pause(giving({"got": value})))
        found: Any = state.tool_outputs["call_g"]
        names = vars(value)
        assert found == {"got": {name: getattr(value, name) for name in names}}
        paths = [each.path for each in state.missing]
        assert [path.partition("/output")[2] for path in paths if "/output" in path] == ["/got"]

    def test_within_itself(self) -> None:
        """An object that holds itself is written up to the place where it comes again."""
        value = Linked()
        value.other = [value]
        state = hitl.capture(pause(giving(value)))
        assert state.tool_outputs["call_g"] == {"name": "a", "other": [None]}
        assert [each.path.partition("/output")[2] for each in state.missing] == ["", "/other/0"]

    def test_web(self) -> None:
        """A web of objects is not walked through: it is the text the model saw."""
        web = [Linked(str(n)) for n in range(30)]
        for each in web:
            each.other = web
        state = hitl.capture(pause(giving(web)))
        assert "Linked" in str(state.tool_outputs["call_g"])
        assert len(state.missing) == 1

    def test_nothing_to_keep(self) -> None:
        """R-4: what has no fields is missing, and only that: nothing beside it is lost."""
        value = {"raw": b"x", "bad": [Opaque(), Money(Decimal(1))]}
        state = reread(hitl.capture(pause(giving(value))))
        assert state.tool_outputs["call_g"] == {"raw": b"x", "bad": [None, Money(Decimal(1))]}
        paths = {each.path.partition("/output")[2] for each in state.missing}
        assert "/bad/0" in paths

    def test_whole_output(self) -> None:
        """An output nothing can be said of is the text the model saw, and is reported."""
        state = hitl.capture(pause(giving(Opaque())))
        position = next(n for n, each in enumerate(state.log) if each.item and each.item.has_output)
        assert state.tool_outputs["call_g"] == "<opaque>"
        assert f"/items/{position}/output" in [each.path for each in state.missing]

    @pytest.mark.parametrize("context", [Opaque(), {"a": Opaque()}, OrderedDict(a=1)])
    def test_context(self, context: object) -> None:
        """A context that cannot be written whole is left out whole, and reported."""
        state = hitl.capture(pause(giving(1), context=context))
        assert state.context is not None
        assert state.context.value is None
        (loss,) = state.missing
        assert (loss.path.startswith("/context"), loss.severity) == (True, "warn")

    def test_is_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        """What is missing is said at once, by path and without the value."""
        hitl.capture(pause(giving(1), context=Opaque()))
        assert [each.levelname for each in caplog.records if each.name == "hitl"] == ["WARNING"]
        assert "opaque" not in caplog.text.lower().replace("type", "")


class TestDialect:
    @pytest.mark.parametrize("context", ["tenant-1", ["a"], 7, Decimal(1)])
    def test_context_is_no_mapping(self, context: object) -> None:
        """The SDK refuses a state whose context is no mapping: it is left out, with a warning."""
        state = hitl.capture(pause(giving(1), context=context))
        told = hitl.convert(state, dialect="openai-agents-python", allow_loss=True)
        assert ("/context/data", "warn") in [(each.path, each.severity) for each in told.losses]
        document = json.loads(told.data)
        agent = giving(1)(Log())
        live = asyncio.run(SdkState.from_json(agent, document, context_override={"n": 1}))
        assert len(live.get_interruptions()) == 1
        asyncio.run(SdkState.from_json(agent, document))


class TestNested:
    def test_shares_the_context(self) -> None:
        """A run inside has the context of the run around it; it is stored once."""
        context = {"who": Customer(name="ana-unique")}
        state = hitl.capture(pause(SCENARIOS[HITL + "turns_nested_deep"].cast, context=context))
        data = hitl.dumps(state)
        assert data.count(b"ana-unique") == 1
        runs = [each.run for each in hitl.loads(data).processed.calls if each.run]  # type: ignore[union-attr]
        assert [run.context.value for run in runs if run.context] == [context]

    def test_context_is_missing_once(self) -> None:
        """What all runs share and cannot be written is said once."""
        cast = SCENARIOS[HITL + "turns_nested_deep"].cast
        state = hitl.capture(pause(cast, context=Opaque()))
        assert [each.path for each in state.missing] == ["/context"]

    def test_values_inside(self) -> None:
        """Outputs inside keep their type, and what is missing there is named by its whole path."""

        def cast(log: Log) -> Agent[Any]:
            inner = giving((b"x", Opaque()))(log)
            ask = inner.as_tool(tool_name="ask", tool_description="ask")
            model = ScriptedModel("outer", [[call("ask", {"input": "x"}, "call_a")], None], log)
            return Agent(name="outer", model=model, tools=[ask])

        state = hitl.capture(pause(cast))
        run = state.processed and state.processed.calls[0].run
        assert run
        assert run.tool_outputs["call_g"] == (b"x", None)
        assert all(each.path.startswith("/processed/calls/0/run/") for each in state.missing)
        assert state.missing


class TestSecrets:
    def test_hosted_server(self) -> None:
        """R-33: what opens a hosted server is in no document of a captured state."""
        result = pause(SCENARIOS[HITL + "kinds_hosted_mcp"].cast)
        assert b"mcp-secret" in str(result.to_state().to_json()).encode()
        state = hitl.capture(result)
        assert state.secrets == {}
        for options in ({}, {"codec": "msgpack"}, {"dialect": "openai-agents-python"}):
            assert b"mcp-secret" not in hitl.dumps(state, **options)  # type: ignore[arg-type]

    def test_nested(self) -> None:
        """R-33: neither is one of a run inside another."""

        def cast(log: Log) -> Agent[Any]:
            inner = SCENARIOS[HITL + "kinds_hosted_mcp"].cast(log)
            ask = inner.as_tool(tool_name="ask", tool_description="ask")
            model = ScriptedModel("outer", [[call("ask", {"input": "x"}, "call_a")], None], log)
            return Agent(name="outer", model=model, tools=[ask])

        state = hitl.capture(pause(cast))
        for options in ({}, {"dialect": "openai-agents-python"}):
            assert b"mcp-secret" not in hitl.dumps(state, **options)  # type: ignore[arg-type]

    def test_tracing_key(self) -> None:
        """R-33: the key of a trace stays out, its hash and name come along."""
        config = RunConfig(tracing={"api_key": "sk-trace-secret"})
        with trace("billing", group_id="group_1"):
            result = pause(giving(1), run_config=config)
        data = hitl.dumps(hitl.capture(result))
        assert b"sk-trace-secret" not in data
        assert b"billing" in data


class TestAgents:
    def test_are_seen(self) -> None:
        """The table says what the agents could do: names, rules, digests of parameters."""
        state = hitl.capture(pause(giving(1, instructions="be careful")))
        (agent,) = state.agents
        assert agent.instructions_sha256
        assert [(tool.name, tool.kind, tool.approval) for tool in agent.tools or ()] == [
            ("give", "function", "never"),
            ("delete_file", "function", "always"),
        ]
        assert all(tool.schema_sha256 for tool in agent.tools or ())
