"""An older state on the way to the SDK: what only the agent at hand can add, and what is left."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from attrs import evolve

from hitl import transfer
from hitl.dialects.openai_python import DIALECT, binding
from hitl.errors import AgentMismatch, OlderRelease, ToolMismatch
from hitl.model.open import open_calls
from hitl.runtime import sdk
from hitl.runtime.fit import offered, takes
from hitl.runtime.open import tool_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from agents import Agent

    from hitl.document import JSONValue
    from hitl.model import Call, Processed, RunState

_LOG = logging.getLogger("hitl")


async def repaired(
    agent: Agent[Any],
    state: RunState,
    names: Collection[str],
    context: object,
    known: Collection[str] = (),
) -> RunState:
    """Give the state as the installed SDK needs it.

    What is not used of it, since nobody asked for the repair by name, is logged as a warning.

    Args:
        agent: the agent the run started with.
        state: the run; one of the newest release is given as it is.
        names: repairs that are done only when asked for.
        context: the app context, for servers that list their tools by it.
        known: names and identities of agents that somebody said are the right ones.

    Raises:
        UnknownRepair: no repair has that name.
        LossError: another SDK wrote the state, and it cannot be taken over.
        OlderRelease: the state left out what nothing can bring back.
        Relabelled: it says what its version cannot.
        ArgumentsChanged: a recorded call is not the one its writer recorded.
        AgentMismatch: which agent of a name is meant cannot be told.
        ToolMismatch: which server a call is for cannot be told.
    """
    transfer.refuse_unknown(names)
    state = transfer.taken_over(state, DIALECT.name, names, known)
    current = None if state.current_agent is None else state.agents[state.current_agent]
    live = sdk.identities(agent).get((current.identity or current.name) if current else "")
    found = DIALECT.repair(state, DIALECT.chain.newest, names)
    if "agent-identity" in found.needs:
        _refuse_twins(agent, state)
    bound = found.state
    if sdk.binds_servers():
        bound = await _bound(live, bound, context, "")
    done = set(binding.unbound(found.state)) - set(binding.unbound(bound))
    for loss in found.losses:
        if loss in done:
            continue
        if loss.severity == "error":
            hint = "resume it with the release of the SDK that wrote it, or start the run anew"
            raise OlderRelease(loss.reason, path=loss.path, hint=hint)
        _LOG.warning("%s - at %s", loss.reason, loss.path)
    return bound


def _refuse_twins(agent: Agent[Any], state: RunState) -> None:
    """Refuse agents that share a name where the state does not say which of them it means.

    Raises:
        AgentMismatch: there are such agents.
    """
    names = [live.name for live in sdk.identities(agent).values()]
    for index, entry in enumerate(state.agents):
        if entry.identity is None and names.count(entry.name) > 1:
            message = f"several agents are named {entry.name!r}, and the state does not say which"
            hint = 'agents={"the old name": "a name of its own"} says it'
            raise AgentMismatch(message, path=f"/agents/{index}", hint=hint)


async def _bound(live: Agent[Any] | None, state: RunState, context: object, path: str) -> RunState:
    """Give the state with a server for each open call of a local MCP tool.

    Releases that did not note the server cannot say which one was meant. The only one that has the
    tool is taken, unless the writer noted another.
    """
    processed = state.processed
    if live is None or processed is None or not _unbound(processed):
        return state
    left = open_calls(state)
    tools = await offered(live, _functions(processed), context)
    bindings: dict[str, JSONValue] = {}
    calls: list[Call] = []
    for index, call in enumerate(processed.calls):
        place = f"{path}/processed/calls/{index}"
        found = [tool for tool in tools if takes(call, tool)] if call.group == "function" else []
        call_id = state.log.item(call.item).call_id or ""
        if call_id in left and processed.mcp_bindings is None:
            bindings |= _binding(found, state, call, place)
        inner = getattr(found[0], "_agent_instance", None) if found else None
        run = call.run and await _bound(inner, call.run, context, f"{place}/run")
        calls.append(evolve(call, run=run))
    said = processed.mcp_bindings if processed.mcp_bindings is not None else bindings or None
    return evolve(state, processed=evolve(processed, calls=tuple(calls), mcp_bindings=said))


def _unbound(processed: Processed) -> bool:
    """Tell whether a writer said nothing of servers, in this run or one inside."""
    runs = [call.run.processed for call in processed.calls if call.run is not None]
    return processed.mcp_bindings is None or any(each and _unbound(each) for each in runs)


def _functions(processed: Processed) -> list[Call]:
    return [call for call in processed.calls if call.group == "function"]


def _binding(found: list[Any], state: RunState, call: Call, path: str) -> dict[str, JSONValue]:
    """Give the server of one call, by its id; nothing for a tool that is no server's."""
    call_id = state.log.item(call.item).call_id or ""
    waiting = next((each.item for each in state.interruptions if each.call_id == call_id), None)
    origin = (waiting.origin if waiting else None) or {}
    bindings = [binding for tool in found if (binding := sdk.mcp_binding(tool)) is not None]
    name = tool_of(call)
    if len(found) > 1 and bindings:
        message = f"more than one tool is named {name!r}, and the state does not say which is meant"
        raise ToolMismatch(message, path=path, hint="give the servers' tools names of their own")
    server = bindings[0][0] if bindings else None
    noted = origin.get("mcp_server_name") if origin.get("type") == "mcp" else None
    if (noted is not None and noted != server) or (bindings and origin and noted is None):
        message = f"tool {name!r} came from another place than it does now"
        raise ToolMismatch(message, path=path, hint="restore the server it came from")
    return {call_id: list(bindings[0])} if bindings else {}
