"""An older state as a newer release needs it: what its writer left out is computed, or named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from hitl.dialect import Repaired, mended
from hitl.dialects.openai_js.ledger import refuse_forged
from hitl.dialects.openai_js.mend import complete

if TYPE_CHECKING:
    from collections.abc import Collection

    from hitl.model import RunState
    from hitl.revision import Chain


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
    done = mended(state, mends, names)
    return evolve(done, state=complete(done.state, chain.dialect))
