"""Approval records: the SDK's places for them, and how it records one more decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from hitl import document
from hitl.dialect import is_texts
from hitl.dialects.openai_js import fingerprint
from hitl.dialects.openai_js.agent import identity
from hitl.errors import DocumentError
from hitl.model import Grant
from hitl.model.decide import interruptions, subject_key
from hitl.model.grant import always, once

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from hitl.document import JSONObject, JSONValue
    from hitl.model import Decision, Item, RunState

_DEFERRED = "deferred_top_level"
SUBJECTS = frozenset({"function", "tool", "hosted_tool"})


@frozen(kw_only=True)
class Owned:
    """A record with the identity of its owner: what runs inside one another share.

    Attributes:
        owner: the agent's identity; None for a record without an owner.
        grant: the record.
    """

    owner: str | None
    grant: Grant


def read(context: JSONObject) -> list[Owned]:
    """Read the records; one that is not in the SDK's form is not read.

    `legacyFunctionApprovals` are never read: they allow a call that nothing binds them to.
    """
    found = [
        Owned(owner=None, grant=_grant(record, subject="tool", key=name))
        for name, record in _records(context.get("approvals"))
    ]
    owned = context.get("functionApprovals")
    for entry in owned if isinstance(owned, list) else ():
        owner = entry.get("agentIdentity") if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or not is_texts((owner,)):
            continue
        for key, record in _records(entry.get("approvals")):
            name = _name(key)
            if name is not None:
                grant = _grant(record, subject="function", key=name)
                found.append(Owned(owner=str(owner), grant=grant))
    for key, record in _records(context.get("hostedMcpApprovals")):
        match _parsed(key):
            case ["hosted_mcp", str(server), str(name)]:
                grant = _grant(record, subject="hosted_tool", server=server, key=name)
                found.append(Owned(owner=None, grant=grant))
            case _:
                pass
    return found


def _records(given: JSONValue) -> Iterator[tuple[str, JSONObject]]:
    for key, record in given.items() if isinstance(given, dict) else ():
        if is_texts((key,)) and isinstance(record, dict) and _usual(record):
            yield key, record


def _usual(record: JSONObject) -> bool:
    messages = record.get("messages", {})
    return (
        all(_verdict(record.get(key)) for key in ("approved", "rejected"))
        and isinstance(messages, dict)
        and is_texts((*messages, *messages.values()))
        and is_texts((record.get("stickyRejectMessage", ""),))
    )


def _verdict(verdict: JSONValue) -> bool:
    return is_texts(verdict) if isinstance(verdict, list) else isinstance(verdict, bool)


def _grant(record: Any, **who: Any) -> Grant:  # noqa: ANN401 - JSON
    return Grant(
        approved=record["approved"],
        rejected=record["rejected"],
        messages=record.get("messages") or None,
        sticky_message=record.get("stickyRejectMessage"),
        **who,
    )


def _parsed(key: str) -> JSONValue:
    try:
        return document.parse(key.encode())
    except DocumentError:
        return None


def _name(key: str) -> str | None:
    """Give the name of a function tool in the model: `n`, `space.n` or `deferred_top_level:n`."""
    match _parsed(key):
        case ["bare", str(name)]:
            return name
        case ["namespaced", str(space), str(name)]:
            return f"{space}.{name}"
        case ["deferred_top_level", str(name)]:
            return f"{_DEFERRED}:{name}"
        case _:
            pass
    return None


def _state_key(name: str) -> str:
    prefix, found, rest = name.rpartition(":")
    if found and prefix == _DEFERRED:
        return fingerprint.state_key((_DEFERRED, None, rest))
    space, found, rest = name.rpartition(".")
    return fingerprint.state_key(("namespaced", space, rest) if found else ("bare", None, name))


def records(state: RunState) -> list[Owned]:
    """Give the records of one run, decisions taken since included."""
    return taken(granted(state), state)


def granted(state: RunState) -> list[Owned]:
    """Give the records of one run as its writer left them."""
    return [owned_by(grant, state) for grant in state.grants if grant.subject in SUBJECTS]


def taken(
    records: Sequence[Owned], state: RunState, is_wider: Callable[[Owned], bool] = lambda _: False
) -> list[Owned]:
    """Record the decisions on calls of a run: each call that waits has the one that it shows.

    A later decision for good would else take back what an earlier one said of its own call.

    Args:
        records: the records so far.
        state: the run.
        is_wider: tells of the record of a decision for good whether it would cover other calls
            than those it was taken for; such a decision is recorded call by call.
    """
    found = list(records)
    if not state.decisions:
        return found
    waiting = {each.call_id: each for each in interruptions(state) if not each.outer}
    for decision in state.decisions:
        item = waiting[decision.call_id].item
        alone = decided([], decision, item, owner_of(state, item))
        if not (decision.always and is_wider(alone[0])):
            found = decided(found, decision, item, owner_of(state, item))
    turns = any(each.always for each in state.decisions)
    for each in waiting.values():
        shown, owner = each.decision, owner_of(state, each.item)
        if shown is None:
            continue
        said = _said(found, each.item, owner)
        # What the writer recorded stands, unless a decision for good turned it here.
        ours = shown.arguments_sha256 or (turns and shown.always and said is not None)
        if ours and said is not shown.approved:
            found = decided(found, evolve(shown, always=False), each.item, owner)
    return found


def owner_of(state: RunState, item: Item) -> str | None:
    """Give the identity of the agent that makes a call."""
    return None if item.agent is None else identity(state.agents[item.agent])


def _said(records: Sequence[Owned], item: Item, owner: str | None) -> bool | None:
    """Give what the record of a call's tool says of the call; None where it says nothing."""
    index = _place(records, item, owner)
    if index is None:
        return None
    grant = records[index].grant
    exact = grant.exact(item.call_id or "")
    return grant.sticky if exact is None else exact


def owned_by(grant: Grant, state: RunState) -> Owned:
    """Give a record of a run with the identity of its owner."""
    return Owned(
        owner=None if grant.agent is None else identity(state.agents[grant.agent]),
        grant=evolve(grant, agent=None, scope=None, extra=None),
    )


def owned(records: Sequence[Owned], calls: Iterable[tuple[str, Item]]) -> list[Owned]:
    """Give the records of another SDK without those for good of a function tool that nobody owns.

    Releases that kept decisions by tool name would use them for every agent.
    """
    names = {
        subject_key(item)[1]
        for _, item in calls
        if isinstance(item.raw, dict) and item.raw.get("type") == "function_call"
    }
    return [
        each
        for each in records
        if each.grant.subject != "tool" or each.grant.sticky is None or each.grant.key not in names
    ]


def write(records: Sequence[Owned]) -> JSONObject:
    """Give the places of the context for records by tool; a place without records is left out."""
    written: JSONObject = {
        "approvals": {
            str(each.grant.key): form(each.grant)
            for each in records
            if each.grant.subject == "tool"
        }
    }
    owned: dict[str, JSONObject] = {}
    for each in records:
        if each.grant.subject == "function" and each.owner is not None:
            held = owned.setdefault(each.owner, {})
            held[_state_key(str(each.grant.key))] = form(each.grant)
    hosted: JSONObject = {
        fingerprint.hosted_key(each.grant.server, each.grant.key): form(each.grant)
        for each in records
        if each.grant.subject == "hosted_tool"
    }
    if hosted:
        written["hostedMcpApprovals"] = hosted
    if owned:
        written["functionApprovals"] = [
            {"agentIdentity": owner, "approvals": held} for owner, held in owned.items()
        ]
    return written


def bindings(
    records: Sequence[Owned], calls: Iterable[tuple[str, Item]], decided: frozenset[str]
) -> list[JSONValue]:
    """Give, by agent, what each decided call was when it was decided.

    Args:
        records: the records.
        calls: the calls of the runs, each with the identity of its agent.
        decided: ids of calls that a person decided for good with hitl.
    """
    found: dict[str, JSONObject] = {}
    for owner, item in calls:
        call_id = item.call_id or ""
        held: Any = found.get(owner, {"invocations": {}, "approvals": {}})
        record = next((each.grant for each in records if is_about(each, owner, item)), None)
        if record is None or call_id in held["invocations"]:
            continue
        exact = record.exact(call_id) is not None
        bound = fingerprint.fingerprint(item)
        if bound is None or not (exact or call_id in decided or call_id in (record.messages or {})):
            continue
        held["invocations"][call_id] = bound
        if record.subject != "function" and exact:
            name = str(fingerprint.tool_name(item))
            held["approvals"][name] = _once_of(record, held["approvals"].get(name), item)
        found[owner] = held
    return [{"agentIdentity": owner, **entry} for owner, entry in found.items()]


def _once_of(record: Grant, known: JSONObject | None, item: Item) -> JSONObject:
    """Give the part of a record that decides single calls of one agent."""
    call_id = item.call_id or ""
    entry: Any = known or {"approved": [], "rejected": []}
    entry["approved" if record.exact(call_id) else "rejected"].append(call_id)
    if call_id in (record.messages or {}):
        entry.setdefault("messages", {})[call_id] = (record.messages or {})[call_id]
    return entry


def is_about(record: Owned, owner: str, item: Item) -> bool:
    """Tell whether a record is for a call, which the agent `owner` makes."""
    return record.owner in {None, owner} and _is_of(record.grant, item)


def _is_of(grant: Grant, item: Item) -> bool:
    raw = item.raw if isinstance(item.raw, dict) else {}
    server, key = subject_key(item)
    same = grant.key == key and grant.server == server
    match raw.get("type"):
        case "mcp_approval_request":
            return same and grant.subject == "hosted_tool"
        case "function_call":
            return same and grant.subject == "function"
        case _:
            pass
    return grant.subject == "tool" and grant.key == (fingerprint.tool_name(item) or key)


def form(grant: Grant) -> JSONObject:
    """Give a record as the SDK writes it."""
    record: JSONObject = {"approved": grant.approved, "rejected": grant.rejected}
    if grant.messages:
        record["messages"] = dict(grant.messages)
    if grant.sticky_message is not None:
        record["stickyRejectMessage"] = grant.sticky_message
    return record


def kept_for(record: Owned, call_ids: Iterable[str]) -> Owned:
    """Give a record for good as one of single calls: those given, but for what it says of others.

    What was told to the model for every call is told call by call.
    """
    grant = record.grant
    mine, other = ("approved", "rejected") if grant.sticky else ("rejected", "approved")
    listed = getattr(grant, other)
    exact = listed if isinstance(listed, list) else []
    covered = [call_id for call_id in dict.fromkeys(call_ids) if call_id not in exact]
    said = dict(grant.messages or {})
    if grant.sticky is False and grant.sticky_message is not None:
        said = {**dict.fromkeys(covered, grant.sticky_message), **said}
    verdict: dict[str, Any] = {mine: covered, other: exact, "sticky_message": None}
    return evolve(record, grant=evolve(grant, **verdict, messages=said or None))


def decided(
    records: Sequence[Owned], decision: Decision, item: Item, owner: str | None
) -> list[Owned]:
    """Record a decision on `item` as the SDK would have; one on a single call outlives others."""
    result = list(records)
    index = _place(result, item, owner)
    if index is None:
        index = len(result)
        who = _who(item)
        mine = owner if who["subject"] == "function" else None
        result.append(Owned(owner=mine, grant=Grant(**who)))
    change = always if decision.always else once
    result[index] = evolve(result[index], grant=change(result[index].grant, decision))
    return result


def _place(records: Sequence[Owned], item: Item, owner: str | None) -> int | None:
    """Give where the record of a call's tool stands; None where there is none."""
    who = _who(item)
    mine = owner if who["subject"] == "function" else None
    places = (i for i, each in enumerate(records) if each.owner == mine and _same(each.grant, who))
    return next(places, None)


def _who(item: Item) -> dict[str, Any]:
    raw = item.raw if isinstance(item.raw, dict) else {}
    server, key = subject_key(item)
    match raw.get("type"):
        case "mcp_approval_request":
            return {"subject": "hosted_tool", "server": server, "key": key}
        case "function_call":
            return {"subject": "function", "key": key}
        case _:
            pass
    return {"subject": "tool", "key": fingerprint.tool_name(item) or key}


def _same(grant: Grant, who: dict[str, Any]) -> bool:
    return all(getattr(grant, name) == who.get(name) for name in ("subject", "key", "server"))
