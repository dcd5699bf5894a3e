"""A run whose state is written and read as an app would: what it said, item by item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import attrs

import hitl
from hitl import transfer
from hitl.model import (
    Conversation,
    Item,
    ItemLog,
    Origin,
    Record,
    Response,
    RunState,
    Turn,
    spans,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.conversation.server import Raw

CODEC = transfer.codecs()["json"].log
ORIGIN = Origin(dialect="native", version=transfer.dialects()["native"].chain.newest)
KINDS: dict[str, Any] = {"function_call": "tool_call", "function_call_output": "tool_output"}


@attrs.define
class Run:
    """The log of a run.

    Attributes:
        records: its entries.
        told: positions of what the model is told, in order.
        responded: positions of the responses.
        text: the input, where it is a text.
    """

    records: list[Record] = attrs.field(factory=list)
    told: list[int] = attrs.field(factory=list)
    responded: list[int] = attrs.field(factory=list)
    text: str | None = None

    def add(self, items: Iterable[Raw], kind: Literal["input"] | None = None) -> list[int]:
        """Append items, and give their positions."""
        places = []
        for raw in items:
            item = Item(kind=kind or KINDS.get(raw["type"], "message"), raw=raw)
            places.append(len(self.records))
            self.records.append(Record(item=item))
        self.told += places
        return places

    def respond(self, response_id: str | None, output: Sequence[Raw]) -> list[int]:
        """Append a response after its items, and give the items' positions."""
        places = self.add(output)
        self.responded.append(len(self.records))
        response = Response(id=response_id, output=tuple(places))
        self.records.append(Record(response=response))
        return places

    def state(self, conversation: Conversation | None = None) -> RunState:
        """The run state, as another process reads it."""
        state = RunState(
            origin=ORIGIN,
            log=ItemLog([CODEC.encode(each) for each in self.records], CODEC),
            turn=Turn(current=len(self.responded)),
            input=self.text if self.text is not None else (),
            generated=spans(self.told),
            session=spans(self.told),
            responded=spans(self.responded),
            conversation=conversation,
        )
        return hitl.loads(hitl.dumps(state))

    def raw(self, names: Iterable[int]) -> list[Any]:
        """The items of these names."""
        found = []
        for name in names:
            item = self.records[name].item if name >= 0 else None
            found.append({"role": "user", "content": self.text} if name < 0 else item and item.raw)
        return found
