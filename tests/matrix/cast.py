"""Agents that every release can run, and a model that plays its part of a script."""

# ruff: noqa: ANN401  (the SDK's objects, in the shape of whatever release is installed)

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import agents
import attrs
from agents import Agent, Model, ModelResponse, Usage, function_tool
from agents.mcp import MCPServer
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseFunctionToolCall,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseReasoningItem,
    ResponseUsage,
)
from openai.types.responses.response_output_item import McpApprovalRequest
from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails
from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

Script = list[list[Any]]


@attrs.define
class Log:
    """What a run did: model requests, and the code of tools that ran."""

    requests: list[Any] = attrs.field(factory=list)
    ran: list[Any] = attrs.field(factory=list)


def plain(value: Any) -> Any:
    """Items as JSON; what is no JSON becomes its repr."""
    if isinstance(value, BaseModel):
        return plain(value.model_dump(exclude_unset=True))
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value if isinstance(value, str | int | float | None) else repr(value)


class Actor(Model):
    """Says the next entry of the script at each request, whichever agent asks."""

    def __init__(self, script: Script, log: Log, said: int) -> None:
        self.script, self.log, self.said = script, log, said

    def _next(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[list[Any], str]:
        self.log.requests.append(
            {
                "agent": kwargs.get("system_instructions", args[0] if args else None),
                "input": plain(kwargs["input"] if "input" in kwargs else args[1]),
                "previous_response_id": kwargs.get("previous_response_id"),
                "conversation_id": kwargs.get("conversation_id"),
            }
        )
        self.said += 1
        if self.said > len(self.script):
            raise LookupError("the run asked for more than the script says")
        return list(self.script[self.said - 1]), f"resp_{self.said}"

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:
        """The next entry at once."""
        output, response_id = self._next(args, kwargs)
        usage = Usage(requests=1, input_tokens=11, output_tokens=7, total_tokens=18)
        return ModelResponse(output=output, usage=usage, response_id=response_id)

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """The next entry item by item, then as a whole."""
        output, response_id = self._next(args, kwargs)
        for position, item in enumerate(output):
            yield ResponseOutputItemDoneEvent(
                type="response.output_item.done",
                item=item,
                output_index=position,
                sequence_number=position,
            )
        usage = ResponseUsage(
            input_tokens=11,
            output_tokens=7,
            total_tokens=18,
            input_tokens_details=InputTokensDetails.model_validate(
                {"cached_tokens": 0, "cache_write_tokens": 0}
            ),
            output_tokens_details=OutputTokensDetails(reasoning_tokens=0),
        )
        response = Response(
            id=response_id,
            created_at=0,
            model="actor",
            object="response",
            output=output,
            tool_choice="none",
            tools=[],
            parallel_tool_calls=True,
            usage=usage,
        )
        yield ResponseCompletedEvent(
            type="response.completed", sequence_number=len(output), response=response
        )


def call(name: str, arguments: dict[str, Any], call_id: str) -> ResponseFunctionToolCall:
    """A function call."""
    return ResponseFunctionToolCall(
        id=f"fc_{call_id}",
        call_id=call_id,
        name=name,
        type="function_call",
        arguments=json.dumps(arguments),
        status="completed",
    )


def message(text: str) -> ResponseOutputMessage:
    """A message of the assistant."""
    part = ResponseOutputText(text=text, type="output_text", annotations=[], logprobs=[])
    return ResponseOutputMessage(
        id=f"msg_{text}", type="message", role="assistant", status="completed", content=[part]
    )


def _tools(log: Log, **options: Any) -> list[Any]:
    def delete_file(path: str) -> str:
        """Delete a file."""
        log.ran.append(["delete_file", path])
        return f"deleted {path}"

    def stat_file(path: str) -> dict[str, Any]:
        """Stat a file."""
        log.ran.append(["stat_file", path])
        return {"path": path, "size": 1, "tags": ["a"]}

    return [
        function_tool(delete_file, needs_approval=True, **options),
        function_tool(stat_file, **options),
    ]


def _agent(name: str, model: Actor, **parts: Any) -> Agent[Any]:
    return Agent(name=name, instructions=name, model=model, **parts)


def _ops(model: Actor) -> Agent[Any]:
    return _agent("ops", model, tools=_tools(model.log))


def _nested(model: Actor) -> Agent[Any]:
    tool = _agent("worker", model, tools=_tools(model.log)).as_tool(
        tool_name="worker_tool", tool_description="d"
    )
    return _agent("boss", model, tools=[tool])


def _handoff(model: Actor) -> Agent[Any]:
    return _agent("triage", model, handoffs=[_agent("spec", model, tools=_tools(model.log))])


def _native(model: Actor) -> Agent[Any]:
    def shell(request: Any) -> str:
        model.log.ran.append(["shell", list(request.data.action.commands)])
        return "listed"

    class Editor:
        def update_file(self, operation: Any) -> None:
            model.log.ran.append(["apply_patch", operation.path])

        create_file = delete_file = update_file

    editor: Any = Editor()
    return _agent(
        "ops",
        model,
        tools=[
            agents.ShellTool(executor=shell, needs_approval=True),
            agents.ApplyPatchTool(editor=editor, needs_approval=True),
        ],
    )


def _hosted_mcp(model: Actor) -> Agent[Any]:
    config: Any = {
        "type": "mcp",
        "server_label": "gitmcp",
        "server_url": "https://x",
        "require_approval": "always",
    }
    return _agent("ops", model, tools=[agents.HostedMCPTool(tool_config=config)])


class LocalMcp(MCPServer):
    """An MCP server inside this process with one tool."""

    def __init__(self, log: Log) -> None:
        super().__init__(require_approval="always")
        self.log = log

    @property
    def name(self) -> str:
        """The server's name, which the state records."""
        return "srv"

    async def connect(self) -> None:
        """Nothing to open."""

    async def cleanup(self) -> None:
        """Nothing to close."""

    async def list_tools(self, *_args: Any, **_options: Any) -> Any:
        """The one tool; how a schema is spelled depends on the release of mcp."""
        from mcp.types import Tool

        schema = {"type": "object", "properties": {}}
        return [Tool.model_validate({"name": "mtool", "description": "d", "inputSchema": schema})]

    async def call_tool(self, tool_name: str, *_args: Any, **_options: Any) -> Any:
        """Answers every call."""
        from mcp.types import CallToolResult

        self.log.ran.append([tool_name])
        return CallToolResult.model_validate({"content": [{"type": "text", "text": "ok"}]})

    async def list_prompts(self) -> Any:
        """It has none."""
        raise NotImplementedError

    async def get_prompt(self, name: str, arguments: dict[str, Any] | None = None) -> Any:
        """It has none."""
        raise NotImplementedError


def _local_mcp(model: Actor) -> Agent[Any]:
    return _agent("ops", model, mcp_servers=[LocalMcp(model.log)])


def _guardrails(model: Actor) -> Agent[Any]:
    def passed(*_: Any) -> agents.GuardrailFunctionOutput:
        return agents.GuardrailFunctionOutput(output_info={"seen": 1}, tripwire_triggered=False)

    def tool_passed(_: Any) -> agents.ToolGuardrailFunctionOutput:
        return agents.ToolGuardrailFunctionOutput.allow(output_info={"seen": 2})

    guarded: Any = {
        "tool_input_guardrails": [agents.ToolInputGuardrail(tool_passed, name="before")],
        "tool_output_guardrails": [agents.ToolOutputGuardrail(tool_passed, name="after")],
    }
    return _agent(
        "ops",
        model,
        tools=_tools(model.log, **guarded),
        input_guardrails=[agents.InputGuardrail(passed, name="input")],
        output_guardrails=[agents.OutputGuardrail(passed, name="output")],
    )


def _first() -> list[Any]:
    thought = ResponseReasoningItem(id="rs_1", type="reasoning", summary=[])
    stat = call("stat_file", {"path": "/x"}, "call_s")
    return [thought, stat, call("delete_file", {"path": "/x"}, "call_d")]


def _wish(request_id: str) -> list[Any]:
    return [
        McpApprovalRequest(
            id=request_id,
            type="mcp_approval_request",
            server_label="gitmcp",
            name="search",
            arguments="{}",
        )
    ]


def _native_calls() -> list[Any]:
    shell = {"type": "shell_call", "id": "sh_1", "call_id": "call_sh", "status": "completed"}
    patch = {"type": "apply_patch_call", "id": "ap_1", "call_id": "call_ap", "status": "completed"}
    operation = {"type": "update_file", "path": "a.py", "diff": "-a\n+b\n"}
    return [
        shell | {"action": {"type": "exec", "commands": ["ls"], "timeout_ms": 1000}},
        patch | {"operation": operation},
    ]


_LAST: list[Any] = [message("done")]
_AGAIN = [call("delete_file", {"path": "/y"}, "call_e")]  # the same tool once more, a turn later
_OUT = [call("worker_tool", {"input": "z"}, "call_out")]
_INSIDE = [call("delete_file", {"path": "/z"}, "call_in")]

PARTS: dict[str, tuple[Callable[[Actor], Agent[Any]], Callable[[], Script], int]] = {
    "plain": (_ops, lambda: [_first(), _AGAIN, _LAST], 1),
    "nested": (
        _nested,
        lambda: [_OUT, _INSIDE, _AGAIN, [message("inner")], _LAST],
        2,
    ),
    "handoff": (
        _handoff,
        lambda: [[call("transfer_to_spec", {}, "call_h")], _INSIDE, _AGAIN, _LAST],
        2,
    ),
    "native": (_native, lambda: [_native_calls(), _LAST], 1),
    "hosted_mcp": (_hosted_mcp, lambda: [_wish("mcpr_1"), _wish("mcpr_2"), _LAST], 1),
    "local_mcp": (_local_mcp, lambda: [[call("mtool", {}, "call_m")], _LAST], 1),
    "conversation": (_ops, lambda: [_first(), _AGAIN, _LAST], 1),
    "previous": (_ops, lambda: [_INSIDE, _AGAIN, _LAST], 1),
    "auto": (_ops, lambda: [_first(), _AGAIN, _LAST], 1),
    "session": (_ops, lambda: [_first(), _AGAIN, _LAST], 1),
    "guardrails": (
        _guardrails,
        lambda: [[call("stat_file", {"path": "/x"}, "call_s")], _INSIDE, _AGAIN, _LAST],
        2,
    ),
}
"""Scenario → its agents, its script, and how much of it is said before the pause."""

OPTIONS: dict[str, dict[str, Any]] = {
    "conversation": {"conversation_id": "conv_1"},
    "previous": {"previous_response_id": "resp_prior"},
    "auto": {"auto_previous_response_id": True},
}
"""What the first run is told; a state brings it along."""
