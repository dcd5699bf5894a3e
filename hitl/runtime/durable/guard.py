"""What stands before the models of a run: every request passes it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from agents import Model, ModelProvider, RunConfig
from attrs import frozen

from hitl.runtime.durable.calls import APART, PATH
from hitl.runtime.durable.request import Requests
from hitl.runtime.durable.response import completed, of_reply

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable


@frozen
class Guards:
    """Puts a guard before models.

    Attributes:
        requests: what they pass.
        streams: whether models may be asked to stream.
    """

    requests: Requests
    streams: bool = True

    def model(self, model: Model) -> Any:  # noqa: ANN401 - it passes for a Model
        """Give what stands before a model."""
        return Guard(model, self)

    def config(self, config: RunConfig | None) -> RunConfig:
        """Give a run config whose models have a guard; the user's is not changed."""
        twin = copy.copy(config) if config is not None else RunConfig()
        twin.model_provider = _Provider(twin.model_provider, self)
        if isinstance(twin.model, Model):
            twin.model = self.model(twin.model)
        if twin.call_model_input_filter is not None:
            twin.call_model_input_filter = self._watched(twin.call_model_input_filter)
        return twin

    def _watched(self, theirs: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Give a filter that is shown all that goes out, and may take of that what it wants."""

        def watched(data: Any) -> Any:  # noqa: ANN401 - what the SDK gives a filter, and takes
            if not PATH.get() and not APART.get():
                data.model_data.input = self.requests.talk.show(data.model_data.input)
            return theirs(data)

        return watched


class Guard:
    """Stands before a model, and passes for it: the SDK looks at the class of some models."""

    def __init__(self, model: Model, guards: Guards) -> None:
        """Stand before `model`."""
        self._model = model
        self._guards = guards

    @property  # type: ignore[misc]
    def __class__(self) -> type[Any]:
        """The class of the model."""
        return type(self._model)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the model has
        return getattr(self._model, name)

    async def get_response(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        """Ask for a whole reply: a run inside an agent used as a tool does."""
        if APART.get():
            return await self._model.get_response(*args, **options)
        return await self._guards.requests.reply(self._model.get_response, args, options)

    def stream_response(self, *args: Any, **options: Any) -> AsyncIterator[Any]:  # noqa: ANN401
        """Ask for a response event by event, each response once in the life of the run."""
        if APART.get():
            return self._model.stream_response(*args, **options)
        ask = self._model.stream_response if self._guards.streams else self._whole
        return self._guards.requests.stream(ask, args, options)

    async def _whole(self, *args: Any, **options: Any) -> AsyncGenerator[Any, None]:  # noqa: ANN401
        """Ask for a whole reply, and give it as one event."""
        yield completed(of_reply(await self._model.get_response(*args, **options)))


class _Provider(ModelProvider):
    """Gives models with a guard."""

    def __init__(self, provider: ModelProvider, guards: Guards) -> None:
        self._provider = provider
        self._guards = guards

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the provider has
        return getattr(self._provider, name)

    def get_model(self, model_name: str | None) -> Any:  # noqa: ANN401 - it passes for a Model
        """Give a model by name."""
        return self._guards.model(self._provider.get_model(model_name))

    async def aclose(self) -> None:
        """Close the provider."""
        await self._provider.aclose()
