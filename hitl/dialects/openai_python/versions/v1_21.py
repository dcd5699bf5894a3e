"""Schema 1.21: agents of one name are told apart without the state of their hooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.dialects.openai_python.shape import SHAPE
from hitl.revision import Loss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.document import JSONObject


def losses(run: JSONObject, path: str) -> Iterator[Loss]:
    """Name agents that share a name: an older release may number them in another order."""
    for at, agent in SHAPE.find(run, "Agent", path):
        if "identity" in agent:
            reason = "agents that share a name and have hooks may be numbered in another order"
            yield Loss(path=f"{at}/identity", severity="warn", reason=reason)


REVISION = SHAPE.revision(
    version="1.21",
    parent="1.20",
    summary="the identity of agents that share a name no longer depends on hook instances",
    source="openai-agents 0.24.0, agents/run_state.py",
    unknown=(losses,),
)
