"""The one place that reaches into openai-agents: what it needs is asked for by name, once.

Abilities are probed: what a release lacks is missing by its name, never by a version number, and
each function here says what it gives then. Read from openai-agents 0.8.0 to 0.24.0.
"""

from __future__ import annotations

import importlib
import inspect
from dataclasses import fields
from typing import TYPE_CHECKING, Any, cast

from agents import Agent, FunctionTool, RunState

from hitl.errors import CaptureError, UnsupportedRelease

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AnyState = RunState[Any, Agent[Any]]

_STATE = "agents.run_state"
_AGENT_IDENTITY = "agents._run_state_agent_identity"
_TOOL_IDENTITY = "agents._tool_identity"
_INSIDE = "agents.agent_tool_state"
_SERVER = "agents.run_internal.oai_conversation"


def _named(name: str, *modules: str) -> Any:  # noqa: ANN401 - anything the SDK has
    """Give what the first of these modules that has it calls `name`; None when none has."""
    for place in modules:
        try:
            module = importlib.import_module(place)
        except ModuleNotFoundError:
            continue
        if hasattr(module, name):
            return getattr(module, name)
    return None


_WANTED = {
    "SUPPORTED_SCHEMA_VERSIONS": (_STATE,),
    "_build_agent_identity_map": (_AGENT_IDENTITY, _STATE),
    "_get_ambiguous_agent_ids": (_AGENT_IDENTITY, _STATE),
    "get_function_tool_lookup_key_for_tool": (_TOOL_IDENTITY,),
    "serialize_function_tool_lookup_key": (_TOOL_IDENTITY,),
}
"""Names that some release lacks, and what to do without them is said where they are used."""

_NEEDED = {
    "CURRENT_SCHEMA_VERSION": (_STATE,),
    "_build_agent_map": (_STATE,),
    "_build_handoffs_map": (_STATE,),
    "peek_agent_tool_run_result": (_INSIDE,),
    "OpenAIServerConversationTracker": (_SERVER,),
}


def _wanted(name: str) -> Any:  # noqa: ANN401
    """Give what most releases have; None where this one has not."""
    return _named(name, *_WANTED[name])


def _needed(name: str) -> Any:  # noqa: ANN401
    """Give what every release has that hitl is tested with.

    Raises:
        UnsupportedRelease: this one has not.
    """
    found = _named(name, *_NEEDED[name])
    if found is None:
        message = f"the installed openai-agents has no `{name}`, which hitl relies on"
        raise UnsupportedRelease(message, hint="install a release hitl is tested with")
    return found


def missing() -> Iterator[str]:
    """Give the names the installed release has lost: those hitl needs, and those it would use."""
    wanted = {**_NEEDED, **_WANTED}
    return (name for name, modules in wanted.items() if _named(name, *modules) is None)


def _private(state: AnyState, name: str) -> Any:  # noqa: ANN401
    """Give a private attribute that every release has.

    Raises:
        UnsupportedRelease: this one has not.
    """
    try:
        return getattr(state, name)
    except AttributeError as exc:
        message = f"the installed openai-agents has no `RunState.{name}`, which hitl relies on"
        hint = "install a release hitl is tested with"
        raise UnsupportedRelease(message, hint=hint) from exc


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
    """Give the schema versions the installed SDK reads; the first releases read only their own."""
    several = _wanted("SUPPORTED_SCHEMA_VERSIONS")
    if several is not None:
        return frozenset(several)
    return frozenset({str(_needed("CURRENT_SCHEMA_VERSION"))})


def root_of(state: AnyState) -> Agent[Any] | None:
    """Give the agent the run started with."""
    found: Agent[Any] | None = getattr(state, "_starting_agent", None)
    return found or _private(state, "_current_agent")


def generated(state: AnyState) -> list[Any]:
    """Give the live items behind `generated_items`."""
    return list(_private(state, "_generated_items"))


def session(state: AnyState) -> list[Any]:
    """Give the live items behind `session_items`."""
    return list(_private(state, "_session_items"))


def current_agent(state: AnyState) -> Agent[Any]:
    """Give the agent whose turn it is."""
    found: Agent[Any] = _private(state, "_current_agent")
    return found


def persisted_none(state: AnyState) -> None:
    """Let a state say that the session has nothing of the current turn."""
    _private(state, "_current_turn_persisted_item_count")
    state._current_turn_persisted_item_count = 0  # noqa: SLF001


def staged(state: AnyState) -> list[Any]:
    """Give the input that waits for the next turn; none where input cannot be added."""
    return list(getattr(state, "pending_input", ()))


_MARKER = "_generated_items_last_processed_marker"


def _unmarked(state: AnyState, read: Callable[[], Any]) -> Any:  # noqa: ANN401
    """Read, and put back the marker that tells the writer what it has merged already.

    Asking changes nothing. The first releases have no marker and compare the items each time.
    """
    marked = hasattr(state, _MARKER)
    marker = getattr(state, _MARKER, None)
    try:
        return read()
    finally:
        if marked:
            setattr(state, _MARKER, marker)


def merged(state: AnyState) -> list[Any]:
    """Give the live items that the SDK's writer calls `generated_items`.

    The writer appends what the last response brought unless it has already.
    """
    merge = _private(state, "_merge_generated_items_with_processed")
    return list(_unmarked(state, merge))


def write(state: AnyState) -> dict[str, Any]:
    """Write the state as the SDK does; an app context that is no mapping is left empty."""
    document: dict[str, Any] = _unmarked(
        state, lambda: state.to_json(context_serializer=lambda _: {})
    )
    return document


def responses(state: AnyState) -> list[Any]:
    """Give the live model responses."""
    return list(_private(state, "_model_responses"))


def context_of(state: AnyState) -> object:
    """Give the live app context."""
    around = _private(state, "_context")
    return None if around is None else around.context


def guardrail_results(state: AnyState, stage: str) -> list[Any]:
    """Give the live guardrail results of a stage."""
    return list(_private(state, f"_{stage}_guardrail_results"))


def processed(state: AnyState) -> Any:  # noqa: ANN401 - the SDK's ProcessedResponse
    """Give the last response as the SDK sorted it; None if there is none."""
    return _private(state, "_last_processed_response")


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
    peek = _needed("peek_agent_tool_run_result")
    response = processed(state)
    for run in response.functions if response else ():
        result = peek(run.tool_call, **_scope(state, peek))
        to_state = getattr(result, "to_state", None)
        found = (
            to_state() if callable(to_state) and getattr(result, "interruptions", None) else None
        )
        if isinstance(found, RunState) and found is not state:
            yield run.tool_call.call_id, found


def _scope(state: AnyState, peek: Callable[..., object]) -> dict[str, Any]:
    """Give the room a state's runs inside are kept in; one for all in the first releases."""
    if "scope_id" not in inspect.signature(peek).parameters:
        return {}
    return {"scope_id": getattr(state, "_agent_tool_state_scope_id", None)}


def sends_what_ran() -> bool:
    """Tell whether a resumed server conversation gets the outputs of calls that ran at the pause.

    The first releases take them for sent (openai-agents #3004).
    """
    track = _needed("OpenAIServerConversationTracker")
    return "unsent_tool_call_ids" in inspect.signature(track.hydrate_from_state).parameters


def tells_items_apart() -> bool:
    """Tell whether a resumed server conversation surely gets the output of an approved call.

    The first releases remember what they sent by its address only; an output that comes to lie
    where something sent had been is taken for sent.
    """
    track = _needed("OpenAIServerConversationTracker")
    return not isinstance(track().sent_items, set)


def set_context(state: AnyState, value: object) -> None:
    """Give the app context to a state."""
    around = _private(state, "_context")
    if around is not None:
        around.context = value


def identities(root: Agent[Any]) -> dict[str, Agent[Any]]:
    """Give the agents that can be reached from `root`, by the identity the SDK writes.

    Where agents have none, the name stands for it, and the first agent of a name for all of it.
    """
    found = _wanted("_build_agent_identity_map")
    return dict((found or _needed("_build_agent_map"))(root))


def ambiguous(root: Agent[Any]) -> list[Agent[Any]]:
    """Give the agents of one name that nothing but their place in the graph tells apart.

    None in a release that does not ask: decisions do not depend on it there.
    """
    ask = _wanted("_get_ambiguous_agent_ids")
    ids = () if ask is None else ask(root)
    return [agent for agent in identities(root).values() if id(agent) in ids]


def handoff_names(agent: Agent[Any]) -> tuple[str, ...]:
    """Give the tool names of the agent's handoffs."""
    return tuple(_needed("_build_handoffs_map")(agent))


def binds_servers() -> bool:
    """Tell whether the release notes which server a call of a local MCP tool is for, and asks it.

    Others find the tool by its name.
    """
    return "_mcp_tool_binding" in {each.name for each in fields(FunctionTool)}


def mcp_binding(tool: Any) -> tuple[str, str, int | None] | None:  # noqa: ANN401 - any tool
    """Give (server, tool, index) of a tool of a local MCP server; None for other tools."""
    return getattr(tool, "_mcp_tool_binding", None)


def lookup_key(tool: Any) -> object:  # noqa: ANN401 - any of the SDK's tools
    """Give the key calls find a function tool by, as the SDK writes it; None for other tools.

    A release without such keys knows tools by their bare name.
    """
    give = _wanted("get_function_tool_lookup_key_for_tool")
    say = _wanted("serialize_function_tool_lookup_key")
    if give is not None and say is not None:
        return cast("object", say(give(tool)))
    name = getattr(tool, "name", None)
    return {"kind": "bare", "name": name} if hasattr(tool, "params_json_schema") else None
