"""Models that must not stream, asked for a whole reply by a runner that streams."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from agents import Model, ModelProvider, RunConfig
from openai.types.responses import Response, ResponseCompletedEvent, ResponseUsage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from agents import ModelResponse


class Whole(Model):
    """Asks a model for a whole reply where the runner asks for a stream."""

    def __init__(self, model: Model) -> None:
        """Stand before `model`."""
        self._model = model

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the model has
        return getattr(self._model, name)

    async def get_response(self, *args: Any, **kwargs: Any) -> ModelResponse:  # noqa: ANN401
        """Ask the model."""
        return await self._model.get_response(*args, **kwargs)

    async def stream_response(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:  # noqa: ANN401
        """Ask the model for a whole reply, and give it as one event."""
        reply = await self._model.get_response(*args, **kwargs)
        response = Response.model_construct(
            id=reply.response_id,
            created_at=0,
            model="",
            object="response",
            output=reply.output,
            tool_choice="auto",
            tools=[],
            parallel_tool_calls=True,
            usage=_usage(reply),
        )
        response._request_id = getattr(reply, "request_id", None)  # noqa: SLF001
        yield ResponseCompletedEvent.model_construct(
            type="response.completed", sequence_number=0, response=response
        )

    async def close(self) -> None:
        """Close the model."""
        await self._model.close()


def _usage(reply: ModelResponse) -> ResponseUsage:
    used = reply.usage
    return ResponseUsage.model_construct(
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        total_tokens=used.total_tokens,
        input_tokens_details=used.input_tokens_details,
        output_tokens_details=used.output_tokens_details,
    )


class _Provider(ModelProvider):
    """Gives models that are asked for whole replies."""

    def __init__(self, provider: ModelProvider) -> None:
        self._provider = provider

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the provider has
        return getattr(self._provider, name)

    def get_model(self, model_name: str | None) -> Model:
        """Give a model by name."""
        return Whole(self._provider.get_model(model_name))


def whole(config: RunConfig | None) -> RunConfig:
    """Give a run config whose models are asked for whole replies."""
    twin = copy.copy(config) if config is not None else RunConfig()
    twin.model_provider = _Provider(twin.model_provider)
    if isinstance(twin.model, Model):
        twin.model = Whole(twin.model)
    return twin
