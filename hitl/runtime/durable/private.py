"""The private names of openai-agents that durable runs rely on, beside those of `hitl.runtime.sdk`.

Read from openai-agents 0.24.0. Each is asked for by name; where a release lacks one, `supported`
says so before anything runs.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from agents import Agent, FunctionTool, Handoff, RunState
from agents import run as _run
from agents import tool as _tool
from agents.agent_tool_state import consume_agent_tool_run_result, get_agent_tool_state_scope

from hitl.errors import RestoreError
from hitl.runtime.durable import keep

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents import RunResultStreaming

AgentRunner = _run.AgentRunner

# A release has all of them, or durable runs are not for it.
_NEEDED = (
    (_run, "set_default_agent_runner"),
    (_run, "get_default_agent_runner"),
    (_run, "AgentRunner"),
    (RunState, "add_input"),
    (keep.PERSISTENCE, "save_result_to_session"),
    (keep.PERSISTENCE, "_ignore_ids_for_matching"),
)


def refuse_unsupported() -> None:
    """Refuse a release of the SDK that durable runs cannot hold on to.

    Raises:
        RestoreError: it lacks something they need.
    """
    missing = [name for owner, name in _NEEDED if not hasattr(owner, name)]
    if missing:
        names = ", ".join(missing)
        message = f"the installed openai-agents has no {names}"
        raise RestoreError(message, hint="durable runs need openai-agents 0.21 or newer")


def default_runner() -> AgentRunner:
    """Give what `Runner` hands every run to."""
    return _run.get_default_agent_runner()


def set_default_runner(runner: AgentRunner) -> None:
    """Make `Runner` hand every run to `runner`."""
    _run.set_default_agent_runner(runner)


def agent_of(tool: object) -> Agent[Any] | None:
    """Give the agent a tool is made of; None for other tools."""
    found = getattr(tool, "_agent_instance", None)
    return found if isinstance(found, Agent) else None


def set_agent_of(tool: FunctionTool, agent: Agent[Any]) -> None:
    """Let a copy of a tool name the copy of its agent."""
    tool._agent_instance = agent  # noqa: SLF001


def forget_inside(context: Any) -> None:  # noqa: ANN401 - a tool's context
    """Let the SDK forget the paused run inside a call whose result is known already."""
    scope = get_agent_tool_state_scope(context)
    consume_agent_tool_run_result(context.tool_call, scope_id=scope)


def responses_of(given: object) -> int:
    """Give how many responses a run begins with: those of the state it goes on from."""
    return len(given._model_responses) if isinstance(given, RunState) else 0  # noqa: SLF001


def target_of(handoff: Handoff[Any, Any]) -> Agent[Any] | None:
    """Give the agent a handoff goes to, where it says so."""
    ref = getattr(handoff, "_agent_ref", None)
    found = ref() if ref is not None else None
    return found if isinstance(found, Agent) else None


def set_target_of(handoff: Handoff[Any, Any], agent: Agent[Any]) -> None:
    """Let a copy of a handoff name the copy of its agent."""
    handoff._agent_ref = weakref.ref(agent)  # noqa: SLF001


def preparing(invoker: Any, call: Callable[..., Any]) -> Any:  # noqa: ANN401 - the SDK's invokers
    """Give `invoker` with `call` in its place: what it prepares for an approval rule stays.

    Args:
        invoker: what a function tool is invoked by.
        call: `call(invoke, context, arguments)`, where `invoke` is the invoker.
    """
    kind = getattr(_tool, "_FailureHandlingFunctionToolInvoker", None)
    if kind is None or not isinstance(invoker, kind):
        return None

    class Gated(type(invoker)):  # type: ignore[misc]
        """An invoker that asks first."""

        def __init__(self) -> None:
            self.__dict__.update(vars(invoker))

        def __agents_bind_function_tool__(self, _tool: FunctionTool) -> Any:  # noqa: ANN401
            return self

        async def __call__(self, ctx: Any, input: str) -> Any:  # noqa: A002, ANN401
            return await call(invoker, ctx, input)

    return Gated()


def stage(result: RunResultStreaming, items: list[Any]) -> None:
    """Stage input behind what is staged; the state itself takes none before the first turn."""
    result._state._pending_input.extend(items)  # noqa: SLF001


def has_staged(result: RunResultStreaming) -> bool:
    """Tell whether input is staged."""
    return bool(result._state._pending_input)  # noqa: SLF001


def loop_of(result: RunResultStreaming) -> Any:  # noqa: ANN401 - a task, or None
    """Give the task that runs a streamed run."""
    return getattr(result, "run_loop_task", None) or getattr(result, "_run_impl_task", None)
