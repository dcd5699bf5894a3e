"""An app renamed an agent or a tool while the run waited: the state follows, history does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from hitl.dialects.openai_python import fingerprint
from hitl.model import ItemLog, Record
from hitl.runtime.open import open_calls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hitl.document import JSONValue
    from hitl.model import Agent, Call, Grant, Item, RunState


def rename(state: RunState, agents: Mapping[str, str], tools: Mapping[str, str]) -> RunState:
    """Give the state with agents, and the tools of its open calls, under their new names.

    Args:
        state: the run; runs inside it are renamed too.
        agents: old name, or identity, to new name.
        tools: old name to new name, for tools and handoffs.
    """
    if not agents and not tools:
        return state
    if agents:
        state = _with_agents(state, agents)
    if tools:
        state = _with_tools(state, tools)
    if state.processed is None:
        return state
    calls = tuple(
        call if call.run is None else evolve(call, run=rename(call.run, agents, tools))
        for call in state.processed.calls
    )
    return evolve(state, processed=evolve(state.processed, calls=calls))


def _with_agents(state: RunState, names: Mapping[str, str]) -> RunState:
    table = tuple(_agent(entry, names) for entry in state.agents)
    moved = {
        old.identity or old.name: new.identity or new.name
        for old, new in zip(state.agents, table, strict=True)
    }
    used = {moved.get(key, key): value for key, value in (state.tool_use or {}).items()}
    log = list(state.log.chunks)
    for position, record in enumerate(state.log):
        guardrail = record.guardrail
        if guardrail is not None and isinstance(guardrail.result, dict):
            owner: Any = guardrail.result.get("agent")
            if isinstance(owner, dict) and owner.get("name") in names:
                result = {**guardrail.result, "agent": {**owner, "name": names[owner["name"]]}}
                changed = Record(guardrail=evolve(guardrail, result=result))
                log[position] = state.log.codec.encode(changed)
    return evolve(
        state,
        agents=table,
        tool_use=used if state.tool_use is not None else None,
        log=ItemLog(log, state.log.codec),
    )


def _agent(entry: Agent, names: Mapping[str, str]) -> Agent:
    new = names.get(entry.identity or "") or names.get(entry.name)
    if new is None:
        return entry
    identity = entry.identity
    if identity is not None:
        identity = new + identity.removeprefix(entry.name)
    return evolve(entry, name=new, identity=identity)


def _with_tools(state: RunState, names: Mapping[str, str]) -> RunState:
    """Rename the calls that are still to run; what ran keeps the name it ran under."""
    waiting = open_calls(state)
    chunks = list(state.log.chunks)
    codec = state.log.codec
    for position, chunk in enumerate(chunks):
        item = codec.decode(chunk).item
        full = None if item is None else state.log.item(position)
        if item is not None and full is not None and full.call_id in waiting:
            chunks[position] = codec.encode(Record(item=_item(item, names)))
    renamed = evolve(state, log=ItemLog(chunks, codec))
    processed = renamed.processed
    if processed is None:
        return renamed
    calls = tuple(
        _call(call, names) if renamed.log.item(call.item).call_id in waiting else call
        for call in processed.calls
    )
    grants = tuple(_grant(grant, names, renamed) for grant in renamed.grants)
    return evolve(renamed, processed=evolve(processed, calls=calls), grants=grants)


def _item(item: Item, names: Mapping[str, str]) -> Item:
    raw = item.raw
    if isinstance(raw, dict) and raw.get("name") in names:
        item = evolve(item, raw={**raw, "name": names[str(raw["name"])]})
    if item.tool_name is not None and item.tool_name in names:
        item = evolve(item, tool_name=names[item.tool_name])
    if item.tool_key is not None and item.tool_key[2] in names:
        kind, namespace, name = item.tool_key
        item = evolve(item, tool_key=(kind, namespace, names[name]))
    return item


def _call(call: Call, names: Mapping[str, str]) -> Call:
    return evolve(call, tool=_renamed(call.tool, names))


def _renamed(tool: JSONValue, names: Mapping[str, str]) -> JSONValue:
    if not isinstance(tool, dict):
        return tool
    changed = dict(tool)
    for key in ("name", "tool_name"):
        if changed.get(key) in names:
            changed[key] = names[str(changed[key])]
    if "lookupKey" in changed:
        changed["lookupKey"] = _renamed(changed["lookupKey"], names)
    return changed


def _grant(grant: Grant, names: Mapping[str, str], state: RunState) -> Grant:
    if grant.subject not in {"function", "tool"} or grant.key is None or grant.key not in names:
        return grant
    new = names[grant.key]
    scope = grant.scope
    for interruption in state.interruptions:
        if interruption.tool_name == new and scope is not None:
            scope = fingerprint.approval_scope(interruption.item)
    return evolve(grant, key=new, scope=scope)
