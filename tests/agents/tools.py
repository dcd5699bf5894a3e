"""Tools that only say what they would have done, in the log."""

# ruff: noqa: ANN401  (`options` are those of the SDK's constructors)

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from agents import (
    ApplyPatchTool,
    FunctionTool,
    HostedMCPTool,
    ShellCallOutcome,
    ShellCommandOutput,
    ShellResult,
    ShellTool,
    function_tool,
)
from agents.editor import ApplyPatchOperation, ApplyPatchResult
from agents.mcp import MCPServer
from agents.tool_context import ToolContext  # noqa: TC002  (function_tool reads annotations at run time)
from mcp.types import CallToolResult, TextContent, Tool

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from agents.tool import ShellCommandRequest
    from mcp.types import GetPromptResult, ListPromptsResult
    from openai.types.responses.tool_param import Mcp

    from tests.agents.log import Log

TEXT, NUMBER = {"type": "string"}, {"type": "number"}


def delete_file(log: Log, *, needs_approval: bool = True, **options: Any) -> FunctionTool:
    """Asks first, by default."""

    def delete_file(context: ToolContext[Any], path: str) -> str:
        """Delete a file."""
        log.ran("delete_file", context.tool_arguments, context.tool_call_id)
        return f"deleted {path}"

    return function_tool(delete_file, needs_approval=needs_approval, **options)


def stat_file(log: Log) -> FunctionTool:
    """Never asks; its output has structure."""

    def stat_file(context: ToolContext[Any], path: str) -> dict[str, Any]:
        """Stat a file."""
        log.ran("stat_file", context.tool_arguments, context.tool_call_id)
        return {"path": path, "size": 1, "tags": ["a"]}

    return function_tool(stat_file)


def function(
    log: Log,
    name: str,
    properties: Mapping[str, object],
    answer: Callable[[dict[str, Any]], object],
    *,
    strict: bool = True,
    **options: Any,
) -> FunctionTool:
    """A function tool from a bare schema; `answer` makes the output from the arguments."""

    async def invoke(context: ToolContext[Any], arguments: str) -> object:
        log.ran(name, arguments, context.tool_call_id)
        return answer(json.loads(arguments))

    schema = {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": not strict,
    }
    return FunctionTool(
        name=name,
        description=options.pop("description", f"{name} tool"),
        params_json_schema=schema,
        on_invoke_tool=invoke,
        strict_json_schema=strict,
        **options,
    )


def shell(log: Log, **options: Any) -> ShellTool:
    """A local shell that prints `hi`."""

    def run(request: ShellCommandRequest) -> ShellResult:
        action = request.data.action
        log.ran(
            "shell",
            [action.commands, action.timeout_ms, action.max_output_length],
            request.data.call_id,
        )
        printed = ShellCommandOutput(
            stdout="hi\n", stderr="", outcome=ShellCallOutcome(type="exit", exit_code=0)
        )
        return ShellResult(output=[printed], max_output_length=action.max_output_length)

    return ShellTool(executor=run, **options)


class Editor:
    """Edits nothing."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def _edit(self, operation: ApplyPatchOperation) -> ApplyPatchResult:
        self._log.ran("apply_patch", [operation.type, operation.path, operation.diff])
        return ApplyPatchResult(status="completed", output=f"patched {operation.path}")

    def create_file(self, operation: ApplyPatchOperation) -> ApplyPatchResult:
        """Create a file."""
        return self._edit(operation)

    def update_file(self, operation: ApplyPatchOperation) -> ApplyPatchResult:
        """Update a file."""
        return self._edit(operation)

    def delete_file(self, operation: ApplyPatchOperation) -> ApplyPatchResult:
        """Delete a file."""
        return self._edit(operation)


def apply_patch(log: Log, **options: Any) -> ApplyPatchTool:
    """The patch tool over an editor that edits nothing."""
    return ApplyPatchTool(editor=Editor(log), **options)


def hosted_mcp(
    label: str, url: str, require_approval: Literal["always", "never"] = "always"
) -> HostedMCPTool:
    """An MCP server the model's provider calls by itself."""
    server: Mcp = {
        "type": "mcp",
        "server_label": label,
        "server_url": url,
        "require_approval": require_approval,
    }
    return HostedMCPTool(tool_config=server)


class LocalMcp(MCPServer):
    """An MCP server inside this process with one tool."""

    def __init__(
        self,
        log: Log,
        name: str,
        tool: Tool,
        answer: Callable[[dict[str, Any]], str],
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._log, self._name, self._tool, self._answer = log, name, tool, answer

    @property
    def name(self) -> str:
        """The server's name, which the state records."""
        return self._name

    async def connect(self) -> None:
        """Nothing to open."""

    async def cleanup(self) -> None:
        """Nothing to close."""

    async def list_tools(self, run_context: object = None, agent: object = None) -> list[Tool]:  # noqa: ARG002
        """The one tool."""
        return [self._tool]

    async def call_tool(
        self,
        tool_name: str,
        arguments: dict[str, Any] | None,
        meta: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> CallToolResult:
        """Note the call and answer with text."""
        self._log.ran(tool_name, arguments)
        return CallToolResult(
            content=[TextContent(type="text", text=self._answer(arguments or {}))]
        )

    async def list_prompts(self) -> ListPromptsResult:
        """There are none."""
        raise NotImplementedError

    async def get_prompt(
        self, name: str, arguments: dict[str, Any] | None = None
    ) -> GetPromptResult:
        """There are none."""
        raise NotImplementedError
