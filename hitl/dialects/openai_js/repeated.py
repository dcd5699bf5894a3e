"""Calls of several runs of one agent under one id, as models that count calls per run make them.

The SDK keeps what is decided with the outermost run, by agent and call id: a verdict on one of the
calls is one on each. Where they were not all decided alike, nothing that can be written is right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import frozen

from hitl.dialects.openai_js import approvals, shared
from hitl.dialects.openai_js.fingerprint import fingerprint
from hitl.model import Interruption, positions
from hitl.model.decide import interruptions, subject_key
from hitl.revision import Loss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.model import RunState

_ONE = "a call of another run has the same agent and id; the SDK would use the verdict for both"
_ALIKE = "give both calls the same verdict, or resume the run in the SDK that wrote it"
_BOUND = (
    "a call of another run has the same agent and id, and does something else; the SDK would"
    " refuse both"
)
_LEFT = "a call of another run has the same agent and id; the other SDK takes no verdict on either"
_RESUME = "resume the run in the SDK that wrote it until one of the calls is done"
_Mark: TypeAlias = tuple[Any, ...]


@frozen(kw_only=True)
class _Waiting:
    """A call that waits in one of the runs, with the JSON Pointer to it."""

    path: str
    call: Interruption


def losses(state: RunState, path: str = "", *, foreign: bool = True) -> Iterator[Loss]:
    """Name the verdicts that would be for a call of another run too.

    Args:
        state: the run.
        path: where it stands.
        foreign: whether another SDK wrote it; what this one recorded is so for all such calls.
    """
    for calls in _repeated(state, path):
        decided = [each for each in calls if _counts(each, foreign=foreign)]
        if not decided:
            continue
        if len({fingerprint(each.call.item) for each in calls}) > 1:
            yield Loss(path=decided[0].path, severity="error", reason=_BOUND, hint=_RESUME)
        elif len({_verdict(each) for each in calls}) > 1:
            yield Loss(path=decided[0].path, severity="error", reason=_ONE, hint=_ALIKE)


def leaving(state: RunState) -> Iterator[Loss]:
    """Name the verdicts that the other SDK refuses to take: it keeps none for two such calls."""
    for calls in _repeated(state, ""):
        decided = [each for each in calls if each.call.decision is not None]
        if decided:
            yield Loss(path=decided[0].path, severity="error", reason=_LEFT, hint=_RESUME)


def _repeated(state: RunState, path: str) -> Iterator[list[_Waiting]]:
    """Give the calls that wait in more than one run under the same id of the same owner."""
    found: dict[_Mark, list[_Waiting]] = {}
    for at, run, others in shared.neighbours(state, path):
        if others is None:
            return
        for each in interruptions(run):
            if not each.outer:
                place = f"{at}/step/interruptions/{_index(run, each)}"
                found.setdefault(_mark(run, each), []).append(_Waiting(path=place, call=each))
    yield from (calls for calls in found.values() if len(calls) > 1)


def _mark(run: RunState, call: Interruption) -> _Mark:
    """Give what the SDK tells a call by: the agent, or the tool where it belongs to none."""
    if call.kind == "function_call":
        return approvals.owner_of(run, call.item), call.call_id
    return call.kind, *subject_key(call.item), call.call_id


def _index(run: RunState, call: Interruption) -> int:
    waiting = positions((run.step and run.step.interruptions) or ())
    return [run.log.item(position).call_id or "" for position in waiting].index(call.call_id)


def _counts(waiting: _Waiting, *, foreign: bool) -> bool:
    """Tell whether somebody decided a call; what an SDK recorded has no digest."""
    decision = waiting.call.decision
    return decision is not None and (foreign or bool(decision.arguments_sha256))


def _verdict(waiting: _Waiting) -> tuple[bool, str | None] | None:
    decision = waiting.call.decision
    return None if decision is None else (decision.approved, decision.message)
