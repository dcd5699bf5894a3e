"""How each kind of tool passes the gate: on a copy, with the user's own code inside."""

from __future__ import annotations

import copy
import functools
import inspect
from typing import TYPE_CHECKING, Any

from agents import (
    ApplyPatchTool,
    ComputerTool,
    CustomTool,
    FunctionTool,
    LocalShellTool,
    ShellTool,
)
from attrs import field, mutable

from hitl import document
from hitl.model import arguments_sha256
from hitl.runtime.durable import private
from hitl.runtime.durable.calls import INSIDE, PATH, Inside, Open, name_of
from hitl.runtime.durable.gate import Gate, Wanted
from hitl.runtime.durable.idempotent import is_idempotent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hitl.document import JSONValue
    from hitl.runtime.durable.graph import Graph


@mutable(kw_only=True, eq=False)
class Tools:
    """Puts the gate before tools.

    Attributes:
        gate: what they pass.
        open: the calls whose tools are told no id.
        free: names of tools, with whether some tool of that name ever asks for a person.
        waved: calls that stop the run for the gate alone.
    """

    gate: Gate
    open: Open
    free: dict[str, set[bool]] = field(factory=dict)
    waved: set[str] = field(factory=set)

    def gated(self, tool: Any, graph: Graph) -> Any:  # noqa: ANN401 - any of the SDK's tools
        """Give what stands for a tool; the tool itself where nothing of it runs here."""
        kinds: dict[type, Callable[[Any, Any, Graph], None]] = {
            FunctionTool: self._function,
            CustomTool: self._custom,
            ShellTool: self._shell,
            LocalShellTool: self._shell,
            ApplyPatchTool: self._patch,
        }
        for kind, wrap in kinds.items():
            if isinstance(tool, kind):
                twin: Any = copy.copy(tool)
                if hasattr(tool, "needs_approval"):
                    twin.needs_approval = self._rule(tool)
                    if getattr(tool, "on_approval", None) is not None:
                        twin.on_approval = self._answer(tool)
                wrap(tool, twin, graph)
                return twin
        return tool

    def wanted(self, tool: Any, call_id: str, raw: JSONValue, **more: Any) -> Wanted | None:  # noqa: ANN401
        """Say what a call is for the gate; None when it does not pass it."""
        call = name_of(call_id)
        asks = getattr(tool, "needs_approval", None) is True
        if not self.gate.gates(call, asks=asks, scope=private.agent_of(tool) is not None):
            return None
        known = self.gate.approved.get(call)
        return Wanted(
            call=call,
            tool=known.tool if known else str(tool.name),
            arguments_sha256=known.arguments_sha256 if known else arguments_sha256(raw),
            idempotent=is_idempotent(tool),
            **more,
        )

    def _rule(self, tool: Any) -> Any:  # noqa: ANN401 - a rule of any of the SDK's tools
        """Give the rule of a copy: with every call gated, every call stops the run."""
        # An agent is a scope: what runs inside is gated, call by call.
        everything = self.gate.everything and private.agent_of(tool) is None
        rule = tool.needs_approval
        self.free.setdefault(tool.name, set()).add(rule is not False)
        if isinstance(rule, bool):
            return rule or everything

        async def asks(context: Any, what: Any, call_id: str) -> bool:  # noqa: ANN401
            said = rule(context, what, call_id)
            said = bool(await said if inspect.isawaitable(said) else said)
            if said:
                self.gate.asking.add(name_of(call_id))
            elif everything:
                self.waved.add(name_of(call_id))
            return said or everything

        return asks

    def _answer(self, tool: Any) -> Any:  # noqa: ANN401
        """Give the handler that answers at once: only where the tool itself would have asked."""

        async def answer(context: Any, item: Any) -> Any:  # noqa: ANN401
            call_id = item.call_id or ""
            if tool.needs_approval is False or name_of(call_id) in self.waved:
                return {}
            said = tool.on_approval(context, item)
            return await said if inspect.isawaitable(said) else said

        return answer

    def _function(self, tool: FunctionTool, twin: FunctionTool, graph: Graph) -> None:
        inner = private.agent_of(tool)
        if inner is not None:
            private.set_agent_of(twin, graph.copy(inner))
        bound = twin.on_invoke_tool  # rebound to the copy where the SDK does so

        async def call(invoke: Any, context: Any, arguments: str) -> object:  # noqa: ANN401
            raw: JSONValue = {"type": "function_call", "arguments": arguments}
            call_id = getattr(context, "tool_call_id", "")
            cuttable = getattr(tool, "timeout_seconds", None) is not None
            wanted = self.wanted(tool, call_id, raw, cuttable=cuttable)
            execute = functools.partial(_alone, invoke, context, arguments)
            if inner is not None:
                inside = Inside(agent=inner, tools=self, graph=graph)
                return await self._scope(context, inside, wanted, execute)
            return await (execute() if wanted is None else self.gate.run(wanted, execute))

        gated = private.preparing(bound, call)
        if gated is None:

            @functools.wraps(bound)
            async def plain(context: Any, arguments: str) -> object:  # noqa: ANN401
                return await call(bound, context, arguments)

            gated = plain
        twin.on_invoke_tool = gated

    async def _scope(
        self,
        context: Any,  # noqa: ANN401 - of the tool
        inside: Inside,
        wanted: Wanted | None,
        execute: Callable[[], Awaitable[object]],
    ) -> object:
        """Enter an agent used as a tool: not an effect, but what its calls are named by.

        Its intent stands only while it is inside: what runs in there has rows of its own.
        """
        effect = None if wanted is None else await self.gate.enter(wanted)
        if effect is not None and effect.state == "finished":
            private.forget_inside(context)
            return self.gate.result(effect)
        path = PATH.set((*PATH.get(), document.escape(context.tool_call_id)))
        mark = INSIDE.set(inside)
        try:
            result = await execute()
        except BaseException:
            await self._leave(wanted)
            raise
        finally:
            INSIDE.reset(mark)
            PATH.reset(path)
        if inside.suspended:
            await self._leave(wanted)
        elif wanted is not None:
            await self.gate.leave(wanted.call, result)
        return result

    async def _leave(self, wanted: Wanted | None) -> None:
        if wanted is not None and self.gate.lost is None:
            await self.gate.undo(wanted.call)

    def _custom(self, tool: CustomTool, twin: CustomTool, _graph: Graph) -> None:
        async def invoke(context: Any, given: str) -> object:  # noqa: ANN401
            raw: JSONValue = {"type": "custom_tool_call", "input": given}
            wanted = self.wanted(tool, context.tool_call_id, raw)
            execute = functools.partial(_outside, tool.on_invoke_tool, context, given)
            return await (execute() if wanted is None else self.gate.run(wanted, execute))

        twin.on_invoke_tool = invoke

    def _shell(self, tool: Any, twin: Any, _graph: Graph) -> None:  # noqa: ANN401 - of two kinds
        if tool.executor is None:
            return

        async def execute(request: Any) -> object:  # noqa: ANN401
            raw: JSONValue = {"type": "shell_call", "action": _plain(request.data.action)}
            wanted = self.wanted(tool, request.data.call_id, raw)
            run = functools.partial(_outside, tool.executor, request)
            return await (run() if wanted is None else self.gate.run(wanted, run))

        twin.executor = execute

    def _patch(self, tool: ApplyPatchTool, twin: ApplyPatchTool, _graph: Graph) -> None:
        twin.editor = _Editor(tool, self)

    async def before(self, tool: Any) -> None:  # noqa: ANN401
        """Write the intent of a computer call, where every call is gated."""
        if isinstance(tool, ComputerTool) and self.gate.everything:
            call_id, raw = self.open.take("computer_call")
            wanted = self.wanted(tool, call_id, raw)
            if wanted is not None:
                await self.gate.enter(wanted)

    async def after(self, tool: Any, context: Any, result: object) -> None:  # noqa: ANN401
        """Record what the model is told, where the tool could not."""
        # A computer is told no id and acts many times in one call: hooks stand around it.
        call_id = getattr(context, "tool_call_id", None)
        if isinstance(tool, ComputerTool):
            call_id = self.open.taken("computer_call")
        if call_id is not None:
            await self.gate.told(name_of(call_id), result)


class _Editor:
    """An editor that passes the gate; it finds the call by what it does."""

    def __init__(self, tool: ApplyPatchTool, tools: Tools) -> None:
        self._tool = tool
        self._tools = tools

    async def _edit(self, verb: str, operation: Any) -> Any:  # noqa: ANN401
        execute = functools.partial(_outside, getattr(self._tool.editor, verb), operation)
        if self._tool.needs_approval is False and not self._tools.gate.everything:
            return await execute()
        mine = {"type": operation.type, "path": operation.path, "diff": operation.diff}
        call_id, raw = self._tools.open.take("apply_patch_call", mine)
        wanted = self._tools.wanted(self._tool, call_id, raw)
        return await (execute() if wanted is None else self._tools.gate.run(wanted, execute))

    async def create_file(self, operation: Any) -> Any:  # noqa: ANN401
        """Create a file."""
        return await self._edit("create_file", operation)

    async def update_file(self, operation: Any) -> Any:  # noqa: ANN401
        """Change a file."""
        return await self._edit("update_file", operation)

    async def delete_file(self, operation: Any) -> Any:  # noqa: ANN401
        """Remove a file."""
        return await self._edit("delete_file", operation)


async def _alone(invoke: Any, context: Any, arguments: str) -> object:  # noqa: ANN401
    return await invoke(context, arguments)


async def _outside(run: Callable[..., Any], *given: Any) -> object:  # noqa: ANN401
    result = run(*given)
    return await result if inspect.isawaitable(result) else result


def _plain(value: Any) -> JSONValue:  # noqa: ANN401 - an action, as an object or as JSON
    found = value.model_dump(exclude_unset=True) if hasattr(value, "model_dump") else value
    if not isinstance(found, dict) and hasattr(found, "__dict__"):
        found = {key: each for key, each in vars(found).items() if each is not None}
    return found
