"""Input that is added while the run goes on, and copies of staged input that are under way.

The SDK takes what is staged between two turns. What is staged while it does that, or while a server
has not acknowledged what was, it forgets; so input is held here until one of its hooks says that it
does neither. Meanwhile the store has it in a row of its own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agents import RunResultStreaming
from attrs import evolve, field, mutable

from hitl import values
from hitl.document import JSONValue
from hitl.errors import InputRefused
from hitl.model import positions, spans, staging
from hitl.runtime.durable import private
from hitl.runtime.durable.said import Said

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hitl.model import RunState
    from hitl.model.staging import Given


@mutable(eq=False)
class Late:
    """What was added to a run while it goes on, until a checkpoint holds it.

    Attributes:
        said: the rows it is written to; None where nothing is added: inside a run.
    """

    said: Said | None = None
    _loop: asyncio.AbstractEventLoop | None = field(default=None, init=False)
    _result: RunResultStreaming | None = field(default=None, init=False)
    _held: list[JSONValue] = field(factory=list, init=False)
    _staged: list[JSONValue] = field(factory=list, init=False)
    _waits: bool = field(default=False, init=False)

    @property
    def held(self) -> tuple[JSONValue, ...]:
        """What the SDK has not been given yet."""
        return tuple(self._held)

    @property
    def raws(self) -> list[Any]:
        """The same, as it is said."""
        return [values.decode(each) for each in self._held]

    @property
    def left(self) -> tuple[JSONValue, ...]:
        """What no checkpoint holds."""
        return (*self._staged, *self._held)

    def keep(self, given: Iterable[JSONValue], *, waits: bool) -> None:
        """Hold this and nothing else.

        Args:
            given: items, tagged.
            waits: whether the next request went out before they came: they are not in it.
        """
        self._held, self._staged, self._waits = [*given], [], waits

    def begin(self, result: RunResultStreaming) -> None:
        """Take input for what the SDK is about to run."""
        self._result, self._loop = result, asyncio.get_running_loop()
        self.hand_over()

    def end(self) -> None:
        """Take no more: what the SDK came to is about to be stored."""
        self.hand_over()
        self._result = None

    def add(self, given: Given) -> asyncio.Future[None]:
        """Hold more input, and begin to store it; see `DurableStream.add_input`."""
        raws = staging.items_of(given)
        if self._loop is None or self._loop is _loop_here():
            return self._take(raws)
        # A tool that is no coroutine runs in a thread; all of this is the loop's.
        return asyncio.run_coroutine_threadsafe(self._taken(raws), self._loop).result()

    async def _taken(self, raws: list[JSONValue]) -> asyncio.Future[None]:
        return self._take(raws)

    def _take(self, raws: list[JSONValue]) -> asyncio.Future[None]:
        if self._result is None or self.said is None:
            hint = "hitl.add_input, once it rests"
            raise InputRefused("the run is about to rest", reason="leaving", hint=hint)
        limit = self._result.max_turns
        if limit is not None and self._result.current_turn >= limit:
            message = f"the last of {limit} turns is under way"
            raise InputRefused(message, reason="no_turn", hint="add it when the run has stopped")
        stored = self.said.write(raws)  # what it refuses is not held
        self._held += raws
        return stored

    def before_model(self) -> None:
        """Stage what is held, unless a server is about to be told what is staged.

        What it does not acknowledge replaces what is staged by then.
        """
        if self._result is not None and not private.has_staged(self._result):
            self.hand_over()

    def answered(self) -> None:
        """Stage what came behind the request that was answered now, and what is held."""
        self._waits = False
        self.hand_over()

    def hand_over(self) -> None:
        """Stage what is held; called where the SDK takes nothing."""
        if self._held and self._result is not None and not self._waits:
            private.stage(self._result, self.raws)
            self._staged += self._held
            self._held = []

    def stored(self) -> None:
        """Forget what the checkpoint holds that was just written."""
        self._staged = []


def _loop_here() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:  # a thread without one
        return None


def unacknowledged(state: RunState) -> RunState:
    """Give a state before a model call with staged input staged only.

    A server has not acknowledged it yet, so the SDK keeps it staged; the copies it puts at the end
    of the history, to be sent, would be told twice when the run is taken up from here. They stand
    for the staged ones, so that what a request carries has one name before and after.
    """
    talk = state.conversation
    if not state.staged or talk is None or talk.mode == "local":
        return state
    generated = [*positions(state.generated or ())]
    copies: list[int] = []
    while generated and _is_copy(state, generated[-1]):
        copies.insert(0, generated.pop())
    waiting = [*positions(state.staged)]
    dropped = set(copies)
    return evolve(
        state,
        staged=spans([*copies, *waiting[len(copies) :]]),
        generated=spans(generated),
        session=spans(each for each in positions(state.session or ()) if each not in dropped),
    )


def _is_copy(state: RunState, position: int) -> bool:
    item = state.log.item(position)
    return item.kind == "input" and item.input_id is not None
