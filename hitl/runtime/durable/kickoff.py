"""What a run was started with: where it starts over as long as there is no checkpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import asdict, evolve, frozen
from pydantic import BaseModel

from hitl import document, values
from hitl.conversation import Place
from hitl.model.fit import fit
from hitl.runtime.durable.counter import limit_of
from hitl.runtime.durable.turn import PLACE

if TYPE_CHECKING:
    from hitl.document import JSONValue
    from hitl.store import Stored


@frozen(kw_only=True)
class Kickoff:
    """The input of a run and the settings that must not change under its id.

    Attributes:
        input: a text or a list of items, tagged.
        max_turns: the limit it was started with; None for none.
        session: id of the session; None without one.
        has_context: whether an app context was given; it is not stored here.
        conversation_id, previous_response_id, auto_previous_response_id: see `Runner.run`.
    """

    input: Any
    max_turns: int | None = None
    session: str | None = None
    has_context: bool = False
    conversation_id: str | None = None
    previous_response_id: str | None = None
    auto_previous_response_id: bool = False

    @property
    def place(self) -> Place:
        """Who keeps the history."""
        return Place(
            conversation_id=self.conversation_id,
            previous_response_id=self.previous_response_id,
            auto=self.auto_previous_response_id,
        )

    def at(self, place: Place) -> Kickoff:
        """Give the kickoff with another place for the history."""
        return evolve(
            self,
            conversation_id=place.conversation_id,
            previous_response_id=place.previous_response_id,
            auto_previous_response_id=place.auto,
        )

    @property
    def given(self) -> Any:  # noqa: ANN401 - what Runner.run takes
        """The input as `Runner.run` takes it."""
        return values.decode(self.input)


def tag_input(given: object) -> JSONValue:
    """Give an input as tagged JSON; items that are objects of a library become what they say."""
    if isinstance(given, list):
        return [tag_input(each) for each in given]
    if isinstance(given, BaseModel):
        given = given.model_dump(exclude_unset=True)
    return values.encode(given, "/input")


def dump_kickoff(kickoff: Kickoff) -> bytes:
    """Write a kickoff; equal ones give equal bytes."""
    return document.canonical(asdict(kickoff))


def load_kickoff(data: bytes) -> Kickoff:
    """Read a kickoff."""
    return fit(document.parse(data), Kickoff)


def dump_place(place: Place) -> bytes:
    """Write where a run goes on that has no checkpoint to say so."""
    return document.encode(asdict(place))


def begun(stored: Stored) -> Kickoff:
    """Give what a run without a checkpoint begins with: where, and with what limit it was told."""
    kickoff = load_kickoff(stored.kickoff)
    kickoff = evolve(kickoff, max_turns=limit_of(kickoff.max_turns, stored.effects))
    said = [each for each in stored.effects if each.call.startswith(PLACE) and each.result]
    if not said:
        return kickoff
    newest = max(said, key=lambda each: each.generation)
    return kickoff.at(fit(document.parse(newest.result or b""), Place))
