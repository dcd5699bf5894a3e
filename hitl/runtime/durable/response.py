"""A model's response in a store's row, from which it can be given again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents import ModelResponse, Usage
from attrs import asdict, frozen
from openai.types.responses import Response, ResponseCompletedEvent, ResponseUsage

from hitl import document, values
from hitl.conversation import Place
from hitl.errors import StoreCorrupt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hitl.document import JSONObject


@frozen(kw_only=True)
class Answer:
    """A response that was recorded.

    Attributes:
        response: what was answered.
        place: where its request went: whoever keeps the history there has both.
    """

    response: Response
    place: Place


def dump_response(response: Response, place: Place, done: Sequence[Any] = ()) -> bytes:
    """Write a response.

    Args:
        response: as the stream ended with it.
        place: where its request went.
        done: the items the stream gave before; some servers leave them out of the response.

    Raises:
        ValueRefused: no document can hold it.
    """
    said = response.model_dump(mode="json", exclude_unset=True, warnings=False)
    if not response.output and done:
        said["output"] = [
            each.model_dump(mode="json", exclude_unset=True, warnings=False) for each in done
        ]
    request_id = getattr(response, "_request_id", None)
    return _dump(said, place, request_id)


def dump_output(output: Iterable[JSONObject], place: Place) -> bytes:
    """Write a response of which only the items are known, such as what a conversation lists."""
    return _dump({"id": None, "output": [*output]}, place, None)


def _dump(said: JSONObject, place: Place, request_id: object) -> bytes:
    answer = {"response": said, "request_id": request_id, "place": asdict(place)}
    return document.encode(values.encode(answer))


def load_response(data: bytes | None) -> Answer:
    """Read what `dump_response` or `dump_output` wrote.

    Raises:
        StoreCorrupt: it is something else.
    """
    found: Any = None if data is None else values.decode(document.parse(data))
    if not isinstance(found, dict) or found.keys() != {"response", "request_id", "place"}:
        raise StoreCorrupt("expected the response to a request, found something else")
    response = Response.model_construct(**{**_EMPTY, **found["response"]})
    response._request_id = found["request_id"]  # noqa: SLF001
    return Answer(response=response, place=Place(**found["place"]))


def said(answer: Answer) -> list[JSONObject]:
    """Give the items of a response that was recorded."""
    items = (each.model_dump(mode="json", exclude_unset=True) for each in answer.response.output)
    return [*items]


def calls_of(response: Response) -> frozenset[str]:
    """Give the names of the calls a response made."""
    ids = (getattr(each, "call_id", None) for each in response.output)
    return frozenset(document.escape(each) for each in ids if isinstance(each, str))


_EMPTY: dict[str, Any] = {
    "created_at": 0,
    "model": "",
    "object": "response",
    "output": [],
    "tool_choice": "auto",
    "tools": [],
    "parallel_tool_calls": True,
}


def of_reply(reply: ModelResponse) -> Response:
    """Give a reply that was not streamed as the response of a stream."""
    used = reply.usage
    usage = ResponseUsage.model_construct(
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        total_tokens=used.total_tokens,
        input_tokens_details=used.input_tokens_details,
        output_tokens_details=used.output_tokens_details,
    )
    response = Response.model_construct(
        **{**_EMPTY, "id": reply.response_id, "output": reply.output, "usage": usage}
    )
    response._request_id = getattr(reply, "request_id", None)  # noqa: SLF001
    return response


def reply_of(response: Response) -> ModelResponse:
    """Give a response as a reply that was not streamed."""
    used = response.usage
    usage = (
        Usage()
        if used is None
        else Usage(
            requests=1,
            input_tokens=used.input_tokens,
            output_tokens=used.output_tokens,
            total_tokens=used.total_tokens,
            input_tokens_details=used.input_tokens_details,
            output_tokens_details=used.output_tokens_details,
        )
    )
    request_id = getattr(response, "_request_id", None)
    return ModelResponse(
        output=response.output, usage=usage, response_id=response.id, request_id=request_id
    )


def completed(response: Response) -> ResponseCompletedEvent:
    """Give the event a stream ends with."""
    return ResponseCompletedEvent.model_construct(
        type="response.completed", sequence_number=0, response=response
    )
