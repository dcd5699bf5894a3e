"""Decisions in releases that keep them by the plain name of the tool: of any agent, of any server.

Such a release uses a record for every call of the name. One for good that would be used for calls
it was not taken for, or that another record of the name contradicts, is kept for its own calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import evolve, frozen

from hitl import document as json_document
from hitl.dialects.openai_js import approvals, fingerprint
from hitl.dialects.openai_js import raw as protocol
from hitl.dialects.openai_js.agent import reference
from hitl.dialects.openai_js.approvals import Owned
from hitl.dialects.openai_js.history import text
from hitl.dialects.openai_js.shape import SHAPE
from hitl.document import JSONObject, escape
from hitl.errors import DocumentError
from hitl.model import Item
from hitl.revision import Loss

if TYPE_CHECKING:
    from hitl.document import JSONValue
    from hitl.shape import Unknown

_WIDER = (
    "the release keeps a decision for good by the name of the tool, and would use it for other"
    " calls; it is kept for its calls, later ones ask again"
)
_MIXED = (
    "the release keeps decisions by the name of the tool, and would use one of another call for"
    " this"
)
_NEWER = "resume it where decisions are kept by agent and by server: version 1.18 or newer"
_FUNCTION = "function_call"
_Call: TypeAlias = tuple[str, Item]
"""A call with the identity of the agent that makes it."""


@frozen(kw_only=True)
class Kept:
    """A record of one agent, or of one server.

    Attributes:
        path: where it stands in the run.
        name: the plain name of the tool.
        record: as it stands.
        owned: as it is read; None if it is not in the SDK's form.
    """

    path: str
    name: str
    record: JSONObject
    owned: Owned | None


Records: TypeAlias = Callable[[JSONObject], Iterable[Kept]]
"""Gives the records of a context that an older release keeps by name."""


def owned(context: JSONObject) -> Iterator[Kept]:
    """Give the records of function tools, each of one agent."""
    entries = context.get("functionApprovals")
    for index, entry in enumerate(entries if isinstance(entries, list) else ()):
        records = entry.get("approvals") if isinstance(entry, dict) else None
        for key, record in records.items() if isinstance(records, dict) else ():
            name = _function(key)
            if name is not None and isinstance(record, dict):
                alone: Any = [{**entry, "approvals": {key: record}}]
                place = f"/functionApprovals/{index}/approvals/{escape(key)}"
                yield _kept(place, name, record, {"functionApprovals": alone})


def hosted(context: JSONObject) -> Iterator[Kept]:
    """Give the records of hosted MCP tools, each of one server."""
    records = context.get("hostedMcpApprovals")
    for key, record in records.items() if isinstance(records, dict) else ():
        match _parsed(key):
            case [_, _, str(name)] if isinstance(record, dict):
                place = f"/hostedMcpApprovals/{escape(key)}"
                yield _kept(place, name, record, {"hostedMcpApprovals": {key: record}})


def _function(key: str) -> str | None:
    """Give the plain name of a function tool."""
    match _parsed(key):
        case [_, str(name)]:
            return name
        case [_, str(space), str(name)]:
            return f"{space}.{name}"
        case _:
            pass
    return None


def _kept(place: str, name: str, record: JSONObject, alone: JSONObject) -> Kept:
    found = approvals.read(alone)
    path = f"/context{place}"
    return Kept(path=path, name=name, record=record, owned=found[0] if found else None)


def _parsed(key: str) -> JSONValue:
    try:
        return json_document.parse(key.encode("utf-8", "surrogatepass"))
    except DocumentError:
        return None


def joined(run: JSONObject, records: Records) -> JSONObject:
    """Give a run that keeps records by tool name too, none for more calls than it was for."""
    calls = list(_calls(run))

    def change(context: JSONObject) -> JSONObject:
        return _joined(context, list(records(context)), calls)

    return SHAPE.edit_place(run, "Context", change)


def _joined(context: JSONObject, found: list[Kept], calls: list[_Call]) -> JSONObject:
    if not found:
        return context
    given = _named(context)
    named = dict(given)
    for each in found:
        wider = _is_wider(each, found, given, calls)
        record = _narrowed(each, given, calls) if wider else each.record
        before = named.get(each.name)
        named[each.name] = _both(before, record) if isinstance(before, dict) else record
    return {**context, "approvals": named}


def _named(context: JSONObject) -> dict[str, Any]:
    given = context.get("approvals")
    return dict(given) if isinstance(given, dict) else {}


def _narrowed(kept: Kept, given: dict[str, Any], calls: Iterable[_Call]) -> JSONObject:
    """Give a record for good as one of its calls, without those that were decided alone."""
    if kept.owned is None:
        return kept.record
    ids = [
        item.call_id or ""
        for who, item in calls
        if _is_for(kept, who, item)
        and not any(_exact(each, item) is not None for each in _by_name(given, item))
    ]
    return approvals.form(approvals.kept_for(kept.owned, ids).grant)


def _both(one: JSONObject, other: JSONObject) -> JSONObject:
    both: JSONObject = {**one, **other}
    for key in ("approved", "rejected"):
        said: tuple[Any, ...] = (one.get(key), other.get(key))
        listed = (call_id for each in said if isinstance(each, list) for call_id in each)
        both[key] = True if True in said else list(dict.fromkeys(listed))
    told: list[Any] = [one.get("messages") or {}, other.get("messages") or {}]
    messages = {**told[0], **told[1]}
    return {**both, "messages": messages} if messages else both


def lost(records: Records) -> Unknown:
    """Make the function that names what a release which keeps these by name cannot hold."""

    def names(run: JSONObject, path: str) -> Iterator[Loss]:
        context = run.get("context")
        found = list(records(context)) if isinstance(context, dict) else []
        if not isinstance(context, dict) or not found:
            return
        calls = list(_calls(run))
        given = _named(context)
        for each in found:
            if _is_wider(each, found, given, calls):
                yield Loss(path=path + each.path, severity="warn", reason=_WIDER)
        named = _named(_joined(context, found, calls))
        for at, who, item in _waiting(run, path):
            own = [each.record for each in found if _is_for(each, who, item)]
            before = _shown([*own, *_by_name(given, item)], item)
            if _used(_by_name(named, item), item) is not before:
                yield Loss(path=at, severity="error", reason=_MIXED, hint=_NEWER)

    return names


def _is_wider(
    kept: Kept, found: Iterable[Kept], given: dict[str, Any], calls: Iterable[_Call]
) -> bool:
    """Tell whether a record for good would be used for other calls, or stand against another."""
    if kept.owned is None or kept.owned.grant.sticky is None:
        return False
    against = "rejected" if kept.owned.grant.sticky else "approved"
    others = [each.record for each in found if each.name == kept.name and each is not kept]
    if any(
        isinstance(each, dict) and each.get(against) for each in (*others, given.get(kept.name))
    ):
        return True
    return any(kept.name in _names(item) and not _is_for(kept, who, item) for who, item in calls)


def _is_for(kept: Kept, who: str, item: Item) -> bool:
    return kept.owned is not None and approvals.is_about(kept.owned, who, item)


def _by_name(named: dict[str, Any], item: Item) -> list[JSONObject]:
    """Give the records that a release which keeps them by name looks up for a call."""
    found = (named.get(name) for name in _names(item))
    return [each for each in found if isinstance(each, dict)]


def _shown(records: Sequence[JSONObject], item: Item) -> bool | None:
    """Give what records say of a call: what is said of it alone outlives what is for good."""
    exact = (_exact(each, item) for each in records)
    found = next((each for each in exact if each is not None), None)
    return _for_good(records) if found is None else found


def _used(records: Sequence[JSONObject], item: Item) -> bool | None:
    """Give what such a release makes of records: what is for good comes first."""
    found = _for_good(records)
    exact = (_exact(each, item) for each in records)
    return next((each for each in exact if each is not None), None) if found is None else found


def _for_good(records: Iterable[JSONObject]) -> bool | None:
    """Give what records say of every call; a yes comes before a no."""
    said = {key for each in records for key in ("approved", "rejected") if each.get(key) is True}
    return ("approved" in said) if said else None


def _exact(record: JSONObject, item: Item) -> bool | None:
    """Give what a record says of one call; a yes comes before a no."""
    for key, verdict in (("approved", True), ("rejected", False)):
        said = record.get(key)
        if isinstance(said, list) and item.call_id in said:
            return verdict
    return None


def _calls(run: JSONObject) -> Iterator[_Call]:
    """Give the calls of a run and the runs inside it."""
    for _, each in SHAPE.runs(run):
        for _, given in SHAPE.find(each, "Item"):
            yield from _call(given)


def _waiting(run: JSONObject, path: str) -> Iterator[tuple[str, str, Item]]:
    """Give the calls that wait in a run and the runs inside it, each with its JSON Pointer."""
    for at, each in SHAPE.runs(run, path):
        for place, given in SHAPE.find(each, "Item", at):
            if place.startswith(f"{at}/currentStep/"):
                yield from ((place, who, item) for who, item in _call(given))


def _call(given: JSONObject) -> Iterator[_Call]:
    """Give what an item of a document calls, if it calls a tool."""
    raw, agent = given.get("rawItem"), reference(given.get("agent"))
    item = Item(kind="approval", raw=protocol.read(raw), tool_name=text(given.get("toolName")))
    if agent is None or _kind(item) not in fingerprint.CALLS:
        return
    key = fingerprint.lookup_key(item) if _kind(item) == _FUNCTION else None
    yield agent[1] or agent[0], evolve(item, tool_key=key)


def _kind(item: Item) -> str:
    return str(item.raw.get("type")) if isinstance(item.raw, dict) else ""


def _names(item: Item) -> list[str]:
    """Give the names that a release which keeps decisions by name knows a tool under."""
    raw = item.raw if isinstance(item.raw, dict) else {}
    name, space = raw.get("name"), raw.get("namespace")
    plain = item.tool_name or fingerprint.tool_name(item) if name is None else name
    found = [item.tool_name, plain, f"{space}.{name}" if space and space != name else None]
    return list(dict.fromkeys(str(each) for each in found if each is not None))
