"""What a caller of a durable run is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from attrs import field, frozen

from hitl.conversation import Correction, SessionPlan
from hitl.errors import InputRefused
from hitl.lifecycle import Status
from hitl.model import RunState

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncGenerator, Callable

    from agents import StreamEvent

    from hitl.model import Interruption
    from hitl.model.staging import Given


@frozen(kw_only=True)
class DurableRun:
    """A run as it is in its store.

    Attributes:
        id: its name.
        status: what may happen to it next, see `hitl.lifecycle`.
        state: the run as of its newest checkpoint; None while there is none.
        final_output: what the run gave; None while it has not finished.
        result: the SDK's own result, a `RunResultStreaming` that has been read, where this process
            ran something; None where it did not.
        session: what was found in the session when the run was taken up, and done about it; None
            where it was not looked at.
        corrections: what the SDK got wrong in requests of this process, and hitl put right.
    """

    id: str
    status: Status
    state: RunState | None = field(default=None, repr=False)
    final_output: Any = None
    result: Any = field(default=None, repr=False)
    session: SessionPlan | None = field(default=None, repr=False)
    corrections: tuple[Correction, ...] = ()

    @property
    def interruptions(self) -> tuple[Interruption, ...]:
        """The calls that wait, or waited, for a person at the newest pause."""
        return self.state.interruptions if self.state is not None else ()


class DurableStream:
    """A durable run that is read event by event.

        stream = hitl.run_streamed(agent, "Refund order 7", store=store)
        async for event in stream.stream_events():
            ...
        stream.run.status

    Attributes:
        run: the run, once every event was read.
    """

    def __init__(
        self, events: Callable[[DurableStream], AsyncGenerator[StreamEvent, None]]
    ) -> None:
        """Read `events` when asked to."""
        self._events = events
        self._cancel: Callable[[Literal["immediate", "after_turn"]], None] | None = None
        self._add: Callable[[Given], asyncio.Future[None]] | None = None
        self._run: DurableRun | None = None

    @property
    def run(self) -> DurableRun:
        """The run, once every event was read.

        Raises:
            RuntimeError: not every event was read.
        """
        if self._run is None:
            raise RuntimeError("expected every event to be read first, found some left")
        return self._run

    def stream_events(self) -> AsyncGenerator[StreamEvent, None]:
        """Run to the next pause, the end or an error, giving the SDK's own events.

        Whoever stops reading stops the run; it can be taken up again.
        """
        return self._events(self)

    def cancel(self, mode: Literal["immediate", "after_turn"] = "immediate") -> None:
        """Stop the run; it can be taken up again."""
        if self._cancel is not None:
            self._cancel(mode)

    def add_input(self, input: Given) -> asyncio.Future[None]:  # noqa: A002 - the SDK's name
        """Add input while the run goes on: it is delivered once, before the next model call.

            await stream.add_input("and order 8")

        It is stored at once, and is delivered by whoever takes the run up when this process dies.
        When the run ends first, the input is not delivered: `run.state.pending_input` has it. A run
        that rests takes input by `hitl.add_input`. May be called from a thread, as by a tool that
        is no coroutine.

        Args:
            input: a text, said by the user, or items in the form of OpenAI's Responses API.

        Returns:
            What is done when the input is stored: it survives this process from then on. Nobody
            need wait for it; whoever does is told `Superseded` when another took the run over, or
            `StoreUnavailable` when only this process has it until the next checkpoint.

        Raises:
            InputRefused: the run has not begun, is about to rest, or is in its last turn.
            ValueRefused: neither text nor items, or a value that JSON cannot say.
        """
        if self._add is None or self._run is not None:
            message = "the run is not under way"
            raise InputRefused(message, reason="leaving", hint="hitl.add_input, once it rests")
        return self._add(input)

    def done(self, run: DurableRun) -> None:
        """Take what the run came to."""
        self._run = run

    def begun(
        self,
        cancel: Callable[[Literal["immediate", "after_turn"]], None],
        add_input: Callable[[Given], asyncio.Future[None]],
    ) -> None:
        """Take how the run is stopped, and given input."""
        self._cancel, self._add = cancel, add_input
