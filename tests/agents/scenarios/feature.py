"""Agents of `openai-agents-python/feature`: guardrails, duplicate names, held writes, tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from agents import (
    Agent,
    CustomTool,
    FunctionTool,
    GuardrailFunctionOutput,
    InputGuardrail,
    OutputGuardrail,
    Tool,
    ToolGuardrailFunctionOutput,
    ToolInputGuardrail,
    ToolOutputGuardrail,
    function_tool,
)
from agents.tool_context import ToolContext  # noqa: TC002  (function_tool reads annotations at run time)

from tests.agents import tools
from tests.agents.model import ScriptedModel, call
from tests.agents.scenario import Cast, Scenario

if TYPE_CHECKING:
    from agents import RunContextWrapper, ToolInputGuardrailData, ToolOutputGuardrailData

    from tests.agents.log import Log

_FOLDER = "openai-agents-python/feature"
_LAST = None


def _plain(log: Log) -> Agent[Any]:
    step: list[dict[str, object]] = [
        {"type": "reasoning", "id": "rs_1", "summary": []},
        call("stat_file", {"path": "/data/x"}, "call_s"),
        call("delete_file", {"path": "/data/x"}, "call_d"),
    ]
    model = ScriptedModel("ops", [step, _LAST], log)
    return Agent(
        name="ops",
        instructions="be careful",
        model=model,
        tools=[tools.delete_file(log), tools.stat_file(log)],
    )


def _one_call(path: str) -> Cast:
    def cast(log: Log) -> Agent[Any]:
        model = ScriptedModel("ops", [[call("delete_file", {"path": path}, "call_1")], _LAST], log)
        return Agent(name="ops", model=model, tools=[tools.delete_file(log)])

    return cast


def _nested(log: Log) -> Agent[Any]:
    worker = ScriptedModel(
        "worker", [[call("delete_file", {"path": "/data/z"}, "call_in")], _LAST], log
    )
    inner = Agent(name="worker", model=worker, tools=[tools.delete_file(log)])
    boss = ScriptedModel(
        "boss", [[call("worker_tool", {"input": "delete z"}, "call_out")], _LAST], log
    )
    tool = inner.as_tool(tool_name="worker_tool", tool_description="delegate")
    return Agent(name="boss", model=boss, tools=[tool])


def _native(log: Log) -> Agent[Any]:
    def raw_sql(context: ToolContext[Any], text: str) -> str:
        log.ran("raw_sql", text, context.tool_call_id)
        return "ok"

    custom = CustomTool(
        name="raw_sql", description="run sql", on_invoke_tool=raw_sql, needs_approval=True
    )
    step: list[dict[str, object]] = [
        {
            "type": "shell_call",
            "id": "sh_1",
            "call_id": "call_sh",
            "status": "completed",
            "action": {"commands": ["rm -rf /data/x"], "timeout_ms": 1000},
        },
        {
            "type": "apply_patch_call",
            "id": "ap_1",
            "call_id": "call_ap",
            "status": "completed",
            "operation": {"type": "update_file", "path": "a.py", "diff": "-a\n+b\n"},
        },
        {
            "type": "custom_tool_call",
            "id": "ct_1",
            "call_id": "call_ct",
            "name": "raw_sql",
            "input": "DROP TABLE t",
        },
    ]
    native: list[Tool] = [
        tools.shell(log, needs_approval=True),
        tools.apply_patch(log, needs_approval=True),
        custom,
    ]
    return Agent(name="native", model=ScriptedModel("native", [step, _LAST], log), tools=native)


def _hosted_mcp(log: Log) -> Agent[Any]:
    request = {
        "type": "mcp_approval_request",
        "id": "mcpr_1",
        "name": "search",
        "arguments": '{"q":"x"}',
    }
    model = ScriptedModel("mcp", [[request | {"server_label": "gitmcp"}], _LAST], log)
    return Agent(
        name="mcp", model=model, tools=[tools.hosted_mcp("gitmcp", "https://example.test/mcp")]
    )


def _session(log: Log) -> Agent[Any]:
    step: list[dict[str, object]] = [
        {"type": "reasoning", "id": "rs_1", "summary": []},
        call("stat_file", {"path": "/x"}, "call_s"),
        call("delete_file", {"path": "/data/x"}, "call_1"),
    ]
    model = ScriptedModel("ops", [step, _LAST], log)
    return Agent(name="ops", model=model, tools=[tools.delete_file(log), tools.stat_file(log)])


def _check_input(
    _context: RunContextWrapper[Any], _agent: Agent[Any], _given: object
) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info={"score": 0.1}, tripwire_triggered=False)


def _check_output(
    _context: RunContextWrapper[Any], _agent: Agent[Any], _output: object
) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)


def _check_arguments(_data: ToolInputGuardrailData) -> ToolGuardrailFunctionOutput:
    return ToolGuardrailFunctionOutput.allow(output_info="in-ok")


def _check_result(_data: ToolOutputGuardrailData) -> ToolGuardrailFunctionOutput:
    return ToolGuardrailFunctionOutput.allow(output_info="out-ok")


def _guarded(log: Log) -> FunctionTool:
    def guarded(context: ToolContext[Any], x: int) -> str:
        log.ran("guarded", context.tool_arguments, context.tool_call_id)
        return str(x)

    return function_tool(
        guarded,
        tool_input_guardrails=[ToolInputGuardrail(guardrail_function=_check_arguments, name="tig")],
        tool_output_guardrails=[ToolOutputGuardrail(guardrail_function=_check_result, name="tog")],
    )


def _triage(tool_use_behavior: Literal["run_llm_again", "stop_on_first_tool"]) -> Cast:
    def cast(log: Log) -> Agent[Any]:
        step: list[dict[str, object]] = [
            call("guarded", {"x": 1}, "call_g"),
            call("delete_file", {"path": "/p"}, "call_d"),
        ]
        specialist = Agent(
            name="specialist",
            model=ScriptedModel("specialist", [step, _LAST], log),
            tools=[tools.delete_file(log), _guarded(log)],
            output_guardrails=[OutputGuardrail(guardrail_function=_check_output, name="og")],
            tool_use_behavior=tool_use_behavior,
        )
        return Agent(
            name="triage",
            model=ScriptedModel("triage", [[call("transfer_to_specialist", {}, "call_h")]], log),
            handoffs=[specialist],
            input_guardrails=[InputGuardrail(guardrail_function=_check_input, name="ig")],
        )

    return cast


def _duplicates(log: Log) -> Agent[Any]:
    second = Agent(
        name="dup",
        instructions="B",
        model=ScriptedModel("dup B", [[call("delete_file", {"path": "/p"}, "call_d")], _LAST], log),
        tools=[tools.delete_file(log)],
    )
    model = ScriptedModel("dup A", [[call("transfer_to_dup", {}, "call_h")]], log)
    return Agent(name="dup", instructions="A", model=model, handoffs=[second])


def _in_session(cast: Cast, stem: str, session_id: str) -> Scenario:
    return Scenario(cast=cast, session_id=session_id, history=f"{_FOLDER}/{stem}.history_at_pause")


_BY_STEM = {
    "a_plain": Scenario(cast=_plain),
    "a_plain.always_approved": Scenario(cast=_plain, decided=frozenset({"call_d"})),
    "a_plain.rejected": Scenario(cast=_plain, decided=frozenset({"call_d"})),
    "a_plain.final": Scenario(cast=_plain, finished=True),
    "b_streamed": Scenario(cast=_one_call("/data/y")),
    "c_nested_agent_tool": Scenario(cast=_nested),
    "c_nested_agent_tool.approved": Scenario(cast=_nested, decided=frozenset({"call_in"})),
    "d_shell_patch_custom": Scenario(cast=_native),
    "d_shell_patch_custom.final": Scenario(cast=_native, finished=True),
    "e_hosted_mcp": Scenario(cast=_hosted_mcp),
    "e_hosted_mcp.always_approved": Scenario(cast=_hosted_mcp, decided=frozenset({"mcpr_1"})),
    "e_hosted_mcp.final": Scenario(cast=_hosted_mcp, finished=True),
    "f_auto_previous_response_id": Scenario(cast=_one_call("/data/x")),
    "f_conversation_id": Scenario(cast=_one_call("/data/x")),
    "f_previous_response_id": Scenario(cast=_one_call("/data/x")),
    "g_sqlite_session": _in_session(_session, "g_sqlite_session", "s1"),
    "h_handoff_trace_guardrails": _in_session(
        _triage("run_llm_again"), "h_handoff_trace_guardrails", "h_handoff_trace_guardrails"
    ),
    "h_held_session_write": _in_session(
        _triage("stop_on_first_tool"), "h_held_session_write", "h_held_session_write"
    ),
    "i_pending_input": Scenario(cast=_one_call("/data/x")),
    "j_duplicate_agent_names": Scenario(cast=_duplicates, decided=frozenset({"call_d"})),
}
SCENARIOS = {f"{_FOLDER}/{stem}": scenario for stem, scenario in _BY_STEM.items()}
