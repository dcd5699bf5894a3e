"""Copies of the user's agents whose tools pass the gate; the originals are never edited."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from agents import Agent, Handoff, Model

from hitl.runtime.durable import private

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents import RunContextWrapper


class Graph:
    """The agents of one claim, each copied once, and the tools they have."""

    def __init__(self, gated: Callable[[Any, Graph], Any], guard: Callable[[Model], Any]) -> None:
        """Copy agents so that `gated(tool, graph)` stands for each tool, `guard(model)` for each.

        Args:
            gated: gives what stands for a tool.
            guard: gives what stands for a model.
        """
        self._gated = gated
        self._guard = guard
        self._copies: dict[int, tuple[Agent[Any], Agent[Any]]] = {}
        self._originals: dict[int, Agent[Any]] = {}
        self._tools: dict[int, tuple[Any, Any]] = {}

    def copy(self, agent: Agent[Any]) -> Agent[Any]:
        """Give the copy of an agent; of a copy, itself."""
        if id(agent) in self._originals:
            return agent
        if id(agent) not in self._copies:
            twin = copy.copy(agent)
            self._copies[id(agent)] = (agent, twin)
            self._originals[id(twin)] = agent
            self._fill(agent, twin)
        return self._copies[id(agent)][1]

    def original(self, agent: Any) -> Any:  # noqa: ANN401 - any of the SDK's agents
        """Give the user's agent behind a copy."""
        return self._originals.get(id(agent), agent)

    def tool(self, tool: Any) -> Any:  # noqa: ANN401 - any of the SDK's tools
        """Give what stands for a tool; of that, itself."""
        if id(tool) not in self._tools:
            stand_in = self._gated(tool, self)
            self._tools[id(tool)] = (tool, stand_in)
            self._tools[id(stand_in)] = (stand_in, stand_in)
        return self._tools[id(tool)][1]

    def _fill(self, agent: Agent[Any], twin: Agent[Any]) -> None:
        """Make the copy name copies; what the user's code sees of it stays the original."""
        twin.tools = [self.tool(tool) for tool in agent.tools]
        twin.handoffs = [self._handoff(each) for each in agent.handoffs]
        if isinstance(agent.model, Model):
            twin.model = self._guard(agent.model)

        async def tools(run_context: RunContextWrapper[Any]) -> list[Any]:
            # The original is asked: a hook may have given it other tools, and its rules on what
            # is enabled are told of the agent they know.
            return [self.tool(tool) for tool in await agent.get_all_tools(run_context)]

        async def mcp_tools(run_context: RunContextWrapper[Any]) -> list[Any]:
            return [self.tool(tool) for tool in await agent.get_mcp_tools(run_context)]

        vars(twin).update(
            get_all_tools=tools,
            get_mcp_tools=mcp_tools,
            get_system_prompt=agent.get_system_prompt,
            get_prompt=agent.get_prompt,
        )

    def _handoff(self, given: Any) -> Any:  # noqa: ANN401 - an agent, or a handoff to one
        if not isinstance(given, Handoff):
            return self.copy(given)
        twin = copy.copy(given)
        target = private.target_of(given)
        if target is not None:
            private.set_target_of(twin, self.copy(target))

        async def invoke(context: RunContextWrapper[Any], arguments: str) -> Any:  # noqa: ANN401
            return self.copy(await given.on_invoke_handoff(context, arguments))

        twin.on_invoke_handoff = invoke
        return twin
