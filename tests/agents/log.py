"""What a run did, in the order it did it: model requests and tool runs."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class ModelRequest:
    """One request a model received: `input` is JSON, one entry per item."""

    agent: str
    input: tuple[object, ...]
    previous_response_id: str | None
    conversation_id: str | None
    instructions: str | None
    tools: tuple[str, ...]
    handoffs: tuple[str, ...]
    settings: dict[str, object]


@attrs.frozen(kw_only=True)
class ToolRun:
    """One execution of a tool's own code; `arguments` as the tool received them."""

    tool: str
    call_id: str | None
    arguments: object


@attrs.define
class Log:
    """A notebook shared by the models and tools of one stage, fresh for every run."""

    requests: list[ModelRequest] = attrs.field(factory=list)
    tool_runs: list[ToolRun] = attrs.field(factory=list)

    def ran(self, tool: str, arguments: object, call_id: str | None = None) -> None:
        """Note that a tool ran."""
        self.tool_runs.append(ToolRun(tool=tool, call_id=call_id, arguments=arguments))
