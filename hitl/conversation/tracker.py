"""What a model server already has, what is on its way to it, and what is new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from hitl.conversation.occurrence import Occurrence, answered, asked, open_calls
from hitl.errors import ConversationError, ReceiptUnknown
from hitl.model import Conversation, Mode, Spans, positions, spans

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from hitl.document import JSONObject, JSONValue

_DOUBT = "expected a settled request, found one that the server may have received"
_LIST = "list the conversation and hand it to receipt(), or let a person say what it holds"


@frozen(kw_only=True)
class Request:
    """What the next request carries.

    Attributes:
        items: the occurrences to send, in order.
        conversation_id: the server conversation they go to.
        previous_response_id: the response they follow.
        held: answers that would be refused: to a call that has its answer, or that the server
            never made. They are not sent.
        unanswered: calls that would still wait for an answer; a server refuses to go on then.
    """

    items: tuple[Occurrence, ...] = ()
    conversation_id: str | None = None
    previous_response_id: str | None = None
    held: tuple[Occurrence, ...] = ()
    unanswered: tuple[str, ...] = ()

    @property
    def input(self) -> list[JSONObject]:
        """The items, as the Responses API takes them."""
        return [each.raw for each in self.items]

    @property
    def parameters(self) -> dict[str, JSONValue]:
        """What of the request `responses.create` takes: `input`, and the id where there is one."""
        given: dict[str, JSONValue] = {"input": [*self.input]}
        if self.conversation_id is not None:
            given["conversation"] = self.conversation_id
        elif self.previous_response_id is not None:
            given["previous_response_id"] = self.previous_response_id
        return given

    def only(self, names: Collection[int]) -> Request:
        """Give the request with these occurrences alone: what a filter left of it."""
        return evolve(self, items=tuple(each for each in self.items if each.name in names))


@frozen(kw_only=True)
class Tracker:
    """Knows by occurrence, not by content, what a model server has. Each verb gives a new one.

    Work is linear in what is new: what the server has is kept as ranges of names.

    Attributes:
        conversation_id: the server conversation that keeps the history.
        previous_response_id: the response that the next request follows.
        auto: whether each response is followed by the next request, without an id to begin with.
        pending: what the server does not surely have, in order; with a local history, everything.
        acknowledged: names of what the server surely has.
        open: calls the server made that it has no answer to. For a conversation that made calls
            before it was tracked, say which.
        flight: names of what is on its way; None when no request is.
        doubt: whether nobody knows if what is on its way arrived.
        anchor: id of the last item the server surely has; None when it gave none.
        next: the name of the next item that is added without one.
    """

    conversation_id: str | None = None
    previous_response_id: str | None = None
    auto: bool = False
    pending: tuple[Occurrence, ...] = ()
    acknowledged: Spans = ()
    open: frozenset[str] = frozenset()
    flight: frozenset[int] | None = None
    doubt: bool = False
    anchor: str | None = None
    next: int = 0

    @property
    def mode(self) -> Mode:
        """Who keeps the history: the app, a chain of responses, or a conversation."""
        return self.stored().mode

    def add(self, items: Iterable[JSONObject], names: Iterable[int] | None = None) -> Tracker:
        """Give the tracker with items that the app brings: inputs, outputs of tools.

        What the server answers is handed to `accepted` instead.

        Args:
            items: each is one more occurrence, also where it equals another.
            names: their names, such as log positions, each used once; None numbers them.
        """
        added, following = self._named(items, names)
        return evolve(self, pending=self.pending + added, next=following)

    def prepare(self) -> Request:
        """Give what the next request carries: all that the server does not have, in order.

        Raises:
            ReceiptUnknown: it may have the last request.
            ConversationError: the last request is still under way.
        """
        self._refuse_under_way()
        waiting = dict.fromkeys(sorted(self.open))
        items, held = [], []
        for each in self.pending:
            answer = answered(each.raw)
            if answer is not None and answer not in waiting:
                held.append(each)
                continue
            items.append(each)
            if answer is not None:
                del waiting[answer]
            elif (call := asked(each.raw)) is not None:
                waiting[call] = None
        return Request(
            items=tuple(items),
            conversation_id=self.conversation_id,
            previous_response_id=self._followed,
            held=tuple(held),
            unanswered=tuple(waiting),
        )

    def sent(self, request: Request) -> Tracker:
        """Give the tracker with a request under way; store it before the request leaves.

        Raises:
            ReceiptUnknown: the server may have the last request.
            ConversationError: the last request is still under way, or this one is not from here.
        """
        self._refuse_under_way()
        names = frozenset(each.name for each in request.items)
        there = (request.conversation_id, request.previous_response_id)
        if there != (self.conversation_id, self._followed):
            raise ConversationError("expected a request prepared here, found one to another place")
        if not names <= {each.name for each in self.pending}:
            raise ConversationError("expected items that wait to be sent, found others")
        return evolve(self, flight=names)

    def accepted(
        self,
        response_id: str | None,
        output: Iterable[JSONObject] = (),
        names: Iterable[int] | None = None,
    ) -> Tracker:
        """Give the tracker with the request under way answered.

        Args:
            response_id: the id of the response; None when it has none. A chain cannot follow such
                a response: what was sent, and its output, go out again after the last that has.
            output: its items.
            names: their names; None numbers them.

        Raises:
            ConversationError: no request is under way.
        """
        flight = self._under_way()
        brought, following = self._named(output, names)
        settled = evolve(self, flight=None, doubt=False, next=following)
        if self.mode == "local" or (self.mode == "response_chain" and response_id is None):
            return evolve(settled, pending=self.pending + brought)
        sent = [each for each in self.pending if each.name in flight]
        having = [*sent, *brought]
        identity = having[-1].raw.get("id") if having else self.anchor
        return evolve(
            settled,
            previous_response_id=None if self.conversation_id is not None else response_id,
            pending=tuple(each for each in self.pending if each.name not in flight),
            acknowledged=_with(self.acknowledged, [each.name for each in having]),
            open=open_calls((each.raw for each in having), self.open),
            anchor=identity if isinstance(identity, str) else None,
        )

    def rewind(self) -> Tracker:
        """Give the tracker with the request under way surely not received: it goes out again.

        Raises:
            ReceiptUnknown: the server may have it.
            ConversationError: no request is under way.
        """
        self._under_way()
        if self.doubt:
            raise ReceiptUnknown(_DOUBT, hint=_LIST)
        return evolve(self, flight=None)

    def cut(self) -> Tracker:
        """Give the tracker with the request under way cut: it may have been received.

        A server conversation is in doubt then. A chain goes on from the response before, which
        leaves a branch that nobody follows; a local history is sent whole in any case.

        Raises:
            ConversationError: no request is under way.
        """
        self._under_way()
        return evolve(self, doubt=True) if self.mode == "conversation" else self.rewind()

    def settle(
        self,
        *,
        received: bool,
        response_id: str | None = None,
        output: Iterable[JSONObject] = (),
        names: Iterable[int] | None = None,
    ) -> Tracker:
        """Give the tracker with the doubt settled by who knows; `receipt` reads a listing.

        Args:
            received: whether the server has the request.
            response_id: the id of the response; see `accepted`.
            output: its items.
            names: their names.

        Raises:
            ConversationError: nothing is in doubt.
        """
        if not self.doubt:
            raise ConversationError("expected a request in doubt, found none")
        if received:
            return self.accepted(response_id, output, names)
        return evolve(self, flight=None, doubt=False)

    def stored(self) -> Conversation:
        """Give what of the tracker a run state keeps."""
        flight = None if self.flight is None else spans(sorted(self.flight))
        return Conversation(
            id=self.conversation_id,
            previous_response_id=self.previous_response_id,
            auto=self.auto,
            acknowledged=self.acknowledged,
            sent=flight,
        )

    def _named(
        self, items: Iterable[JSONObject], names: Iterable[int] | None
    ) -> tuple[tuple[Occurrence, ...], int]:
        given: Sequence[JSONObject] = [*items]
        numbers = range(self.next, self.next + len(given)) if names is None else [*names]
        if len(numbers) != len(given) or len(set(numbers)) != len(numbers):
            raise ConversationError("expected one name for each item, found others")
        found = tuple(map(Occurrence, numbers, given))
        return found, max([self.next, *(each + 1 for each in numbers)])

    @property
    def _followed(self) -> str | None:
        """The response a request names; a conversation knows its last one itself."""
        return None if self.conversation_id is not None else self.previous_response_id

    def _under_way(self) -> frozenset[int]:
        if self.flight is None:
            raise ConversationError("expected a request under way, found none")
        return self.flight

    def _refuse_under_way(self) -> None:
        if self.doubt:
            raise ReceiptUnknown(_DOUBT, hint=_LIST)
        if self.flight is not None:
            raise ConversationError("expected no request under way, found one")


def _with(packed: Spans, names: Sequence[int]) -> Spans:
    """Give `packed` with `names` in their order; those that follow its end extend it."""
    added = spans(names)
    if packed and added and packed[-1][1] == added[0][0]:
        return (*packed[:-1], (packed[-1][0], added[0][1]), *added[1:])
    return packed + added


def names_of(packed: Spans) -> frozenset[int]:
    """Give the names in `packed`."""
    return frozenset(positions(packed))
