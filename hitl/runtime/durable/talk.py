"""What the server of a run has, as this claim knows it: the tracker, fed from what is captured."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen, mutable

from hitl.conversation import (
    LOCAL,
    Correction,
    Occurrence,
    Place,
    Shown,
    Tracker,
    behind,
    correct,
    filled,
    history,
    marks,
    place_of,
    prime,
    record,
)
from hitl.conversation.occurrence import answered, made_before
from hitl.conversation.told import plain
from hitl.document import JSONObject
from hitl.model import Conversation, RunState, Spans, ahead, count, positions, spans

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hitl.model import Kind, Mode

log = logging.getLogger("hitl")


@frozen(kw_only=True)
class Sending:
    """What leaves for the server.

    Attributes:
        input: the items.
        conversation_id, previous_response_id: where they go.
    """

    input: list[JSONObject]
    conversation_id: str | None
    previous_response_id: str | None


@mutable(kw_only=True, eq=False)
class Talk:
    """The requests of one claim, to whoever keeps the history of the run.

    A local history needs no tracker: every request carries all of it, as the SDK writes it.

    Attributes:
        place: where the run was asked to go on; None: where it was.
        left: the conversations the run was in before.
        corrections: what the SDK got wrong so far.
    """

    place: Place | None = None
    left: tuple[Conversation, ...] = ()
    corrections: list[Correction] = field(factory=list)
    _tracker: Tracker | None = field(default=None, init=False)
    _primed: bool = field(default=False, init=False)
    _elsewhere: Place | None = field(default=None, init=False)
    _shown: list[Shown] | None = field(default=None, init=False)
    _put: tuple[JSONObject, ...] = field(default=(), init=False)
    _had: set[str] = field(factory=set, init=False)
    _told: Spans = field(default=(), init=False)
    _responses: int = field(default=0, init=False)

    @property
    def mode(self) -> Mode:
        """Who keeps the history."""
        return "local" if self._tracker is None else self._tracker.mode

    @property
    def here(self) -> Place:
        """Where the next request goes."""
        return LOCAL if self._tracker is None else place_of(self._tracker)

    def begin(self, place: Place, given: str | Sequence[JSONObject]) -> None:
        """Begin a run with its input; its items have no positions yet."""
        tracker = tracker_of(place, given)
        self._tracker = None if tracker.mode == "local" else tracker

    def resume(self, state: RunState) -> RunState:
        """Begin with a stored state; give it in the place where it goes on.

        Raises:
            ConversationMismatch: it cannot go on there.
            ReceiptUnknown: nobody knows whether its last request arrived.
        """
        self._prime(self._back(state), self.place)
        if self._tracker is not None:
            return record(state, self._tracker)
        if state.conversation is None or state.conversation.mode == "local":
            return state
        return evolve(state, conversation=Conversation(auto=False))

    def _back(self, state: RunState) -> RunState:
        """Give a state that goes back to a conversation with what that has of it.

        The one it leaves is noted.
        """
        here, there = state.conversation, self.place and self.place.conversation_id
        if self.place is None or (here is not None and here.id == there):
            return state
        known = next((each for each in self.left if each.id == there), None)
        self.left = tuple(each for each in self.left if each is not known)
        if here is not None and here.id is not None:
            self.left = (*self.left, here)
        return state if known is None else evolve(state, conversation=known)

    def follow(self, state: RunState) -> RunState:
        """Take what came since; give the state with what the server has of it."""
        tracker = self._tracker
        known, told = self._responses, count(self._told)
        if tracker is None:
            pass
        elif not self._primed:
            new = evolve(tracker.stored(), acknowledged=())
            self._prime(evolve(state, conversation=new) if self._elsewhere else state, None)
            self._held_back(tracker, state)
        elif ahead(state.generated or (), count(self._told)) != self._told:
            stored = state.conversation if tracker.flight is not None else tracker.stored()
            self._prime(evolve(state, conversation=stored), None)
        else:
            self._tracker = self._further(tracker, state)
        self._told, self._responses = state.generated or (), count(state.responded or ())
        if self._elsewhere is not None and self._responses > known:
            self._heard(self._elsewhere, state, told)
            self._elsewhere = None
        return record(state, self._tracker) if self._tracker is not None else state

    def show(self, given: Any) -> list[JSONObject]:  # noqa: ANN401
        """Give what a filter of the app is shown of the next request: what the SDK forgot, too."""
        items = items_of(given)
        if self._tracker is None:
            return items
        if self._tracker.flight is None:
            found = filled(self._tracker.prepare(), items)
            items, self._put = found.input, found.missing
        self._shown = [Shown(each, marks(each)) for each in items]
        return items

    def send(self, given: Any, turn: int) -> Sending | None:  # noqa: ANN401
        """Give what the next request carries instead of `given`; None: as it is.

        Args:
            given: the input of the model, as the SDK wrote it.
            turn: the model call of the run, counted from 1.
        """
        if self._tracker is None:
            return None
        request = self._tracker.prepare()
        found = correct(request, self._had, items_of(given), shown=self._shown)
        self._tracker = self._tracker.sent(request.only(found.names))
        missing, self._put = (*self._put, *found.missing), ()
        if found.repeated or missing:
            self.corrections.append(Correction(turn=turn, repeated=found.repeated, missing=missing))
            log.warning(
                "request %s: %s items the server has were taken out, %s it has not were put in",
                turn,
                len(found.repeated),
                len(missing),
            )
        return Sending(
            input=found.input,
            conversation_id=request.conversation_id,
            previous_response_id=request.previous_response_id,
        )

    def answered_elsewhere(self, place: Place) -> None:
        """Take it that the next response was received where the run was before: it is new here."""
        self._elsewhere = place

    def _heard(self, place: Place, state: RunState, known: int) -> None:
        """Note that a conversation the run has left has the newest response, and what it answers.

        Args:
            place: where that was.
            state: the run.
            known: how many items it had generated before.
        """
        if place.conversation_id is None:
            return
        _, ours = _shared(state, list(behind(state, known)))
        after = {each.name for each in ours}
        names = sorted({each.name for each in history(state)} - after)
        there = Conversation(id=place.conversation_id, acknowledged=spans(names))
        self.left = (*(each for each in self.left if each.id != there.id), there)

    def unsent(self) -> None:
        """Take it that the request surely did not arrive."""
        if self._tracker is not None and self._tracker.flight is not None:
            self._tracker = self._tracker.rewind()

    def _prime(self, state: RunState, place: Place | None) -> None:
        tracker = prime(state, place)
        self._primed = True
        self._tracker = None if tracker.mode == "local" else tracker
        self._told, self._responses = state.generated or (), count(state.responded or ())
        if self._tracker is not None:
            waiting = {each.name for each in tracker.pending}
            known = (each for each in history(state) if each.name not in waiting)
            self._had = {mark for each in known for mark in marks(each.raw)}

    def _held_back(self, begun: Tracker, state: RunState) -> None:
        """Let what a filter of the app took out of the first request wait, as in any other.

        Args:
            begun: what the run began with; its items had no positions yet.
            state: the run with its first response.
        """
        waits = {each.name for each in begun.pending} - (begun.flight or frozenset())
        if self._tracker is None or begun.flight is None or not waits:
            return
        pairs = zip(begun.pending, history(state), strict=False)
        same = {there.name for here, there in pairs if here.name in waits and _alike(here, there)}
        having = (each for each in positions(self._tracker.acknowledged) if each not in same)
        known = evolve(self._tracker.stored(), acknowledged=spans(having))
        self._prime(evolve(state, conversation=known), None)

    def _further(self, tracker: Tracker, state: RunState) -> Tracker:
        """Take the items that follow those that are known."""
        told = list(behind(state, count(self._told)))
        response = count(state.responded or ()) > self._responses
        if response and self._elsewhere is not None:
            return tracker.add([each.raw for each, _ in told], [each.name for each, _ in told])
        answers = response and tracker.flight is not None
        theirs, ours = _shared(state, told, response=answers)
        if answers:
            before = tracker.pending
            tracker = tracker.accepted(
                state.responses[-1].id,
                [each.raw for each in theirs],
                [each.name for each in theirs],
            )
            waiting = {each.name for each in tracker.pending}
            known = (each for each in (*before, *theirs) if each.name not in waiting)
            self._had.update(mark for each in known for mark in marks(each.raw))
        return tracker.add([each.raw for each in ours], [each.name for each in ours])


def _shared(
    state: RunState, told: Iterable[tuple[Occurrence, Kind]], *, response: bool = True
) -> tuple[list[Occurrence], list[Occurrence]]:
    """Tell what the server said of items that came, and what the run brought.

    The SDK may keep another copy of an item than the response has, so names do not say it all: an
    output is the server's, too, where the response answers the call itself.

    Args:
        state: the run.
        told: the items, each with its kind.
        response: whether the newest response came with them.
    """
    output = set(state.responses[-1].output) if response else set()
    own = {answered(plain(state, at, state.log.item(at)) or {}) for at in output} - {None}
    theirs: list[Occurrence] = []
    ours: list[Occurrence] = []
    for each, kind in told:
        call = answered(each.raw)
        brought = kind == "input" or (call is not None and call not in own)
        (ours if each.name not in output and brought else theirs).append(each)
    return theirs, ours


def _alike(one: Occurrence, other: Occurrence) -> bool:
    return marks(one.raw) == marks(other.raw)


def tracker_of(place: Place, given: str | Sequence[JSONObject]) -> Tracker:
    """Give the tracker of a run that begins with its input."""
    items = items_of(given)
    return Tracker(
        conversation_id=place.conversation_id,
        previous_response_id=place.previous_response_id,
        auto=place.auto,
        open=made_before(items),
    ).add(items)


def items_of(given: Any) -> list[JSONObject]:  # noqa: ANN401 - what a model is given
    """Give an input as items."""
    return [{"role": "user", "content": given}] if isinstance(given, str) else [*given]
