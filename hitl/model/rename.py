"""Agents and tools have other names where the run goes on: the state follows, history does not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias, cast

from attrs import evolve

from hitl.document import escape
from hitl.model import decide
from hitl.model.agent import Agent
from hitl.model.log import ItemLog
from hitl.model.open import open_calls
from hitl.model.record import Item, Record
from hitl.model.span import positions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hitl.document import JSONObject, JSONValue
    from hitl.model.approval import Grant
    from hitl.model.record import Guardrail
    from hitl.model.state import RunState

Rescope: TypeAlias = "Callable[[Grant, str], str | None]"
"""Gives what an SDK notes of a decision for good, for a record and the new key of its tool."""

_RANKED = re.compile(r"(?P<name>.+)#[0-9]+")


def agent_of(identity: str) -> Agent:
    """Give a reference to the agent of this name, or of this identity, as `Worker#2`."""
    ranked = _RANKED.fullmatch(identity)
    return Agent(name=identity) if ranked is None else Agent(name=ranked["name"], identity=identity)


def rename(
    state: RunState,
    agents: Mapping[str, str],
    tools: Mapping[str, str],
    rescope: Rescope = lambda _grant, _key: None,
) -> RunState:
    """Give the state with agents, and the tools of its open calls, under their new names.

    Args:
        state: the run; runs inside it are renamed too.
        agents: old name, or identity, to the new one.
        tools: old name to new name, for tools and handoffs.
        rescope: what an SDK notes of a decision for good on a tool that has a new name.
    """
    if not agents and not tools:
        return state
    before = state
    if agents:
        state = _with_agents(state, agents)
    if tools:
        state = _with_tools(state, tools, rescope)
    state = evolve(state, decisions=decide.rebound(before, state))
    if state.processed is None:
        return state
    calls = tuple(
        call if call.run is None else evolve(call, run=rename(call.run, agents, tools, rescope))
        for call in state.processed.calls
    )
    return evolve(state, processed=evolve(state.processed, calls=calls))


def widened(before: RunState, after: RunState, path: str = "") -> Iterator[str]:
    """Give the decisions for good that cover more calls under their new names: two tools are one.

    Args:
        before: the state under its old names.
        after: the same state under its new ones.
        path: where the state stands, for a run inside another.

    Returns:
        JSON Pointers of the records, and of the decisions taken since.
    """
    old, new = decide.own_calls(before), decide.own_calls(after)
    waiting = old.keys() & new.keys()
    for index, (grant, renamed) in enumerate(zip(before.grants, after.grants, strict=True)):
        sticky = grant.sticky is not None
        if sticky and any(
            decide.covers(renamed, new[each]) and not decide.covers(grant, old[each])
            for each in waiting
        ):
            yield f"{path}/grants/{index}"
    for call_id in (each.call_id for each in before.decisions if each.always):
        if call_id in waiting and any(
            decide.same_tool(new[call_id], new[each])
            and not decide.same_tool(old[call_id], old[each])
            for each in waiting
        ):
            yield f"{path}/decisions/{escape(call_id)}"
    calls = before.processed.calls if before.processed else ()
    renamed_calls = after.processed.calls if after.processed else ()
    for index, (call, other) in enumerate(zip(calls, renamed_calls, strict=True)):
        if call.run is not None and other.run is not None:
            yield from widened(call.run, other.run, f"{path}/processed/calls/{index}/run")


def _with_agents(state: RunState, names: Mapping[str, str]) -> RunState:
    table = tuple(_agent(entry, names) for entry in state.agents)
    moved = {
        old.identity or old.name: new.identity or new.name
        for old, new in zip(state.agents, table, strict=True)
    }
    used = {moved.get(key, key): value for key, value in (state.tool_use or {}).items()}
    chunks = list(state.log.chunks)
    for position, record in enumerate(state.log):
        if record.guardrail is not None:
            changed = Record(guardrail=_guardrail(record.guardrail, names))
            chunks[position] = state.log.codec.encode(changed)
    return evolve(
        state,
        agents=table,
        tool_use=used if state.tool_use is not None else None,
        sandbox=_sandbox(state.sandbox, moved, names),
        log=ItemLog(chunks, state.log.codec),
    )


def _agent(entry: Agent, names: Mapping[str, str]) -> Agent:
    """Rename one agent, or all of one name: those keep what told them apart."""
    if entry.identity is not None and entry.identity in names:
        new = agent_of(names[entry.identity])
        return evolve(entry, name=new.name, identity=new.identity)
    if entry.name not in names:
        return entry
    new = agent_of(names[entry.name])
    identity = new.identity
    if entry.identity is not None:
        identity = new.name + entry.identity.removeprefix(entry.name)
    return evolve(entry, name=new.name, identity=identity)


def _guardrail(guardrail: Guardrail, names: Mapping[str, str]) -> Guardrail:
    if not isinstance(guardrail.result, dict) or "agent" not in guardrail.result:
        return guardrail
    owner = _replaced(guardrail.result["agent"], names, "name")
    return evolve(guardrail, result={**guardrail.result, "agent": owner})


def _sandbox(
    sandbox: JSONObject | None, moved: Mapping[str, str], names: Mapping[str, str]
) -> JSONObject | None:
    if sandbox is None:
        return None
    changed = _replaced(sandbox, moved, "current_agent_key")
    changed = cast("JSONObject", _replaced(changed, names, "current_agent_name"))
    sessions = changed.get("sessions_by_agent")
    if isinstance(sessions, dict):
        changed["sessions_by_agent"] = {
            moved.get(key, key): _replaced(each, names, "agent_name")
            for key, each in sessions.items()
        }
    return changed


def _replaced(value: JSONValue, names: Mapping[str, str], *keys: str) -> JSONValue:
    """Replace the names that stand under these keys of an object."""
    if not isinstance(value, dict):
        return value
    found = {key: value.get(key) for key in keys}
    return value | {
        key: names[name] for key, name in found.items() if isinstance(name, str) and name in names
    }


def _with_tools(state: RunState, names: Mapping[str, str], rescope: Rescope) -> RunState:
    """Rename the calls that are still to run; what ran keeps the name it ran under."""
    left = open_calls(state)
    # What waits inside is repeated outside.
    asked = set(positions(state.step.interruptions or ())) if state.step else set()
    chunks = list(state.log.chunks)
    codec = state.log.codec
    for position, chunk in enumerate(chunks):
        item = codec.decode(chunk).item
        if item is not None and (position in asked or state.log.item(position).call_id in left):
            chunks[position] = codec.encode(Record(item=_item(item, names)))
    grants = tuple(_grant(grant, names, rescope) for grant in state.grants)
    renamed = evolve(state, log=ItemLog(chunks, codec), grants=grants)
    processed = state.processed
    if processed is None:
        return renamed
    calls = tuple(
        evolve(call, tool=_tool(call.tool, names))
        if state.log.item(call.item).call_id in left
        else call
        for call in processed.calls
    )
    bindings = processed.mcp_bindings and {
        call_id: _binding(each, names) if call_id in left else each
        for call_id, each in processed.mcp_bindings.items()
    }
    return evolve(renamed, processed=evolve(processed, calls=calls, mcp_bindings=bindings))


def _item(item: Item, names: Mapping[str, str]) -> Item:
    item = evolve(item, raw=_replaced(item.raw, names, "name"))
    if item.tool_name is not None:
        item = evolve(item, tool_name=names.get(item.tool_name, item.tool_name))
    if item.tool_key is not None:
        kind, namespace, name = item.tool_key
        item = evolve(item, tool_key=(kind, namespace, names.get(name, name)))
    return item


def _tool(tool: JSONValue, names: Mapping[str, str]) -> JSONValue:
    changed = _replaced(tool, names, "name", "tool_name")
    if isinstance(changed, dict) and "lookupKey" in changed:
        changed["lookupKey"] = _replaced(changed["lookupKey"], names, "name")
    return changed


def _binding(binding: JSONValue, names: Mapping[str, str]) -> JSONValue:
    match binding:
        case [server, str(tool), index]:
            return [server, names.get(tool, tool), index]
        case _:
            return binding


def _grant(grant: Grant, names: Mapping[str, str], rescope: Rescope) -> Grant:
    """Rename a record of decisions, and what a sticky one among them covers."""
    if grant.subject not in {"function", "tool"} or grant.key is None:
        return grant
    prefix, mark, old = parted(grant.key)
    if old not in names:
        return grant
    key = f"{prefix}{mark}{names[old]}"
    return evolve(grant, key=key, scope=rescope(grant, key))


def parted(key: str) -> tuple[str, str, str]:
    """Part `name`, `namespace.name` and `deferred_top_level:name` before the name."""
    for mark in (":", "."):
        if mark in key:
            return key.rpartition(mark)
    return "", "", key
