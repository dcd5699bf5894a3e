"""The one place that reaches into openai-agents: what it needs is asked for by name, once.

Everything here was read from openai-agents 0.24.0. An ability that a release lacks is missing by
its name, never by a version number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from agents import Agent, RunState, _run_state_agent_identity, _tool_identity
from agents import run_state as _run_state
from agents.agent_tool_state import peek_agent_tool_run_result

from hitl.errors import CaptureError

if TYPE_CHECKING:
    from collections.abc import Iterator

AnyState = RunState[Any, Agent[Any]]


def state_of(result: object) -> AnyState:
    """Give the SDK's state of a result, or the state itself.

    Raises:
        CaptureError: neither a result nor a state.
    """
    if isinstance(result, RunState):
        return result
    to_state = getattr(result, "to_state", None)
    if not callable(to_state):
        name = type(result).__name__
        raise CaptureError(f"expected a run result or a RunState, got {name}")
    return cast("AnyState", to_state())


def readable_versions() -> frozenset[str]:
    """Give the schema versions the installed SDK reads."""
    return frozenset(_run_state.SUPPORTED_SCHEMA_VERSIONS)


def root_of(state: AnyState) -> Agent[Any] | None:
    """Give the agent the run started with."""
    return state._starting_agent or state._current_agent  # noqa: SLF001


def generated(state: AnyState) -> list[Any]:
    """Give the live items behind `generated_items`."""
    return list(state._generated_items)  # noqa: SLF001


def session(state: AnyState) -> list[Any]:
    """Give the live items behind `session_items`."""
    return list(state._session_items)  # noqa: SLF001


def merged(state: AnyState) -> list[Any]:
    """Give the live items that the SDK's writer calls `generated_items`.

    The writer appends what the last response brought unless a marker says it has; the marker is
    put back, so that asking changes nothing.
    """
    marker = state._generated_items_last_processed_marker  # noqa: SLF001
    try:
        return list(state._merge_generated_items_with_processed())  # noqa: SLF001
    finally:
        state._generated_items_last_processed_marker = marker  # noqa: SLF001


def write(state: AnyState) -> dict[str, Any]:
    """Write the state as the SDK does; an app context that is no mapping is left empty."""
    marker = state._generated_items_last_processed_marker  # noqa: SLF001
    try:
        return state.to_json(context_serializer=lambda _: {})
    finally:
        state._generated_items_last_processed_marker = marker  # noqa: SLF001


def responses(state: AnyState) -> list[Any]:
    """Give the live model responses."""
    return list(state._model_responses)  # noqa: SLF001


def context_of(state: AnyState) -> object:
    """Give the live app context."""
    return None if state._context is None else state._context.context  # noqa: SLF001


def guardrail_results(state: AnyState, stage: str) -> list[Any]:
    """Give the live guardrail results of a stage."""
    return list(getattr(state, f"_{stage}_guardrail_results"))


def processed(state: AnyState) -> Any:  # noqa: ANN401 - the SDK's ProcessedResponse
    """Give the last response as the SDK sorted it; None if there is none."""
    return state._last_processed_response  # noqa: SLF001


_GROUPS = {
    "function": "functions",
    "computer": "computer_actions",
    "custom": "custom_tool_calls",
    "local_shell": "local_shell_calls",
    "shell": "shell_calls",
    "apply_patch": "apply_patch_calls",
    "handoff": "handoffs",
    "hosted_mcp": "mcp_approval_requests",
}


def calls(state: AnyState) -> frozenset[tuple[str, str]]:
    """Give (group, call id) of each call of the last response that has a tool to run it."""
    response = processed(state)
    return frozenset(
        (group, _call_id(run))
        for group, name in _GROUPS.items()
        for run in getattr(response, name, ())
    )


def _call_id(run: Any) -> str:  # noqa: ANN401 - any of the SDK's runs
    call = run.request_item if hasattr(run, "request_item") else run.tool_call
    fields = call if isinstance(call, dict) else vars(call)
    return str(fields.get("call_id") or fields.get("id"))


def inside(state: AnyState) -> Iterator[tuple[str, AnyState]]:
    """Give the paused runs inside agents used as tools, with the outer call's id."""
    response = processed(state)
    for run in response.functions if response else ():
        result = peek_agent_tool_run_result(
            run.tool_call,
            scope_id=state._agent_tool_state_scope_id,  # noqa: SLF001
        )
        to_state = getattr(result, "to_state", None)
        found = (
            to_state() if callable(to_state) and getattr(result, "interruptions", None) else None
        )
        if isinstance(found, RunState) and found is not state:
            yield run.tool_call.call_id, found


def set_context(state: AnyState, value: object) -> None:
    """Give the app context to a state."""
    if state._context is not None:  # noqa: SLF001
        state._context.context = value  # noqa: SLF001


def identities(root: Agent[Any]) -> dict[str, Agent[Any]]:
    """Give the agents that can be reached from `root`, by the identity the SDK writes."""
    return dict(_run_state_agent_identity._build_agent_identity_map(root))  # noqa: SLF001


def ambiguous(root: Agent[Any]) -> list[Agent[Any]]:
    """Give the agents of one name that nothing but their place in the graph tells apart."""
    ids = _run_state_agent_identity._get_ambiguous_agent_ids(root)  # noqa: SLF001
    return [agent for agent in identities(root).values() if id(agent) in ids]


def handoff_names(agent: Agent[Any]) -> tuple[str, ...]:
    """Give the tool names of the agent's handoffs."""
    return tuple(_run_state._build_handoffs_map(agent))  # noqa: SLF001


def mcp_binding(tool: Any) -> tuple[str, str, int | None] | None:  # noqa: ANN401 - any tool
    """Give (server, tool, index) of a tool of a local MCP server; None for other tools."""
    return getattr(tool, "_mcp_tool_binding", None)


def lookup_key(tool: Any) -> object:  # noqa: ANN401 - any of the SDK's tools
    """Give the key calls find a function tool by, as the SDK writes it; None for other tools."""
    key = _tool_identity.get_function_tool_lookup_key_for_tool(tool)
    return _tool_identity.serialize_function_tool_lookup_key(key)
