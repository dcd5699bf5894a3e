"""Agents of `cross/py-0.24.0`: definitions that exist in Python and JavaScript alike.

Both play one script, `cross/scenarios.json`: per definition and agent, what the model answers: raw
Responses items, then `"FINAL"`.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from agents import (
    Agent,
    FunctionTool,
    GuardrailFunctionOutput,
    InputGuardrail,
    OutputGuardrail,
    ToolOutputFileContent,
    ToolOutputImage,
    handoff,
)
from mcp.types import Tool

from tests.agents import corpus, tools
from tests.agents.model import ScriptedModel
from tests.agents.scenario import Cast, Scenario

if TYPE_CHECKING:
    from agents import RunContextWrapper

    from tests.agents.log import Log
    from tests.agents.model import Step

_FOLDER = "cross/py-0.24.0"
_TEXT, _NUMBER = tools.TEXT, tools.NUMBER
_WEATHER = {"temp": 3.5, "flags": [True, None], "nested": {"camelKey": 1, "snake_key": 2}}


@functools.cache
def _script() -> dict[str, Any]:
    script: dict[str, Any] = corpus.load("cross/scenarios")
    return script


def _steps(definition: str, agent: str) -> list[Step]:
    return [
        None if step == "FINAL" else [_named(item) for item in step]
        for step in _script()[definition][agent]
    ]


def _named(item: dict[str, Any]) -> dict[str, Any]:
    """`$TRANSFER` stands for the handoff's name, which the two SDKs spell differently."""
    return item | {"name": "transfer_to_mailer"} if item.get("name") == "$TRANSFER" else item


def _agent(name: str, definition: str, log: Log, **options: Any) -> Agent[Any]:  # noqa: ANN401  (of Agent)
    options.setdefault("instructions", f"You are {name}.")
    return Agent(name=name, model=ScriptedModel(name, _steps(definition, name), log), **options)


def _send_email(log: Log, *, strict: bool = True) -> FunctionTool:
    properties = {"to": _TEXT, "subject": _TEXT}
    return tools.function(
        log,
        "send_email",
        properties,
        lambda given: f"sent to {given['to']}",
        needs_approval=True,
        strict=strict,
    )


def _delete_file(log: Log) -> FunctionTool:
    return tools.function(
        log,
        "delete_file",
        {"path": _TEXT},
        lambda given: f"deleted {given['path']}",
        needs_approval=True,
    )


def _get_weather(log: Log) -> FunctionTool:
    return tools.function(
        log, "get_weather", {"city": _TEXT}, lambda given: {"city": given["city"]} | _WEATHER
    )


def _mailer(log: Log) -> Agent[Any]:
    return _agent("Mailer", "mailer", log, tools=[_send_email(log)])


def _reasoning(log: Log) -> Agent[Any]:
    return _agent("Mailer", "reasoning", log, tools=[_send_email(log, strict=False)])


def _nested(log: Log) -> Agent[Any]:
    lookup = tools.function(
        log,
        "lookup",
        {"key": _TEXT},
        lambda given: f"value of {given['key']} is 42",
        needs_approval=True,
    )
    researcher = _agent("Researcher", "nested", log, tools=[lookup])
    tool = researcher.as_tool(tool_name="ask_researcher", tool_description="ask")
    return _agent("Orchestrator", "nested", log, tools=[tool])


def _handoff(log: Log) -> Agent[Any]:
    mailer = _agent("Mailer", "handoff", log, tools=[_send_email(log)])
    return _agent(
        "Triage",
        "handoff",
        log,
        handoffs=[handoff(mailer, tool_name_override="transfer_to_mailer")],
    )


def _handoff_default(log: Log) -> Agent[Any]:
    mailer = _agent("Mailer", "handoff_default", log, tools=[_send_email(log)])
    return _agent("Triage", "handoff_default", log, handoffs=[mailer])


def _handoff_pending(log: Log) -> Agent[Any]:
    mailer = _agent("Mailer", "handoff_pending", log)
    return _agent("Triage", "handoff_pending", log, tools=[_send_email(log)], handoffs=[mailer])


def _dup_names(log: Log) -> Agent[Any]:
    first = _agent("Worker", "dup_names", log, instructions="first", tools=[_send_email(log)])
    second = _agent("Worker", "dup_names", log, instructions="second", tools=[_send_email(log)])
    handoffs = [
        handoff(first, tool_name_override="transfer_to_first"),
        handoff(second, tool_name_override="transfer_to_second"),
    ]
    return _agent("Triage", "dup_names", log, handoffs=handoffs)


def _shell(log: Log) -> Agent[Any]:
    return _agent("Operator", "shell", log, tools=[tools.shell(log, needs_approval=True)])


def _apply_patch(log: Log) -> Agent[Any]:
    return _agent(
        "Patcher", "apply_patch", log, tools=[tools.apply_patch(log, needs_approval=True)]
    )


def _hosted_mcp(log: Log) -> Agent[Any]:
    return _agent(
        "McpUser", "hosted_mcp", log, tools=[tools.hosted_mcp("deepwiki", "https://mcp.example/x")]
    )


def _hosted_two(log: Log) -> Agent[Any]:
    hosted = tools.hosted_mcp("deepwiki", "https://mcp.example/x")
    return _agent("McpUser", "hosted_two", log, tools=[_send_email(log), hosted])


def _hosted_items(log: Log) -> Agent[Any]:
    hosted = tools.hosted_mcp("deepwiki", "https://mcp.example/x", "never")
    return _agent("Mailer", "hosted_items", log, tools=[_send_email(log), hosted])


def _local_mcp(log: Log) -> Agent[Any]:
    schema = {
        "type": "object",
        "properties": {"a": _NUMBER, "b": _NUMBER},
        "required": ["a", "b"],
        "additionalProperties": False,
    }
    tool = Tool(name="add", description="add", input_schema=schema)
    server = tools.LocalMcp(log, "calc", tool, lambda given: str(int(given["a"] + given["b"])))
    return _agent("McpLocal", "local_mcp", log, mcp_servers=[server], tools=[_send_email(log)])


def _planner_tools(log: Log) -> list[FunctionTool]:
    return [
        _get_weather(log),
        tools.function(
            log,
            "get_list",
            {"n": _NUMBER},
            lambda given: [{"i": i} for i in range(int(given["n"]))],
        ),
        tools.function(log, "get_number", {"n": _NUMBER}, lambda given: given["n"]),
        _send_email(log),
    ]


def _multi_turn(log: Log) -> Agent[Any]:
    return _agent("Planner", "multi_turn", log, tools=[*_planner_tools(log)])


async def _input_is_fine(
    _context: RunContextWrapper[Any], _agent: Agent[Any], _given: object
) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info={"ok": True}, tripwire_triggered=False)


async def _output_is_fine(
    _context: RunContextWrapper[Any], _agent: Agent[Any], _output: object
) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)


def _guardrails(log: Log) -> Agent[Any]:
    return _agent(
        "Planner",
        "multi_turn",
        log,
        tools=[*_planner_tools(log)],
        input_guardrails=[InputGuardrail(guardrail_function=_input_is_fine, name="ig")],
        output_guardrails=[OutputGuardrail(guardrail_function=_output_is_fine, name="og")],
    )


def _image_out(log: Log) -> Agent[Any]:
    image = ToolOutputImage(image_url="https://x/y.png", detail="high")
    inline = ToolOutputImage(image_url="data:image/png;base64,QUJD")
    file = ToolOutputFileContent(file_id="file_1", filename="a.txt")
    offered = [
        _send_email(log),
        tools.function(log, "get_image", {}, lambda _: image),
        tools.function(log, "get_inline", {}, lambda _: inline),
        tools.function(log, "get_file", {}, lambda _: file),
    ]
    return _agent("Planner", "image_out", log, tools=[*offered])


def _parallel(log: Log) -> Agent[Any]:
    return _agent(
        "Planner", "parallel", log, tools=[_get_weather(log), _send_email(log), _delete_file(log)]
    )


def _two_pauses(log: Log) -> Agent[Any]:
    return _agent("Mailer", "two_pauses", log, tools=[_send_email(log), _delete_file(log)])


def _local_done(log: Log) -> Agent[Any]:
    return _agent(
        "Operator",
        "local_done",
        log,
        tools=[_send_email(log), tools.shell(log), tools.apply_patch(log)],
    )


_CASTS: dict[str, Cast] = {
    "apply_patch": _apply_patch,
    "context": _mailer,
    "conversation": _mailer,
    "dup_names": _dup_names,
    "guardrails": _guardrails,
    "handoff": _handoff,
    "handoff_default": _handoff_default,
    "handoff_pending": _handoff_pending,
    "hosted_items": _hosted_items,
    "hosted_mcp": _hosted_mcp,
    "hosted_two": _hosted_two,
    "image_out": _image_out,
    "listinput": _mailer,
    "local_done": _local_done,
    "local_mcp": _local_mcp,
    "multi_turn": _multi_turn,
    "nested": _nested,
    "parallel": _parallel,
    "pending_input": _mailer,
    "plain": _mailer,
    "prev_response": _mailer,
    "reasoning": _reasoning,
    "shell": _shell,
    "streamed": _mailer,
    "two_pauses": _two_pauses,
}
_IN_SESSION: dict[str, Cast] = {
    "guard_session": _guardrails,
    "multi_session": _multi_turn,
    "parallel_session": _parallel,
    "session": _mailer,
    "two_session": _two_pauses,
}
_FIRST = {
    "apply_patch": "call_ap1",
    "hosted_mcp": "mcpr_1",
    "nested": "call_r1",
    "parallel": "call_1",
    "shell": "call_sh1",
}
"""What the decided variants decided; a sticky decision covers other calls of its tool too."""
_STICKY = {"parallel": frozenset({"call_1", "call_2"})}


def _decided() -> dict[str, Scenario]:
    variants: dict[str, Scenario] = {}
    for stem, call_id in _FIRST.items():
        once = Scenario(cast=_CASTS[stem], decided=frozenset({call_id}))
        sticky = Scenario(cast=_CASTS[stem], decided=_STICKY.get(stem, frozenset({call_id})))
        variants |= {f"{stem}.approve1": once, f"{stem}.reject1": once}
        variants |= {f"{stem}.always": sticky, f"{stem}.rejectalways": sticky}
    return variants


_BY_STEM = {
    **{stem: Scenario(cast=cast) for stem, cast in _CASTS.items()},
    **{
        stem: Scenario(cast=cast, session_id="sess_1", history=f"{_FOLDER}/{stem}.json.session")
        for stem, cast in _IN_SESSION.items()
    },
    **_decided(),
}
SCENARIOS = {f"{_FOLDER}/{stem}": scenario for stem, scenario in _BY_STEM.items()}
