"""A model that plays a script: deterministic, offline, and without memory.

Which step comes next is read from the input alone: the one after the last step whose calls the
input answers. So a model made after a pause, in another process, goes on where the model before the
pause stopped.
"""

# ruff: noqa: ANN401, PLR0917  (the SDK's Model is wide, and items are any JSON)

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs
from agents import Model, ModelResponse, Usage
from agents.usage import RequestUsage
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseOutputItem,
    ResponseOutputItemDoneEvent,
    ResponseUsage,
)
from pydantic import BaseModel, TypeAdapter

from tests.agents.log import Log, ModelRequest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agents import (
        AgentOutputSchemaBase,
        Handoff,
        ModelSettings,
        ModelTracing,
        Tool,
        TResponseInputItem,
    )
    from agents.items import TResponseStreamEvent
    from openai.types.responses.response_prompt_param import ResponsePromptParam

Step: TypeAlias = Sequence[Mapping[str, object]] | Exception | None
"""Raw Responses output items; an error to raise; or None: a last message that repeats every tool
output it saw."""

_OUTPUT_ITEM: TypeAdapter[Any] = TypeAdapter(ResponseOutputItem)
_INPUT_TOKENS, _OUTPUT_TOKENS = 11, 7
_DETAILS = {
    "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
    "output_tokens_details": {"reasoning_tokens": 5},
}


class ScriptExhausted(Exception):
    """The run asked the model for more than the script says."""


def plain(value: Any) -> Any:
    """Items as JSON, held as dicts or as pydantic models; what is no JSON becomes its repr."""
    if isinstance(value, BaseModel):
        return plain(value.model_dump(exclude_unset=True))
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, str | int | float | None):
        return value
    return repr(value)


def message(text: str, message_id: str) -> dict[str, object]:
    """An assistant message, as the Responses API says it."""
    content = [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    return {
        "type": "message",
        "id": message_id,
        "role": "assistant",
        "status": "completed",
        "content": content,
    }


def call(
    name: str, arguments: Mapping[str, object] | str, call_id: str, **extra: object
) -> dict[str, object]:
    """A function call, as the Responses API says it; arguments given as text stay as they are."""
    text = arguments if isinstance(arguments, str) else json.dumps(arguments)
    fields = {
        "type": "function_call",
        "id": f"fc_{call_id}",
        "call_id": call_id,
        "name": name,
        "arguments": text,
    }
    return fields | {"status": "completed"} | extra


@attrs.define(eq=False)
class ScriptedModel(Model):
    """Plays `steps` for the agent it is named after and notes every request in `log`.

    Attributes:
        caches_prompts: wants a prompt cache key, as OpenAI's own models do.
        raw: hands items out as dicts, as adapters of other providers do.
    """

    name: str
    steps: Sequence[Step]
    log: Log
    caches_prompts: bool = False
    raw: bool = False

    def _supports_default_prompt_cache_key(self) -> bool:
        """Asked by the runner before it makes a prompt cache key up."""
        return self.caches_prompts

    async def get_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002  (the SDK's name)
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,  # noqa: ARG002
        handoffs: list[Handoff[Any, Any]],
        tracing: ModelTracing,  # noqa: ARG002
        *,
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: ResponsePromptParam | None,  # noqa: ARG002
    ) -> ModelResponse:
        """The next step at once."""
        items = _items(input)
        self._note(
            items,
            system_instructions,
            model_settings,
            tools,
            handoffs,
            previous_response_id,
            conversation_id,
        )
        number, output = self._next(items)
        usage = Usage(
            requests=1,
            input_tokens=_INPUT_TOKENS,
            output_tokens=_OUTPUT_TOKENS,
            total_tokens=_INPUT_TOKENS + _OUTPUT_TOKENS,
            **_usage_details(),
        )
        if self.caches_prompts:  # such models know what each request cost
            usage.request_usage_entries = [_request_usage()]
        return ModelResponse(
            output=output,
            usage=usage,
            response_id=f"resp_{self.name}_{number}",
            request_id=f"req_{self.name}_{number}",
        )

    async def stream_response(
        self,
        system_instructions: str | None,
        input: str | list[TResponseInputItem],  # noqa: A002  (the SDK's name)
        model_settings: ModelSettings,
        tools: list[Tool],
        output_schema: AgentOutputSchemaBase | None,  # noqa: ARG002
        handoffs: list[Handoff[Any, Any]],
        tracing: ModelTracing,  # noqa: ARG002
        *,
        previous_response_id: str | None,
        conversation_id: str | None,
        prompt: ResponsePromptParam | None,  # noqa: ARG002
    ) -> AsyncIterator[TResponseStreamEvent]:
        """The next step item by item, then as a whole."""
        items = _items(input)
        self._note(
            items,
            system_instructions,
            model_settings,
            tools,
            handoffs,
            previous_response_id,
            conversation_id,
        )
        number, output = self._next(items)
        for position, item in enumerate(output):
            yield ResponseOutputItemDoneEvent(
                type="response.output_item.done",
                item=item,
                output_index=position,
                sequence_number=position,
            )
        yield ResponseCompletedEvent(
            type="response.completed",
            sequence_number=len(output),
            response=self._response(number, output),
        )

    def _note(
        self,
        items: list[Any],
        instructions: str | None,
        settings: ModelSettings,
        tools: list[Tool],
        handoffs: list[Handoff[Any, Any]],
        previous_response_id: str | None,
        conversation_id: str | None,
    ) -> None:
        self.log.requests.append(
            ModelRequest(
                agent=self.name,
                input=tuple(items),
                previous_response_id=previous_response_id,
                conversation_id=conversation_id,
                instructions=instructions,
                tools=tuple(tool.name for tool in tools),
                handoffs=tuple(handoff.tool_name for handoff in handoffs),
                settings={
                    key: value
                    for key, value in settings.to_json_dict().items()
                    if value is not None
                },
            )
        )

    def _next(self, items: list[Any]) -> tuple[int, list[Any]]:
        number = _next_step(self.steps, items)
        if number >= len(self.steps):
            raise ScriptExhausted(self.name)
        step = self.steps[number]
        if isinstance(step, Exception):
            raise step
        output = (
            [message(_summary(self.name, items), f"msg_{self.name}_{number}")]
            if step is None
            else step
        )
        if self.raw:
            return number, [dict(item) for item in output]
        return number, [_OUTPUT_ITEM.validate_python(item) for item in output]

    def _response(self, number: int, output: list[Any]) -> Response:
        usage = ResponseUsage.model_validate(
            {
                "input_tokens": _INPUT_TOKENS,
                "output_tokens": _OUTPUT_TOKENS,
                "total_tokens": _INPUT_TOKENS + _OUTPUT_TOKENS,
                **_DETAILS,
            }
        )
        response = Response(
            id=f"resp_{self.name}_{number}",
            created_at=0,
            model="scripted",
            object="response",
            output=output,
            parallel_tool_calls=True,
            tool_choice="auto",
            tools=[],
            usage=usage,
        )
        response._request_id = f"req_{self.name}_{number}"
        return response


def _usage_details() -> dict[str, Any]:
    usage = ResponseUsage.model_validate(
        {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0, **_DETAILS}
    )
    return {name: getattr(usage, name) for name in _DETAILS}


def _request_usage() -> RequestUsage:
    return RequestUsage(
        input_tokens=_INPUT_TOKENS,
        output_tokens=_OUTPUT_TOKENS,
        total_tokens=_INPUT_TOKENS + _OUTPUT_TOKENS,
        **_usage_details(),
    )


def _items(given: str | list[TResponseInputItem]) -> list[Any]:
    return (
        [{"role": "user", "content": given}]
        if isinstance(given, str)
        else [plain(item) for item in given]
    )


def _answered(items: list[Any]) -> dict[str, object]:
    """Call id → output, for every call the input answers."""
    answers: dict[str, object] = {}
    for item in items:
        kind = str(item.get("type", ""))
        if kind == "mcp_approval_response":
            answers[item["approval_request_id"]] = item["approve"]
        elif kind.endswith("_output") and item.get("call_id"):
            answers[item["call_id"]] = item.get("output", item.get("result"))
    return answers


def _next_step(steps: Sequence[Step], items: list[Any]) -> int:
    answers = _answered(items)
    for number in reversed(range(len(steps))):
        step = steps[number]
        if step is None or isinstance(step, Exception):
            continue
        if any(_asked(item) in answers for item in step):
            return number + 1
    return 0


def _asked(item: Mapping[str, object]) -> object:
    """What would answer this item; None for items that are answers themselves."""
    return None if str(item["type"]).endswith("_output") else item.get("call_id") or item.get("id")


def _summary(name: str, items: list[Any]) -> str:
    return f"{name} saw " + json.dumps(_answered(items))
