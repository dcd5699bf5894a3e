"""Native document → run state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from hitl.dialects.native import wire
from hitl.document import escape
from hitl.errors import InvalidDocument
from hitl.model import ItemLog, RunState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.codec import Codec
    from hitl.dialects.native.wire import Head
    from hitl.model import Processed


def load(parts: dict[str, bytes], codec: Codec, *, newer: bool, outer: RunState | None) -> RunState:
    """Read a document's parts; the log and the runs inside stay encoded until they are read.

    Args:
        parts: the encoded value of each top-level key.
        codec: what reads them.
        newer: whether the version is a newer minor: what is unknown is then kept.
        outer: the run around this one.

    Raises:
        InvalidDocument: a value does not fit its place, or a field is not of this version.
    """
    skip = {wire.VERSION_KEY, wire.ITEMS, wire.RUNS}
    given = {key: codec.parse(value) for key, value in parts.items() if key not in skip}
    head = wire.read(given)
    left = wire.surplus(given, wire.write(head))
    if left is not None and not newer:
        raise InvalidDocument(
            "expected only fields of this version, found another", path=_first(left)
        )
    log = ItemLog(
        codec.elements(parts.get(wire.ITEMS, b"")) if wire.ITEMS in parts else (), codec.log
    )
    state = _state(head, log, outer)
    _check_places(state)
    if left is not None:
        state = evolve(state, extras={**state.extras, "native": {"surplus": left}})
    runs = codec.elements(parts[wire.RUNS]) if wire.RUNS in parts else []
    inside = [load(_split(run, codec), codec, newer=newer, outer=state) for run in runs]
    return evolve(state, processed=_with_runs(head.processed, inside))


def _split(run: bytes, codec: Codec) -> dict[str, bytes]:
    parts = codec.split(run)
    codec.refuse_twice(run, parts)
    return parts


def _state(head: Head, log: ItemLog, outer: RunState | None) -> RunState:
    sections = {name: getattr(head, name) for name in wire.SECTIONS if name != "same"}
    if head.same and outer is None:
        raise InvalidDocument("expected a run inside another, found none around it", path="/same")
    for name in head.same:
        sections[name] = getattr(outer, name)
    return RunState(log=log, **sections)


def _with_runs(processed: Processed | None, inside: list[RunState]) -> Processed | None:
    if processed is None:
        return None
    # In the document a call names its run by position; here the run takes its place.
    used: list[Any] = [call.run for call in processed.calls if call.run is not None]
    if used != list(range(len(inside))):
        message = "expected each run inside to be named by one call, in order"
        raise InvalidDocument(message, path="/processed/calls")
    runs = iter(inside)
    calls = (call if call.run is None else evolve(call, run=next(runs)) for call in processed.calls)
    return evolve(processed, calls=tuple(calls))


def _check_places(state: RunState) -> None:
    """Check that every position names something; walks the head only, never the log."""
    size = len(state.log)
    for path, start, stop in _ranges(state):
        if not 0 <= start < stop <= size:
            raise InvalidDocument(f"expected log positions below {size}, found others", path=path)
    agents = len(state.agents)
    for path, agent in _agents(state):
        if not 0 <= agent < agents:
            raise InvalidDocument(f"expected an agent below {agents}, found another", path=path)


def _ranges(state: RunState) -> Iterator[tuple[str, int, int]]:
    names = ("staged", "generated", "session", "responded")
    packed = {name: getattr(state, name) for name in names}
    packed["input"] = None if isinstance(state.input, str) else state.input
    packed |= {f"guardrails/{stage}": spans for stage, spans in state.guardrails.items()}
    if state.step is not None:
        packed["step/interruptions"] = state.step.interruptions
    if state.processed is not None:
        packed["processed/new_items"] = state.processed.new_items
        packed["processed/interruptions"] = state.processed.interruptions
        for index, call in enumerate(state.processed.calls):
            yield f"/processed/calls/{index}/item", call.item, call.item + 1
    if state.last_response is not None:
        yield "/last_response", state.last_response, state.last_response + 1
    for name, spans in packed.items():
        for start, stop in spans or ():
            yield f"/{name}", start, stop


def _agents(state: RunState) -> Iterator[tuple[str, int]]:
    if state.current_agent is not None:
        yield "/current_agent", state.current_agent
    for index, grant in enumerate(state.grants):
        if grant.agent is not None:
            yield f"/grants/{index}/agent", grant.agent


def _first(left: object) -> str:
    path = ""
    while isinstance(left, dict) and left:
        key, left = next(iter(left.items()))
        path += f"/{escape(key)}"
        if not isinstance(left, dict):
            break
    return path
