"""Native document → run state."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from hitl.dialects.native import ranges, wire
from hitl.document import JSONObject, escape
from hitl.errors import DocumentError, InvalidDocument
from hitl.model import MOST_TURNS, TEXT_INPUT, ItemLog, RunState, Spans
from hitl.model.fit import fit, under

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hitl.codec import Codec
    from hitl.dialects.native.wire import Head
    from hitl.model import Processed


def load(
    parts: dict[str, bytes],
    codec: Codec,
    *,
    newer: bool,
    outer: RunState | None = None,
    items: Sequence[bytes] | None = None,
) -> RunState:
    """Read a document's parts; the log stays encoded until it is read.

    Args:
        parts: the encoded value of each top-level key.
        codec: what reads them.
        newer: whether the version is a newer minor: what is unknown is then kept.
        outer: the run around this one.
        items: the log's entries, where the document was written without them.

    Raises:
        DocumentError: a value does not fit its place, or a field is not of this version.
    """
    given = _head(parts, codec)
    head = fit(given, wire.Head)
    left = wire.surplus(given, wire.whole(head))
    if left and not newer:
        message = "expected only fields of this version, found another"
        raise InvalidDocument(message, path=_first(left))
    log_codec = evolve(codec.log, newer=newer)
    entries = _elements(parts, codec, wire.ITEMS) if items is None else items
    state = _state(head, ItemLog(entries, log_codec), given, outer)
    _check_places(state)
    state = ranges.exact(state)
    if left:
        state = evolve(state, extras={**state.extras, "native": {"surplus": left}})
    inside = []
    for index, run in enumerate(_elements(parts, codec, wire.RUNS)):
        with _at(f"/{wire.RUNS}/{index}"):
            inside.append(_inside(run, codec, parts[wire.VERSION_KEY], state, newer=newer))
    return evolve(state, processed=_with_runs(head.processed, inside))


def _head(parts: dict[str, bytes], codec: Codec) -> JSONObject:
    given: JSONObject = {}
    for key, value in parts.items():
        if key not in {wire.VERSION_KEY, wire.ITEMS, wire.RUNS}:
            with _at(f"/{escape(key)}"):
                given[key] = codec.parse(value)
    return given


def _elements(parts: dict[str, bytes], codec: Codec, key: str) -> list[bytes]:
    if key not in parts:
        return []
    with _at(f"/{key}"):
        return codec.elements(parts[key])


def _inside(run: bytes, codec: Codec, version: bytes, outer: RunState, *, newer: bool) -> RunState:
    parts = codec.split(run)
    codec.refuse_twice(run, parts)
    if wire.VERSION_KEY not in parts or codec.parse(parts[wire.VERSION_KEY]) != codec.parse(
        version
    ):
        message = "expected the version of the document around it, found another"
        raise InvalidDocument(message, path=f"/{wire.VERSION_KEY}")
    return load(parts, codec, newer=newer, outer=outer)


@contextmanager
def _at(place: str) -> Iterator[None]:
    try:
        yield
    except DocumentError as exc:
        raise under(exc, place) from exc


def _state(head: Head, log: ItemLog, given: JSONObject, outer: RunState | None) -> RunState:
    sections = {name: getattr(head, name) for name in wire.SECTIONS if name != "same"}
    if head.same and outer is None:
        raise InvalidDocument("expected a run inside another, found none around it", path="/same")
    for name in head.same:
        if name in given:
            raise InvalidDocument("expected nothing: it is the outer run's", path=f"/{name}")
        sections[name] = getattr(outer, name)
    return RunState(log=log, **sections)


def _with_runs(processed: Processed | None, inside: list[RunState]) -> Processed | None:
    calls = processed.calls if processed is not None else ()
    # Until they are read, the calls name the runs by position.
    used: list[object] = [call.run for call in calls if call.run is not None]
    if used != [*range(len(inside))]:
        message = "expected each run inside to be named by one call, in order"
        raise InvalidDocument(message, path="/processed/calls")
    if processed is None:
        return None
    runs = iter(inside)
    read = (call if call.run is None else evolve(call, run=next(runs)) for call in calls)
    return evolve(processed, calls=tuple(read))


def _check_places(state: RunState) -> None:
    """Check that every position names something; walks the head only, never the log."""
    size = len(state.log)
    ends: dict[str, int] = {}
    for path, start, stop in _ranges(state):
        least = TEXT_INPUT if path.startswith("/conversation/") else 0
        if not least <= start < stop <= size:
            raise InvalidDocument(f"expected log positions below {size}, found others", path=path)
        if start < ends.get(path, least):
            message = "expected each log position once, found one twice"
            raise InvalidDocument(message, path=path)
        ends[path] = stop
    if not 0 <= state.turn.current <= MOST_TURNS:
        raise InvalidDocument(f"expected a turn up to {MOST_TURNS}", path="/turn/current")
    if state.turn.max is not None and state.turn.max < 0:
        raise InvalidDocument("expected a number of turns, found less", path="/turn/max")
    agents = len(state.agents)
    for path, agent in _agents(state):
        if not 0 <= agent < agents:
            raise InvalidDocument(f"expected an agent below {agents}, found another", path=path)


def _ranges(state: RunState) -> Iterator[tuple[str, int, int]]:
    names = ("staged", "generated", "session", "responded")
    packed = {name: getattr(state, name) for name in names}
    packed["input"] = None if isinstance(state.input, str) else state.input
    if state.conversation is not None:
        packed["conversation/acknowledged"] = state.conversation.acknowledged
        packed["conversation/sent"] = state.conversation.sent
    packed |= {f"guardrails/{stage}": spans for stage, spans in state.guardrails.items()}
    if state.step is not None:
        packed["step/interruptions"] = state.step.interruptions
    if state.processed is not None:
        packed["processed/new_items"] = state.processed.new_items
        packed["processed/interruptions"] = state.processed.interruptions
        for index, call in enumerate(state.processed.calls):
            yield f"/processed/calls/{index}/item", call.item, call.item + 1
    if state.session_write is not None:
        packed["session_write/items"] = _session_write(state.session_write)
    if state.last_response is not None:
        yield "/last_response", state.last_response, state.last_response + 1
    for name, spans in packed.items():
        # Sorted, a range that overlaps another comes right after it.
        for start, stop in sorted(spans or ()):
            yield f"/{name}", start, stop


def _session_write(given: JSONObject) -> Spans:
    with _at("/session_write"):
        written = fit(given, SessionWrite)
    return written.items


@frozen(kw_only=True)
class SessionWrite:
    """What `RunState.session_write` must be: the items as positions, the rest as it was."""

    items: Spans = ()
    rest: JSONObject = field(factory=dict)


def _agents(state: RunState) -> Iterator[tuple[str, int]]:
    if state.current_agent is not None:
        yield "/current_agent", state.current_agent
    for index, grant in enumerate(state.grants):
        if grant.agent is not None:
            yield f"/grants/{index}/agent", grant.agent
    for index, call in enumerate(state.processed.calls if state.processed else ()):
        if call.target is not None:
            yield f"/processed/calls/{index}/target", call.target


def _first(left: object) -> str:
    path = ""
    while isinstance(left, dict) and left:
        key, left = next(iter(left.items()))
        path += f"/{escape(key)}"
        if not isinstance(left, dict):
            break
    return path
