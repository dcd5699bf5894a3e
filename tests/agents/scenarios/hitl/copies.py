"""States in which two copies of one item differ: what the model sees, the session, the response."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from agents import (
    Agent,
    FunctionTool,
    HandoffInputData,
    RunConfig,
    ToolGuardrailFunctionOutput,
    ToolOutputGuardrail,
    ToolSearchTool,
    handoff,
)
from agents.extensions.handoff_filters import remove_all_tools
from agents.items import RunItem, ToolCallOutputItem

from tests.agents import tools
from tests.agents.model import ScriptedModel, call, message
from tests.agents.oracle import approve
from tests.agents.scenario import Cast, Scenario
from tests.agents.take import Take, decided, pause, reloaded, resumed

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents import ToolOutputGuardrailData

    from tests.agents.log import Log
    from tests.agents.model import Step

_LAST = None
_THOUGHT: dict[str, object] = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "Look first."}],
    "content": [{"type": "reasoning_text", "text": "raw thought"}],
    "encrypted_content": "ENC==",
}


def _secret(log: Log) -> FunctionTool:
    return tools.function(log, "read_secret", {"key": tools.TEXT}, lambda _: {"secret": "s3cret"})


def _triage(
    log: Log, input_filter: Callable[[HandoffInputData], HandoffInputData] | None
) -> Agent[Any]:
    """Reads a secret, thinks, says something, hands over; the specialist asks to delete."""
    first: Step = [_THOUGHT, call("read_secret", {"key": "k"}, "call_s")]
    second: Step = [
        message("Handing over.", "msg_over"),
        call("transfer_to_specialist", {}, "call_h"),
    ]
    specialist = Agent(
        name="specialist",
        model=ScriptedModel(
            "specialist", [[call("delete_file", {"path": "/p"}, "call_d")], _LAST], log
        ),
        tools=[tools.delete_file(log)],
    )
    return Agent(
        name="triage",
        model=ScriptedModel("triage", [first, second], log),
        tools=[_secret(log)],
        handoffs=[handoff(specialist, input_filter=input_filter)],
    )


def _hidden(item: RunItem) -> RunItem:
    if not isinstance(item, ToolCallOutputItem):
        return item
    assert isinstance(item.raw_item, dict)
    raw_item = dict(item.raw_item) | {"output": "[hidden]"}
    return dataclasses.replace(item, raw_item=raw_item, output="[hidden]")


def _hide_outputs(data: HandoffInputData) -> HandoffInputData:
    """The next agent sees no output of a tool; the session keeps them."""
    return data.clone(
        pre_handoff_items=tuple(_hidden(item) for item in data.pre_handoff_items),
        input_items=tuple(_hidden(item) for item in data.new_items),
    )


def _filtered(log: Log) -> Agent[Any]:
    return _triage(log, _hide_outputs)


def _toolless(log: Log) -> Agent[Any]:
    return _triage(log, remove_all_tools)


def _unfiltered(log: Log) -> Agent[Any]:
    return _triage(log, None)


def _made_by(log: Log, *, raw: bool = False) -> Agent[Any]:
    """The server says who made an item; the SDK drops it from the item, not from the response."""
    shell: dict[str, object] = {
        "type": "shell_call",
        "id": "sh_1",
        "call_id": "call_sh",
        "status": "completed",
        "created_by": "server",
        "action": {"commands": ["ls"], "timeout_ms": 10, "max_output_length": 99},
    }
    if raw:  # as adapters write it: what the SDK's own types read differently
        shell["action"] = {"type": "exec", "commands": ["ls"], "timeout_ms": 10.0}
    step: Step = [
        {"type": "compaction", "id": "cmp_1", "encrypted_content": "ENC==", "created_by": "server"},
        {
            "type": "tool_search_call",
            "id": "tsc_1",
            "call_id": None,
            "arguments": {"paths": ["crm"]},
            "execution": "server",
            "status": "completed",
            "created_by": "server",
        },
        {
            "type": "tool_search_output",
            "id": "tso_1",
            "call_id": None,
            "execution": "server",
            "status": "completed",
            "created_by": "server",
            "tools": [
                {
                    "type": "function",
                    "name": "late",
                    "description": "late tool",
                    "parameters": {"type": "object", "properties": {}},
                    "strict": True,
                    "defer_loading": True,
                }
            ],
        },
        shell,
    ]
    late = tools.function(log, "late", {}, lambda _: "late", defer_loading=True)
    return Agent(
        name="ops",
        model=ScriptedModel("ops", [step, _LAST], log, raw=raw),
        tools=[tools.shell(log, needs_approval=True), ToolSearchTool(), late],
    )


def _made_by_raw(log: Log) -> Agent[Any]:
    return _made_by(log, raw=True)


def _patcher(kind: str) -> Cast:
    """A patch asked for as another kind of call; the SDK turns the item into a patch call."""
    patch = '{"type": "update_file", "path": "a.py", "diff": "-a\\n+b\\n"}'
    wanted: dict[str, object] = {
        "custom": {
            "type": "custom_tool_call",
            "id": "ct_1",
            "call_id": "call_p",
            "name": "apply_patch",
            "input": patch,
        },
        "function": call("apply_patch", patch, "call_p"),
    }

    def cast(log: Log) -> Agent[Any]:
        step = wanted[kind]
        assert isinstance(step, dict)
        return Agent(
            name="patcher",
            model=ScriptedModel("patcher", [[step], _LAST], log),
            tools=[tools.apply_patch(log, needs_approval=True)],
        )

    return cast


def _blot(data: ToolOutputGuardrailData) -> ToolGuardrailFunctionOutput:
    found = {"was": str(data.output), "rules": [1, 2.5, None]}
    return ToolGuardrailFunctionOutput.reject_content("blotted out", output_info=found)


def _rewritten(log: Log) -> Agent[Any]:
    """A guardrail replaces a tool's output before anybody sees it."""
    secret = _secret(log)
    secret.tool_output_guardrails = [ToolOutputGuardrail(guardrail_function=_blot, name="blot")]
    step = [call("read_secret", {"key": "k"}, "call_s"), call("delete_file", {"path": "/p"}, "c_d")]
    return Agent(
        name="ops",
        model=ScriptedModel("ops", [step, _LAST], log),
        tools=[secret, tools.delete_file(log)],
    )


def _same_texts(log: Log) -> Agent[Any]:
    """Equal messages under one id, equal calls and equal outputs, over two responses."""
    echo = tools.function(log, "echo", {"text": tools.TEXT}, lambda given: given["text"])
    steps: list[Step] = [
        [
            message("Working on it.", "msg_same"),
            message("Working on it.", "msg_other"),
            call("echo", {"text": "same"}, "call_1", id="fc_same"),
            call("echo", {"text": "same"}, "call_2", id="fc_same"),
        ],
        [
            message("Working on it.", "msg_same"),
            call("echo", {"text": "same"}, "call_3", id="fc_same"),
            call("delete_file", {"path": "same"}, "call_4"),
            call("delete_file", {"path": "same"}, "call_5"),
        ],
        _LAST,
    ]
    return Agent(
        name="ops",
        model=ScriptedModel("ops", steps, log),
        tools=[echo, tools.delete_file(log)],
    )


def _hosted_steps() -> list[Step]:
    """Every hosted tool, with fields this SDK does not know, and numbers that read differently."""
    hosted: list[dict[str, object]] = [
        _THOUGHT,
        {
            "type": "web_search_call",
            "id": "ws_1",
            "status": "completed",
            "action": {"type": "search", "query": "q", "queries": ["q"], "later_field": {"a": [1]}},
        },
        {
            "type": "file_search_call",
            "id": "fs_1",
            "status": "completed",
            "queries": ["q"],
            "results": [{"file_id": "f", "score": 1, "attributes": {"n": 1}, "text": None}],
        },
        {
            "type": "code_interpreter_call",
            "id": "ci_1",
            "status": "completed",
            "code": "print(1)",
            "container_id": "c1",
            "outputs": [{"type": "logs", "logs": "1"}],
        },
        {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "QUJD"},
        {
            "type": "mcp_list_tools",
            "id": "mcpl_1",
            "server_label": "wiki",
            "tools": [{"name": "search", "input_schema": {"type": "object"}, "annotations": None}],
            "error": None,
        },
        {
            "type": "mcp_call",
            "id": "mcp_1",
            "name": "search",
            "arguments": '{"q":1}',
            "server_label": "wiki",
            "output": "found",
            "error": None,
            "later_field": True,
        },
        {
            "type": "message",
            "id": "msg_0",
            "role": "assistant",
            "status": "completed",
            "phase": "commentary",
            "content": [
                {
                    "type": "output_text",
                    "text": "See [1].",
                    "annotations": [
                        {
                            "type": "url_citation",
                            "start_index": 4,
                            "end_index": 7,
                            "url": "https://x",
                            "title": "T",
                        }
                    ],
                    "logprobs": [
                        {"token": "S", "bytes": [83], "logprob": -0.5, "top_logprobs": []}
                    ],
                },
                {"type": "refusal", "refusal": "not that"},
            ],
        },
        call("delete_file", {"path": "/p"}, "call_d", provider_data={"trace": "t1"}),
    ]
    return [hosted, [call("delete_file", {"path": "/q"}, "call_e")], _LAST]


def _hosted(log: Log) -> Agent[Any]:
    return Agent(
        name="researcher",
        model=ScriptedModel("researcher", _hosted_steps(), log),
        tools=[
            tools.delete_file(log),
            tools.hosted_mcp("wiki", "https://mcp.example/x", "never"),
        ],
    )


_NESTING = RunConfig(tracing_disabled=True, nest_handoff_history=True)
_OMITTING = RunConfig(tracing_disabled=True, reasoning_item_id_policy="omit")

TAKES = {
    "copies_handoff_filtered": Take(scenario=Scenario(cast=_filtered), play=pause()),
    "copies_handoff_filtered_session": Take(
        scenario=Scenario(cast=_filtered, session_id="s1"), play=pause()
    ),
    "copies_handoff_toolless": Take(scenario=Scenario(cast=_toolless), play=pause(streamed=True)),
    "copies_handoff_nested": Take(
        scenario=Scenario(cast=_unfiltered, options={"run_config": _NESTING}), play=pause()
    ),
    "copies_handoff_nested_session": Take(
        scenario=Scenario(cast=_unfiltered, session_id="s1", options={"run_config": _NESTING}),
        play=pause(),
        earlier=[
            {"role": "user", "content": "earlier"},
            {"role": "assistant", "content": "reply"},
        ],
    ),
    "copies_made_by": Take(scenario=Scenario(cast=_made_by), play=pause()),
    "copies_made_by_raw": Take(scenario=Scenario(cast=_made_by_raw), play=pause()),
    "copies_made_by_raw_reloaded": Take(
        scenario=Scenario(cast=_made_by_raw), play=pause(), then=[reloaded]
    ),
    "copies_patch_as_custom": Take(scenario=Scenario(cast=_patcher("custom")), play=pause()),
    "copies_patch_as_function": Take(scenario=Scenario(cast=_patcher("function")), play=pause()),
    "copies_output_rewritten": Take(scenario=Scenario(cast=_rewritten), play=pause()),
    "copies_same_texts": Take(scenario=Scenario(cast=_same_texts), play=pause()),
    "copies_hosted": Take(scenario=Scenario(cast=_hosted), play=pause()),
    "copies_hosted_reloaded": Take(
        scenario=Scenario(cast=_hosted),
        play=pause(),
        then=[reloaded, decided(approve, "call_d"), resumed()],
    ),
    "copies_reasoning_ids_omitted": Take(
        scenario=Scenario(cast=_hosted, options={"run_config": _OMITTING}),
        play=pause(),
        then=[decided(approve, "call_d"), resumed()],
    ),
}
