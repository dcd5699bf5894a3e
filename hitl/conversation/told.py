"""The history of a run state as occurrences: what a model is told, in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from hitl import model, values
from hitl.conversation.occurrence import Occurrence, answered, asked
from hitl.errors import ConversationError
from hitl.model import TEXT_INPUT, RunState, positions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hitl.conversation.tracker import Tracker
    from hitl.document import JSONObject
    from hitl.model import Item, Kind

_NEVER_SENT = frozenset({"approval", "output", "opaque"})
# What a server or an SDK notes on an item that the Responses API takes in no request.
_NOTED = frozenset({"created_by"})
_NOTED_BY_KIND = {
    "shell_call_output": _NOTED | {"status", "shell_output", "provider_data"},
}


def history(state: RunState) -> tuple[Occurrence, ...]:
    """Give what a model is told of the run so far, in order; staged input comes after it.

    Approval requests are for people, and an item of a kind we do not know cannot be sent. A second
    output of one call is left out (R-8): the first stands.
    """
    return tuple(_once(_told(state)))


def staged(state: RunState) -> tuple[Occurrence, ...]:
    """Give the input that waits for the next model call: to be added after the open outputs."""
    return tuple(_items(state, positions(state.staged or ())))


def kept(state: RunState, given: Sequence[JSONObject] | None = None) -> tuple[Occurrence, ...]:
    """Give what a session should hold of the run, in order, the first output of each call alone.

    Args:
        state: the run. What its agents handed on is often shortened for the model, not here.
        given: the input it began with; None takes the state's, before which the SDK put what the
            session held. Its occurrences are named by numbers below zero.
    """
    names = range(-len(given or ()), 0)
    begin = _input(state) if given is None else map(Occurrence, names, given)
    said = state.session if state.session is not None else state.generated
    return tuple(_once([*begin, *_generated(state, positions(said or ()))]))


def withheld(state: RunState) -> tuple[JSONObject, ...]:
    """Give what the SDK has yet to write to the session, or holds back until a guardrail passed."""
    packed: Any = (state.session_write or {}).get("items", ())
    return tuple(each.raw for each in _items(state, positions(packed)))


def latest(state: RunState, told: Sequence[Occurrence]) -> int:
    """Give where in `told` the response begins whose calls wait; its length when none does."""
    if state.processed is None or state.step is None or state.step.kind != "interruption":
        return len(told)
    places = {*positions(state.processed.new_items or ())}
    calls = {asked(each.raw) for each in _items(state, places)} - {None}
    mine = (each.name in places or asked(each.raw) in calls for each in told)
    return next((at for at, each in enumerate(mine) if each), len(told))


def behind(state: RunState, known: int) -> Iterator[tuple[Occurrence, Kind]]:
    """Give what the run generated behind its first `known` items, and of which kind each is."""
    for each in _generated(state, model.behind(state.generated or (), known)):
        yield each, state.log.item(each.name).kind


def record(state: RunState, tracker: Tracker) -> RunState:
    """Give the state with what the server has, as `prime` reads it.

    Args:
        state: the run; every occurrence the tracker knows is in its log.
        tracker: primed from an earlier state of the run, with log positions as names.

    Raises:
        ConversationError: the tracker names what is not in the log.
    """
    if tracker.next > len(state.log):
        raise ConversationError("expected log positions as names, found others")
    return evolve(state, conversation=tracker.stored())


def _told(state: RunState) -> Iterator[Occurrence]:
    yield from _input(state)
    generated = state.generated if state.generated is not None else state.session
    yield from _generated(state, positions(generated or ()))


def _generated(state: RunState, places: Iterable[int]) -> Iterator[Occurrence]:
    """Give items as the model is told them: by the policy of the run, reasoning without its id."""
    omits = state.reasoning_item_id_policy == "omit"
    for each in _items(state, places):
        if omits and each.raw.get("type") == "reasoning":
            told = {key: value for key, value in each.raw.items() if key != "id"}
            yield Occurrence(each.name, told)
        else:
            yield each


def _input(state: RunState) -> Iterator[Occurrence]:
    if isinstance(state.input, str):
        yield Occurrence(TEXT_INPUT, {"role": "user", "content": state.input})
    else:
        yield from _items(state, positions(state.input or ()))


def _items(state: RunState, places: Iterable[int]) -> Iterator[Occurrence]:
    for position in places:
        item = state.log.item(position)
        raw = _sendable(state, position, item)
        if raw is not None:
            yield Occurrence(position, raw)


def _sendable(state: RunState, position: int, item: Item) -> JSONObject | None:
    raw = None if item.kind in _NEVER_SENT else plain(state, position, item)
    return None if raw is None else _without_notes(raw)


def _without_notes(raw: JSONObject) -> JSONObject:
    noted = _NOTED_BY_KIND.get(str(raw.get("type")), _NOTED)
    told = {key: each for key, each in raw.items() if key not in noted}
    if told.get("status", "") is None:
        del told["status"]
    chunks = told.get("output")
    if raw.get("type") == "shell_call_output" and isinstance(chunks, list):
        told["output"] = [
            {key: each for key, each in chunk.items() if key not in _NOTED}
            if isinstance(chunk, dict)
            else chunk
            for chunk in chunks
        ]
    return told


def plain(state: RunState, position: int, item: Item) -> JSONObject | None:
    """Give the raw form of an item without tags; None where it is no object."""
    raw: Any = values.decode(item.raw) if state.log.tagged(position) else item.raw
    return raw if isinstance(raw, dict) else None


def _once(given: Iterable[Occurrence]) -> Iterator[Occurrence]:
    names: set[int] = set()
    calls: set[str] = set()
    for each in given:
        call = answered(each.raw)
        if each.name in names or call in calls:
            continue
        names.add(each.name)
        if call is not None:
            calls.add(call)
        yield each
