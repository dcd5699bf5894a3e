"""Approval records: the SDK's three places for them, and how it records one more decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import evolve

from hitl.dialect import Fields, is_texts
from hitl.dialects.openai_python.fingerprint import CALLS, approval_scope, key_scope, lookup_key
from hitl.model import Grant, Item
from hitl.model.decide import interruptions, same_tool
from hitl.model.grant import always, once

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hitl.dialects.openai_python.history import History
    from hitl.document import JSONObject, JSONValue
    from hitl.model import Decision, RunState

_HOSTED = {
    "server_tool": ("hosted_tool", {"server_label": "server", "tool_name": "key"}),
    "request": ("hosted_request", {"request_id": "request"}),
    "query": ("hosted_query", {"tool_name": "key", "request_id": "request"}),
}
_HOSTED_TYPE = {subject: name for name, (subject, _) in _HOSTED.items()}
Tag: TypeAlias = Callable[[Any], Any]
_HOSTED_ORDER = {"hosted_tool": 0, "hosted_request": 1, "hosted_query": 2}


def read(context: Fields, history: History) -> tuple[Grant, ...]:
    """Take the records of all three places; a place that is not in the usual form is left over."""
    grants: list[Grant] = []
    tag = history.tag
    named = context.given.get("approvals")
    usual = isinstance(named, dict) and is_texts(named) and all(map(_usual, named.values()))
    if isinstance(named, dict) and usual:
        del context.rest["approvals"]
        grants += [_grant(tag, record, subject="tool", key=key) for key, record in named.items()]
    owned = _entries(context, "function_tool_approvals", {"agent", "tool_key", "decision"})
    for entry in owned:
        agent = history.agent_of(entry["agent"])
        key = entry["tool_key"]
        grants.append(_grant(tag, entry["decision"], subject="function", agent=agent, key=key))
    for entry in _entries(context, "hosted_mcp_approvals", {"identity", "decision"}):
        subject, names = _HOSTED[entry["identity"]["type"]]
        who = {mine: entry["identity"][theirs] for theirs, mine in names.items()}
        grants.append(_grant(tag, entry["decision"], subject=subject, **who))
    return tuple(grants)


def _entries(context: Fields, key: str, keys: set[str]) -> list[JSONObject]:
    given = context.given.get(key)
    if not isinstance(given, list) or not given:
        return []
    if not all(isinstance(each, dict) and set(each) == keys and _known(each) for each in given):
        return []
    del context.rest[key]
    return [each for each in given if isinstance(each, dict)]


def _known(entry: JSONObject) -> bool:
    if not _usual(entry["decision"]):
        return False
    if "agent" in entry:
        agent = entry["agent"]
        return isinstance(agent, dict) and is_texts((agent.get("name"), entry["tool_key"]))
    identity = entry["identity"]
    kind = identity.get("type") if isinstance(identity, dict) else None
    if not isinstance(identity, dict) or not isinstance(kind, str) or kind not in _HOSTED:
        return False
    _, names = _HOSTED[kind]
    return set(identity) == {"type", *names} and is_texts(identity[name] for name in names)


def _usual(record: JSONValue) -> bool:
    if not isinstance(record, dict):
        return False
    verdicts = (record.get("approved"), record.get("rejected"))
    messages = record.get("rejection_messages", {})
    return (
        all(_verdict(verdict) for verdict in verdicts)
        and isinstance(messages, dict)
        and is_texts((*messages, *messages.values()))
        and ("rejection_messages" not in record or bool(messages))
    )


def _verdict(verdict: JSONValue) -> bool:
    return is_texts(verdict) if isinstance(verdict, list) else isinstance(verdict, bool)


def _grant(tag: Tag, record: JSONValue, **who: object) -> Grant:
    fields = Fields(record, "")
    approved, rejected = fields.rest.pop("approved"), fields.rest.pop("rejected")
    return Grant(
        approved=approved,
        rejected=rejected,
        messages=fields.take_if("rejection_messages", dict),
        sticky_message=fields.take_if("sticky_rejection_message", str),
        scope=fields.take_if("sticky_scope", str),
        extra=tag(fields.rest) or None,
        **who,  # type: ignore[arg-type]
    )


def write(grants: Sequence[Grant], agent: Callable[[int], JSONObject], plain: Tag) -> JSONObject:
    """Give the three places; the last two only where they hold something.

    Args:
        grants: the records.
        agent: gives the reference to one of the run's agents.
        plain: takes the tags out of what hitl does not know.
    """
    owned: list[JSONValue] = [
        {"agent": agent(grant.agent), "tool_key": grant.key, "decision": _record(grant, plain)}
        for grant in grants
        if grant.subject == "function" and grant.agent is not None
    ]
    hosted: list[JSONValue] = [
        {"identity": _identity(grant), "decision": _record(grant, plain)}
        for grant in grants
        if grant.subject in _HOSTED_TYPE
    ]
    written: JSONObject = {
        "approvals": {str(g.key): _record(g, plain) for g in grants if g.subject == "tool"},
    }
    if owned:
        written["function_tool_approvals"] = owned
    if hosted:
        written["hosted_mcp_approvals"] = hosted
    return written


def _identity(grant: Grant) -> JSONObject:
    kind = _HOSTED_TYPE[grant.subject]
    _, names = _HOSTED[kind]
    return {"type": kind} | {theirs: getattr(grant, mine) for theirs, mine in names.items()}


def _record(grant: Grant, plain: Tag) -> JSONObject:
    record: JSONObject = {"approved": grant.approved, "rejected": grant.rejected}
    if grant.messages:
        record["rejection_messages"] = dict(grant.messages)
    if grant.sticky_message is not None:
        record["sticky_rejection_message"] = grant.sticky_message
    if grant.scope is not None:
        record["sticky_scope"] = grant.scope
    return {**record, **plain(grant.extra or {})}


_BUILT_IN = {
    "shell": "shell_call",
    "apply_patch": "apply_patch_call",
    "computer": "computer_call",
}


def adopted(grants: Sequence[Grant]) -> tuple[Grant, ...]:
    """Give the records of another SDK as this one keeps them.

    What is for good says what it covers, without which the SDK does not look at it; a decision on
    a hosted request is kept under the request too.
    """
    known = {each.request for each in grants if each.subject == "hosted_query"}
    found = [
        evolve(grant, scope=_scope(grant))
        if grant.sticky is not None and grant.scope is None
        else grant
        for grant in grants
    ]
    for grant in grants:
        if grant.subject != "hosted_tool":
            continue
        lists = (grant.approved, grant.rejected)
        exact = [call_id for each in lists if isinstance(each, list) for call_id in each]
        found += [_query(grant, call_id) for call_id in exact if call_id not in known]
    return tuple(found)


def _query(grant: Grant, call_id: str) -> Grant:
    approved = grant.exact(call_id) is True
    message = (grant.messages or {}).get(call_id)
    return Grant(
        subject="hosted_query",
        key=grant.key,
        request=call_id,
        approved=[call_id] if approved else [],
        rejected=[] if approved else [call_id],
        messages=None if message is None else {call_id: message},
    )


def scopes(grant: Grant) -> frozenset[str | None]:
    """Give the digests that a record for good can have: a patch may be a tool of any kind."""
    name, _, _ = str(grant.key).partition(":")
    kinds = CALLS if grant.subject == "tool" else ()
    items = (
        Item(kind="approval", raw={"type": kind, "name": name}, tool_name=name) for kind in kinds
    )
    return frozenset({_scope(grant), *map(approval_scope, items)})


def _scope(grant: Grant) -> str | None:
    """Give the digest of what a record for good covers; None where the kind of tool is unknown."""
    if grant.subject == "function":
        return key_scope(str(grant.key))
    raw: JSONObject = {"type": _BUILT_IN.get(str(grant.key))}
    if grant.subject == "hosted_tool":
        raw = {"type": "mcp_approval_request", "server_label": grant.server, "name": grant.key}
    return approval_scope(Item(kind="approval", raw=raw, tool_name=grant.key))


def all_decided(
    grants: Sequence[Grant], verdicts: Sequence[tuple[Decision, Item]]
) -> tuple[Grant, ...]:
    """Record decisions in order; none takes back what another said of its own call."""
    result = tuple(grants)
    for decision, item in verdicts:
        result = decided(result, decision, item)
    sticky = [(decision, item) for decision, item in verdicts if decision.always]
    if len({decision.approved for decision, _ in sticky}) > 1:
        for decision, item in sticky:
            result = decided(result, evolve(decision, always=False), item)
    return result


def turned(state: RunState) -> Iterator[Decision]:
    """Give what calls show by a verdict for good where a later one for good says the opposite.

    A record of verdicts for good holds one of them; a call that waits keeps what it shows.
    """
    own = {each.call_id: each for each in interruptions(state) if not each.outer}
    later = [(each, own[each.call_id].item) for each in state.decisions if each.always]
    for call_id, each in own.items():
        shown = each.decision
        if shown is None or not shown.always or any(call_id == one.call_id for one, _ in later):
            continue
        if any(
            shown.approved is not one.approved and same_tool(it, each.item) for one, it in later
        ):
            yield evolve(shown, always=False)


def decided(grants: Sequence[Grant], decision: Decision, item: Item) -> tuple[Grant, ...]:
    """Record a decision on `item` as the SDK would have (`run_context.py`, 0.24.0)."""
    result = list(grants)
    for who, sticky in _records_for(result, decision, item):
        index = next((i for i, grant in enumerate(result) if is_record_of(grant, who)), None)
        if index is None:
            index = len(result)
            result.append(Grant(**who))  # type: ignore[arg-type]
        grant = result[index]
        if sticky:
            result[index] = evolve(always(grant, decision), scope=approval_scope(item))
        else:
            result[index] = once(grant, decision)
    # The SDK writes hosted records sorted, whatever the order of the decisions.
    hosted = [grant for grant in result if grant.subject in _HOSTED_ORDER]
    others = [grant for grant in result if grant.subject not in _HOSTED_ORDER]
    return (*others, *sorted(hosted, key=_hosted_key))


def _hosted_key(grant: Grant) -> tuple[int, str, str, str]:
    order = _HOSTED_ORDER[grant.subject]
    return order, grant.server or "", grant.key or "", grant.request or ""


def is_record_of(grant: Grant, who: dict[str, object]) -> bool:
    """Tell whether a record is the one of a tool, and of its owner where it has one."""
    names = ("subject", "agent", "key", "server", "request")
    return all(getattr(grant, name) == who.get(name) for name in names)


def _records_for(
    grants: Sequence[Grant], decision: Decision, item: Item
) -> list[tuple[dict[str, object], bool]]:
    """Give the records a decision goes into, each with whether it is sticky there."""
    raw = item.raw if isinstance(item.raw, dict) else {}
    if raw.get("type") == "mcp_approval_request":
        return _hosted_records(decision, item, raw)
    keys = tool_keys(item)
    if raw.get("type") != "function_call":
        key = _patch_key(grants, item, keys[-1])
        return [({"subject": "tool", "key": key}, decision.always)]
    chosen = keys[-1:] if decision.always else keys
    owner = {"subject": "function", "agent": item.agent}
    return [({**owner, "key": key}, decision.always) for key in chosen]


def sticky_record(item: Item) -> dict[str, object]:
    """Give whose record a decision for good on a function call, or a hosted request, goes into."""
    raw = item.raw if isinstance(item.raw, dict) else {}
    if raw.get("type") == "mcp_approval_request":
        return {"subject": "hosted_tool", "server": raw.get("server_label"), "key": raw.get("name")}
    return {"subject": "function", "agent": item.agent, "key": tool_keys(item)[-1]}


def _hosted_records(
    decision: Decision, item: Item, raw: JSONObject
) -> list[tuple[dict[str, object], bool]]:
    server, name = raw.get("server_label"), raw.get("name") or item.tool_name
    request = decision.call_id
    first: dict[str, object] = {"subject": "hosted_request", "request": request}
    if server and raw.get("name"):
        first = {"subject": "hosted_tool", "server": server, "key": raw["name"]}
    records = [(first, decision.always)]
    if name:
        records.append(({"subject": "hosted_query", "key": name, "request": request}, False))
    return records


def _patch_key(grants: Sequence[Grant], item: Item, key: str) -> str:
    """Patches of different tools share a name; a second scope gets a record of its own."""
    scope = approval_scope(item)
    if key != "apply_patch" or scope is None:
        return key
    scoped = f"{key}:{scope}"
    if any(grant.subject == "tool" and grant.key == scoped for grant in grants):
        return scoped
    named = next((g for g in grants if g.subject == "tool" and g.key == key), None)
    other = named is not None and named.scope is not None and named.scope != scope
    return scoped if other else key


def tool_keys(item: Item) -> tuple[str, ...]:
    """Give the keys the SDK records an approval of this call under; the last one is exact."""
    raw = item.raw if isinstance(item.raw, dict) else {}
    name = item.tool_name or str(raw.get("name") or raw.get("type") or "unknown_tool")
    space = item.tool_namespace or raw.get("namespace")
    key = item.tool_key
    if key is None and raw.get("type") == "function_call" and space != name:
        key = lookup_key(evolve(item, raw={**raw, "name": name, "namespace": space}))
    match key:
        case ("namespaced", str(namespace), str(tool)):
            exact = f"{namespace}.{tool}"
        case ("deferred_top_level", _, str(tool)):
            exact = f"deferred_top_level:{tool}"
        case (_, _, str(tool)):
            exact = tool
        case _:
            exact = f"{space}.{name}" if space else name
    return (name, exact) if item.bare_alias and name != exact else (exact,)
