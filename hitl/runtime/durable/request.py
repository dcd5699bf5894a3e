"""A model request as an effect: its intent before it leaves, its response before the SDK hears it.

So a response is never asked for twice: whoever goes on after a crash is given the recorded one. A
request that was cut is sent again where that is harmless; where a server keeps the history, nobody
knows whether it arrived, and the run is in doubt (law 7).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import field, mutable

from hitl.runtime.durable.gate import Gate, Wanted
from hitl.runtime.durable.refusal import surely_refused
from hitl.runtime.durable.response import completed, dump_response, load_response
from hitl.runtime.durable.talk import Talk
from hitl.runtime.durable.turn import name_of, turn_of
from hitl.store import digest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from hitl.store import Effect

    Ask: TypeAlias = Callable[..., AsyncIterator[Any]]

_LABEL = "(model)"
_DONE, _COMPLETED = "response.output_item.done", "response.completed"


def recorded(effects: Iterable[Effect]) -> dict[int, bytes]:
    """Give the responses that were recorded and are in no checkpoint yet, by turn."""
    found = ((turn_of(each.call), each) for each in effects if each.state == "finished")
    return {turn: each.result or b"" for turn, each in found if turn is not None}


@mutable(kw_only=True, eq=False)
class Requests:
    """The requests of one claim of a run; those of agents used as tools are not among them.

    Attributes:
        gate: what they pass.
        talk: what they carry.
        filtered: whether a filter of the app sees them.
        responses: how many responses the run has, as of its newest capture.
        recorded: the turns whose responses have a row, and no checkpoint.
        pinned: whether calls of such a response ran: it must be given again as it was.
    """

    gate: Gate
    talk: Talk
    filtered: bool = False
    responses: int = 0
    recorded: set[int] = field(factory=set)
    pinned: bool = False

    def covered(self) -> tuple[str, ...]:
        """Give the rows of responses that the newest capture holds."""
        return tuple(name_of(turn) for turn in sorted(self.recorded) if turn <= self.responses)

    def unused(self) -> tuple[str, ...]:
        """Give the rows of responses that the model can be asked for again.

        A response that the SDK cannot go on with would stop the run each time. But a server
        conversation has it already, and calls that ran keep their ids.
        """
        tools = any(turn_of(each) is None for each in self.gate.ran)
        if self.talk.mode == "conversation" or self.pinned or tools:
            return ()
        return tuple(name_of(turn) for turn in sorted(self.recorded) if turn > self.responses)

    def saved(self, names: Iterable[str]) -> None:
        """Take it that a checkpoint was written, and that these rows are gone."""
        self.recorded -= {turn_of(each) for each in names}
        self.pinned = False
        self.gate.ran.clear()

    async def stream(
        self, ask: Ask, args: tuple[Any, ...], options: dict[str, Any]
    ) -> AsyncGenerator[Any, None]:
        """Ask a model, or give what it answered before.

        Args:
            ask: asks it.
            args: what the SDK gives it; the second is the input.
            options: what the SDK gives it by name.
        """
        turn = self.responses + 1
        wanted = Wanted(
            call=name_of(turn),
            tool=_LABEL,
            arguments_sha256=digest(name_of(turn).encode()),
            idempotent=self.talk.mode != "conversation",
        )
        effect = await self.gate.enter(wanted)
        args, options = self._carrying(turn, args, options)
        if effect.state == "finished":
            self.recorded.add(turn)
            yield completed(load_response(effect.result))
            return
        events = ask(*args, **options)
        done: list[Any] = []
        try:
            async for event in events:
                kind = getattr(event, "type", None)
                if kind == _DONE:
                    done.append(event.item)
                elif kind == _COMPLETED:
                    await self._record(turn, dump_response(event.response, done))
                yield event
        except (Exception, asyncio.CancelledError, GeneratorExit) as exc:
            if turn not in self.recorded:
                await self._cut(wanted, exc)
            raise
        finally:
            if isinstance(events, AsyncGenerator):
                await events.aclose()

    def _carrying(
        self, turn: int, args: tuple[Any, ...], options: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Give what the SDK gives the model, with what the request must carry in it."""
        named = "input" in options
        given = options["input"] if named else args[1]
        sending = self.talk.send(given, turn, filtered=self.filtered)
        if sending is None:
            return args, options
        options = {
            **options,
            "conversation_id": sending.conversation_id,
            "previous_response_id": sending.previous_response_id,
        }
        if named:
            return args, {**options, "input": sending.input}
        return (args[0], sending.input, *args[2:]), options

    async def _record(self, turn: int, response: bytes) -> None:
        await self.gate.record(name_of(turn), response)
        self.recorded.add(turn)

    async def _cut(self, wanted: Wanted, error: BaseException) -> None:
        """Take the intent of a request back, if it may go out again; else it is in doubt."""
        if not wanted.idempotent and not surely_refused(error):
            return
        self.talk.unsent()
        back = self.gate.give_back(wanted.call)
        if isinstance(error, Exception):  # the SDK may try again at once
            await back
