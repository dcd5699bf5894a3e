"""Schema 1.10: a run without a turn limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.dialects.openai_python import label
from hitl.dialects.openai_python.nest import on_every
from hitl.dialects.openai_python.shape import SHAPE
from hitl.revision import Added, Loss, Mend
from hitl.schema import COUNT_OR_NULL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.document import JSONObject, JSONValue


def _endless(given: JSONValue) -> bool:
    return given is None


ADDED = (
    Added(
        place="Run",
        key="max_turns",
        schema=COUNT_OR_NULL,
        changed=True,
        new=_endless,
    ),
)

ENDLESS = 2**31 - 1


def downgrade(run: JSONObject) -> JSONObject:
    """Write no limit as one that no run reaches."""
    return {**run, "max_turns": ENDLESS} if run.get("max_turns", 0) is None else run


def losses(run: JSONObject, path: str) -> Iterator[Loss]:
    """Say that a limit stands where there was none."""
    if run.get("max_turns", 0) is None:
        reason = f"no turn limit becomes a limit of {ENDLESS}"
        yield Loss(path=f"{path}/max_turns", severity="info", reason=reason)


# Within the version before: from 0.14.7 on.
MENDS = (
    Mend(
        name="tool-name",
        reason="calls of built-in tools get the name of their tool, as it is noted beside them",
        places=label.places,
        change=lambda state: on_every(state, label.with_names),
    ),
)

REVISION = SHAPE.revision(
    version="1.10",
    parent="1.9",
    summary="no turn limit is null",
    source="openai-agents 0.16.0, agents/run_state.py",
    added=ADDED,
    mends=MENDS,
    downgrade=downgrade,
    unknown=(losses,),
)
