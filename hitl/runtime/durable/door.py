"""`run`, `resume` and their kin; the SDK is imported when one is called."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

from hitl.runtime.door import STORED
from hitl.runtime.durable.outcome import DurableRun, DurableStream

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import agents as sdk

    from hitl.conversation import Place
    from hitl.document import JSONObject
    from hitl.runtime.durable.attempt import Settings
    from hitl.store import Run, Store, Verdict

LEASE_S = 60.0
MAX_TURNS = 10  # as openai-agents


def run_streamed(
    agent: sdk.Agent[Any],
    input: str | list[Any],  # noqa: A002 - as Runner.run
    *,
    store: Store,
    run_id: str | None = None,
    context: object = None,
    max_turns: int | None = MAX_TURNS,
    hooks: sdk.RunHooks[Any] | None = None,
    run_config: sdk.RunConfig | None = None,
    session: sdk.Session | None = None,
    conversation_id: str | None = None,
    previous_response_id: str | None = None,
    auto_previous_response_id: bool = False,
    error_handlers: Any = None,  # noqa: ANN401 - the SDK's
    lease_s: float = LEASE_S,
    worker: str | None = None,
    gate: Literal["approval", "all"] = "approval",
    stream_model: bool = True,
    expires_in_s: float | None = None,
    default: Verdict | None = None,
) -> DurableStream:
    """Start a run as `run` does; its events are read from `stream_events()`."""
    from hitl.runtime.durable import start

    settings = _settings(
        agent,
        gate=gate,
        lease_s=lease_s,
        streams=stream_model,
        expires_in_s=expires_in_s,
        default=default,
        options={
            "context": context,
            "hooks": hooks,
            "run_config": run_config,
            "session": session,
            "error_handlers": error_handlers,
        },
        restoring={} if context is None else {"context": context},
    )
    kickoff = {
        "max_turns": max_turns,
        "conversation_id": conversation_id,
        "previous_response_id": previous_response_id,
        "auto_previous_response_id": auto_previous_response_id,
    }
    return DurableStream(
        lambda stream: start.begin(
            stream, settings, input, store=store, run_id=run_id, worker=worker, start=kickoff
        )
    )


async def run(
    agent: sdk.Agent[Any],
    input: str | list[Any],  # noqa: A002 - as Runner.run
    *,
    store: Store,
    run_id: str | None = None,
    context: object = None,
    max_turns: int | None = MAX_TURNS,
    hooks: sdk.RunHooks[Any] | None = None,
    run_config: sdk.RunConfig | None = None,
    session: sdk.Session | None = None,
    conversation_id: str | None = None,
    previous_response_id: str | None = None,
    auto_previous_response_id: bool = False,
    error_handlers: Any = None,  # noqa: ANN401 - the SDK's
    lease_s: float = LEASE_S,
    worker: str | None = None,
    gate: Literal["approval", "all"] = "approval",
    stream_model: bool = True,
    expires_in_s: float | None = None,
    default: Verdict | None = None,
) -> DurableRun:
    """Run an agent as `Runner.run` does, in a store: it stops for people and survives its process.

    The agent, its tools, hooks, session and run config are the user's own and are not changed.
    Before each model call and at each stop the run is stored; a call that needs approval has its
    intent stored before it starts and its result before the model hears of it.

    Args:
        agent: the agent to start with.
        input: a text or items.
        store: where the run lives, opened.
        run_id: its name; starting it again with the same input gives the run there is. None makes
            one up.
        context: the app context; stored where its type is registered.
        max_turns: model calls the run may make, over all pauses; None for no limit.
        hooks: as `Runner.run`; called after what hitl does at the same place.
        run_config: as `Runner.run`.
        session: as `Runner.run`; each entry is stored there once.
        conversation_id: the server conversation that keeps the history.
        previous_response_id: the response the first request continues.
        auto_previous_response_id: follow the chain of responses without naming one.
        error_handlers: as `Runner.run`.
        lease_s: how long nobody else may take the run when this process dies; kept alive while
            it works.
        worker: who is working, for people; None names host and process.
        gate: `approval` gates the calls of tools that need approval, `all` every call.
        stream_model: False asks models for whole replies.
        expires_in_s: seconds until a call that waits gets `default`; None: never.
        default: that verdict.

    Returns:
        The run at its next pause or its end.

    Raises:
        RunExists: there is a run of that id with other input.
        Superseded: another worker took the run over; nothing ran after that.
        InDoubt: a call was cut between its start and its result.
        StoreUnavailable: the database cannot do it now.
    """
    given = dict(locals())
    stream = run_streamed(given.pop("agent"), given.pop("input"), **given)
    return await _drained(stream)


def resume_streamed(
    agent: sdk.Agent[Any],
    run_id: str,
    *,
    store: Store,
    context: object = STORED,
    max_turns: int | None = STORED,
    hooks: sdk.RunHooks[Any] | None = None,
    run_config: sdk.RunConfig | None = None,
    session: sdk.Session | None = None,
    error_handlers: Any = None,  # noqa: ANN401 - the SDK's
    agents: Mapping[str, str] | None = None,
    tools: Mapping[str, str] | None = None,
    allow_changed: bool = False,
    allow_other_session: bool = False,
    repair_session: bool = False,
    place: Place | None = None,
    lease_s: float = LEASE_S,
    worker: str | None = None,
    force: bool = False,
    gate: Literal["approval", "all"] = "approval",
    stream_model: bool = True,
    expires_in_s: float | None = None,
    default: Verdict | None = None,
    **restoring: Any,  # noqa: ANN401 - what `restore` takes besides
) -> DurableStream:
    """Go on with a run as `resume` does; its events are read from `stream_events()`."""
    from hitl.runtime.durable import start

    settings = _settings(
        agent,
        gate=gate,
        lease_s=lease_s,
        streams=stream_model,
        expires_in_s=expires_in_s,
        default=default,
        repair_session=repair_session,
        allow_other_session=allow_other_session,
        place=place,
        options={
            "context": None if context is STORED else context,
            "hooks": hooks,
            "run_config": run_config,
            "session": session,
            "error_handlers": error_handlers,
        },
        restoring={
            "context": context,
            "agents": agents,
            "tools": tools,
            "allow_changed": allow_changed,
            **restoring,
        },
    )
    return DurableStream(
        lambda stream: start.take_up(
            stream,
            settings,
            run_id,
            store=store,
            worker=worker,
            max_turns=max_turns,
            force=force,
        )
    )


async def resume(
    agent: sdk.Agent[Any],
    run_id: str,
    *,
    store: Store,
    context: object = STORED,
    max_turns: int | None = STORED,
    hooks: sdk.RunHooks[Any] | None = None,
    run_config: sdk.RunConfig | None = None,
    session: sdk.Session | None = None,
    error_handlers: Any = None,  # noqa: ANN401 - the SDK's
    agents: Mapping[str, str] | None = None,
    tools: Mapping[str, str] | None = None,
    allow_changed: bool = False,
    allow_other_session: bool = False,
    repair_session: bool = False,
    place: Place | None = None,
    lease_s: float = LEASE_S,
    worker: str | None = None,
    force: bool = False,
    gate: Literal["approval", "all"] = "approval",
    stream_model: bool = True,
    expires_in_s: float | None = None,
    default: Verdict | None = None,
    **restoring: Any,  # noqa: ANN401 - what `restore` takes besides
) -> DurableRun:
    """Go on with a run from its newest checkpoint, in any process, exactly once.

    A run that has ended, or waits for a verdict nobody has given, is given as it is, and nothing
    runs; of one that waits, `max_turns` is stored where it raises the limit. Some verdicts are
    enough: the calls without one go on waiting.

    Args:
        agent: the agent the run started with.
        run_id: the run.
        store: where it lives, opened.
        context: the app context to go on with, instead of the stored one.
        max_turns: a higher turn limit, None for no limit, from now on; a lower one changes nothing.
        hooks: as `hitl.run`; not stored.
        run_config: as `hitl.run`; not stored.
        session: the one the run was started with. What a dead worker wrote there after the
            checkpoint is taken back, what of the run is missing is appended; see `DurableRun`.
        error_handlers: as `hitl.run`; not stored.
        agents: as `hitl.restore`.
        tools: as `hitl.restore`.
        allow_changed: as `hitl.restore`.
        allow_other_session: go on without the session the run has, or in another one: that is
            given the whole run.
        repair_session: also take back what stands in the session twice, where nothing of others
            stands behind it; of a run that has ended too.
        place: who keeps the history from now on; None: who did. The next request carries all of it
            or what is new, as is right there, see `hitl.conversation.prime`.
        lease_s: as `hitl.run`.
        worker: as `hitl.run`.
        force: go on although no verdict is new.
        gate: as `hitl.run`.
        stream_model: as `hitl.run`.
        expires_in_s: as `hitl.run`.
        default: as `hitl.run`.
        **restoring: what else `hitl.restore` takes.

    Returns:
        The run at its next pause or its end.

    Raises:
        AlreadyClaimed: somebody is working on it; says who, and until when.
        NotClaimable: it was cancelled.
        ArgumentsChanged: a call is not the one that was decided; nothing was run.
        ConversationMismatch: the run cannot go on at `place`; nothing was run.
        InDoubt: a call, or a request to a server conversation, was cut between its start and its
            result; settle it first.
        Superseded: another worker took the run over; nothing ran after that.
        SessionMismatch: the session of the run is missing, or another one; nothing was run.
        RestoreError: the agent cannot go on with the run; nothing was run.
    """
    given = dict(locals())
    given |= given.pop("restoring")
    stream = resume_streamed(given.pop("agent"), given.pop("run_id"), **given)
    return await _drained(stream)


def run_sync(agent: sdk.Agent[Any], input: str | list[Any], **options: Any) -> DurableRun:  # noqa: A002, ANN401
    """Do what `run` does, where no event loop runs."""
    return asyncio.run(run(agent, input, **options))


def resume_sync(agent: sdk.Agent[Any], run_id: str, **options: Any) -> DurableRun:  # noqa: ANN401
    """Do what `resume` does, where no event loop runs."""
    return asyncio.run(resume(agent, run_id, **options))


async def reconcile(
    store: Store, run_id: str, items: Sequence[JSONObject], *, start: int | None = None
) -> Run:
    """Settle a request in doubt by what its conversation lists: it arrived, or it did not.

    A request to a server conversation that was cut may have arrived. What the listing says the
    server answered is what the run goes on with; a request that is not in it goes out again.

    Args:
        store: where the run lives, opened.
        run_id: the run.
        items: the whole conversation, oldest first, as the Responses API lists it
            (`client.conversations.items.list(conversation_id, order="asc")`), each as a dict.
        start: where in it the request would begin; None: behind the last item the run knows of. The
            first request of a run, and the first where it has moved to, know of none: 0 where the
            conversation was made for the run.

    Returns:
        The run's row; it can be resumed.

    Raises:
        UnknownCall: no request of the run is in doubt.
        ReceiptUnknown: the listing does not tell, or the response is not in it yet.
    """
    from hitl.runtime.durable.settle import by_listing

    return await by_listing(store, run_id, items, start)


async def _drained(stream: DurableStream) -> DurableRun:
    async for _ in stream.stream_events():
        pass
    return stream.run


def _settings(
    agent: sdk.Agent[Any],
    *,
    gate: str,
    lease_s: float,
    streams: bool,
    expires_in_s: float | None,
    default: Verdict | None,
    options: dict[str, Any],
    restoring: dict[str, Any],
    repair_session: bool = False,
    allow_other_session: bool = False,
    place: Place | None = None,
) -> Settings:
    from hitl.runtime.durable.attempt import Settings

    if gate not in {"approval", "all"}:
        raise ValueError(f'expected gate="approval" or "all", found {gate!r}')
    return Settings(
        agent=agent,
        options={name: value for name, value in options.items() if value is not None},
        restoring=restoring,
        lease_s=lease_s,
        place=place,
        everything=gate == "all",
        streams=streams,
        expires_in_s=expires_in_s,
        default=default,
        repair_session=repair_session,
        allow_other_session=allow_other_session,
    )
