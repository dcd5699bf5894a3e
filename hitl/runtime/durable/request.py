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

from hitl import document
from hitl.model import count
from hitl.model.decide import nested_runs
from hitl.runtime.durable.calls import ANSWERS, PATH
from hitl.runtime.durable.gate import Gate, Wanted
from hitl.runtime.durable.refusal import surely_refused
from hitl.runtime.durable.response import (
    completed,
    dump_response,
    load_response,
    of_reply,
    reply_of,
)
from hitl.runtime.durable.talk import Talk
from hitl.runtime.durable.turn import is_call, name_of, turn_of
from hitl.store import digest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable

    from agents import ModelResponse

    from hitl.model import RunState

    Ask: TypeAlias = Callable[..., AsyncIterator[Any]]
    Options: TypeAlias = dict[str, Any]

_LABEL = "(model)"
_DONE, _COMPLETED = "response.output_item.done", "response.completed"


def _holds(state: RunState, name: str, *, ahead: bool) -> bool:
    """Tell whether a state has what the response to a request brought.

    Args:
        state: the run, or the run inside that `name` begins in.
        name: of the request.
        ahead: whether the run has received responses that the state has not.
    """
    outer, _, rest = name.partition("/")
    if not rest:
        return (turn_of(name) or 0) <= count(state.responded or ())
    inside = {document.escape(call_id): run for call_id, run in nested_runs(state)}
    if outer in inside:
        return _holds(inside[outer], rest, ahead=False)
    waiting = state.ledger.open if state.ledger is not None else ()
    return not ahead and outer not in map(document.escape, waiting)


@mutable(kw_only=True, eq=False)
class Requests:
    """The requests of one claim of a run, and of the runs inside it.

    Attributes:
        gate: what they pass.
        talk: what they carry.
        responses: how many responses the run has, as of its newest capture.
        recorded: the requests whose responses have a row, and no checkpoint.
        cut: the requests whose rows a worker before this one left.
        failed: whether the newest request failed.
        pinned: whether calls of such a response ran: it must be given again as it was.
    """

    gate: Gate
    talk: Talk
    responses: int = 0
    recorded: set[str] = field(factory=set)
    cut: set[str] = field(factory=set)
    failed: bool = False
    pinned: bool = False

    def covered(self, state: RunState) -> tuple[str, ...]:
        """Give the rows that a checkpoint of `state` makes needless.

        Those of a run inside are needed until the state holds it or the answer it came to. Its call
        may be of a response that has a row itself and is in no checkpoint yet.
        """
        rows = sorted(self.recorded | self.cut)
        ahead = any((turn_of(each) or 0) > count(state.responded or ()) for each in rows)
        return tuple(each for each in rows if _holds(state, each, ahead=ahead))

    def under_way(self, forget: Collection[str]) -> bool:
        """Tell whether a request of the run itself is out, or answered, and in no checkpoint.

        Args:
            forget: the rows that are given up.
        """
        names = {*self.recorded, *self.gate.started} - {*forget}
        return any(turn_of(each) for each in names)

    def unused(self) -> tuple[str, ...]:
        """Give the rows of responses that the models can be asked for again.

        A response that the SDK cannot go on with would stop the run each time. But a server
        conversation has it already, calls that ran keep their ids, and a request that fails says
        nothing against the responses before it.
        """
        tools = any(is_call(each) for each in self.gate.ran)
        if self.talk.mode == "conversation" or self.pinned or self.failed or tools:
            return ()
        return tuple(sorted(self.recorded))

    def saved(self, names: Iterable[str]) -> None:
        """Take it that a checkpoint was written, and that these rows are gone."""
        self.recorded.difference_update(names)
        self.cut.difference_update(names)
        self.pinned = False
        self.gate.ran.clear()

    async def reply(
        self, ask: Callable[..., Awaitable[ModelResponse]], args: tuple[Any, ...], options: Options
    ) -> ModelResponse:
        """Ask for a whole reply, as `stream` does for a streamed one."""
        said: list[ModelResponse] = []

        async def whole(*args: Any, **options: Any) -> AsyncGenerator[Any, None]:  # noqa: ANN401
            said.append(await ask(*args, **options))
            yield completed(of_reply(said[0]))

        async for event in self.stream(whole, args, options):
            response = event.response
        return said[0] if said else reply_of(response)

    async def stream(
        self, ask: Ask, args: tuple[Any, ...], options: Options
    ) -> AsyncGenerator[Any, None]:
        """Ask a model, or give what it answered before.

        Args:
            ask: asks it.
            args: what the SDK gives it; the second is the input.
            options: what the SDK gives it by name.
        """
        wanted = self._wanted(options)
        effect = await self.gate.enter(wanted)
        answer = load_response(effect.result) if effect.state == "finished" else None
        place = self.talk.here
        if not PATH.get():
            if answer is None or answer.place == place:
                args, options = self._carrying(args, options)
            else:
                self.talk.answered_elsewhere(answer.place)
        if answer is not None:
            self._answered(wanted)
            yield completed(answer.response)
            return
        events = ask(*args, **options)
        done: list[Any] = []
        try:
            async for event in events:
                kind = getattr(event, "type", None)
                if kind == _DONE:
                    done.append(event.item)
                elif kind == _COMPLETED:
                    await self.gate.record(wanted.call, dump_response(event.response, place, done))
                    self._answered(wanted)
                yield event
        except (Exception, asyncio.CancelledError, GeneratorExit) as exc:
            if wanted.call not in self.recorded:
                await self._cut(wanted, exc)
            raise
        finally:
            if isinstance(events, AsyncGenerator):
                await events.aclose()

    def _wanted(self, options: Options) -> Wanted:
        """Say what the next request is for the gate."""
        path = PATH.get()
        if path:
            turn, server = ANSWERS.get()[0] + 1, options.get("conversation_id") is not None
        else:
            turn, server = self.responses + 1, self.talk.mode == "conversation"
        name = name_of(turn, *path)
        sha256 = digest(name.encode())
        return Wanted(call=name, tool=_LABEL, arguments_sha256=sha256, idempotent=not server)

    def _answered(self, wanted: Wanted) -> None:
        self.recorded.add(wanted.call)
        self.failed = False
        if PATH.get():
            ANSWERS.get()[0] += 1

    def _carrying(self, args: tuple[Any, ...], options: Options) -> tuple[tuple[Any, ...], Options]:
        """Give what the SDK gives the model, with what the request must carry in it."""
        named = "input" in options
        given = options["input"] if named else args[1]
        sending = self.talk.send(given, self.responses + 1)
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

    async def _cut(self, wanted: Wanted, error: BaseException) -> None:
        """Take the intent of a request back, if it may go out again; else it is in doubt."""
        self.failed = True
        if not wanted.idempotent and not surely_refused(error):
            return
        if not PATH.get():
            self.talk.unsent()
        back = self.gate.give_back(wanted.call)
        if isinstance(error, Exception):  # the SDK may try again at once
            await back
