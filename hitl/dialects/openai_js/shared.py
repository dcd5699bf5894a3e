"""Decisions of runs inside: the SDK keeps them with the outermost run, where they cover more.

Another SDK keeps them with the run they were taken in. A decision for good that another of the runs
could use too is written for the calls it was taken on: the later ones ask again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import evolve

from hitl.dialects.openai_js import agent as agents
from hitl.dialects.openai_js import approvals, ledger
from hitl.model import positions
from hitl.model.grant import joined
from hitl.revision import Loss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hitl.dialects.openai_js.approvals import Owned
    from hitl.model import Grant, RunState

_WIDER = (
    "a decision for good would cover other runs of the state too; it is kept for its call,"
    " later ones ask again"
)
_NARROWER = (
    "a decision for good covers later runs of the agent too; the other SDK keeps it for the run"
    " inside, later ones ask again"
)


def placed(
    state: RunState, records: Sequence[Owned], owner: Callable[[str], int | None]
) -> RunState:
    """Give each run the records that are for it: the SDK keeps those of runs inside outside.

    An agent that several of the runs have is decided for in each of them.

    Args:
        state: a run with the runs inside, without records.
        records: those of all of them.
        owner: gives the position of an agent in the table of the run.
    """
    kept = list(records)
    calls = []
    mine = own(state)
    for call in state.processed.calls if state.processed else ():
        if call.run is None:
            calls.append(call)
            continue
        run = call.run
        parts = [part for each in records if (part := _inside(each, run)) is not None]
        calls.append(evolve(call, run=placed(run, parts, _position(run))))
        kept = [left for each in kept if (left := _outside(each, run, mine)) is not None]
    grants = tuple(
        each.grant if each.owner is None else evolve(each.grant, agent=owner(each.owner))
        for each in kept
    )
    if state.processed is not None:
        state = evolve(state, processed=evolve(state.processed, calls=tuple(calls)))
    return evolve(state, grants=grants)


def _position(run: RunState) -> Callable[[str], int | None]:
    at = {agents.identity(each): place for place, each in enumerate(run.agents)}
    return at.get


def _inside(record: Owned, run: RunState) -> Owned | None:
    """Give the part of a record that is for a run inside, or for one deeper in it."""
    if record.owner is not None:
        return record if record.owner in known(run) else None
    if record.grant.sticky is not None:
        return record
    ids = {each.call_id for each in run.interruptions}
    return _part(record, lambda call_id: call_id in ids)


def _outside(record: Owned, run: RunState, mine: set[str]) -> Owned | None:
    """Give the part of a record that is not only for a run inside."""
    if record.owner is not None:
        return None if record.owner in known(run) - mine else record
    ids = {each.call_id for each in run.interruptions}
    if record.grant.sticky is not None or _part(record, lambda call_id: call_id in ids) is None:
        return record
    return _part(record, lambda call_id: call_id not in ids)


def _part(record: Owned, is_mine: Callable[[str], bool]) -> Owned | None:
    """Give what a record says of some calls; None if it says nothing of them."""
    grant = record.grant
    lists = {
        name: [call_id for call_id in found if is_mine(call_id)]
        for name in ("approved", "rejected")
        if isinstance(found := getattr(grant, name), list)
    }
    if not any(lists.values()):
        return None
    exact: dict[str, Any] = {"approved": [], "rejected": [], **lists, "sticky_message": None}
    kept = {key: text for key, text in (grant.messages or {}).items() if is_mine(key)}
    return evolve(record, grant=evolve(grant, **exact, messages=kept or None))


def known(run: RunState) -> set[str]:
    """Give the agents of a run and of those inside it."""
    found = {agents.identity(each) for each in run.agents}
    for call in run.processed.calls if run.processed else ():
        if call.run is not None:
            found |= known(call.run)
    return found


def gathered(records: Sequence[Owned]) -> list[Owned]:
    """Give one record for each tool of each agent: what several runs say of it, together."""
    found: dict[tuple[object, ...], Owned] = {}
    for each in records:
        mark = (each.owner, each.grant.subject, each.grant.server, each.grant.key)
        before = found.get(mark)
        found[mark] = (
            each if before is None else evolve(each, grant=joined(before.grant, each.grant))
        )
    return list(found.values())


Neighbour: TypeAlias = tuple[str, "RunState", frozenset[str] | None]
"""A run with its JSON Pointer and the agents of the other runs; None where there is no other."""


def neighbours(
    state: RunState, path: str = "", around: frozenset[str] | None = None
) -> Iterator[Neighbour]:
    """Give a run and all runs inside it, outermost first.

    Args:
        state: the run.
        path: where it stands.
        around: the agents of the runs around it and beside it; None where there is none.
    """
    calls = enumerate(state.processed.calls if state.processed else ())
    inside = {f"{path}/processed/calls/{index}/run": call.run for index, call in calls if call.run}
    if not inside:
        yield path, state, around
        return
    agents_of = {at: known(run) for at, run in inside.items()}
    outer = around or frozenset()
    yield path, state, outer.union(*agents_of.values())
    for at, run in inside.items():
        beside = (found for other, found in agents_of.items() if other != at)
        yield from neighbours(run, at, outer.union(own(state), *beside))


def narrowed(records: Sequence[Owned], run: RunState, others: frozenset[str] | None) -> list[Owned]:
    """Give the records of a run without more than they covered there.

    Args:
        records: the records of the run.
        run: the run.
        others: the agents of the other runs; None where there is no other.
    """
    if others is None:
        return [*records]
    return [_narrowed(each, run) if _is_wider(each, others) else each for each in records]


def wider_than(others: frozenset[str] | None) -> Callable[[Owned], bool]:
    """Make the function that tells which records of a run other runs could use too."""
    return lambda record: others is not None and _is_wider(record, others)


def losses(state: RunState, path: str = "", *, foreign: bool = True) -> Iterator[Loss]:
    """Name the decisions for good that become narrower, in a run and the runs inside it.

    Args:
        state: the run.
        path: where it stands.
        foreign: whether another SDK wrote it; what this one recorded for good stays as it is.
    """
    for at, run, others in neighbours(state, path):
        places = _for_good(run, at, run.grants if foreign else (), wider_than(others))
        yield from (Loss(path=place, severity="warn", reason=_WIDER) for place in places)


def leaving(state: RunState) -> Iterator[Loss]:
    """Name the decisions for good in runs inside: another SDK does not keep them outside."""
    for at, run, _ in neighbours(state):
        if at:
            places = _for_good(run, at, run.grants, _is_used(run))
            yield from (Loss(path=place, severity="warn", reason=_NARROWER) for place in places)


def _is_used(run: RunState) -> Callable[[Owned], bool]:
    """Make the function that tells which records for good are used.

    One that an older release kept by the name of a tool that has an owner, or a server, is not.
    """
    raws = (item.raw for _, item in ledger.all_calls(run))
    names = [raw.get("name") for raw in raws if isinstance(raw, dict)]
    return lambda record: (
        record.grant.sticky is not None
        and not (record.grant.subject == "tool" and record.grant.key in names)
    )


def _for_good(
    run: RunState, path: str, grants: Sequence[Grant], is_meant: Callable[[Owned], bool]
) -> Iterator[str]:
    """Give the JSON Pointers of some records of a run, and of decisions that make such records."""
    for index, grant in enumerate(grants):
        if grant.subject in approvals.SUBJECTS and is_meant(approvals.owned_by(grant, run)):
            yield f"{path}/grants/{index}"
    for decision in run.decisions:
        taken = approvals.records(evolve(run, grants=(), decisions=(decision,)))
        if any(is_meant(each) for each in taken):
            yield f"{path}/decisions/{decision.call_id}"


def _is_wider(record: Owned, others: frozenset[str]) -> bool:
    if record.grant.sticky is None or record.grant.subject not in approvals.SUBJECTS:
        return False
    return record.owner is None or record.owner in others


def own(run: RunState) -> set[str]:
    """Give the agents that a run itself has had: those of runs inside are named in it, too."""
    items = [run.log.item(position) for position in positions(run.generated or ())]
    at = {run.current_agent or 0, *(item.agent for item in items if item.kind != "approval")}
    return {agents.identity(run.agents[each]) for each in at if each is not None}


def _narrowed(record: Owned, run: RunState) -> Owned:
    ids = (
        item.call_id or ""
        for owner, item in ledger.all_calls(run)
        if approvals.is_about(record, owner, item) and ledger.is_own(run, item)
    )
    return approvals.kept_for(record, ids)
