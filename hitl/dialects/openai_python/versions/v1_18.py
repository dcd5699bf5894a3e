"""Schema 1.18: a decision on a function tool belongs to one agent; MCP calls to one server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.dialects.openai_python import binding, owner
from hitl.dialects.openai_python.nest import on_every
from hitl.dialects.openai_python.records import entries, mixed, odd, sticky, with_records
from hitl.dialects.openai_python.shape import SHAPE
from hitl.revision import Added, Loss, Mend
from hitl.schema import (
    DIGEST,
    FLAG,
    TEXT,
    TEXT_OR_NULL,
    by_name,
    closed,
    listed,
    nullable,
    ref,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.document import JSONObject

_OWNED = "function_tool_approvals"
_BINDING = listed({"type": ["string", "integer", "null"]})
_COMPACTION = "the session is not compacted after the write, or compacted without this write"
_STICKY = "the decision for good holds for the tools of that name of every agent"
_OWNER = "whose call was decided is forgotten; the call is still known by its id"

ADDED = (
    Added(
        place="Context",
        key=_OWNED,
        schema=listed(
            closed({"agent": ref("Agent"), "tool_key": TEXT, "decision": ref("Approval")})
        ),
    ),
    Added(
        place="Processed",
        key="mcp_tool_bindings",
        schema=by_name(_BINDING),
        severity="info",
        reason="which server a call is for is found again by the tool's name",
    ),
    Added(
        place="SessionWrite",
        key="response_id",
        schema=TEXT_OR_NULL,
        severity="info",
        reason=_COMPACTION,
    ),
    Added(
        place="SessionWrite",
        key="store",
        schema=nullable(FLAG),
        severity="info",
        reason=_COMPACTION,
        says=lambda value: value is not None,
    ),
    Added(
        place="SessionWrite",
        key="has_local_tool_outputs",
        schema=FLAG,
        severity="info",
        reason=_COMPACTION,
    ),
    Added(
        place="SessionWrite",
        key="append_acknowledged",
        schema=FLAG,
        severity="warn",
        reason="that the session took the items is forgotten; the session is compared again",
    ),
    Added(
        place="SessionWrite",
        key="compaction_model_exchange",
        schema=closed({"item_digests": listed(DIGEST), "reasoning_item_id_policy": TEXT_OR_NULL}),
        severity="info",
        reason=_COMPACTION,
    ),
)


def downgrade(run: JSONObject) -> JSONObject:
    """Record the decisions by tool name, without their owners."""
    return SHAPE.edit_place(
        run, "Context", lambda given: with_records(given, _named(given), _OWNED)
    )


def losses(run: JSONObject, path: str) -> Iterator[Loss]:
    """Name decisions that reach further without an owner, or clash."""
    for at, context in SHAPE.find(run, "Context", path):
        yield from odd(context, _OWNED, at)
        yield from mixed(context, _named(context), at, beside=True)
        for place, entry in entries(context, _OWNED, at):
            if sticky(entry["decision"]):
                yield Loss(path=place, severity="warn", reason=_STICKY)
            else:
                yield Loss(path=place, severity="info", reason=_OWNER)


def _named(context: JSONObject) -> Iterator[tuple[str, JSONObject]]:
    for _, entry in entries(context, _OWNED):
        yield str(entry.get("tool_key")), entry["decision"]


MENDS = (
    Mend(
        name="decision-owner",
        reason="decisions on function calls were kept by tool name; each goes to the calling agent",
        places=owner.exact_places(owner.FUNCTION),
        change=lambda state: on_every(state, owner.exact_moved(owner.FUNCTION)),
    ),
    Mend(
        name=owner.STICKY,
        reason="a decision for good by tool name goes to the only agent whose tool it can mean",
        places=owner.sticky_places(owner.FUNCTION),
        change=owner.sticky_moved(owner.FUNCTION),
        widens=True,
        opt_in=True,
        left=owner.unused,
    ),
    Mend(
        name="mcp-binding",
        reason="which server a call is for is found at restore, among the agent's servers",
        places=binding.places,
        left=binding.unbound,
    ),
)


REVISION = SHAPE.revision(
    version="1.18",
    parent="1.17",
    summary="decisions belong to an agent; MCP calls to a server; compaction waits for a write",
    source="openai-agents 0.23.1, agents/run_state.py",
    mends=MENDS,
    added=ADDED,
    downgrade=downgrade,
    unknown=(losses,),
)
