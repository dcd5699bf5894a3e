"""A run state over a log that is already stored: what is new is appended, nothing is moved.

Two captures of one run number their entries anew. A store's log only grows, so the second capture
is told where its entries stand there, and says everything else in those positions.
"""

from __future__ import annotations

from collections import defaultdict, deque
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import evolve

from hitl import document
from hitl.model.context import TEXT_INPUT
from hitl.model.log import ItemLog
from hitl.model.span import positions, spans

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hitl.document import JSONObject
    from hitl.model.agent import Agent
    from hitl.model.record import Item, Record
    from hitl.model.span import Spans
    from hitl.model.state import RunState
    from hitl.model.step import Processed

T = TypeVar("T")


def rebase(state: RunState, known: Sequence[bytes], agents: Sequence[Agent] = ()) -> RunState:
    """Give the same run over a log that begins with `known`.

    Entries that `known` holds, key order aside, are found there, the others follow it. Entries of
    `known` that the run does not use stay, so positions of earlier states keep their meaning.

    Args:
        state: the run; its log is of the codec that wrote `known`.
        known: the entries there are, in order.
        agents: the table of agents that `known` was written under: its positions are kept, so
            that an entry that names an agent is recognised.

    Returns:
        A state that says the same in every dialect.
    """
    return _Rebase(_over(state, agents), known).apply()


class _Rebase:
    """One run on its way from its own positions to those of a stored log."""

    def __init__(self, state: RunState, known: Sequence[bytes]) -> None:
        self.state = state
        self.chunks = list(known)
        self.known = known
        self.used: set[int] = set()
        self.exact: defaultdict[bytes, deque[int]] = defaultdict(deque)
        self.alike: defaultdict[bytes, deque[int]] | None = None
        for position, chunk in enumerate(known):
            self.exact[chunk].append(position)
        self.places: dict[int, int] = {TEXT_INPUT: TEXT_INPUT}

    def apply(self) -> RunState:
        """Place every entry, then say the head in the new positions."""
        log = self.state.log
        # A response names items that may come after it: items have their places first.
        records = [log.codec.read(chunk) for chunk in log.chunks]
        for is_item in (True, False):
            for position, record in enumerate(records):
                if (record.item is not None) is is_item:
                    self._place(position, record)
        return evolve(
            self.state, log=ItemLog(self.chunks, log.codec), **self._head(), **self._steps()
        )

    def _place(self, position: int, record: Record) -> None:
        moved = self._moved(record)
        log = self.state.log
        chunk = log.chunks[position] if moved is record else log.codec.encode(moved)
        known = self._known(chunk)
        if known is None:
            self.places[position] = len(self.chunks)
            self.chunks.append(chunk)
        else:
            self.places[position] = known

    def _known(self, chunk: bytes) -> int | None:
        """Find a stored entry that says the same and stands for nothing else yet.

        An SDK that read a state writes its keys in another order; that is no other entry.
        """
        if (found := self._left(self.exact, chunk)) is not None:
            return found
        if self.alike is None:
            self.alike = defaultdict(deque)
            for position, stored in enumerate(self.known):
                self.alike[self._meaning(stored)].append(position)
        return self._left(self.alike, self._meaning(chunk))

    def _left(self, places: defaultdict[bytes, deque[int]], key: bytes) -> int | None:
        while places[key]:
            if (found := places[key].popleft()) not in self.used:
                self.used.add(found)
                return found
        return None

    def _meaning(self, chunk: bytes) -> bytes:
        return document.canonical(self.state.log.codec.parse(chunk))

    def _moved(self, record: Record) -> Record:
        item, response = record.item, record.response
        if item is not None and item.call is not None:
            call = self.places[item.call]
            return record if call == item.call else evolve(record, item=evolve(item, call=call))
        if response is not None:
            output = tuple(self.places[each] for each in response.output)
            if output != response.output:
                return evolve(record, response=evolve(response, output=output))
        return record

    def _head(self) -> dict[str, Any]:
        state = self.state
        return {
            "input": state.input if isinstance(state.input, str) else self._spans(state.input),
            "staged": self._spans(state.staged),
            "generated": self._spans(state.generated),
            "session": self._spans(state.session),
            "responded": self._spans(state.responded),
            "last_response": self._position(state.last_response),
            "guardrails": {
                stage: self._spans(packed) or () for stage, packed in state.guardrails.items()
            },
            "session_write": self._session_write(state.session_write),
        }

    def _steps(self) -> dict[str, Any]:
        state = self.state
        step, talk = state.step, state.conversation
        return {
            "step": step and evolve(step, interruptions=self._spans(step.interruptions)),
            "processed": self._processed(state.processed),
            "conversation": talk
            and evolve(
                talk,
                acknowledged=self._spans(talk.acknowledged),
                sent=self._spans(talk.sent),
            ),
        }

    def _processed(self, processed: Processed | None) -> Processed | None:
        if processed is None:
            return None
        calls = (evolve(each, item=self.places[each.item]) for each in processed.calls)
        return evolve(
            processed,
            new_items=self._spans(processed.new_items),
            interruptions=self._spans(processed.interruptions),
            calls=tuple(calls),
        )

    def _session_write(self, write: JSONObject | None) -> JSONObject | None:
        if write is None or "items" not in write:
            return write
        given: Any = write["items"]
        packed = self._spans(tuple((start, stop) for start, stop in given)) or ()
        return {**write, "items": [list(each) for each in packed]}

    def _spans(self, packed: Spans | None) -> Spans | None:
        if packed is None:
            return None
        return spans(self.places[position] for position in positions(packed))

    def _position(self, position: int | None) -> int | None:
        return None if position is None else self.places[position]


def _over(state: RunState, agents: Sequence[Agent]) -> RunState:
    """Give the state with a table that begins with `agents`, as they are seen now.

    One that the run no longer names stays: entries that nobody uses still name it.
    """
    now = {_identity(each): each for each in state.agents}
    before = [_identity(each) for each in agents]
    added = [name for name in now if name not in set(before)]
    kept = [now.get(_identity(each), each) for each in agents]
    table = (*kept, *(now[name] for name in added))
    if table == state.agents:
        return state
    index = {name: position for position, name in enumerate((*before, *added))}
    places = [index[_identity(each)] for each in state.agents]

    def moved(position: int | None) -> int | None:
        return None if position is None else places[position]

    same = places == [*range(len(places))]
    return evolve(
        state,
        agents=table,
        current_agent=moved(state.current_agent),
        grants=tuple(evolve(each, agent=moved(each.agent)) for each in state.grants),
        log=state.log if same else _renamed(state.log, moved),
    )


def _renamed(log: ItemLog, moved: Callable[[int | None], int | None]) -> ItemLog:
    chunks = []
    for chunk in log.chunks:
        record = log.codec.read(chunk)
        if record.item is None:
            chunks.append(chunk)
            continue
        item = _of(record.item, moved)
        chunks.append(log.codec.encode(evolve(record, item=item)))
    return ItemLog(chunks, log.codec)


def _of(item: Item, moved: Callable[[int | None], int | None]) -> Item:
    return evolve(
        item, agent=moved(item.agent), source=moved(item.source), target=moved(item.target)
    )


def _identity(agent: Agent) -> str:
    return agent.identity or agent.name
