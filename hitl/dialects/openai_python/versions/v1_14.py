"""Schema 1.14: decisions on hosted MCP tools have a place of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.dialects.openai_python import inward, owner
from hitl.dialects.openai_python.nest import on_every
from hitl.dialects.openai_python.records import entries, mixed, odd, sticky, with_records
from hitl.dialects.openai_python.shape import SHAPE
from hitl.revision import Added, Loss, Mend
from hitl.schema import TEXT, closed, listed, ref

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.document import JSONObject

_HOSTED = "hosted_mcp_approvals"
_SERVER = "the decision for good holds for every tool of that name, on any server and any agent"
_NAMELESS = "a decision without a tool name cannot be kept; the older release asks again"
_IDENTITY = closed({"type": TEXT}, server_label=TEXT, tool_name=TEXT, request_id=TEXT)

ADDED = (
    Added(
        place="Context",
        key=_HOSTED,
        schema=listed(closed({"identity": _IDENTITY, "decision": ref("Approval")})),
    ),
)


def downgrade(run: JSONObject) -> JSONObject:
    """Record the decisions by tool name, as older releases did."""
    return SHAPE.edit_place(
        run, "Context", lambda given: with_records(given, _named(given), _HOSTED)
    )


def losses(run: JSONObject, path: str) -> Iterator[Loss]:
    """Name decisions that reach further by name, clash there, or have no name."""
    for at, context in SHAPE.find(run, "Context", path):
        yield from odd(context, _HOSTED, at)
        yield from mixed(context, _named(context), at, beside=False)
        names = {_request(entry) for _, entry in entries(context, _HOSTED) if _name(entry)}
        for place, entry in entries(context, _HOSTED, at):
            if _name(entry) is None and _request(entry) not in names:
                yield Loss(path=place, severity="warn", reason=_NAMELESS)
            elif _name(entry) is not None and sticky(entry["decision"]):
                yield Loss(path=place, severity="warn", reason=_SERVER)


def _named(context: JSONObject) -> Iterator[tuple[str, JSONObject]]:
    for _, entry in entries(context, _HOSTED):
        name = _name(entry)
        if name is not None:
            yield name, entry["decision"]


def _name(entry: JSONObject) -> str | None:
    name = (entry.get("identity") or {}).get("tool_name")
    return name if isinstance(name, str) else None


def _request(entry: JSONObject) -> object:
    return (entry.get("identity") or {}).get("request_id")


MENDS = (
    # Before any decision is moved: what the ledger of the next version binds, nothing binds here.
    Mend(
        name="ask-again",
        reason="decisions name a call by its id, and not what it does; none of them is used",
        places=inward.by_id_places,
        change=lambda state: on_every(state, inward.without_ids),
        opt_in=True,
    ),
    Mend(
        name="hosted-decision",
        reason="decisions on hosted MCP requests were kept by tool name; each goes to its request",
        places=owner.exact_places(owner.HOSTED),
        change=lambda state: on_every(state, owner.exact_moved(owner.HOSTED)),
    ),
    Mend(
        name=owner.STICKY,
        reason="a decision for good by tool name goes to the only server whose tool it can mean",
        places=owner.sticky_places(owner.HOSTED),
        change=owner.sticky_moved(owner.HOSTED),
        widens=True,
        opt_in=True,
        left=owner.unused,
    ),
)


REVISION = SHAPE.revision(
    version="1.14",
    parent="1.13",
    summary="decisions on hosted MCP tools, by server and tool",
    source="openai-agents git main, never released",
    mends=MENDS,
    added=ADDED,
    downgrade=downgrade,
    unknown=(losses,),
)
