"""An older state as a newer release needs it: what its writer left out is computed, or named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.dialect import Repaired, mended
from hitl.dialects.openai_python import ledger
from hitl.dialects.openai_python.nest import every
from hitl.dialects.openai_python.shape import SHAPE
from hitl.errors import ArgumentsChanged, Relabelled

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from hitl.document import JSONObject
    from hitl.model import RunState
    from hitl.revision import Chain


def repair(
    state: RunState,
    chain: Chain,
    version: str,
    names: Collection[str],
    written: Callable[[RunState], JSONObject],
) -> Repaired:
    """Repair a state of `chain` for `version`.

    Args:
        state: a state of any dialect; one of another is left alone.
        chain: the versions.
        version: where the state shall resume.
        names: repairs that are done only when asked for.
        written: gives the document a state was read from, at the newest version.

    Raises:
        Relabelled: the document says what its version cannot.
        ArgumentsChanged: a recorded call is not the one its writer recorded.
    """
    own = state.origin.dialect == chain.dialect and state.origin.version in chain.versions
    later = chain.later(state.origin.version, version) if own and state.newer is None else ()
    mends = [mend for revision in later for mend in revision.mends]
    if not mends:
        return Repaired(state=state)
    refuse_forged(state)
    for path in SHAPE.foreign(written(state), chain.later(state.origin.version, chain.newest)):
        message = f"the document is labelled {state.origin.version}, which cannot say this"
        hint = "somebody changed the label; show the run and start over"
        raise Relabelled(message, path=path, hint=hint)
    return mended(state, mends, names)


def refuse_forged(state: RunState) -> None:
    """Refuse a call that is not what its writer recorded of it: no other record replaces that.

    Raises:
        ArgumentsChanged: a recorded call is not the one its writer recorded.
    """
    for path, run in every(state):
        for call_id in ledger.forged(run):
            message = f"call {call_id!r} is not the call the SDK recorded when it stopped"
            hint = "the state was changed after the pause; show it and start over"
            raise ArgumentsChanged(message, path=f"{path}/context/tool_invocations", hint=hint)
