"""The user's hooks, and ours before them; the user's see the user's agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents import RunHooks

from hitl.runtime.durable.late import Late

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hitl.runtime.durable.graph import Graph
    from hitl.runtime.durable.tool import Tools


class Hooks(RunHooks[Any]):
    """Hooks of one run: the outer one, or one inside an agent used as a tool."""

    def __init__(
        self,
        tools: Tools,
        graph: Graph,
        theirs: RunHooks[Any] | None,
        before_model: Callable[[], Awaitable[None]],
        late: Late | None = None,
    ) -> None:
        """Call `before_model` before each model call, and `theirs` after what is ours.

        `late` is what may be staged where no model is asked.
        """
        self._tools = tools
        self._graph = graph
        self._theirs = theirs if theirs is not None else RunHooks()
        self._before_model = before_model
        self._late = late if late is not None else Late()

    async def on_llm_start(self, context: Any, agent: Any, *given: Any) -> None:  # noqa: ANN401
        """Let the model be asked only once what came before is stored."""
        await self._before_model()
        await self._theirs.on_llm_start(context, self._graph.original(agent), *given)

    async def on_llm_end(self, context: Any, agent: Any, response: Any) -> None:  # noqa: ANN401
        """Note which calls were made."""
        self._tools.open.answered(response.output)
        self._late.answered()
        await self._theirs.on_llm_end(context, self._graph.original(agent), response)

    async def on_agent_start(self, context: Any, agent: Any) -> None:  # noqa: ANN401
        """Pass it on."""
        await self._theirs.on_agent_start(context, self._graph.original(agent))

    async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:  # noqa: ANN401
        """Pass it on."""
        await self._theirs.on_agent_end(context, self._graph.original(agent), output)

    async def on_handoff(self, context: Any, from_agent: Any, to_agent: Any) -> None:  # noqa: ANN401
        """Pass it on."""
        original = self._graph.original
        await self._theirs.on_handoff(context, original(from_agent), original(to_agent))

    async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:  # noqa: ANN401
        """Let the user's hooks fail before an intent is written."""
        await self._theirs.on_tool_start(context, self._graph.original(agent), tool)
        await self._tools.before(tool)
        self._late.hand_over()

    async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:  # noqa: ANN401
        """Record before the user's hooks may fail."""
        await self._tools.after(tool, context, result)
        self._late.hand_over()
        await self._theirs.on_tool_end(context, self._graph.original(agent), tool, result)
