"""Decisions that older releases kept by tool name: whose they are, and where they belong now.

What a record says of one call, by its id, goes to that call. What it says of a tool for good is
used only when a person asks for it by name, and only where a single agent, or server, can be meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from hitl.dialects.openai_js.ledger import all_calls, own_calls
from hitl.document import escape
from hitl.model import Grant
from hitl.model.decide import nested_runs, subject_key
from hitl.model.grant import joined
from hitl.revision import Loss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hitl.model import Item, RunState

FUNCTION = "function_call"
HOSTED = "mcp_approval_request"
STICKY = "sticky-owner"

_UNUSED = (
    f"a decision for good has no owner; unless the repair {STICKY} is asked for it is not used, and"
    " the calls it covers ask again"
)
_UNKNOWN = (
    "a decision for good has no owner and nothing tells whose it is; it is not used, and the calls"
    " it covers ask again"
)


def exact_places(kind: str) -> Callable[[RunState], Iterator[str]]:
    """Make the function that finds decisions by tool name on calls of a kind."""

    def places(state: RunState) -> Iterator[str]:
        # Old releases kept what was decided in runs inside with the outermost one.
        keys = [
            str(grant.key)
            for run in _every(state)
            for grant in run.grants
            if _decided(own_calls(run), grant, kind)
        ]
        for key in dict.fromkeys(keys):
            yield f"/context/approvals/{escape(key)}"

    return places


def exact_moved(kind: str) -> Callable[[RunState], RunState]:
    """Make the function that gives decisions on single calls to the tool's owner."""
    return lambda state: _given(state, kind)


def _every(state: RunState) -> Iterator[RunState]:
    yield state
    for _, run in nested_runs(state):
        yield from _every(run)


def _given(state: RunState, kind: str) -> RunState:
    """Give a run, and each inside it, the decisions on its calls; those for good stay outside."""
    handed, left = _parted(state.grants, own_calls(state), kind)
    exact = [_exact(grant, item) for grant, items in handed for item in items]
    state = evolve(state, grants=tuple(_joined([*exact, *left])))
    if state.processed is None:
        return state
    calls = []
    for call in state.processed.calls:
        run = call.run
        if run is not None:
            handed, left = _parted(left, all_calls(run), kind)
            parts = [_only(grant, items) for grant, items in handed]
            run = _given(evolve(run, grants=(*run.grants, *parts)), kind)
        calls.append(evolve(call, run=run))
    grants = tuple(_joined([*exact, *left]))
    return evolve(state, grants=grants, processed=evolve(state.processed, calls=tuple(calls)))


def _parted(
    grants: Sequence[Grant], calls: Sequence[tuple[str, Item]], kind: str
) -> tuple[list[tuple[Grant, list[Item]]], list[Grant]]:
    """Part records by tool name.

    Returns:
        Those that decide single ones of `calls`, each with these, and what else the records say.
    """
    handed: list[tuple[Grant, list[Item]]] = []
    left: list[Grant] = []
    for grant in grants:
        items = _decided(calls, grant, kind)
        if not items:
            left.append(grant)
            continue
        handed.append((grant, items))
        ids = {item.call_id for item in items}
        rest = evolve(
            grant,
            approved=_without(grant.approved, ids),
            rejected=_without(grant.rejected, ids),
        )
        if rest.approved or rest.rejected:
            left.append(rest)
    return handed, left


def _decided(calls: Sequence[tuple[str, Item]], grant: Grant, kind: str) -> list[Item]:
    """Give the calls of a kind that a record by tool name decides, each by its id."""
    if grant.subject != "tool":
        return []
    found: dict[str, Item] = {}
    for _, item in calls:
        raw = item.raw if isinstance(item.raw, dict) else {}
        call_id = item.call_id or ""
        named = raw.get("type") == kind and raw.get("name") == grant.key
        if named and grant.exact(call_id) is not None:
            found.setdefault(call_id, item)
    return list(found.values())


def _only(grant: Grant, items: Sequence[Item]) -> Grant:
    """Give what a record says of single calls."""
    ids = {item.call_id for item in items}
    listed: dict[str, Any] = {
        name: [each for each in found if each in ids] if isinstance(found, list) else []
        for name, found in (("approved", grant.approved), ("rejected", grant.rejected))
    }
    told = {key: text for key, text in (grant.messages or {}).items() if key in ids}
    return evolve(grant, **listed, messages=told or None, sticky_message=None)


def _exact(grant: Grant, item: Item) -> Grant:
    call_id = item.call_id or ""
    approved = grant.exact(call_id) is True
    message = (grant.messages or {}).get(call_id)
    return evolve(
        _record(item),
        approved=[call_id] if approved else [],
        rejected=[] if approved else [call_id],
        messages=None if message is None else {call_id: message},
    )


def _record(item: Item) -> Grant:
    """Give an empty record of the tool that a call is for."""
    server, key = subject_key(item)
    if server is not None:
        return Grant(subject="hosted_tool", server=server, key=key)
    return Grant(subject="function", agent=item.agent, key=key)


def _joined(grants: Sequence[Grant]) -> Iterator[Grant]:
    """Join records of one tool of one agent."""
    held: dict[tuple[object, ...], Grant] = {}
    for grant in grants:
        mark = (grant.subject, grant.agent, grant.server, grant.key)
        held[mark] = joined(held[mark], grant) if mark in held else grant
    yield from held.values()


def _without(given: bool | list[str], ids: set[str | None]) -> bool | list[str]:  # noqa: FBT001
    return [each for each in given if each not in ids] if isinstance(given, list) else given


def sticky_places(kind: str) -> Callable[[RunState], Iterator[str]]:
    """Make the function that finds decisions for good whose owner can be told."""

    def places(state: RunState) -> Iterator[str]:
        for grant in _sticky(state, kind):
            if _only_owner(state, grant, kind):
                yield f"/context/approvals/{escape(grant.key or '')}"

    return places


def sticky_moved(kind: str) -> Callable[[RunState], RunState]:
    """Make the function that gives decisions for good to their only possible owner."""

    def moved(state: RunState) -> RunState:
        for grant in _sticky(state, kind):
            if _only_owner(state, grant, kind):
                left = tuple(each for each in state.grants if each is not grant)
                state = _settled(evolve(state, grants=left), grant, kind)
        return state

    return moved


def unused(kind: str) -> Callable[[RunState], Iterator[Loss]]:
    """Make the function that names the decisions for good that are not used."""

    def left(state: RunState) -> Iterator[Loss]:
        for grant in _sticky(state, kind):
            reason = _UNUSED if _only_owner(state, grant, kind) else _UNKNOWN
            at = f"/context/approvals/{escape(grant.key or '')}"
            yield Loss(path=at, severity="warn", reason=reason)

    return left


def _sticky(state: RunState, kind: str) -> list[Grant]:
    """Give the decisions for good by tool name that cover a call of a kind."""
    return [
        grant
        for grant in state.grants
        if grant.subject == "tool"
        and grant.sticky is not None
        and any(_kind(item) == kind for _, item in _covered(all_calls(state), grant))
    ]


def _covered(calls: Sequence[tuple[str, Item]], grant: Grant) -> list[tuple[str, Item]]:
    """Give the calls a record by name is looked up for: by the raw name, whatever the kind."""
    return [
        (who, item)
        for who, item in calls
        if isinstance(item.raw, dict) and item.raw.get("name") == grant.key
    ]


def _only_owner(state: RunState, grant: Grant, kind: str) -> bool:
    """Tell whether one agent's tool, or one server's, is all that a decision can mean."""
    calls = _covered(all_calls(state), grant)
    owners = {(None if kind == HOSTED else who, subject_key(item)) for who, item in calls}
    return len(owners) == 1 and {_kind(item) for _, item in calls} == {kind}


def _settled(run: RunState, grant: Grant, kind: str) -> RunState:
    """Give every run that made a call that is covered a record of its own."""
    if run.processed is not None:
        calls = tuple(
            call if call.run is None else evolve(call, run=_settled(call.run, grant, kind))
            for call in run.processed.calls
        )
        run = evolve(run, processed=evolve(run.processed, calls=calls))
    mine = _covered(own_calls(run), grant)
    if not mine:
        return run
    given = evolve(
        _record(mine[-1][1]),
        approved=grant.approved,
        rejected=grant.rejected,
        messages=grant.messages,
        sticky_message=grant.sticky_message,
    )
    return evolve(run, grants=tuple(_joined([*run.grants, given])))


def _kind(item: Item) -> str | None:
    return str(item.raw.get("type")) if isinstance(item.raw, dict) else None
