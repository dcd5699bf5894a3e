"""States with values that JSON says badly: tool outputs, custom data, contexts, inputs."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import uuid
from typing import TYPE_CHECKING, Any

import pydantic
from agents import Agent, RunConfig, ToolOutputFileContent, ToolOutputImage, ToolOutputText

from tests.agents import tools
from tests.agents.model import ScriptedModel, call
from tests.agents.oracle import approve
from tests.agents.scenario import Cast, Scenario
from tests.agents.take import Take, decided, pause, reloaded, resumed

if TYPE_CHECKING:
    from agents import FunctionTool, FunctionToolCustomDataContext

    from tests.agents.log import Log

_LAST = None
_HUGE = 10**40


class Colour(enum.Enum):
    """An enum whose value is no name."""

    RED = "#f00"


class Inner(pydantic.BaseModel):
    """A model in a model."""

    when: dt.datetime
    price: decimal.Decimal


class Order(pydantic.BaseModel):
    """A model with a default that may stay unset."""

    lines: list[Inner]
    note: str | None = None
    by: dict[str, Inner] = pydantic.Field(default_factory=dict)


@dataclasses.dataclass
class Account:
    """A dataclass with a default."""

    name: str
    limit: int = _HUGE
    tags: list[str] = dataclasses.field(default_factory=list)


_WHEN = dt.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
_INNER = Inner(when=_WHEN, price=decimal.Decimal("1.10"))
_CYCLE_FREE = {"a": [1, {"b": [2.0, [None, True]]}], "": {"": ""}}

_ODD: dict[str, object] = {
    "text": "plain",
    "empty_text": "",
    "empty_dict": {},
    "empty_list": [],
    "nothing": None,
    "true": True,
    "zero": 0,
    "float": 1.0,
    "small_float": 5e-324,
    "minus_zero": -0.0,
    "huge": _HUGE,
    "huge_negative": -_HUGE,
    "nan": float("nan"),
    "infinity": [float("inf"), float("-inf")],
    "nested": _CYCLE_FREE,
    "bytes": b"\xff\x00",
    "bytes_inside": {"raw": b"\x00"},
    "datetime": _WHEN,
    "date_inside": [dt.date(2026, 1, 2), dt.timedelta(hours=1)],
    "set": {1},
    "tuple": (1, "two", (3,)),
    "decimal": decimal.Decimal("1.10"),
    "uuid": uuid.UUID(int=7),
    "enum": Colour.RED,
    "odd_keys": {7: "int", None: "none", True: "true", 2.5: "float"},
    "tuple_keys": {(1, 2): "pair"},
    "model": Order(lines=[_INNER], by={"x": _INNER}),
    "dataclass": Account("a"),
    "lone_surrogate": "\ud800 alone",
    "emoji": "\U0001f600 é\u2028",
    "nul": "a\x00b\x7f",
    "looks_like_tag": {"$": "bytes", "v": "/w=="},
    "looks_like_tag_text": '{"$":"bytes","v":"/w=="}',
    "looks_like_hitl": {"$hitl": "1.0", "$schemaVersion": "1.21", "$ref": "#/x"},
    "looks_like_item": {"type": "function_call", "call_id": "call_d", "arguments": "{}"},
    "looks_like_output": {"type": "text", "text": "an SDK output by its shape"},
    "python_repr": "{'path': '/x', 'size': 1}",
}
_MEDIA: dict[str, object] = {
    "image_url": ToolOutputImage(image_url="https://x/y.png", detail="high"),
    "image_file": ToolOutputImage(file_id="file_2"),
    "file_data": ToolOutputFileContent(file_data="QUJD", filename="a.txt"),
    "file_url": ToolOutputFileContent(file_url="https://x/a.pdf"),
    "text_part": ToolOutputText(text="part"),
    "parts": [ToolOutputText(text="one"), ToolOutputImage(image_url="https://x/z.png")],
    "part_dicts": [{"type": "text", "text": "d"}, {"type": "image", "file_id": "file_3"}],
}


def _custom_data(context: FunctionToolCustomDataContext) -> dict[str, Any]:
    return {"of": context.tool_context.tool_name, "n": [1, 2.5, None, _HUGE], "$": "tag"}


def _giver(log: Log, name: str, value: object) -> FunctionTool:
    return tools.function(
        log, name, {}, lambda _: value, custom_data_extractor=_custom_data, description=f"{name} é"
    )


def _giving(values: dict[str, object]) -> Cast:
    """One call for every value, and one beside them that waits."""

    def cast(log: Log) -> Agent[Any]:
        step = [call(name, {}, f"call_{name}") for name in values]
        step.append(call("delete_file", ' {"path" : "/\\u00e9", "n":1.0, "n2":1e400 } ', "call_d"))
        again = [call("delete_file", {"path": "/q"}, "call_e")]
        givers = [_giver(log, name, value) for name, value in values.items()]
        return Agent(
            name="giver",
            model=ScriptedModel("giver", [step, again, _LAST], log),
            tools=[*givers, tools.delete_file(log, strict_mode=False)],
        )

    return cast


def _plain(log: Log) -> Agent[Any]:
    model = ScriptedModel(
        "ops", [[call("delete_file", {"path": "/p"}, "call_d")], _LAST], log, caches_prompts=True
    )
    return Agent(name="ops", model=model, tools=[tools.delete_file(log)])


def _json_context() -> dict[str, Any]:
    """A mapping that JSON can say, barely."""
    odd = {"nan": float("nan"), "inf": float("inf"), "huge": _HUGE, "surrogate": "\udc00"}
    tags = {"$": "bytes", "$hitl": "1.0", "__type__": "x", "": None}
    return {"user": 7, "when": "2026-01-02T03:04:05Z", "odd": odd, "tags": tags, "list": [[], {}]}


_QUIET = RunConfig(tracing_disabled=True)
_INPUT = [
    {"role": "system", "content": "Be brief"},
    {"role": "developer", "content": [{"type": "input_text", "text": "No jokes"}]},
    {
        "role": "user",
        "content": [
            {"type": "input_text", "text": "Delete \ud83d\ude00"},
            {"type": "input_image", "image_url": "https://x/y.png", "detail": "low"},
            {"type": "input_file", "file_id": "file_1"},
        ],
    },
    {"role": "assistant", "content": "Which?"},
    {
        "type": "message",
        "role": "assistant",
        "id": "msg_old",
        "status": "incomplete",
        "content": [{"type": "output_text", "text": "Old", "annotations": []}],
    },
    {"type": "function_call", "call_id": "call_old", "name": "gone", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "call_old", "output": "earlier"},
    {"type": "item_reference", "id": "msg_ref"},
    {"role": "user", "content": "Go"},
]

TAKES = {
    "values_outputs": Take(scenario=Scenario(cast=_giving(_ODD)), play=pause()),
    "values_outputs_reloaded": Take(
        scenario=Scenario(cast=_giving(_ODD)),
        play=pause(),
        then=[decided(approve, "call_d"), resumed()],
    ),
    "values_media": Take(scenario=Scenario(cast=_giving(_MEDIA)), play=pause(streamed=True)),
    "values_media_reloaded": Take(
        scenario=Scenario(cast=_giving(_MEDIA)),
        play=pause(),
        then=[reloaded, decided(approve, "call_d"), resumed()],
    ),
    "values_context": Take(scenario=Scenario(cast=_plain), play=pause(context=_json_context())),
    "values_context_model": Take(
        scenario=Scenario(cast=_plain),
        play=pause(context=Order(lines=[], note="set")),
    ),
    "values_context_dataclass": Take(
        scenario=Scenario(cast=_plain), play=pause(context=Account("a", tags=["x"]))
    ),
    "values_context_serialized": Take(
        scenario=Scenario(cast=_plain),
        play=pause(context=Colour.RED),
        write={"context_serializer": lambda context: {"colour": context.name}},
    ),
    "values_context_omitted": Take(
        scenario=Scenario(cast=_plain), play=pause(context=object(), run_config=_QUIET)
    ),
    "values_input": Take(scenario=Scenario(cast=_plain), play=pause(_INPUT)),
}
