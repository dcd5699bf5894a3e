"""Input for a stored run that rests: no agent, no SDK, any process."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.document import JSONValue
    from hitl.model import RunState
    from hitl.model.staging import Given
    from hitl.runtime.durable.outcome import DurableRun
    from hitl.store import Store


async def add_input(
    store: Store,
    run_id: str,
    input: Given,  # noqa: A002 - as hitl.run
    *,
    by: str | None = None,
) -> DurableRun:
    """Stage input for a run that rests; it is delivered once, in order, when the run goes on.

    What people were asked, and what they said, stays as it is, and so does the status. While a call
    waits undecided the input stays staged, over any number of resumes.

    Args:
        store: where the run lives, opened.
        run_id: the run.
        input: a text, said by the user, or items in the form of OpenAI's Responses API.
        by: who says it; for the record.

    Returns:
        The run as it is stored now; `state.pending_input` is what waits to be delivered.

    Raises:
        InputRefused: it would not surely be delivered, says why; nothing was changed.
        AlreadyClaimed: somebody is working on the run; says who, and until when.
        InDoubt: a call was cut between its start and its result; settle it first.
        ValueRefused: neither text nor items, or a value that JSON cannot say.
    """
    from hitl.model import staging
    from hitl.runtime.durable import staged

    def added(state: RunState, late: Sequence[JSONValue]) -> RunState:
        return staging.stage(state, [*late, *staging.items_of(input)])

    return await staged.changed(store, run_id, added, by)


async def clear_input(store: Store, run_id: str, *, by: str | None = None) -> DurableRun:
    """Take back what is staged for a run that rests.

    Args:
        store: where the run lives, opened.
        run_id: the run.
        by: who takes it back; for the record.

    Raises:
        InputRefused: the run has no checkpoint, or has ended.
        AlreadyClaimed: see `add_input`.
        InDoubt: see `add_input`.
    """
    from hitl.runtime.durable import staged

    def cleared(state: RunState, _late: Sequence[JSONValue]) -> RunState:
        return state.clear_input()

    return await staged.changed(store, run_id, cleared, by)
