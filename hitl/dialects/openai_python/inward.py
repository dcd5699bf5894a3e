"""What releases before the ledger kept in one place for a run and all runs inside it.

They shared one map of decisions by tool name between an agent and the agents it uses as tools, and
wrote it down with the outermost run only; and they did not write which call is how far.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from hitl.dialects.openai_python.fingerprint import approval_scope
from hitl.dialects.openai_python.ledger import Calls
from hitl.dialects.openai_python.nest import every, kind, on_inner, own, waiting
from hitl.dialects.openai_python.owner import FUNCTION, HOSTED, exact_ids, fits, unowned, without
from hitl.model import CallState, Grant, Ledger
from hitl.model.decide import nested_runs
from hitl.model.inside import asked_inside

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.model import Call, Item, RunState


def inner_places(state: RunState) -> Iterator[str]:
    """Give the records by tool name that decide a call of a run inside."""
    for path, run in every(state):
        for at, grant in unowned(run, path):
            if any(_part(run, grant, inner) for inner in _inner(run)):
                yield at


def moved_inside(run: RunState) -> RunState:
    """Move what is said of calls inside to the run that made them."""
    if not list(_inner(run)):
        return run
    grants = list(run.grants)
    for _, grant in unowned(run):
        parts = [part for inner in _inner(run) if (part := _part(run, grant, inner))]
        if parts:
            left = _rest(grant, parts)
            index = grants.index(grant)
            grants[index : index + 1] = [] if left is None else [left]

    def receive(inner: RunState) -> RunState:
        given = [part for _, grant in unowned(run) if (part := _part(run, grant, inner))]
        return moved_inside(evolve(inner, grants=(*inner.grants, *given)))

    return evolve(on_inner(run, receive), grants=tuple(grants))


def _inner(run: RunState) -> Iterator[RunState]:
    for call in run.processed.calls if run.processed else ():
        if call.run is not None:
            yield call.run


def _part(run: RunState, grant: Grant, inner: RunState) -> Grant | None:
    """Give what a record says of the calls of one run inside, and of no other run.

    A call id that two runs share decides neither: both ask again.
    """
    mine = own(run)
    others = [each for each in _inner(run) if each is not inner]
    elsewhere = {*mine, *(call_id for other in others for call_id in _calls(other))}
    here = _calls(inner)
    ids = [
        call_id
        for call_id in exact_ids(grant)
        if call_id in here and call_id not in elsewhere and fits(grant, here[call_id])
    ]
    for_good = grant.sticky is not None and _only_here(grant, here, mine, others)
    if not ids and not for_good:
        return None
    kept = {key: text for key, text in (grant.messages or {}).items() if key in ids}
    return evolve(
        grant,
        approved=_said(grant, "approved", ids, for_good=for_good),
        rejected=_said(grant, "rejected", ids, for_good=for_good),
        messages=kept or None,
        sticky_message=grant.sticky_message if for_good else None,
    )


def _rest(grant: Grant, parts: list[Grant]) -> Grant | None:
    """Give what a record says beside these parts of it."""
    if any(part.sticky is not None for part in parts):
        both = (grant.approved, grant.rejected)
        approved, rejected = (each if isinstance(each, list) else [] for each in both)
        grant = evolve(grant, approved=approved, rejected=rejected)
    return without(grant, [call_id for part in parts for call_id in exact_ids(part)])


def _said(grant: Grant, verdict: str, ids: list[str], *, for_good: bool) -> bool | list[str]:
    said: bool | list[str] = getattr(grant, verdict)
    if isinstance(said, list):
        return [call_id for call_id in said if call_id in ids]
    return said if for_good else []


def _only_here(
    grant: Grant, here: dict[str, Item], mine: dict[str, Item], others: list[RunState]
) -> bool:
    """Tell whether a tool was called in one run inside only; then that run was meant."""
    elsewhere = [*mine.values(), *(item for other in others for item in _calls(other).values())]
    called = any(fits(grant, item) for item in here.values())
    return called and not any(fits(grant, item) for item in elsewhere)


def _calls(inner: RunState) -> dict[str, Item]:
    """Give the calls of a run and of those inside it."""
    return {call_id: item for _, run in every(inner) for call_id, item in own(run).items()}


def ledger_places(state: RunState) -> Iterator[str]:
    """Give the runs whose writer kept no ledger."""
    for path, run in every(state):
        if run.ledger is None:
            yield f"{path}/context/tool_invocations"


def with_ledger(run: RunState) -> RunState:
    """Say of each call how far it has come: what has an output is done, what has none, not begun.

    A call with a run inside has begun: it goes on there, and does not start again.
    """
    if run.ledger is not None:
        return run
    calls = Calls()
    for record in run.log:
        if record.item is not None:
            calls.note(record.item)
    calls.leave_out(run.agents, asked_inside(each for _, each in nested_runs(run)))
    done = calls.done()
    inside = {_id(run, call): call.run is not None for call in _work(run)}
    waits = {item.call_id: False for item in waiting(run) if item.call_id in own(run)}
    states = {
        call_id: CallState(executed=begun, completed=False)
        for call_id, begun in (waits | inside).items()
        if call_id is not None and call_id not in done
    }
    return evolve(run, ledger=Ledger(open=states))


def _work(run: RunState) -> tuple[Call, ...]:
    return run.processed.calls if run.processed else ()


def _id(run: RunState, call: Call) -> str | None:
    return run.log.item(call.item).call_id


def scope_places(state: RunState) -> Iterator[str]:
    """Give decisions for good on built-in tools that do not say which kind of tool they cover."""
    for path, run in every(state):
        for at, grant in unowned(run, path):
            if _native_scope(run, grant) is not None:
                yield at


def with_scopes(run: RunState) -> RunState:
    """Say which kind of tool they cover: that of the calls there are, if it is one."""
    grants = tuple(
        evolve(grant, scope=scope) if (scope := _native_scope(run, grant)) is not None else grant
        for grant in run.grants
    )
    return evolve(run, grants=grants)


def _native_scope(run: RunState, grant: Grant) -> str | None:
    if grant.subject != "tool" or grant.sticky is None or grant.scope is not None:
        return None
    calls = [item for item in own(run).values() if fits(grant, item)]
    scopes = {approval_scope(item) for item in calls}
    if {kind(item) for item in calls} & {FUNCTION, HOSTED} or len(scopes) != 1:
        return None
    return scopes.pop()


def by_id_places(state: RunState) -> Iterator[str]:
    """Give the decisions that name a call by its id and nothing else."""
    for path, run in every(state):
        for at, grant in unowned(run, path):
            if exact_ids(grant):
                yield at


def without_ids(run: RunState) -> RunState:
    """Forget them."""
    grants = (
        without(grant, exact_ids(grant)) if grant.subject == "tool" else grant
        for grant in run.grants
    )
    return evolve(run, grants=tuple(grant for grant in grants if grant is not None))
