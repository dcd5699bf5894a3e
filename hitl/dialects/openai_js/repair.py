"""An older state as a newer release needs it: what its writer left out is computed, or named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.dialect import Repaired
from hitl.dialects.openai_js.ledger import refuse_forged
from hitl.dialects.openai_js.mend import complete
from hitl.revision import Repair

if TYPE_CHECKING:
    from collections.abc import Collection

    from hitl.model import RunState
    from hitl.revision import Chain, Loss


def repair(state: RunState, chain: Chain, version: str, names: Collection[str]) -> Repaired:
    """Repair a state of `chain` for `version`.

    Args:
        state: a state of any dialect; one of another is left alone.
        chain: the versions.
        version: where the state shall resume.
        names: repairs that are done only when asked for.

    Raises:
        ArgumentsChanged: a recorded call is not the one its writer recorded.
    """
    own = state.origin.dialect == chain.dialect and state.origin.version in chain.versions
    later = chain.later(state.origin.version, version) if own and state.newer is None else ()
    if not later:
        return Repaired(state=state)
    refuse_forged(state, "")
    mends = [mend for revision in later for mend in revision.mends]
    repairs: list[Repair] = []
    for mend in mends:
        repairs += [
            Repair(
                name=mend.name,
                path=path,
                reason=mend.reason,
                widens=mend.widens,
                opt_in=mend.opt_in,
            )
            for path in mend.places(state)
        ]
        if mend.change is not None and (mend.name in names or not mend.opt_in):
            state = mend.change(state)
    losses: dict[Loss, None] = {loss: None for mend in mends for loss in mend.left(state)}
    needs = frozenset(mend.name for mend in mends)
    return Repaired(
        state=complete(state, chain.dialect),
        repairs=tuple(repairs),
        losses=tuple(losses),
        needs=needs,
    )
