"""The workload every benchmark uses: N turns, the last one waiting for an approval.

Each turn is a reasoning item of about 300 bytes, two function calls, two structured outputs of
about 470 bytes and 5 KB of JSON, and usage.
"""

from __future__ import annotations

import json
import random
import string
from typing import Any

from agents import (
    Agent,
    ModelResponse,
    ReasoningItem,
    RunContextWrapper,
    RunState,
    ToolApprovalItem,
    ToolCallItem,
    ToolCallOutputItem,
    Usage,
    function_tool,
)
from agents.run_internal.run_steps import (
    NextStepInterruption,
    ProcessedResponse,
    ToolRunFunction,
)
from openai.types.responses import ResponseFunctionToolCall, ResponseReasoningItem

SMALL_BYTES, LARGE_BYTES, REASONING_LETTERS = 470, 5_000, 230
_words = random.Random(1)  # noqa: S311 - the same workload each time


@function_tool
def small(x: int) -> dict[str, Any]:
    """Give little."""
    return {"x": x}


@function_tool(needs_approval=True)
def large(x: int) -> dict[str, Any]:
    """Give much."""
    return {"x": x}


def agent() -> Agent[Any]:
    """Build the agent the workload runs on."""
    return Agent(name="bench", tools=[small, large])


def state(turns: int) -> RunState[Any, Agent[Any]]:
    """Build the SDK's state after `turns` turns, the last call waiting."""
    owner = agent()
    context: RunContextWrapper[Any] = RunContextWrapper(context={"user": 1})
    run: RunState[Any, Agent[Any]] = RunState(context, "go", owner, max_turns=None)
    items: list[Any] = []
    for turn in range(turns):
        reasoning, one, two = _output(turn)
        usage = Usage(requests=1, input_tokens=1000 + turn, output_tokens=70, total_tokens=1070)
        context.usage.add(usage)
        response = ModelResponse(
            output=[reasoning, one, two], usage=usage, response_id=f"resp_{turn}"
        )
        run._model_responses.append(response)
        items += [
            ReasoningItem(agent=owner, raw_item=reasoning),
            ToolCallItem(agent=owner, raw_item=one),
            ToolCallItem(agent=owner, raw_item=two),
            _answer(owner, context, one, SMALL_BYTES),
        ]
        if turn < turns - 1:
            items.append(_answer(owner, context, two, LARGE_BYTES))
    _pause(run, items, one, two)
    run._current_turn = turns
    return run


def _output(turn: int) -> tuple[Any, Any, Any]:
    summary = [{"type": "summary_text", "text": _text(REASONING_LETTERS)}]
    reasoning = ResponseReasoningItem.model_validate(
        {"id": f"rs_{turn}", "type": "reasoning", "summary": summary}
    )
    return reasoning, _call(turn, "small"), _call(turn, "large")


def _call(turn: int, name: str) -> ResponseFunctionToolCall:
    return ResponseFunctionToolCall(
        id=f"fc_{name}_{turn}",
        call_id=f"call_{name}_{turn}",
        name=name,
        type="function_call",
        arguments=json.dumps({"x": turn}),
        status="completed",
    )


def _answer(owner: Any, context: Any, call: Any, size: int) -> ToolCallOutputItem:
    value = _rows(size)
    raw: Any = {"call_id": call.call_id, "output": str(value), "type": "function_call_output"}
    context._tool_invocation_status(call)
    context._mark_tool_call_completed(raw)
    return ToolCallOutputItem(agent=owner, raw_item=raw, output=value)


def _pause(run: Any, items: list[Any], one: Any, two: Any) -> None:
    waiting = ToolApprovalItem(
        agent=run._current_agent, raw_item=two, tool_name="large", tool_lookup_key=("bare", "large")
    )
    run._context._tool_invocation_status(two, tool_lookup_key=("bare", "large"))
    run._generated_items = [*items, waiting]
    run._session_items = [*items, waiting]
    run._last_processed_response = ProcessedResponse(
        new_items=items[-4:-1],
        handoffs=[],
        functions=[
            ToolRunFunction(tool_call=one, function_tool=small),
            ToolRunFunction(tool_call=two, function_tool=large),
        ],
        computer_actions=[],
        custom_tool_calls=[],
        local_shell_calls=[],
        shell_calls=[],
        apply_patch_calls=[],
        tools_used=["small", "large"],
        mcp_approval_requests=[],
        interruptions=[waiting],
        mcp_tool_bindings={},
    )
    run._current_step = NextStepInterruption(interruptions=[waiting])
    run._mark_generated_items_merged_with_last_processed()


def _rows(size: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while len(json.dumps(rows)) < size:
        rows.append(
            {
                "id": _words.randrange(10**6),
                "name": _text(20),
                "price": round(_words.random() * 100, 2),
                "tags": [_text(5), _text(5)],
                "stocked": True,
                "note": None,
            }
        )
    return rows


def _text(letters: int) -> str:
    return "".join(_words.choice(string.ascii_lowercase + " ") for _ in range(letters))
