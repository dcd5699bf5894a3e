"""What states of older releases need to resume on a newer one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from hitl.dialects.openai_js import owner, wire
from hitl.dialects.openai_js.ledger import all_calls
from hitl.model import positions
from hitl.revision import Loss, Mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.document import JSONValue
    from hitl.model import RunState

_UNPROVED = "that the input guardrails have passed is not recorded; it is taken for granted"
_LOST_RUN = "the run inside that made this call was not written; it would start from the beginning"


def complete(state: RunState, dialect: str) -> RunState:
    """Give a run that is written with all that newer releases ask for.

    What the document did not say is no longer held back, nor under which keys it kept runs inside.
    """
    own = state.extras.get(dialect, {})
    parts = own.get("kept", [])
    kept: list[JSONValue] = [
        each
        for each in (parts if isinstance(parts, list) else [])
        if isinstance(each, dict)
        and each.get("now")
        and not str(each.get("at")).startswith("/pendingAgentToolRun")
    ]
    extras = {**own, "kept": kept}
    extras.pop("texts", None)
    state = evolve(state, extras={**state.extras, dialect: extras})
    if state.processed is None:
        return state
    calls = tuple(
        call if call.run is None else evolve(call, run=complete(call.run, dialect))
        for call in state.processed.calls
    )
    return evolve(state, processed=evolve(state.processed, calls=calls))


def unproved() -> Loss:
    """Give the loss of a run that does not say whether its input guardrails have passed."""
    return Loss(path=f"/{wire.GUARDRAILS_DONE}", severity="warn", reason=_UNPROVED)


def _lost_runs(state: RunState) -> Iterator[Loss]:
    """Name the waiting calls of runs inside that were never written."""
    held = {item.call_id for _, item in all_calls(state) if item.kind != "approval"}
    waiting = positions((state.step and state.step.interruptions) or ())
    for index, position in enumerate(waiting):
        item = state.log.item(position)
        if item.agent != state.current_agent and item.call_id not in held:
            at = f"/currentStep/data/interruptions/{index}"
            yield Loss(path=at, severity="error", reason=_LOST_RUN)


RUNS: tuple[Mend[RunState], ...] = (
    Mend(
        name="run-inside",
        reason="the run inside an agent used as a tool was not written; nothing brings it back",
        left=_lost_runs,
    ),
)


def _owners(kind: str, name: str, reason: str) -> tuple[Mend[RunState], ...]:
    """Make the repairs of decisions by tool name on calls of a kind."""
    return (
        Mend(
            name=name,
            reason=reason,
            places=owner.exact_places(kind),
            change=owner.exact_moved(kind),
        ),
        Mend(
            name=owner.STICKY,
            reason="a decision for good that names no owner is given to the only one it can mean",
            places=owner.sticky_places(kind),
            change=owner.sticky_moved(kind),
            widens=True,
            opt_in=True,
            left=owner.unused(kind),
        ),
    )


OWNERS = _owners(
    owner.FUNCTION,
    "decision-owner",
    "decisions on function calls were kept by tool name; each goes to the calling agent",
)
HOSTED = _owners(
    owner.HOSTED,
    "decision-server",
    "decisions on hosted calls were kept by tool name; each goes to its server's tool",
)
GUARDRAILS: tuple[Mend[RunState], ...] = (
    Mend(
        name="input-guardrails",
        reason="the newer release resumes only what says that its input guardrails have passed",
        places=lambda _: (f"/{wire.GUARDRAILS_DONE}",),
    ),
)
