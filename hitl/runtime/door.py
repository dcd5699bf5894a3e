"""What the public API has of openai-agents; the SDK is imported when a function is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Literal

    import agents as sdk

    from hitl.errors import HitlError
    from hitl.model import RunState

STORED: Any = object()
"""Stands for the context in the state."""


def capture(result: object) -> RunState:
    """Take the state of a run from openai-agents.

    Values are taken as they are live: bytes stay bytes, and registered types come back as their
    type. Secrets (tracing keys, authorization of hosted MCP servers) are left out. What has a type
    nobody registered is logged as a warning and listed in `RunState.missing`.

    Args:
        result: a `RunResult`, a `RunResultStreaming` or a `RunState` of the SDK; it is not changed.

    Returns:
        The run state.

    Raises:
        CaptureError: not an object of the SDK, or one the SDK cannot write.
        ValueRefused: something in the run cannot be held by any document.
        LimitExceeded: the run is larger, or a value in it deeper, than a document may be.
    """
    from hitl.runtime.capture import capture as _capture

    return _capture(result)


async def restore(
    agent: sdk.Agent[Any],
    state: RunState,
    *,
    context: object = STORED,
    agents: Mapping[str, str] | None = None,
    tools: Mapping[str, str] | None = None,
    allow_changed: bool = False,
    allow_loss: bool = False,
    assume: Literal["run_again"] | None = None,
    repairs: Collection[str] = (),
) -> sdk.RunState[Any, sdk.Agent[Any]]:
    """Give openai-agents a state it can go on with: `await Runner.run(agent, live)`.

    The agents and tools the state needs are looked for first; MCP servers may be asked for their
    tools, so they must be connected. The state is not changed.

    Args:
        agent: the agent the run started with.
        state: the run.
        context: the app context to go on with, instead of the stored one.
        agents: old agent name, or identity, to new name.
        tools: old name to new name, for the tools and handoffs of open calls.
        allow_changed: go on although a tool takes other parameters than at the pause.
        allow_loss: go on although the installed release, an older one than wrote the state, must
            ask again or needs help.
        assume: what to do first where the writer did not say; without it such a state is refused.
        repairs: names of repairs of older states that are done only when asked for; `check` lists
            them. `sticky-owner` uses decisions for good that name no owner, `ask-again` uses no
            decision that names a call by its id only. All others are done always.

    Returns:
        The SDK's `RunState`, for `Runner.run` and `Runner.run_streamed`.

    Raises:
        RunFinished: nothing is left to run.
        StepUnknown: the state does not say whether anything is left to run.
        AgentMismatch: an agent is missing, renamed or cannot be told apart.
        ToolMismatch: a tool is missing, renamed or changed.
        ContextMismatch: the stored context has lost its type; pass `context`.
        ArgumentsChanged: a call is not the one that was decided or recorded.
        OlderRelease: an older release left out what nothing can bring back.
        Relabelled: the state says what the version it is labelled with cannot.
        UnknownRepair: no repair has that name.
        LossError: the installed release of the SDK cannot hold a part of the run.
        UnsupportedRelease: the installed release of the SDK lacks what hitl relies on.
        RestoreError: the SDK would drop a part of the state, or refuses it.
    """
    from hitl.runtime import restore as _restore

    return await _restore.restore(
        agent,
        state,
        context=context,
        agents=agents,
        tools=tools,
        allow_changed=allow_changed,
        allow_loss=allow_loss,
        assume=assume,
        repairs=repairs,
    )


async def check_restore(
    agent: sdk.Agent[Any],
    state: RunState,
    *,
    context: object = STORED,
    agents: Mapping[str, str] | None = None,
    tools: Mapping[str, str] | None = None,
    allow_changed: bool = False,
    allow_loss: bool = False,
    assume: Literal["run_again"] | None = None,
    repairs: Collection[str] = (),
) -> tuple[HitlError, ...]:
    """Say what `restore` would refuse, all of it, without restoring; see there for the arguments.

    Returns:
        The errors, in the order `restore` meets them; empty when it would go on.
    """
    from hitl.runtime import restore as _restore

    return await _restore.problems(
        agent,
        state,
        context=context,
        agents=agents,
        tools=tools,
        allow_changed=allow_changed,
        allow_loss=allow_loss,
        assume=assume,
        repairs=repairs,
    )
