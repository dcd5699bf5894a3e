"""Who keeps the history of a run from now on, and what of it that place already has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from hitl.conversation.evidence import knows, last_id, proven
from hitl.conversation.occurrence import made_before, open_calls
from hitl.conversation.told import history
from hitl.conversation.tracker import Tracker, names_of
from hitl.errors import ConversationMismatch
from hitl.model import Conversation, RunState, spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.conversation.occurrence import Occurrence


@frozen(kw_only=True)
class Place:
    """Who keeps the history; without any id and not `auto`, the app.

    Attributes:
        conversation_id: a server conversation.
        previous_response_id: the response to go on from.
        auto: follow each response, without one to begin with.
    """

    conversation_id: str | None = None
    previous_response_id: str | None = None
    auto: bool = False


LOCAL = Place()
"""The app keeps the history: every request carries all of it."""


def place_of(tracker: Tracker) -> Place:
    """Give where the next request goes."""
    if tracker.conversation_id is not None:
        return Place(conversation_id=tracker.conversation_id)
    if tracker.previous_response_id is not None:
        return Place(previous_response_id=tracker.previous_response_id)
    return Place(auto=tracker.auto)


def prime(state: RunState, place: Place | None = None) -> Tracker:
    """Give the tracker of a run, from a state of any dialect.

    What the state does not say is read from where its last response stands; without a response
    everything is new, so a first request that failed goes out again (R-50). Names are log
    positions. Staged input is not in it: add it once the open calls are answered.

    Args:
        state: the run.
        place: where to go on; an explicit id wins over what the state says. None: where it was.

            | from | to | the next request carries |
            | --- | --- | --- |
            | any | local | everything |
            | any | another conversation, or `auto` from elsewhere | everything |
            | any | the same conversation | what it does not have |
            | local, chain | a response of the run | what came after that response |
            | local | a response of another run | everything |

    Raises:
        ConversationMismatch: two ids; a response of another run where the chain is this run's; or
            a response where a conversation keeps the history.
    """
    stored = state.conversation or Conversation()
    told = history(state)
    if place is None or _same(state, stored, place):
        return _resumed(state, stored, told)
    if place.conversation_id is not None and place.previous_response_id is not None:
        message = "expected a conversation or a response to go on from, found both"
        raise ConversationMismatch(message)
    if place.previous_response_id is None:
        return _tracker(Conversation(id=place.conversation_id, auto=place.auto), told, frozenset())
    return _from_response(state, stored, place, told)


def _same(state: RunState, stored: Conversation, place: Place) -> bool:
    if place.conversation_id is not None:
        return place.previous_response_id is None and place.conversation_id == stored.id
    if stored.mode != "response_chain" or place == LOCAL:
        return False
    if (named := place.previous_response_id) is None:
        return True
    # Named again, what the app began with; a response of the run is where to go on from.
    known = stored.acknowledged is not None or not knows(state, named)
    return known and named == stored.previous_response_id


def _from_response(
    state: RunState, stored: Conversation, place: Place, told: Sequence[Occurrence]
) -> Tracker:
    response_id = place.previous_response_id or ""
    if stored.mode == "conversation":
        message = "expected a conversation to go on with, found a response to go on from"
        hint = "move the run to a local history, or to another conversation"
        raise ConversationMismatch(message, hint=hint)
    own = knows(state, response_id)
    if stored.mode == "response_chain" and not own:
        message = "expected a response of this run to go on from, found another"
        raise ConversationMismatch(message, hint="move the run to a local history first")
    having = proven(state, told, response_id) if own else frozenset()
    return _tracker(Conversation(previous_response_id=response_id, auto=place.auto), told, having)


def _resumed(state: RunState, stored: Conversation, told: Sequence[Occurrence]) -> Tracker:
    if stored.mode == "local":
        return _tracker(stored, told, frozenset())
    before = made_before(each.raw for each in told)
    if stored.acknowledged is not None:
        return _tracker(stored, told, names_of(stored.acknowledged), before)
    if stored.mode == "conversation":
        return _tracker(stored, told, proven(state, told, None), before)
    # The SDK writes the response the app began with, and follows its own from there.
    newest = last_id(state)
    follows = newest or stored.previous_response_id
    having = proven(state, told, newest) if newest is not None else frozenset()
    chain = Conversation(previous_response_id=follows, auto=stored.auto)
    return _tracker(chain, told, having, before)


def _tracker(
    talk: Conversation,
    told: Sequence[Occurrence],
    having: frozenset[int],
    before: frozenset[str] = frozenset(),
) -> Tracker:
    """Give a tracker; `before` are the calls that the place made before the run began."""
    known = [each for each in told if each.name in having]
    pending = tuple(each for each in told if each.name not in having)
    in_doubt = talk.mode == "conversation" and talk.sent is not None
    identity = known[-1].raw.get("id") if known else None
    return Tracker(
        conversation_id=talk.id,
        previous_response_id=talk.previous_response_id,
        auto=bool(talk.auto),
        pending=pending,
        acknowledged=talk.acknowledged or spans(each.name for each in known),
        open=open_calls((each.raw for each in known), before),
        flight=names_of(talk.sent or ()) if in_doubt else None,
        doubt=in_doubt,
        anchor=identity if isinstance(identity, str) else None,
        next=1 + max((each.name for each in told), default=-1),
    )
