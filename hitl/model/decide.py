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
from hitl.model.approval import (
    Decision,
    Interruption,
    arguments_sha256,
    call_text,
    one_tool,
    request_mark,
    runnable,
    tool_label,
)
from hitl.model.span import positions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.model.approval import Grant
    from hitl.model.record import Item
    from hitl.model.state import RunState
    from hitl.model.step import Call

S = TypeVar("S", bound="RunState")


def interruptions(state: RunState, above: tuple[Grant, ...] = ()) -> tuple[Interruption, ...]:
    """Give the calls that stopped the run, in the SDK's order, nested ones under `outer/inner`.

    Args:
        state: the run.
        above: what runs around it say of its calls; see `_shared`.
    """
    inside: dict[bytes, list[Interruption]] = {}
    for outer, run in nested_runs(state):
        for inner in interruptions(run, (*above, *_shared(state))):
            name = f"{document.escape(outer)}/{inner.call}"
            named = evolve(inner, call=name, outer=(outer, *inner.outer))
            inside.setdefault(_mark(inner), []).append(named)
    # The outer run repeats what waits inside; what a nested run owns is named there only.
    found: list[Interruption] = []
    waiting = list(_pending(state))
    for item in waiting:
        own = _interruption(state, item, waiting, above)
        nested = inside.get(_mark(own))
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
    holder, above = _held(state, target)
    if (given := exact_decision(holder, target.call_id, above)) is not None:
        who = f" by {given.by}" if given.by else ""
        when = f" at {given.at}" if given.at else ""
        verdict = "approved" if given.approved else "rejected"
        raise AlreadyDecided(f"call was {verdict}{who}{when}; the first decision stands")
    _refuse_unclear(state, target)
    if type(always) is not bool:
        raise DecisionError(f"expected true or false for always, found `{type(always).__name__}`")
    decision = Decision(
        call_id=target.call_id,
        tool=tool_label(target.item),
        agent=_owner(holder, target.item),
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


def binding(state: RunState, waiting: Interruption) -> tuple[str, str | None, str]:
    """Give what a decision on a call is bound to: tool, agent and digest, as in `Decision`."""
    holder, _ = _held(state, waiting)
    return tool_label(waiting.item), _owner(holder, waiting.item), waiting.arguments_sha256


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
        elif not _is_decided(state, item, decision):
            message = "the call is not the one that was decided"
            yield ArgumentsChanged(message, path=place, hint="show it again and decide anew")


def rebound(before: RunState, after: RunState) -> tuple[Decision, ...]:
    """Give the decisions of `before` bound to the same calls of `after`, which has new names.

    A decision that does not fit its call in `before` stays as it is, and so is refused later.
    """
    old, new = own_calls(before), own_calls(after)
    return tuple(
        evolve(each, tool=tool_label(new[each.call_id]), agent=_owner(after, new[each.call_id]))
        if each.call_id in new
        and each.call_id in old
        and _is_decided(before, old[each.call_id], each)
        else each
        for each in before.decisions
    )


def suspect(state: RunState, path: str = "") -> Iterator[DecisionError]:
    """Give the waiting calls that show one thing and would run another, runs inside included.

    The SDK keeps several copies of a call; a person is shown one, and another one runs.
    """
    shown = {item.call_id: item for item in _pending(state)}
    for index, item in enumerate(shown.values()):
        if not one_tool(item) or not runnable(item.raw):
            message = f"call {item.call_id!r} does not say which tool it is for, or with what"
            yield ArgumentsChanged(message, path=f"{path}/step/interruptions/{index}")
    for index, call in enumerate(state.processed.calls if state.processed else ()):
        place = f"{path}/processed/calls/{index}"
        runs = state.log.item(call.item)
        seen = shown.get(runs.call_id)
        if seen is not None and not _same_call(seen, runs, call):
            message = f"call {runs.call_id!r} is not the call that would run"
            hint = "the state was changed after the pause; show it and start over"
            yield ArgumentsChanged(message, path=place, hint=hint)
        if call.run is not None:
            yield from suspect(call.run, f"{place}/run")


def _same_call(shown: Item, runs: Item, call: Call) -> bool:
    if arguments_sha256(shown.raw) != arguments_sha256(runs.raw):
        return False
    name = runs.raw.get("name") if isinstance(runs.raw, dict) else None
    if tool_label(shown) != tool_label(evolve(runs, tool_name=shown.tool_name)):
        return False
    if call.group not in {"function", "handoff"} or not isinstance(call.tool, dict):
        return True
    key = call.tool.get("lookupKey")
    named = key.get("name") if isinstance(key, dict) else None
    return (named or call.tool.get("tool_name") or call.tool.get("name")) in (None, name)


def _is_decided(state: RunState, item: Item, decision: Decision) -> bool:
    """Tell whether a call is still the one a decision was about: tool, agent and bytes."""
    return (tool_label(item), _owner(state, item), arguments_sha256(item.raw)) == (
        decision.tool,
        decision.agent,
        decision.arguments_sha256,
    )


def _owner(state: RunState, item: Item) -> str | None:
    """Give the identity of the agent that makes a call."""
    if item.agent is None:
        return None
    _agent(state, item.agent)
    entry = state.agents[item.agent]
    return entry.identity or entry.name


def _shared(state: RunState) -> tuple[Grant, ...]:
    """Give the decisions of a run that hold for the runs inside it too.

    A writer that kept no ledger kept the decisions on all of them with the outermost run.
    """
    if state.ledger is not None:
        return ()
    return tuple(grant for grant in state.grants if grant.subject == "tool")


def exact_decision(state: RunState, call_id: str, above: tuple[Grant, ...] = ()) -> Decision | None:
    """Give the decision on exactly this call; None when there is none."""
    for decision in state.decisions:
        if decision.call_id == call_id:
            return decision
    for grant in (*state.grants, *above):
        if (verdict := grant.exact(call_id)) is not None:
            return _from_grant(state, grant, call_id, approved=verdict)
    return None


def _pending(state: RunState) -> Iterator[Item]:
    if state.step is not None:
        for position in positions(state.step.interruptions or ()):
            yield state.log.item(position)


def _interruption(
    state: RunState, item: Item, waiting: list[Item], above: tuple[Grant, ...]
) -> Interruption:
    raw = item.raw if isinstance(item.raw, dict) else {}
    call_id = item.call_id or ""
    agent = None if item.agent is None else _agent(state, item.agent)
    return Interruption(
        call=document.escape(call_id),
        call_id=call_id,
        agent=agent,
        tool_name=str(raw.get("name") or item.tool_name or raw.get("type")),
        kind=str(raw.get("type")),
        arguments=call_text(item.raw),
        raw=item.raw,
        item=item,
        decision=exact_decision(state, call_id, above) or _sticky(state, item, waiting),
    )


def _agent(state: RunState, position: int) -> str:
    if not 0 <= position < len(state.agents):
        message = f"expected an agent below {len(state.agents)}, found another"
        raise InvalidDocument(message, path="/agents")
    return state.agents[position].name


def _sticky(state: RunState, item: Item, waiting: list[Item]) -> Decision | None:
    """The first decision for every call of the tool, a writer's first; it is bound to its owner."""
    for grant in state.grants:
        if grant.sticky is not None and covers(grant, item):
            call_id = item.call_id or ""
            return _from_grant(state, grant, call_id, approved=grant.sticky, always=True)
    for decision in state.decisions:
        if not decision.always:
            continue
        other = next((each for each in waiting if each.call_id == decision.call_id), None)
        if other is not None and same_tool(other, item):
            return evolve(
                decision, call_id=item.call_id or "", arguments_sha256=arguments_sha256(item.raw)
            )
    return None


def same_tool(one: Item, other: Item) -> bool:
    """Tell whether a decision for good on one call of a run covers another."""
    return (one.agent, subject_key(one)) == (other.agent, subject_key(other))


def covers(grant: Grant, item: Item) -> bool:
    """Tell whether a decision for good covers a call; one without an owner, no function call."""
    server, key = subject_key(item)
    same = grant.key == key and grant.server == server
    if isinstance(item.raw, dict) and item.raw.get("type") == "function_call":
        return same and grant.subject == "function" and grant.agent == item.agent
    return same and grant.subject != "function"


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


def _from_grant(
    state: RunState, grant: Grant, call_id: str, *, approved: bool, always: bool = False
) -> Decision:
    return Decision(
        call_id=call_id,
        tool=grant.key or "",
        agent=None if grant.agent is None else _agent(state, grant.agent),
        approved=approved,
        always=always,
        message=(grant.messages or {}).get(call_id, grant.sticky_message),
        arguments_sha256="",
    )


def _mark(waiting: Interruption) -> bytes:
    return request_mark(waiting.agent, waiting.call_id, waiting.raw)


def _held(state: RunState, target: Interruption) -> tuple[RunState, tuple[Grant, ...]]:
    """Give the run a waiting call belongs to, and what the runs around it say of its calls.

    Raises:
        AmbiguousCall: two outer calls on the way share an id.
    """
    above: tuple[Grant, ...] = ()
    for outer in target.outer:
        above += _shared(state)
        runs = [run for call_id, run in nested_runs(state) if call_id == outer]
        if len(runs) != 1:
            raise AmbiguousCall(f"{len(runs)} calls with a run inside share one id")
        state = runs[0]
    return state, above


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


def _refuse_unclear(state: RunState, target: Interruption) -> None:
    """Refuse to decide a call that does not say what it is, or says two things."""
    if not target.call_id:
        raise DecisionError("expected a call with an id, found one without")
    for problem in suspect(_held(state, target)[0]):
        raise problem
