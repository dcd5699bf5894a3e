"""The scripted server as an app reaches it: through the SDK's `Model`, with the errors of `openai`.

The server is another machine: it outlives the process that asks, in memory or in a file. A request
can be refused, lost on its way, or arrive and stay unanswered; the client is told what it would be.
"""

# ruff: noqa: ANN401  (the SDK's Model is wide)

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import attrs
import httpx2
import openai
from agents import Model, ModelResponse, Usage
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseCreatedEvent,
    ResponseOutputItem,
    ResponseOutputItemDoneEvent,
    ResponseUsage,
)
from pydantic import TypeAdapter

from tests.agents.model import plain
from tests.conversation.life import Life
from tests.conversation.server import Raw, Refused, Server, said

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Fault = Literal[
    "refused",  # the connection was never made
    "limited",  # 429: not taken
    "locked",  # 400: another request holds the conversation
    "lost",  # a timeout; it never arrived
    "overloaded",  # 503; it never arrived
    "timeout",  # a timeout; it arrived, and was answered to nobody
    "reset",  # the connection broke after it arrived
    "half",  # the same, in the middle of the answer
]
BEFORE: tuple[Fault, ...] = ("refused", "limited", "locked")
"""The client knows that the request was not taken."""
UNKNOWN: tuple[Fault, ...] = ("lost", "overloaded", "timeout", "reset", "half")
"""The client does not know whether it was."""
ARRIVES: tuple[Fault, ...] = ("timeout", "reset", "half")

_REQUEST = httpx2.Request("POST", "https://api.example/v1/responses")
_OUTPUT: TypeAdapter[Any] = TypeAdapter(ResponseOutputItem)
_DETAILS: Any = {
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens_details": {"reasoning_tokens": 0},
}
_USED: Any = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}


@attrs.frozen(kw_only=True)
class Exchange:
    """One request as the server saw it, or would have.

    Attributes:
        parameters: `input`, and `conversation` or `previous_response_id`.
        arrived: whether the server took it.
        fault: what befell it; None when it was answered, or refused for what it said.
        error: what the server said of a wrong request.
        response_id, output: the answer; also one that reached nobody.
    """

    parameters: Raw
    arrived: bool = False
    fault: Fault | None = None
    error: str | None = None
    response_id: str | None = None
    output: list[Raw] = attrs.field(factory=list)

    @property
    def input(self) -> list[Raw]:
        """The items it carried."""
        found: list[Raw] = self.parameters["input"]
        return found


@attrs.define
class Api:
    """A Responses API that says what it is told to.

    Attributes:
        answer: the history with the new request → the items of the answer.
        server: the histories.
        faults: what befalls the next requests, one each; None for nothing.
        exchanges: every request, in order.
        nameless: how many of the next answers have no id.
        path: the file it is kept in; None keeps it in memory.
    """

    answer: Callable[[list[Raw]], Sequence[Raw]]
    server: Server = attrs.field(factory=Server)
    faults: list[Fault | None] = attrs.field(factory=list)
    exchanges: list[Exchange] = attrs.field(factory=list)
    nameless: int = 0
    path: Path | None = None

    @classmethod
    def at(cls, path: Path, answer: Callable[[list[Raw]], Sequence[Raw]]) -> Api:
        """The server that is kept in a file; an empty one where there is none."""
        if not path.exists():
            return cls(answer, path=path)
        kept = json.loads(path.read_text())
        exchanges = [Exchange(**each) for each in kept.pop("exchanges")]
        faults = kept.pop("faults")
        return cls(answer, Server(**kept), faults, exchanges, path=path)

    def _keep(self) -> None:
        if self.path is not None:
            part = self.path.with_suffix(".part")
            kept = attrs.asdict(self.server)
            kept |= {"exchanges": [attrs.asdict(each) for each in self.exchanges]}
            part.write_text(json.dumps(kept | {"faults": self.faults}))
            part.rename(self.path)

    def take(self, parameters: Raw) -> Exchange:
        """Take a request, as far as its fault lets it come.

        Raises:
            openai.APIError: as the library raises it, where no answer comes back at all.
        """
        fault = self.faults.pop(0) if self.faults else None
        exchange = Exchange(parameters=parameters, fault=fault)
        if fault is None or fault in ARRIVES:
            exchange = self._received(exchange)
        self.exchanges.append(exchange)
        self._keep()
        if exchange.error is not None:
            raise _status(400, exchange.error)
        if fault is not None and fault != "half":
            raise _failed(fault)
        return exchange

    def _received(self, exchange: Exchange) -> Exchange:
        try:
            before = self.server.before(exchange.parameters)
            output = [*self.answer([*before, *exchange.input])]
            response_id: str | None = self.server.create(exchange.parameters, output)
        except Refused as refused:
            return attrs.evolve(exchange, error=str(refused), fault=None)
        if self.nameless:
            self.nameless, response_id = self.nameless - 1, None
        return attrs.evolve(exchange, arrived=True, response_id=response_id, output=output)


class ApiModel(Model):
    """Sends each request of one process to a server."""

    def __init__(self, api: Api, life: Life | None = None) -> None:
        self.api = api
        self.life = life or Life()

    def _ask(self, args: tuple[Any, ...], options: dict[str, Any]) -> Exchange:
        given = options["input"] if "input" in options else args[1]
        items = [said(given)] if isinstance(given, str) else [_item(each) for each in given]
        parameters: Raw = {"input": items}
        if options["conversation_id"]:
            parameters["conversation"] = options["conversation_id"]
        if options["previous_response_id"]:
            parameters["previous_response_id"] = options["previous_response_id"]
        self.life.step("before request")
        exchange = self.api.take(parameters)
        self.life.step("after request")
        return exchange

    async def get_response(self, *args: Any, **options: Any) -> Any:
        """Ask the server."""
        exchange = self._ask(args, options)
        if exchange.fault == "half":
            raise _failed("reset")
        output = [_OUTPUT.validate_python(each) for each in exchange.output]
        usage = Usage(requests=1, **_USED)
        return ModelResponse(output=output, usage=usage, response_id=exchange.response_id)

    async def stream_response(self, *args: Any, **options: Any) -> AsyncIterator[Any]:
        """Ask the server, and give the answer item by item."""
        exchange = self._ask(args, options)
        output = [_OUTPUT.validate_python(each) for each in exchange.output]
        yield ResponseCreatedEvent(
            type="response.created", sequence_number=0, response=_response(exchange, [])
        )
        for index, item in enumerate(output, start=1):
            yield ResponseOutputItemDoneEvent.model_construct(
                type="response.output_item.done",
                sequence_number=index,
                output_index=index - 1,
                item=item,
            )
            self.life.step()
            if exchange.fault == "half":
                raise httpx2.RemoteProtocolError("peer closed connection")
        yield ResponseCompletedEvent(
            type="response.completed",
            sequence_number=len(output) + 1,
            response=_response(exchange, output),
        )


def _response(exchange: Exchange, output: list[Any]) -> Response:
    return Response.model_construct(
        id=exchange.response_id,
        created_at=0,
        model="scripted",
        object="response",
        output=output,
        tool_choice="none",
        tools=[],
        parallel_tool_calls=True,
        usage=ResponseUsage(**_USED, **_DETAILS),
    )


def _item(given: Any) -> Raw:
    found = plain(given)
    return {"type": "message", **found}


def _status(status: int, message: str, code: str | None = None) -> openai.APIStatusError:
    response = httpx2.Response(status, request=_REQUEST)
    kinds = {400: openai.BadRequestError, 429: openai.RateLimitError}
    kind = kinds.get(status, openai.InternalServerError)
    return kind(message, response=response, body={"message": message, "code": code})


def _failed(fault: Fault) -> Exception:
    """What `openai` raises for a fault, with the cause it raises it from."""
    match fault:
        case "limited":
            return _status(429, "Too many requests.", "rate_limit_exceeded")
        case "locked":
            return _status(400, "The conversation is locked.", "conversation_locked")
        case "overloaded":
            return _status(503, "Try again later.")
        case "lost" | "timeout":
            error: Exception = openai.APITimeoutError(request=_REQUEST)
            error.__cause__ = httpx2.ReadTimeout("read timed out", request=_REQUEST)
        case "refused":
            error = openai.APIConnectionError(request=_REQUEST)
            error.__cause__ = httpx2.ConnectError("connection refused", request=_REQUEST)
        case _:
            error = openai.APIConnectionError(request=_REQUEST)
            error.__cause__ = httpx2.ReadError("connection reset", request=_REQUEST)
    return error


def script(*answers: Sequence[Raw]) -> Callable[[list[Raw]], Sequence[Raw]]:
    """Answer with the first of `answers` that the history does not hold; to the last, for good."""

    def answer(history: list[Raw]) -> Sequence[Raw]:
        there = {each.get("id") for each in history}
        return next((each for each in answers if each[0]["id"] not in there), answers[-1])

    return answer
