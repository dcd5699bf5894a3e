"""Runs that change release: paused by one, carried over by hitl, gone on with by another.

A station is one release of either SDK. Every station plays the same cases; what it makes of a state
that came from elsewhere is held against how it goes on with its own state of the same case.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import attrs

import hitl
from hitl.errors import HitlError
from tests.matrix import room as pythons
from tests.node import room
from tests.node.across import DIALECTS, why
from tests.node.outcome import Language, Seen, seen
from tests.node.players import Job, Outcome, in_python, node_job

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.node.cases import Case

NEWEST: dict[Language, str] = {"js": "0.20.0", "python": "0.24.0"}
LABELS = {
    "0.2.1": "1.0",
    "0.3.8": "1.1",
    "0.4.4": "1.2",
    "0.4.5": "1.4",
    "0.4.13": "1.5",
    "0.5.2": "1.6",
    "0.5.4": "1.7",
    "0.6.0": "1.8",
    "0.9.0": "1.9",
    "0.11.0": "1.11",
    "0.11.5": "1.12",
    "0.11.8": "1.13",
    "0.14.0": "1.14",
    "0.14.2": "1.15",
    "0.14.3": "1.17",
    "0.15.0": "1.18",
    "0.16.1": "1.19",
    "0.18.0": "1.20",
    "0.19.0": "1.21",
    "0.20.0": "1.22",
}
"""Release of the JavaScript SDK → the version it writes; every version but those that no release of
`@openai/agents` wrote (1.3, 1.10, 1.16)."""
PYTHONS = {"0.14.0": "1.9", "0.20.0": "1.15", "0.24.0": "1.21"}
"""Release of the Python SDK → the version it writes."""

State: TypeAlias = "tuple[str, Sequence[object]]"
"""What is resumed: the state, and what the session holds; each in the station's own form."""


class Station(NamedTuple):
    """One release of one SDK."""

    language: Language
    release: str

    @property
    def label(self) -> str:
        """The version of the state that it writes."""
        return (LABELS if self.language == "js" else PYTHONS)[self.release]

    @property
    def is_newest(self) -> bool:
        """Whether it is what the rest of the suite plays."""
        return self.release == NEWEST[self.language]


NODE, PYTHON = (Station(language, release) for language, release in NEWEST.items())


@attrs.frozen
class Absent:
    """A release that cannot play a case: it lacks the tool, the session, or the pause itself."""

    why: str


def play(station: Station, jobs: Sequence[Job]) -> list[Outcome | Absent]:
    """Play jobs on a station."""
    if station.language == "js":
        release = None if station.is_newest else station.release
        found = room.work([node_job(job) for job in jobs], release=release)
    elif station.is_newest:
        return list(in_python(jobs))
    else:
        found = pythons.run(
            station.release, "tests.node.python", [attrs.asdict(job) for job in jobs]
        )
    return [Absent(each["thrown"][1]) if "thrown" in each else each["value"] for each in found]


@cache
def paused(station: Station, cases: tuple[Case, ...]) -> Mapping[Case, Outcome | Absent]:
    """What a station writes of each case; absent where it cannot, or does not stop to ask."""
    return {
        case: outcome
        if isinstance(outcome, Absent) or outcome["stops"][0]
        else Absent("does not stop to ask")
        for case, outcome in zip(
            cases, play(station, [each.pause() for each in cases]), strict=True
        )
    }


def resumed(
    station: Station, states: Mapping[Case, State], heard: Mapping[Case, Outcome]
) -> dict[Case, Seen]:
    """How a station goes on with states; `heard` is what was seen of their pauses."""
    jobs = [case.resume(heard[case], text, list(items)) for case, (text, items) in states.items()]
    outcomes = play(station, jobs) if jobs else []
    return {
        case: seen(_played(outcome), station.language)
        for case, outcome in zip(states, outcomes, strict=True)
    }


def _played(outcome: Outcome | Absent) -> Outcome:
    if isinstance(outcome, Absent):  # what cannot be resumed could not be paused either
        raise room.NodeError(f"the worker failed: {outcome.why}")
    return outcome


@cache
def at_home(station: Station, states: tuple[tuple[Case, str], ...]) -> Mapping[Case, Seen]:
    """How a station goes on with states that it once wrote, and that were recorded."""
    own = paused(station, tuple(case for case, _ in states))
    heard = {case: each for case, each in own.items() if not isinstance(each, Absent)}
    return resumed(station, {case: (text, ()) for case, text in states}, heard)


@cache
def natively(station: Station, cases: tuple[Case, ...]) -> Mapping[Case, Seen]:
    """How a station goes on with its own states."""
    own = {
        case: outcome
        for case, outcome in paused(station, cases).items()
        if not isinstance(outcome, Absent)
    }
    states = {case: (each["state"], each["items"] or ()) for case, each in own.items()}
    return resumed(station, states, own)


@attrs.frozen(kw_only=True)
class Arrived:
    """What became of a run on another station.

    Attributes:
        refused: why hitl did not carry it; None when it did.
        needs: why it is carried only when losses are allowed; empty when it is in any case.
        seen: what the station made of it; None when it was refused.
        names: the repairs that would use a decision of its, and are done only when asked for.
        repaired: what the station made of it with those; None when there are none.
    """

    refused: str | None = None
    needs: tuple[str, ...] = ()
    seen: Seen | None = None
    names: tuple[str, ...] = ()
    repaired: Seen | None = None


def convert(text: str, target: Station, repairs: Sequence[str] = ()) -> hitl.Converted:
    """A state as a station reads it, with every loss that may be allowed.

    Raises:
        HitlError: it cannot be carried; nothing has run.
    """
    return hitl.convert(
        hitl.loads(text),
        dialect=DIALECTS[target.language],
        version=target.label,
        allow_loss=True,
        repairs=repairs,
    )


def opt_in(text: str, target: Station) -> tuple[str, ...]:
    """The repairs on the way to a station that use a decision, and only when asked to."""
    found = hitl.check(text, dialect=DIALECTS[target.language], version=target.label).repairs
    return tuple(sorted({each.name for each in found if each.widens}))


def _items(outcome: Outcome, source: Station, target: Station) -> Sequence[object]:
    """What the session held, as the target stores it: moved along by whoever owns the store."""
    if source.language == target.language:
        return outcome["items"] or []
    items: list[object] = outcome["session"] or []
    if target.language == "python" or not items:
        return items
    release = None if target.is_newest else target.release
    (moved,) = room.work([{"kind": "session", "items": items}], release=release)
    rows: list[object] = moved["value"]
    return rows


def carried(
    source: Station,
    target: Station,
    cases: tuple[Case, ...],
    texts: Mapping[Case, str] | None = None,
) -> dict[Case, Arrived | Absent]:
    """Carry what `source` paused to `target`, and go on there; absent what either cannot play.

    Args:
        source: who paused.
        target: who goes on.
        cases: what is played.
        texts: states that are carried instead of those that `source` writes now.
    """
    found: dict[Case, Arrived | Absent] = {}
    states: dict[Case, State] = {}
    again: dict[Case, State] = {}
    heard = _played_by_both(source, target, cases, found)
    for case, outcome in heard.items():
        text = texts[case] if texts else outcome["state"]
        items = _items(outcome, source, target)
        try:
            converted = convert(text, target)
        except HitlError as exc:
            found[case] = Arrived(refused=why(exc))
            continue
        needs = {each.reason: 0 for each in converted.losses if each.severity == "warn"}
        found[case] = Arrived(needs=tuple(needs), names=opt_in(text, target))
        states[case] = (converted.data.decode(), items)
        if names := opt_in(text, target):
            again[case] = (convert(text, target, names).data.decode(), items)
    seen, repaired = (resumed(target, each, heard) for each in (states, again))
    for case, after in seen.items():
        found[case] = attrs.evolve(found[case], seen=after, repaired=repaired.get(case))  # type: ignore[arg-type]
    return found


def alone(
    source: Station, target: Station, cases: tuple[Case, ...]
) -> dict[Case, Arrived | Absent]:
    """Give `target` what `source` paused as it is, without hitl."""
    found: dict[Case, Arrived | Absent] = {}
    heard = _played_by_both(source, target, cases, found)
    states = {case: (each["state"], each["items"] or ()) for case, each in heard.items()}
    arrived = {case: Arrived(seen=each) for case, each in resumed(target, states, heard).items()}
    return {**found, **arrived}


def _played_by_both(
    source: Station,
    target: Station,
    cases: tuple[Case, ...],
    absent: dict[Case, Arrived | Absent],
) -> dict[Case, Outcome]:
    """The pauses of the cases that both can play; the others are noted in `absent`."""
    home = natively(target, cases)
    played: dict[Case, Outcome] = {}
    for case, outcome in paused(source, cases).items():
        if isinstance(outcome, Absent):
            absent[case] = outcome
        elif case not in home:
            lacks = paused(target, cases)[case]
            assert isinstance(lacks, Absent)
            absent[case] = lacks
        elif home[case]["error"] is not None:
            absent[case] = Absent(f"the release itself fails: {home[case]['error'][0]}")
        else:
            played[case] = outcome
    return played
