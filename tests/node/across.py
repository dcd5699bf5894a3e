"""Runs that change language: paused by one SDK, carried over by hitl, gone on with by the other.

`crossed` plays a case once across the border; `relayed` hands a run on at every pause, one decision
at a time, through any languages. Both say what can be seen in the shape of `outcome`, so that they
can be held against the same run at home.
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import attrs

import hitl
from hitl.errors import HitlError, LossError
from hitl.transfer import dialects
from tests.hints import hints
from tests.node import room
from tests.node.natively import PLAYERS
from tests.node.outcome import Language, Seen, seen
from tests.node.players import Job, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.hints import Hints
    from tests.node.cases import Case
    from tests.node.natively import Native

DIALECTS: dict[Language, str] = {"python": "openai-agents-python", "js": "openai-agents-js"}


def ready() -> bool:
    """Whether hitl knows the dialects of both SDKs."""
    return set(DIALECTS.values()) <= set(dialects())


@attrs.frozen
class Crossed:
    """What became of a run across the border.

    Attributes:
        refused: why hitl did not carry it; None when it did.
        seen: what the other SDK made of it; None when it was refused.
        losses: (severity, pointer, reason) of what could not cross.
    """

    refused: str | None = None
    seen: Seen | None = None
    losses: tuple[tuple[str, str, str], ...] = ()


def carry(text: str, target: Language, known: Hints) -> hitl.Converted:
    """The state of one SDK as the other reads it, with every loss that may be allowed.

    Raises:
        HitlError: it cannot cross; nothing has run.
    """
    return hitl.convert(hitl.loads(text), dialect=DIALECTS[target], allow_loss=True, **known)


def why(error: HitlError) -> str:
    """A refusal in one line."""
    if isinstance(error, LossError):
        worst = [each for each in error.losses if getattr(each, "severity", "") == "error"]
        return "; ".join(f"{each.path} {each.reason}" for each in worst or error.losses)  # type: ignore[attr-defined]
    return f"{error.code} {error}"


def session_for(outcome: Outcome, target: Language) -> Sequence[Any]:
    """What the session held, as the other SDK stores it: moved along by whoever owns the store."""
    items: list[Any] = outcome["session"] or []
    if target == "python" or not items:
        return items
    (moved,) = room.work([{"kind": "session", "items": items}])
    rows: list[Any] = moved["value"]
    return rows


def crossed(natives: Mapping[Case, Native], target: Language) -> dict[Case, Crossed]:
    """Carry the states that `natives` wrote at their pauses to the other SDK, and go on there."""
    carried: dict[Case, hitl.Converted] = {}
    found: dict[Case, Crossed] = {}
    for case, native in natives.items():
        try:
            carried[case] = carry(
                native.paused["state"], target, hints(case.definition, DIALECTS[target])
            )
        except HitlError as exc:
            found[case] = Crossed(refused=why(exc))
    jobs = [
        case.resume(
            natives[case].paused,
            converted.data.decode(),
            list(session_for(natives[case].paused, target)),
        )
        for case, converted in carried.items()
    ]
    outcomes = PLAYERS[target](jobs)
    for (case, converted), outcome in zip(carried.items(), outcomes, strict=True):
        losses = tuple((each.severity, each.path, each.reason) for each in converted.losses)
        found[case] = Crossed(seen=seen(outcome, target), losses=losses)
    return found


def relayed(definitions: Sequence[str], path: Sequence[Language]) -> dict[str, Seen]:
    """Play runs that are in another language after every pause; one call is approved at a time.

    Args:
        definitions: keys of `DEFINITIONS`.
        path: the language of each part; the last one is as far as it goes.

    Raises:
        HitlError: a state cannot cross.
    """
    outcomes = PLAYERS[path[0]]([Job(definition=name) for name in definitions])
    last = dict(zip(definitions, outcomes, strict=True))
    parts = {name: [seen(outcome, path[0])] for name, outcome in last.items()}
    for source, target in itertools.pairwise(path):
        jobs = [
            _handed_on(name, outcome, source, target)
            for name, outcome in last.items()
            if outcome["error"] is None and outcome["final_output"] is None
        ]
        for job, outcome in zip(jobs, PLAYERS[target](jobs) if jobs else (), strict=True):
            last[job.definition] = outcome
            parts[job.definition].append(seen(outcome, target))
    return {name: _joined(each) for name, each in parts.items()}


def _handed_on(name: str, outcome: Outcome, source: Language, target: Language) -> Job:
    text, items = outcome["state"], outcome["items"] or []
    if source != target:
        text = carry(text, target, hints(name, DIALECTS[target])).data.decode()
        items = list(session_for(outcome, target))
    first: str = outcome["stops"][-1][0][2]
    return Job(definition=name, state=text, session=items, exact={first: "approve"}, legs=1)


def _joined(parts: Sequence[Seen]) -> Seen:
    """One run from its parts: what adds up is added up, the rest is as at the end."""
    added = {key: [each for part in parts for each in part[key]] for key in _ADDED}
    whole: Seen = json.loads(json.dumps(parts[-1] | added))
    return whole


_ADDED = ("requests", "tool_runs", "stops")
