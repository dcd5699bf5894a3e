"""Schema 1.15: the ledger of calls, staged input, and decisions kept in the run they are of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.dialects.openai_python import inward
from hitl.dialects.openai_python.nest import on_every
from hitl.dialects.openai_python.records import by_tool, mixed, with_records
from hitl.dialects.openai_python.shape import ACTIONS, SHAPE, typed_items, without_items
from hitl.dialects.openai_python.versions.v1_5 import ITEM_TYPES as BEFORE
from hitl.revision import Added, Loss, Mend
from hitl.schema import (
    DIGEST,
    FLAG,
    OBJECT,
    TEXT,
    by_name,
    closed,
    enum,
    listed,
)
from hitl.shape import follow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.document import JSONObject, JSONValue

_STAGED = "input_item"
_AGAIN = "next_step_run_again"
ITEM_TYPES = (*BEFORE, _STAGED)
_INVOCATION = closed(
    {
        "type": TEXT,
        "approval_scope": DIGEST,
        "fingerprint": DIGEST,
        "executed": FLAG,
        "completed": FLAG,
    }
)


def _later(given: JSONValue) -> bool:
    return given in (_STAGED, _AGAIN)


ADDED = (
    Added(
        place="Item",
        key="type",
        schema=enum(*ITEM_TYPES),
        changed=True,
        new=_later,
    ),
    Added(place="Item", key="input_id", schema=TEXT),
    Added(
        place="Step",
        key="type",
        schema=enum("next_step_interruption", _AGAIN),
        changed=True,
        new=_later,
    ),
    Added(
        place="Waiting",
        key="response_accepted",
        schema=FLAG,
        severity="error",
        reason="that the response was accepted is forgotten; it would be processed in another way",
    ),
    Added(
        place="Waiting",
        key="llm_end_hooks_started",
        schema=FLAG,
        severity="info",
        reason="hooks that wait for the end of the response do not run",
        says=lambda value: value is False,
    ),
    Added(
        place="Run",
        key="pending_input",
        schema=listed(OBJECT),
        severity="error",
        reason="staged input is forgotten; the model would not see it",
    ),
    Added(
        place="Context",
        key="tool_invocations",
        schema=by_name(_INVOCATION),
        severity="info",
        reason="the fingerprints of calls are forgotten; the older release trusts the items",
    ),
    Added(
        place="Approval",
        key="sticky_scope",
        schema=DIGEST,
        severity="warn",
        reason="the decision for good holds for every kind of tool of that name",
    ),
)


def downgrade(run: JSONObject) -> JSONObject:
    """Record the decisions of runs inside beside those of the run around them."""
    if _kind(run) == _AGAIN:
        run = {**run, "current_step": None}
    inner = list(_inner(run))
    if inner:
        run = SHAPE.edit_place(run, "Context", lambda given: with_records(given, inner))
    return without_items(run, _STAGED)


def losses(run: JSONObject, path: str) -> Iterator[Loss]:
    """Name input, steps and calls in the middle that the older release does not know."""
    for at in typed_items(run, path, _STAGED):
        yield Loss(path=at, severity="error", reason="input added during the run is forgotten")
    if _kind(run) == _AGAIN:
        reason = "that the model is to be asked again is not said; whoever resumes must say it"
        yield Loss(path=f"{path}/current_step", severity="warn", reason=reason)
    for at, context in SHAPE.find(run, "Context", path):
        yield from mixed(context, _inner(run), at, beside=False)
        yield from _cut(run, context, at)


def _cut(run: JSONObject, context: JSONObject, path: str) -> Iterator[Loss]:
    """Name calls that ran and have no output; a run inside goes on and does not start again."""
    calls = [call for route in ACTIONS for _, call in follow(run, route)]
    started = {_call_id(call) for call in calls if "agent_run_state" not in call}
    for at, entry in follow(context, ("tool_invocations", "*"), path):
        ran = entry.get("executed") is True and entry.get("completed") is False
        if ran and at.rpartition("/")[2] in started:
            yield Loss(path=at, severity="error", reason="the call has run and would run again")


def _call_id(call: JSONObject) -> str:
    raw = call.get("tool_call")
    return str(raw.get("call_id")) if isinstance(raw, dict) else ""


def _inner(run: JSONObject) -> Iterator[tuple[str, JSONObject]]:
    for _, inside in SHAPE.inside(run, ""):
        yield from by_tool(inside.get("context")).items()


def _kind(run: JSONObject) -> object:
    return (run.get("current_step") or {}).get("type")


MENDS = (
    Mend(
        name="inner-decision",
        reason="decisions on calls of a run inside were kept outside; each goes to its run",
        places=inward.inner_places,
        change=inward.moved_inside,
    ),
    Mend(
        name="call-ledger",
        reason="no ledger says how far each call has come; it follows from the calls and outputs",
        places=inward.ledger_places,
        change=lambda state: on_every(state, inward.with_ledger),
    ),
    Mend(
        name="sticky-scope",
        reason="a decision for good on a built-in tool covers the kind of tool that was called",
        places=inward.scope_places,
        change=lambda state: on_every(state, inward.with_scopes),
    ),
)


REVISION = SHAPE.revision(
    version="1.15",
    parent="1.14",
    summary="a ledger of calls; staged input; decisions inside stay inside",
    source="openai-agents 0.20.0, agents/run_state.py",
    mends=MENDS,
    added=ADDED,
    downgrade=downgrade,
    unknown=(losses,),
)
