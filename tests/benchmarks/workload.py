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
LARGE: Any = ("bare", "large")
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


class Workload:
    """A run that goes on: the SDK's state at each of its pauses, and before each model call.

    Every state has lists of its own, of the same live objects, as the SDK's have.
    """

    def __init__(self, turns: int) -> None:
        """Play `turns` turns; the last call waits."""
        self.turns = 0
        self._owner = agent()
        self._context: RunContextWrapper[Any] = RunContextWrapper(context={"user": 1})
        self._items: list[Any] = []
        self._responses: list[ModelResponse] = []
        self._calls: tuple[Any, Any] | None = None
        for _ in range(turns):
            self.turn()

    def turn(self) -> None:
        """Play one more turn, after an answer to the call that waits."""
        if self._calls is not None:
            self.answer()
        self.turns += 1
        turn = self.turns - 1
        reasoning, one, two = _output(turn)
        usage = Usage(requests=1, input_tokens=1000 + turn, output_tokens=70, total_tokens=1070)
        self._context.usage.add(usage)
        self._responses.append(
            ModelResponse(output=[reasoning, one, two], usage=usage, response_id=f"resp_{turn}")
        )
        self._context._tool_invocation_status(one)
        self._context._tool_invocation_status(two, tool_lookup_key=LARGE)
        self._items += [
            ReasoningItem(agent=self._owner, raw_item=reasoning),
            ToolCallItem(agent=self._owner, raw_item=one),
            ToolCallItem(agent=self._owner, raw_item=two),
            _answer(self._owner, self._context, one, SMALL_BYTES),
        ]
        self._calls = (one, two)

    def answer(self) -> None:
        """Run the call that waits."""
        if self._calls is None:
            raise RuntimeError("expected a call that waits")
        two = self._calls[1]
        self._items.append(_answer(self._owner, self._context, two, LARGE_BYTES))
        self._calls = None

    def state(self) -> RunState[Any, Agent[Any]]:
        """Build the SDK's state as it is now."""
        run: RunState[Any, Agent[Any]] = RunState(self._context, "go", self._owner, max_turns=None)
        run._generated_items, run._session_items = list(self._items), list(self._items)
        run._model_responses = list(self._responses)
        run._current_turn = self.turns
        if self._calls is not None:
            _pause(run, *self._calls)
        return run


def state(turns: int) -> RunState[Any, Agent[Any]]:
    """Build the SDK's state after `turns` turns, the last call waiting."""
    return Workload(turns).state()


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
    context._mark_tool_call_completed(raw)
    return ToolCallOutputItem(agent=owner, raw_item=raw, output=value)


def _pause(run: Any, one: Any, two: Any) -> None:
    items = run._generated_items
    waiting = ToolApprovalItem(
        agent=run._current_agent, raw_item=two, tool_name="large", tool_lookup_key=LARGE
    )
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
    run._generated_items = [*items, waiting]
    run._session_items = [*run._session_items, waiting]
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
