"""Where a run stopped, and what of the last model response is still to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen

from hitl.document import JSONObject, JSONValue
from hitl.model.span import Spans

if TYPE_CHECKING:
    from hitl.model.state import RunState
else:
    RunState = Any

Group = Literal[
    "function",
    "computer",
    "custom",
    "local_shell",
    "shell",
    "apply_patch",
    "handoff",
    "hosted_mcp",
]


@frozen(kw_only=True)
class Step:
    """What the SDK does first when the run goes on.

    Attributes:
        kind: `interruption` waits for decisions, `run_again` asks the model; a writer that said
            nothing has no step.
        interruptions: positions of the approval requests.
        response_accepted: whether the response was taken but not worked on yet.
        llm_end_hooks_started: whether the hooks after the model call have begun.
        extra: fields of the writer that hitl does not know, kept verbatim, tagged.
    """

    kind: Literal["interruption", "run_again", "unknown"]
    interruptions: Spans | None = None
    response_accepted: bool | None = None
    llm_end_hooks_started: bool | None = None
    extra: JSONObject | None = None


@frozen(kw_only=True)
class Call:
    """One call of the last response that is to be worked on.

    Attributes:
        group: which kind of tool runs it.
        item: position of the call in the log.
        tool: what the writer said of the tool, tagged.
        target: position of the agent a handoff goes to; None when the writer did not say.
        run: the paused run inside it, when the tool is an agent.
        extra: fields of the writer that hitl does not know, kept verbatim, tagged.
    """

    group: Group
    item: int
    tool: JSONValue = None
    target: int | None = None
    run: RunState | None = None
    extra: JSONObject | None = None


@frozen(kw_only=True)
class Processed:
    """The last model response, sorted into work.

    Attributes:
        new_items: positions of the items it brought.
        tools_used: names of the tools it calls.
        calls: the calls, by kind of tool.
        interruptions: positions of the approval requests it led to at once.
        mcp_bindings: call id to (server, tool, index) of local MCP calls.
        guardrail_start: how many tool output guardrail results came before this response.
        groups: which groups the writer listed, also when empty; None when it listed none.
        extra: fields of the writer that hitl does not know, kept verbatim, tagged.
    """

    new_items: Spans | None = None
    tools_used: list[str] | None = None
    calls: tuple[Call, ...] = ()
    interruptions: Spans | None = None
    mcp_bindings: dict[str, JSONValue] | None = None
    guardrail_start: int | None = None
    groups: tuple[str, ...] | None = None
    extra: JSONObject | None = None


@frozen(kw_only=True)
class CallState:
    """How far one call has come.

    Attributes:
        executed: the tool has started.
        completed: its output is in the history.
    """

    executed: bool
    completed: bool


@frozen(kw_only=True)
class Ledger:
    """How far every call of the run has come.

    A call with an output in the log is executed and completed unless it stands here.

    Attributes:
        open: the calls that are not, by id.
        unlisted: ids of calls with an output that the writer did not list.
    """

    open: Mapping[str, CallState] = field(factory=dict)
    unlisted: tuple[str, ...] = ()
