"""What states of older releases need to resume on a newer one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from hitl.dialects.openai_js import wire
from hitl.dialects.openai_js.ledger import all_calls
from hitl.model import Grant, positions
from hitl.model.decide import subject_key
from hitl.revision import Loss, Mend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hitl.document import JSONValue
    from hitl.model import Item, RunState

_UNPROVED = "that the input guardrails have passed is not recorded; it is taken for granted"
_LOST_RUN = "the run inside that made this call was not written; it would start from the beginning"
_UNUSED = "a decision for good has no owner; it is not used, and the calls it covers ask again"


def complete(state: RunState, dialect: str) -> RunState:
    """Give a run that is written with all that newer releases ask for.

    What the document did not say is no longer held back, nor under which keys it kept runs inside.
    """
    own = state.extras.get(dialect, {})
    parts = own.get("kept", [])
    kept: list[JSONValue] = [
        each
        for each in (parts if isinstance(parts, list) else [])
        if isinstance(each, dict)
        and each.get("now")
        and not str(each.get("at")).startswith("/pendingAgentToolRun")
    ]
    extras = {**own, "kept": kept}
    extras.pop("texts", None)
    state = evolve(state, extras={**state.extras, dialect: extras})
    if state.processed is None:
        return state
    calls = tuple(
        call if call.run is None else evolve(call, run=complete(call.run, dialect))
        for call in state.processed.calls
    )
    return evolve(state, processed=evolve(state.processed, calls=calls))


def _unowned(kind: str) -> Callable[[RunState], Iterator[str]]:
    """Make the function that finds decisions by tool name on calls of a kind."""

    def places(state: RunState) -> Iterator[str]:
        for grant in state.grants:
            if grant.subject == "tool" and _movable(state, grant, kind):
                yield f"/context/approvals/{grant.key}"

    return places


def _owned(kind: str) -> Callable[[RunState], RunState]:
    """Make the function that gives decisions on single calls to the tool's owner."""

    def moved(state: RunState) -> RunState:
        return _given(_moved(state, kind), kind)

    return moved


def _moved(state: RunState, kind: str) -> RunState:
    grants: list[Grant] = []
    for grant in state.grants:
        calls = _movable(state, grant, kind) if grant.subject == "tool" else []
        if not calls:
            grants.append(grant)
            continue
        ids = {item.call_id for item in calls}
        grants += [_exact(grant, item) for item in calls]
        left = evolve(
            grant,
            approved=_without(grant.approved, ids),
            rejected=_without(grant.rejected, ids),
        )
        if left.approved or left.rejected:
            grants.append(left)
    return evolve(state, grants=tuple(_joined(grants)))


def _given(state: RunState, kind: str) -> RunState:
    """Give the runs inside the decisions on their calls: old releases kept all outside."""
    if state.processed is None:
        return state
    grants = list(state.grants)
    calls = []
    for call in state.processed.calls:
        if call.run is None:
            calls.append(call)
            continue
        ids = {item.call_id for _, item in all_calls(call.run)}
        mine = [each for each in grants if each.subject == "tool" and {*_ids(each)} & ids]
        run = _moved(evolve(call.run, grants=(*call.run.grants, *mine)), kind)
        if run.grants != (*call.run.grants, *mine):
            grants = [each for each in grants if each not in mine]
            calls.append(evolve(call, run=run))
        else:
            calls.append(call)
    return evolve(
        state, grants=tuple(grants), processed=evolve(state.processed, calls=tuple(calls))
    )


def _movable(state: RunState, grant: Grant, kind: str) -> list[Item]:
    found: dict[str, Item] = {}
    for _, item in all_calls(state):
        raw = item.raw if isinstance(item.raw, dict) else {}
        call_id = item.call_id or ""
        named = raw.get("type") == kind and raw.get("name") == grant.key
        if named and grant.exact(call_id) is not None and _is_own(state, item):
            found.setdefault(call_id, item)
    return list(found.values())


def _is_own(state: RunState, item: Item) -> bool:
    inner = {
        each.call_id
        for call in (state.processed.calls if state.processed else ())
        if call.run is not None
        for _, each in all_calls(call.run)
    }
    return item.call_id not in inner


def _exact(grant: Grant, item: Item) -> Grant:
    call_id = item.call_id or ""
    approved = grant.exact(call_id) is True
    message = (grant.messages or {}).get(call_id)
    server, key = subject_key(item)
    who: dict[str, Any] = {"subject": "function", "agent": item.agent, "key": key}
    if server is not None:
        who = {"subject": "hosted_tool", "server": server, "key": key}
    return Grant(
        approved=[call_id] if approved else [],
        rejected=[] if approved else [call_id],
        messages=None if message is None else {call_id: message},
        **who,
    )


def _joined(grants: Sequence[Grant]) -> Iterator[Grant]:
    """Join records of one tool of one agent."""
    held: dict[tuple[object, ...], Grant] = {}
    for grant in grants:
        mark = (grant.subject, grant.agent, grant.server, grant.key)
        known = held.get(mark)
        if known is None or not isinstance(known.approved, list):
            held[mark] = grant
            continue
        held[mark] = evolve(
            known,
            approved=_plus(known.approved, grant.approved),
            rejected=_plus(known.rejected, grant.rejected),
            messages={**(known.messages or {}), **(grant.messages or {})} or None,
        )
    yield from held.values()


def _plus(one: bool | list[str], other: bool | list[str]) -> bool | list[str]:  # noqa: FBT001
    if isinstance(one, list) and isinstance(other, list):
        return [*one, *other]
    return one if one is True else other


def _without(given: bool | list[str], ids: set[str | None]) -> bool | list[str]:  # noqa: FBT001
    return [each for each in given if each not in ids] if isinstance(given, list) else given


def _ids(grant: Grant) -> list[str]:
    lists = (grant.approved, grant.rejected)
    return [call_id for each in lists if isinstance(each, list) for call_id in each]


def _sticky(state: RunState) -> Iterator[Loss]:
    """Name decisions for good on function tools that nobody owns."""
    names = {subject_key(item)[1] for _, item in all_calls(state) if _is_function(item)}
    for grant in state.grants:
        if grant.subject == "tool" and grant.sticky is not None and grant.key in names:
            at = f"/context/approvals/{grant.key}"
            yield Loss(path=at, severity="warn", reason=_UNUSED)


def _is_function(item: Item) -> bool:
    return isinstance(item.raw, dict) and item.raw.get("type") == "function_call"


def unproved() -> Loss:
    """Give the loss of a run that does not say whether its input guardrails have passed."""
    return Loss(path=f"/{wire.GUARDRAILS_DONE}", severity="warn", reason=_UNPROVED)


def _lost_runs(state: RunState) -> Iterator[Loss]:
    """Name the waiting calls of runs inside that were never written."""
    held = {item.call_id for _, item in all_calls(state) if item.kind != "approval"}
    waiting = positions((state.step and state.step.interruptions) or ())
    for index, position in enumerate(waiting):
        item = state.log.item(position)
        if item.agent != state.current_agent and item.call_id not in held:
            at = f"/currentStep/data/interruptions/{index}"
            yield Loss(path=at, severity="error", reason=_LOST_RUN)


RUNS: tuple[Mend[RunState], ...] = (
    Mend(
        name="run-inside",
        reason="the run inside an agent used as a tool was not written; nothing brings it back",
        left=_lost_runs,
    ),
)
OWNERS: tuple[Mend[RunState], ...] = (
    Mend(
        name="decision-owner",
        reason="decisions on function calls were kept by tool name; each goes to the calling agent",
        places=_unowned("function_call"),
        change=_owned("function_call"),
        left=_sticky,
    ),
)
HOSTED: tuple[Mend[RunState], ...] = (
    Mend(
        name="decision-server",
        reason="decisions on hosted calls were kept by tool name; each goes to its server's tool",
        places=_unowned("mcp_approval_request"),
        change=_owned("mcp_approval_request"),
    ),
)
GUARDRAILS: tuple[Mend[RunState], ...] = (
    Mend(
        name="input-guardrails",
        reason="the newer release resumes only what says that its input guardrails have passed",
        places=lambda _: (f"/{wire.GUARDRAILS_DONE}",),
    ),
)
