"""A model that says what it is told: the only thing faked in the demo and in tests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agents import Model, ModelResponse, Usage
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
    ResponseUsage,
)
from openai.types.responses.response_usage import InputTokensDetails, OutputTokensDetails

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from hitl.document import JSONObject

_INPUT_TOKENS, _OUTPUT_TOKENS = 11, 7


def call(name: str, call_id: str, arguments: JSONObject) -> ResponseFunctionToolCall:
    """Give a call of a function tool."""
    return ResponseFunctionToolCall(
        id=f"fc_{call_id}",
        call_id=call_id,
        name=name,
        arguments=json.dumps(arguments),
        type="function_call",
        status="completed",
    )


def message(text: str) -> ResponseOutputMessage:
    """Give a message of the assistant."""
    part = ResponseOutputText(text=text, type="output_text", annotations=[])
    return ResponseOutputMessage(
        id="msg_1", type="message", role="assistant", status="completed", content=[part]
    )


class ScriptedModel(Model):
    """Answers each request with the next of its responses.

    Attributes:
        inputs: what each request carried.
    """

    def __init__(self, *script: Sequence[Any]) -> None:
        """Say the responses of `script`, each a list of output items."""
        self._script = list(script)
        self.inputs: list[Any] = []

    def _next(self, given: object) -> tuple[list[Any], str]:
        self.inputs.append(given)
        return list(self._script.pop(0)), f"resp_{len(self.inputs)}"

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:  # noqa: ANN401
        """Give the next response."""
        output, response_id = self._next(kwargs["input"] if "input" in kwargs else args[1])
        usage = Usage(
            requests=1,
            input_tokens=_INPUT_TOKENS,
            output_tokens=_OUTPUT_TOKENS,
            total_tokens=_INPUT_TOKENS + _OUTPUT_TOKENS,
        )
        return ModelResponse(output=output, usage=usage, response_id=response_id)

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:  # noqa: ANN401
        """Give the next response as one event."""
        output, response_id = self._next(kwargs["input"] if "input" in kwargs else args[1])
        usage = ResponseUsage(
            input_tokens=_INPUT_TOKENS,
            output_tokens=_OUTPUT_TOKENS,
            total_tokens=_INPUT_TOKENS + _OUTPUT_TOKENS,
            input_tokens_details=InputTokensDetails.model_validate(
                {"cached_tokens": 0, "cache_write_tokens": 0}
            ),
            output_tokens_details=OutputTokensDetails(reasoning_tokens=0),
        )
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
