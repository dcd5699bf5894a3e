"""Decisions of runs inside: the SDK keeps them with the outermost run, where they cover more.

Another SDK keeps them with the run they were taken in. A decision for good that the run around it
could use too is written for the calls it was taken on: the later ones ask again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from hitl.dialects.openai_js import agent as agents
from hitl.dialects.openai_js import approvals, ledger
from hitl.model import positions
from hitl.revision import Loss

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hitl.dialects.openai_js.approvals import Owned
    from hitl.model import Grant, RunState

_WIDER = (
    "a decision for good, taken in a run inside, would cover the run around it too; it is kept for"
    " its call, later ones ask again"
)


def narrowed(records: Sequence[Owned], run: RunState, around: RunState) -> list[Owned]:
    """Give the records of a run inside without more than they covered there.

    Args:
        records: the records of the run and of those inside it.
        run: the run.
        around: the run it is inside of.
    """
    return [_narrowed(each, run) if _is_wider(each, around) else each for each in records]


def lost(run: RunState, around: RunState, path: str) -> Iterator[Loss]:
    """Name the decisions for good of a run inside, at `path`, that become narrower."""
    for index, grant in enumerate(run.grants):
        if _is_wider(approvals.owned_by(grant, run), around):
            yield Loss(path=f"{path}/grants/{index}", severity="warn", reason=_WIDER)
    for decision in run.decisions:
        taken = approvals.records(evolve(run, grants=(), decisions=(decision,)))
        if any(_is_wider(each, around) for each in taken):
            at = f"{path}/decisions/{decision.call_id}"
            yield Loss(path=at, severity="warn", reason=_WIDER)


def _is_wider(record: Owned, around: RunState) -> bool:
    if record.grant.sticky is None:
        return False
    return record.owner is None or record.owner in _own(around)


def _own(run: RunState) -> set[str]:
    """Give the agents that a run itself has had: those of runs inside are named in it, too."""
    items = [run.log.item(position) for position in positions(run.generated or ())]
    at = {run.current_agent or 0, *(item.agent for item in items if item.kind != "approval")}
    return {agents.identity(run.agents[each]) for each in at if each is not None}


def _narrowed(record: Owned, run: RunState) -> Owned:
    grant = record.grant
    calls = ledger.all_calls(run)
    ids = [item.call_id or "" for owner, item in calls if approvals.is_about(record, owner, item)]
    mine, other = ("approved", "rejected") if grant.sticky else ("rejected", "approved")
    listed = getattr(grant, other)
    exact = listed if isinstance(listed, list) else []
    covered = [call_id for call_id in dict.fromkeys(ids) if call_id not in exact]
    verdict: dict[str, Any] = {mine: covered, other: exact, "sticky_message": None}
    return evolve(record, grant=evolve(grant, **verdict, messages=_told(grant, covered)))


def _told(grant: Grant, covered: Sequence[str]) -> dict[str, str] | None:
    """Give what is told to the model, call by call."""
    said = dict(grant.messages or {})
    if grant.sticky is False and grant.sticky_message is not None:
        said = {**dict.fromkeys(covered, grant.sticky_message), **said}
    return said or None
