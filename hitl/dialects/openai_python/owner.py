"""Decisions that older releases kept by tool name: whose they are, and where they belong now.

A record by name says less than one with an owner. What it says of one call, by its id, moves to
that call. What it says of a tool for good is used only when a person asks for it by name, and only
where a single agent, or server, can be meant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from hitl.dialects.openai_python import approvals
from hitl.dialects.openai_python.fingerprint import approval_scope, key_scope
from hitl.dialects.openai_python.nest import every, kind, own, record_at
from hitl.model import Decision, Grant, Item
from hitl.revision import Loss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hitl.model import RunState

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


def unowned(run: RunState, path: str = "") -> Iterator[tuple[str, Grant]]:
    """Give the records by tool name, each with its JSON Pointer."""
    for grant in run.grants:
        if grant.subject == "tool":
            yield record_at(path, grant.key), grant


def exact_ids(grant: Grant) -> list[str]:
    """Give the ids of the calls a record decides one by one."""
    lists = (grant.approved, grant.rejected)
    return [call_id for each in lists if isinstance(each, list) for call_id in each]


def without(grant: Grant, ids: Sequence[str]) -> Grant | None:
    """Give a record without some calls; None when it says nothing then."""
    approved, rejected = (
        [call_id for call_id in each if call_id not in ids] if isinstance(each, list) else each
        for each in (grant.approved, grant.rejected)
    )
    messages = {call: text for call, text in (grant.messages or {}).items() if call not in ids}
    left = evolve(grant, approved=approved, rejected=rejected, messages=messages or None)
    return left if left.sticky is not None or exact_ids(left) else None


def fits(grant: Grant, item: Item) -> bool:
    """Tell whether a record by name is one of the records its release looked a call up under."""
    if kind(item) == HOSTED:
        raw = item.raw if isinstance(item.raw, dict) else {}
        return grant.key == (raw.get("name") or item.tool_name)
    name = str(item.tool_name or (item.raw or {}).get("name") or "")  # type: ignore[union-attr]
    return grant.key in {*approvals.tool_keys(item), f"{name}.{name}"}


def exact_places(call_kind: str) -> Callable[[RunState], Iterator[str]]:
    """Make the function that finds records of single calls of a kind."""

    def places(state: RunState) -> Iterator[str]:
        for path, run in every(state):
            calls = own(run)
            for at, grant in unowned(run, path):
                if _movable(grant, calls, call_kind):
                    yield at

    return places


def exact_moved(call_kind: str) -> Callable[[RunState], RunState]:
    """Make the function that gives single calls of a kind a record of their own in their run."""

    def moved(run: RunState) -> RunState:
        calls = own(run)
        kept: list[Grant] = []
        verdicts: list[tuple[Decision, Item]] = []
        for grant in run.grants:
            ids = _movable(grant, calls, call_kind) if grant.subject == "tool" else []
            verdicts += [(_decision(grant, call_id), calls[call_id]) for call_id in ids]
            left = without(grant, ids) if ids else grant
            kept += [] if left is None else [left]
        grants = tuple(kept)
        for decision, item in verdicts:
            grants = approvals.decided(grants, decision, item)
        return evolve(run, grants=grants)

    return moved


def _movable(grant: Grant, calls: dict[str, Item], call_kind: str) -> list[str]:
    return [
        call_id
        for call_id in exact_ids(grant)
        if call_id in calls and kind(calls[call_id]) == call_kind and fits(grant, calls[call_id])
    ]


def _decision(grant: Grant, call_id: str) -> Decision:
    approved = grant.exact(call_id) is True
    message = None if approved else (grant.messages or {}).get(call_id)
    return Decision(
        call_id=call_id,
        approved=approved,
        message=message,
        tool=grant.key or "",
        agent=None,
        arguments_sha256="",
    )


def sticky_places(call_kind: str) -> Callable[[RunState], Iterator[str]]:
    """Make the function that finds decisions for good whose owner can be told."""

    def places(state: RunState) -> Iterator[str]:
        for path, run in every(state):
            for at, grant in unowned(run, path):
                if grant.sticky is not None and _covered(state, run, grant, call_kind):
                    yield at

    return places


def sticky_moved(call_kind: str) -> Callable[[RunState], RunState]:
    """Make the function that gives decisions for good to their only possible owner."""

    def moved(state: RunState) -> RunState:
        def change(run: RunState) -> RunState:
            grants = list(run.grants)
            for _, grant in unowned(run):
                item = None
                if grant.sticky is not None:
                    item = _covered(state, run, grant, call_kind)
                if item is not None:
                    _give(grants, grant, item)
            return evolve(run, grants=tuple(grants))

        # Not on copies: whose calls there are is asked of the whole state.
        return _on_same(state, change)

    return moved


def _on_same(run: RunState, change: Callable[[RunState], RunState]) -> RunState:
    changed = change(run)
    if run.processed is None:
        return changed
    calls = tuple(
        call if call.run is None else evolve(call, run=_on_same(call.run, change))
        for call in run.processed.calls
    )
    return evolve(changed, processed=evolve(run.processed, calls=calls))


def _give(grants: list[Grant], grant: Grant, item: Item) -> None:
    """Replace a record by one of its owner, keeping what is said of single calls."""
    owner = approvals.sticky_record(item)
    index = next((i for i, each in enumerate(grants) if approvals.is_record_of(each, owner)), None)
    held = Grant(**owner) if index is None else grants[index]  # type: ignore[arg-type]
    exact = held.rejected if grant.sticky else held.approved
    exact = exact if isinstance(exact, list) else []
    given = evolve(
        held,
        approved=True if grant.sticky else exact,
        rejected=exact if grant.sticky else True,
        messages={**(held.messages or {}), **(grant.messages or {})} or None,
        sticky_message=grant.sticky_message,
        scope=approval_scope(item),
    )
    grants[grants.index(grant)] = given
    if index is not None:
        grants.remove(held)


def _covered(state: RunState, run: RunState, grant: Grant, call_kind: str) -> Item | None:
    """Give a call that a decision for good covers, if only one agent and tool can be meant."""
    mine = [item for item in own(run).values() if fits(grant, item)]
    scopes = {approval_scope(item) for item in mine}
    if not mine or {kind(item) for item in mine} != {call_kind} or len(scopes) != 1:
        return None
    if grant.scope is not None and {grant.scope} != scopes:
        return None
    callers = {
        _who(each, item)
        for _, each in every(state)
        for item in own(each).values()
        if fits(grant, item)
    }
    return mine[-1] if len(callers) == 1 else None


def _who(run: RunState, item: Item) -> tuple[str | None, str | None]:
    if item.agent is None:
        return None, None
    agent = run.agents[item.agent]
    return agent.name, agent.identity


def unused(state: RunState) -> Iterator[Loss]:
    """Say which decisions for good are not used."""
    for path, run in every(state):
        for at, grant in unowned(run, path):
            if grant.sticky is None or _native(run, grant):
                continue
            known = _covered(state, run, grant, FUNCTION) or _covered(state, run, grant, HOSTED)
            yield Loss(path=at, severity="warn", reason=_UNUSED if known else _UNKNOWN)


def _native(run: RunState, grant: Grant) -> bool:
    """Tell whether a record is for a built-in tool, which has no owner in any release."""
    kinds = {kind(item) for item in own(run).values() if fits(grant, item)}
    if kinds:
        return not kinds & {FUNCTION, HOSTED}
    return grant.scope is not None and grant.scope != key_scope(grant.key or "")
