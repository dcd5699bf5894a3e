"""Deciding a call without the agent's code: finding it, and recording one verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from attrs import evolve

from hitl import document
from hitl.document.tree import encodable
from hitl.errors import (
    AlreadyDecided,
    AmbiguousCall,
    ArgumentsChanged,
    DecisionError,
    InvalidDocument,
    UnknownCall,
    ValueRefused,
)
from hitl.model.approval import Decision, Interruption, arguments_sha256, call_text
from hitl.model.log import positions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.model.approval import Grant
    from hitl.model.record import Item
    from hitl.model.state import RunState

S = TypeVar("S", bound="RunState")


def interruptions(state: RunState) -> tuple[Interruption, ...]:
    """Give the calls that stopped the run, in the SDK's order, nested ones under `outer/inner`."""
    inside: dict[bytes, list[Interruption]] = {}
    for outer, run in nested_runs(state):
        for inner in interruptions(run):
            named = evolve(inner, call=f"{outer}/{inner.call}", outer=(outer, *inner.outer))
            inside.setdefault(_identity(inner), []).append(named)
    # The outer run repeats what waits inside; what a nested run owns is named there only.
    found: list[Interruption] = []
    for item in _pending(state):
        own = _interruption(state, item)
        nested = inside.get(_identity(own))
        found.append(nested.pop(0) if nested else own)
    return (*found, *(unlisted for nested in inside.values() for unlisted in nested))


def own_calls(state: RunState) -> dict[str, Item]:
    """Give the approval requests of this run itself, by call id."""
    return {each.call_id: each.item for each in interruptions(state) if not each.outer}


def nested_runs(state: RunState) -> Iterator[tuple[str, RunState]]:
    """Give the paused runs inside agents used as tools, each with the outer call's id."""
    for call in state.processed.calls if state.processed else ():
        if call.run is not None:
            yield state.log.item(call.item).call_id or "", call.run


def decide(
    state: S,
    call: str,
    *,
    approved: bool,
    always: bool,
    message: str | None,
    by: str | None,
    at: str | None,
    reason: str | None,
) -> S:
    """Give the state with one more decision; see `RunState.approve` for errors."""
    for name, text in {"message": message, "by": by, "at": at, "reason": reason}.items():
        _refuse_no_text(name, text)
    target = find(state, call)
    if (given := exact_decision(_holder(state, target), target.call_id)) is not None:
        who = f" by {given.by}" if given.by else ""
        when = f" at {given.at}" if given.at else ""
        verdict = "approved" if given.approved else "rejected"
        raise AlreadyDecided(f"call was {verdict}{who}{when}; the first decision stands")
    _refuse_unrunnable(target)
    decision = Decision(
        call_id=target.call_id,
        approved=approved,
        always=always,
        message=message,
        by=by,
        at=at,
        reason=reason,
        arguments_sha256=target.arguments_sha256,
    )
    return _record(state, target.outer, decision)


def find(state: RunState, call: str) -> Interruption:
    """Give the interruption named `call`, by full name or by call id.

    Raises:
        UnknownCall: no such call waits.
        AmbiguousCall: more than one does.
    """
    waiting = interruptions(state)
    found = [i for i in waiting if i.call == call] or [i for i in waiting if i.call_id == call]
    if not found:
        raise UnknownCall("expected the name of a call that waits, found none of that name")
    if len(found) > 1:
        names = ", ".join(sorted(i.call for i in found))
        raise AmbiguousCall(
            f"{len(found)} waiting calls have that name", hint=f"say one of {names}"
        )
    return found[0]


def verify(state: RunState) -> None:
    """Check that every decided call is still the one that was decided, nested runs included.

    Raises:
        ArgumentsChanged: the bytes of a decided call differ from what was decided.
        UnknownCall: a decided call is not in the run.
    """
    for problem in changed(state):
        raise problem
    for _, run in nested_runs(state):
        verify(run)


def changed(state: RunState, path: str = "") -> Iterator[DecisionError]:
    """Give what is wrong with the decisions of this run, without those of runs inside."""
    calls = own_calls(state) if state.decisions else {}
    for index, decision in enumerate(state.decisions):
        item = calls.get(decision.call_id)
        place = f"{path}/decisions/{index}"
        if item is None:
            message = "a decision names a call that does not wait in this run"
            yield UnknownCall(message, path=place)
        elif arguments_sha256(item.raw) != decision.arguments_sha256:
            message = "the call is not the one that was decided"
            yield ArgumentsChanged(message, path=place, hint="show it again and decide anew")


def exact_decision(state: RunState, call_id: str) -> Decision | None:
    """Give the decision on exactly this call; None when there is none."""
    for decision in state.decisions:
        if decision.call_id == call_id:
            return decision
    for grant in state.grants:
        if (verdict := grant.exact(call_id)) is not None:
            return _from_grant(grant, call_id, approved=verdict)
    return None


def _pending(state: RunState) -> Iterator[Item]:
    if state.step is not None:
        for position in positions(state.step.interruptions or ()):
            yield state.log.item(position)


def _interruption(state: RunState, item: Item) -> Interruption:
    raw = item.raw if isinstance(item.raw, dict) else {}
    call_id = item.call_id or ""
    agent = None if item.agent is None else _agent(state, item.agent)
    name = item.tool_name or raw.get("name") or raw.get("type")
    return Interruption(
        call=call_id,
        call_id=call_id,
        agent=agent,
        tool_name=str(name),
        kind=str(raw.get("type")),
        arguments=call_text(item.raw),
        raw=item.raw,
        item=item,
        decision=exact_decision(state, call_id) or _sticky(state, item),
    )


def _agent(state: RunState, position: int) -> str:
    if not 0 <= position < len(state.agents):
        message = f"expected an agent below {len(state.agents)}, found another"
        raise InvalidDocument(message, path="/agents")
    return state.agents[position].name


def _sticky(state: RunState, item: Item) -> Decision | None:
    """A decision for every call of the tool; it is bound to the tool's owner."""
    waiting = {other.call_id: other for other in _pending(state)}
    for decision in state.decisions:
        other = waiting.get(decision.call_id)
        if decision.always and other is not None and _same_tool(other, item):
            return evolve(
                decision, call_id=item.call_id or "", arguments_sha256=arguments_sha256(item.raw)
            )
    for grant in state.grants:
        if grant.sticky is not None and _covers(grant, item):
            return _from_grant(grant, item.call_id or "", approved=grant.sticky, always=True)
    return None


def _same_tool(one: Item, other: Item) -> bool:
    return (one.agent, subject_key(one)) == (other.agent, subject_key(other))


def _covers(grant: Grant, item: Item) -> bool:
    server, key = subject_key(item)
    same = grant.key == key and grant.server == server
    return same and (grant.subject != "function" or grant.agent == item.agent)


def subject_key(item: Item) -> tuple[str | None, str]:
    """Give (hosted server label, tool key) of what a call is for."""
    raw = item.raw if isinstance(item.raw, dict) else {}
    if raw.get("type") == "mcp_approval_request":
        return str(raw.get("server_label")), str(raw.get("name"))
    if item.tool_key is not None:
        kind, namespace, name = item.tool_key
        prefix = {"bare": "", "namespaced": f"{namespace}."}.get(kind, f"{kind}:")
        return None, prefix + name
    name = str(item.tool_name or raw.get("name") or raw.get("type"))
    space = item.tool_namespace or raw.get("namespace")
    return None, f"{space}.{name}" if space else name


def _from_grant(grant: Grant, call_id: str, *, approved: bool, always: bool = False) -> Decision:
    message = (grant.messages or {}).get(call_id, grant.sticky_message)
    return Decision(
        call_id=call_id, approved=approved, always=always, message=message, arguments_sha256=""
    )


def _identity(waiting: Interruption) -> bytes:
    return document.canonical([waiting.agent, waiting.call_id, waiting.raw])


def _holder(state: RunState, target: Interruption) -> RunState:
    for outer in target.outer:
        state = dict(nested_runs(state))[outer]
    return state


def _record(state: S, outer: tuple[str, ...], decision: Decision) -> S:
    if not outer:
        return evolve(state, decisions=(*state.decisions, decision))
    if state.processed is None:  # pragma: no cover - a nested call was just found in it
        raise UnknownCall("the run has no nested runs")
    calls = tuple(
        evolve(call, run=_record(call.run, outer[1:], decision))
        if call.run is not None and (state.log.item(call.item).call_id or "") == outer[0]
        else call
        for call in state.processed.calls
    )
    return evolve(state, processed=evolve(state.processed, calls=calls))


def _refuse_no_text(name: str, value: object) -> None:
    """Refuse what no document can hold before it is part of a decision."""
    if value is None:
        return
    if not isinstance(value, str):
        raise ValueRefused(f"expected text for {name}, found `{type(value).__name__}`")
    if not encodable((value,)):
        raise ValueRefused(f"expected text for {name}, found a lone surrogate")


def _refuse_unrunnable(target: Interruption) -> None:
    if not target.call_id:
        raise DecisionError("expected a call with an id, found one without")
