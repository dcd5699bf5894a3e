"""How far each call has come, and the SDK's records that bind a call id to what the call does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.dialect import is_texts
from hitl.dialects.openai_js import fingerprint
from hitl.dialects.openai_js.agent import identity
from hitl.errors import ArgumentsChanged
from hitl.model import CallState, Item, Ledger, positions
from hitl.model.decide import nested_runs
from hitl.model.inside import asked_inside, mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.document import JSONObject, JSONValue
    from hitl.model import RunState

_RECORDS = ("completedToolInvocations", "completedToolInvocationEvidence")
_WAITING = CallState(executed=False, completed=False)
_INSIDE = CallState(executed=True, completed=False)


def read(state: RunState) -> Ledger:
    """Give how far the calls are that have no output: still to start, or stopped inside."""
    outputs = {item.call_id for _, item in _generated(state) if item.raw and _is_output(item)}
    open_: dict[str, CallState] = {}
    for item in map(state.log.item, own_requests(state)):
        if item.call_id is not None:
            open_[item.call_id] = _WAITING
    for call in state.processed.calls if state.processed else ():
        call_id = state.log.item(call.item).call_id
        if call_id is not None:
            open_[call_id] = _WAITING if call.run is None else _INSIDE
    return Ledger(open={k: v for k, v in open_.items() if k not in outputs})


def is_own(state: RunState, item: Item) -> bool:
    """Tell whether no call that waits inside has the id of a call: one that does may be either."""
    inner = {each.call_id for _, run in nested_runs(state) for each in run.interruptions}
    return item.call_id not in inner


def own_requests(state: RunState) -> list[int]:
    """Give the positions of what waits in the run itself: what waits inside is repeated outside."""
    waiting = positions((state.step and state.step.interruptions) or ())
    inside = _asked_inside(state)
    return [each for each in waiting if mark(state.agents, state.log.item(each)) not in inside]


def _asked_inside(state: RunState) -> frozenset[bytes]:
    return asked_inside(run for _, run in nested_runs(state))


def _waiting(state: RunState) -> Iterator[Item]:
    for position in positions((state.step and state.step.interruptions) or ()):
        yield state.log.item(position)


def mismatched(state: RunState, given: JSONObject) -> JSONObject:
    """Give what the SDK recorded of calls that are not that, by call id.

    Args:
        state: the run that the document holds.
        given: the document.
    """
    context = given.get("context")
    context = context if isinstance(context, dict) else {}
    calls = all_calls(state)
    found: JSONObject = {}
    for entries in (context.get("approvalInvocations"), given.get(_RECORDS[0])):
        for owner, call_id, record in _recorded(entries):
            known = [each for who, each in calls if (who, each.call_id) == (owner, call_id)]
            prints = {fingerprint.fingerprint(each) for each in known}
            if prints and record not in prints:
                kind = known[0].raw.get("type") if isinstance(known[0].raw, dict) else None
                found[call_id] = {
                    "type": str(kind),
                    "approval_scope": owner,
                    "fingerprint": record,
                }
    return found


def _recorded(given: JSONValue) -> Iterator[tuple[str, str, str]]:
    for entry in given if isinstance(given, list) else ():
        found = entry.get("invocations") if isinstance(entry, dict) else None
        owner = entry.get("agentIdentity") if isinstance(entry, dict) else None
        for call_id, record in found.items() if isinstance(found, dict) else ():
            if is_texts((owner, call_id, record)):
                yield str(owner), call_id, str(record)


def all_calls(state: RunState) -> list[tuple[str, Item]]:
    """Give the calls of a run and the runs inside, each with the identity of its agent.

    A request for approval comes before the call it is for: it says more.
    """
    found = list(_named(state))
    for _, run in nested_runs(state):
        found += all_calls(run)
    return sorted(found, key=lambda each: each[1].kind != "approval")


def own_calls(state: RunState) -> list[tuple[str, Item]]:
    """Give the calls of a run itself, as `all_calls` does."""
    inside = _asked_inside(state)
    found = [
        (owner, item)
        for owner, item in _named(state)
        if item.kind != "approval" or mark(state.agents, item) not in inside
    ]
    return sorted(found, key=lambda each: each[1].kind != "approval")


def _named(state: RunState) -> Iterator[tuple[str, Item]]:
    """Give the calls that a run lists, what it repeats of runs inside too."""
    for item in (*(item for _, item in _generated(state)), *_waiting(state)):
        raw = item.raw if isinstance(item.raw, dict) else {}
        if str(raw.get("type")) in fingerprint.CALLS and item.agent is not None:
            yield identity(state.agents[item.agent]), item


def refuse_forged(state: RunState, dialect: str) -> None:
    """Refuse a waiting call that is not what its writer, another SDK, recorded of it.

    Raises:
        ArgumentsChanged: it is another.
    """
    signed = {
        call_id
        for name, extras in state.extras.items()
        if name != dialect and isinstance(extras.get("signed"), dict)
        for call_id in extras["signed"]
    }
    for item in _waiting(state):
        if item.call_id in signed:
            message = f"call {item.call_id!r} is not the call the SDK recorded when it stopped"
            hint = "the state was changed after the pause; show it and start over"
            raise ArgumentsChanged(message, path="/step/interruptions", hint=hint)
    for call in state.processed.calls if state.processed else ():
        if call.run is not None:
            refuse_forged(call.run, dialect)


def completed(state: RunState, items: list[Item]) -> JSONObject:
    """Give the SDK's records of the calls that have an output.

    Args:
        state: the run.
        items: its generated items as they are written.
    """
    done: dict[str, JSONObject] = {}
    evidence: dict[str, JSONObject] = {}
    for index, output in enumerate(items):
        if not _is_output(output) or output.agent is None:
            continue
        owner = identity(state.agents[output.agent])
        place = _call_of(items[:index], output)
        record = None if place is None else fingerprint.fingerprint(items[place])
        if place is None or record is None:
            continue
        call_id = str(items[place].call_id)
        done.setdefault(owner, {})[call_id] = record
        evidence.setdefault(owner, {})[call_id] = {
            "fingerprint": record,
            "items": [{"generatedItemIndex": place}, {"generatedItemIndex": index}],
        }
    return {
        key: [{"agentIdentity": owner, "invocations": found} for owner, found in each.items()]
        for key, each in zip(_RECORDS, (done, evidence), strict=True)
    }


def _call_of(items: list[Item], output: Item) -> int | None:
    raw = output.raw if isinstance(output.raw, dict) else {}
    kind = fingerprint.OUTPUT_OF[str(raw.get("type"))]
    for index in range(len(items) - 1, -1, -1):
        item = items[index]
        found = item.raw if isinstance(item.raw, dict) else {}
        call = item.call_id == output.call_id and found.get("type") == kind
        if call and item.agent == output.agent:
            return index
    return None


def _is_output(item: Item) -> bool:
    raw = item.raw if isinstance(item.raw, dict) else {}
    return str(raw.get("type")) in fingerprint.OUTPUT_OF


def _generated(state: RunState) -> list[tuple[int, Item]]:
    return [(p, state.log.item(p)) for p in positions(state.generated or ())]
