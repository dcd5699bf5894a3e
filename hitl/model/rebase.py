"""One run captured twice: the second capture on the log of the first, which only grows."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import evolve

from hitl import document
from hitl.model.log import ItemLog, positions, spans
from hitl.model.record import Item, Record, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from hitl.model.agent import Agent
    from hitl.model.log import LogCodec, Spans
    from hitl.model.state import RunState
    from hitl.model.step import Processed, Step

T = TypeVar("T")


def rebase(state: RunState, before: RunState) -> RunState:
    """Give `state` with a log that begins with the whole log of `before`.

    Entries that say the same are found there again; the others are appended, in order. An entry
    that the run no longer refers to stays in the log.

    Args:
        state: the run.
        before: the run as it was stored; logs of the same codec.
    """
    table, agents = _agents(state.agents, before.agents)
    codec = before.log.codec
    free: dict[bytes, deque[int]] = {}
    for position, chunk in enumerate(before.log.chunks):
        free.setdefault(_said(codec, chunk), deque()).append(position)
    chunks = list(before.log.chunks)
    at: list[int] = []
    for chunk in state.log.chunks:
        moved = _moved(codec, chunk, at, agents)
        same = free.get(_said(codec, moved))
        if same:
            at.append(same.popleft())
        else:
            at.append(len(chunks))
            chunks.append(moved)
    log = ItemLog(chunks, codec)
    return evolve(_placed(state, at, agents), agents=table, log=log)


def _said(codec: LogCodec, chunk: bytes) -> bytes:
    """Give what an entry says, whatever the order of its keys: the SDK's readers change it."""
    return document.canonical(codec.parse(chunk))


def _agents(
    new: tuple[Agent, ...], old: tuple[Agent, ...]
) -> tuple[tuple[Agent, ...], dict[int, int]]:
    """Put a table of agents on top of another; say where each of `new` has gone."""
    table = list(old)
    known = {(each.name, each.identity): index for index, each in enumerate(old)}
    moves: dict[int, int] = {}
    for index, each in enumerate(new):
        place = known.setdefault((each.name, each.identity), len(table))
        if place == len(table):
            table.append(each)
        table[place] = each
        moves[index] = place
    return tuple(table), moves


def _moved(codec: LogCodec, chunk: bytes, at: list[int], agents: Mapping[int, int]) -> bytes:
    record = codec.decode(chunk)
    only = record.only()
    changed: Record
    match only:
        case Item():
            item = evolve(
                only,
                call=None if only.call is None else at[only.call],
                agent=_get(agents, only.agent),
                source=_get(agents, only.source),
                target=_get(agents, only.target),
            )
            changed = Record(item=item)
        case Response():
            changed = Record(response=evolve(only, output=tuple(at[each] for each in only.output)))
        case _:
            changed = record
    return codec.encode(changed)


def _placed(state: RunState, at: list[int], agents: Mapping[int, int]) -> RunState:
    """Rewrite every position, and every place in the table of agents."""

    def moved(packed: Spans) -> Spans:
        return spans(at[each] for each in positions(packed))

    write = state.session_write
    if write is not None and "items" in write:
        items: Any = write["items"]
        places = moved(tuple((start, stop) for start, stop in items))
        write = {**write, "items": [list(each) for each in places]}
    return evolve(
        state,
        current_agent=_get(agents, state.current_agent),
        input=state.input if isinstance(state.input, str) else _map(moved, state.input),
        staged=_map(moved, state.staged),
        generated=_map(moved, state.generated),
        session=_map(moved, state.session),
        responded=_map(moved, state.responded),
        last_response=None if state.last_response is None else at[state.last_response],
        step=_map(lambda step: _step(step, moved), state.step),
        processed=_map(lambda processed: _processed(processed, at, moved), state.processed),
        grants=tuple(evolve(each, agent=_get(agents, each.agent)) for each in state.grants),
        guardrails={stage: moved(packed) for stage, packed in state.guardrails.items()},
        session_write=write,
    )


def _step(step: Step, moved: Callable[[Spans], Spans]) -> Step:
    return evolve(step, interruptions=_map(moved, step.interruptions))


def _processed(processed: Processed, at: list[int], moved: Callable[[Spans], Spans]) -> Processed:
    return evolve(
        processed,
        new_items=_map(moved, processed.new_items),
        interruptions=_map(moved, processed.interruptions),
        calls=tuple(evolve(call, item=at[call.item]) for call in processed.calls),
    )


def _get(agents: Mapping[int, int], index: int | None) -> int | None:
    return None if index is None else agents[index]


def _map(change: Callable[[T], T], value: T | None) -> T | None:
    return None if value is None else change(value)
