"""Schema 1.16: a decision on one call may stand beside a decision for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.dialects.openai_python.records import both
from hitl.dialects.openai_python.shape import SHAPE
from hitl.revision import Loss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.document import JSONObject


def losses(run: JSONObject, path: str) -> Iterator[Loss]:
    """Name records in which the decision for good would win over the one on a call."""
    for at, record in SHAPE.find(run, "Approval", path):
        if both(record):
            reason = "the decision for good wins over the opposite one on a single call"
            yield Loss(path=at, severity="error", reason=reason)


REVISION = SHAPE.revision(
    version="1.16",
    parent="1.15",
    summary="a decision on one call wins over a decision for good",
    source="openai-agents 0.21.1, agents/run_state.py",
    unknown=(losses,),
)
