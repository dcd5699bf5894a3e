"""The scripted server as a model of the SDK, which knows nothing of a script's past."""

# ruff: noqa: ANN401  (the SDK's Model is wide)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents import Model, ModelResponse, Usage
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseOutputItem,
    ResponseUsage,
)
from pydantic import TypeAdapter

from tests.agents.model import plain
from tests.conversation.server import said

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.conversation.server import Raw, Server

_OUTPUT: TypeAdapter[Any] = TypeAdapter(ResponseOutputItem)
_DETAILS: Any = {
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens_details": {"reasoning_tokens": 0},
}


class ServerModel(Model):
    """Sends each request to `server`, which answers with the next of `answers`.

    Attributes:
        requests: what each request carried, refused ones too.
        fails: how many requests fail before they reach the server.
    """

    def __init__(self, server: Server, *answers: Sequence[Raw], fails: int = 0) -> None:
        self.server = server
        self.answers = list(answers)
        self.fails = fails
        self.requests: list[Raw] = []

    def _create(self, args: tuple[Any, ...], options: dict[str, Any]) -> tuple[str, list[Any]]:
        given = options["input"] if "input" in options else args[1]
        items = [said(given)] if isinstance(given, str) else [_item(each) for each in given]
        parameters: Raw = {"input": items}
        if options["conversation_id"]:
            parameters["conversation"] = options["conversation_id"]
        if options["previous_response_id"]:
            parameters["previous_response_id"] = options["previous_response_id"]
        self.requests.append(parameters)
        if self.fails:
            self.fails -= 1
            raise ConnectionError("the request did not leave")
        output = self.answers[0]
        response_id = self.server.create(parameters, output)
        return response_id, [_OUTPUT.validate_python(each) for each in self.answers.pop(0)]

    async def get_response(self, *args: Any, **options: Any) -> Any:
        """Ask the server."""
        response_id, output = self._create(args, options)
        return ModelResponse(output=output, usage=Usage(requests=1), response_id=response_id)

    async def stream_response(self, *args: Any, **options: Any) -> AsyncIterator[Any]:
        """Ask the server, and give the answer as one event."""
        response_id, output = self._create(args, options)
        usage = ResponseUsage(input_tokens=1, output_tokens=1, total_tokens=2, **_DETAILS)
        response = Response(
            id=response_id,
            created_at=0,
            model="scripted",
            object="response",
            output=output,
            tool_choice="none",
            tools=[],
            parallel_tool_calls=True,
            usage=usage,
        )
        yield ResponseCompletedEvent(
            type="response.completed", sequence_number=0, response=response
        )


def _item(given: Any) -> Raw:
    found = plain(given)
    return {"type": "message", **found}
