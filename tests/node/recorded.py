"""What every release of the Python SDK recorded, gone on with in Node.

How a state should go on is what the newest release of the Python SDK makes of it, when hitl writes
it for that one.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

import attrs

from hitl.errors import HitlError
from tests.agents import corpus
from tests.agents.scenarios import release as scenarios
from tests.matrix import recorded
from tests.node import room
from tests.node.across import why
from tests.node.outcome import seen
from tests.node.players import Job
from tests.node.releases import NODE, PYTHON, Absent, Arrived, Station, convert, opt_in, play
from tests.node.verdict import Verdict, known, verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.node.outcome import Language, Seen

STATES = recorded.states()
LABELS: dict[str, str] = {
    release: corpus.load(names["plain"])["$schemaVersion"] for release, names in STATES.items()
}
"""Release of the Python SDK → the version it writes."""


def _history(name: str) -> list[object]:
    """What the session held at the pause."""
    path = corpus.path(f"{name}.history")
    found: list[object] = json.loads(path.read_bytes()) if path.exists() else []
    return found


@attrs.frozen
class _Recorded:
    """One recorded state on its way.

    Attributes:
        name: its corpus name.
        names: the repairs that would use a decision, and are done only when asked for.
        needs: the reasons of the losses that must be allowed; None when it cannot be carried.
        refused: why it cannot; None when it can.
    """

    name: str
    names: tuple[str, ...] = ()
    needs: tuple[str, ...] | None = None
    refused: str | None = None

    @property
    def stem(self) -> str:
        """Which scenario it is of."""
        return self.name.rpartition("/")[2]

    def job(self, station: Station, repairs: Sequence[str]) -> Job:
        """How a station goes on with it."""
        text = convert(corpus.read(self.name).decode(), station, repairs).data.decode()
        decided = scenarios.SCENARIOS[f"{scenarios.FOLDER}/{self.stem}"].decided
        return Job(
            definition=f"recorded/{self.stem}",
            state=text,
            session=_HISTORIES[station.language](self.name),
            verdict="approve",
            exact=dict.fromkeys(decided, "leave"),
        )


@cache
def _in_node(name: str) -> list[object]:
    items = _history(name)
    if not items:
        return items
    (moved,) = room.work([{"kind": "session", "items": items}])
    rows: list[object] = moved["value"]
    return rows


_HISTORIES: dict[Language, Callable[[str], list[object]]] = {"python": _history, "js": _in_node}


def _read(name: str) -> _Recorded:
    text = corpus.read(name).decode()
    try:
        converted = convert(text, NODE)
    except HitlError as exc:
        return _Recorded(name, refused=why(exc))
    needs = {each.reason: 0 for each in converted.losses if each.severity == "warn"}
    return _Recorded(name, opt_in(text, NODE), tuple(needs))


def _seen(station: Station, jobs: Mapping[str, Job]) -> dict[str, Seen]:
    outcomes = play(station, list(jobs.values()))
    absent = [each.why for each in outcomes if isinstance(each, Absent)]
    if absent:
        raise room.NodeError(absent[0])
    return {
        name: seen(outcome, station.language)
        for name, outcome in zip(jobs, outcomes, strict=True)
        if not isinstance(outcome, Absent)
    }


@cache
def played(releases: tuple[str, ...] = tuple(STATES)) -> dict[str, dict[str, list[Verdict]]]:
    """What became of every recorded state: release → scenario → one verdict."""
    read = [_read(name) for release in releases for name in STATES[release].values()]
    carried = {each.name: each for each in read if each.refused is None}
    there = _seen(NODE, {name: each.job(NODE, ()) for name, each in carried.items()})
    repaired = _seen(
        NODE, {name: each.job(NODE, each.names) for name, each in carried.items() if each.names}
    )
    home = _seen(PYTHON, {name: each.job(PYTHON, each.names) for name, each in carried.items()})
    found: dict[str, dict[str, list[Verdict]]] = {release: {} for release in releases}
    for each in read:
        arrived = Arrived(
            refused=each.refused,
            needs=each.needs or (),
            seen=there.get(each.name),
            names=each.names,
            repaired=repaired.get(each.name),
        )
        differences = known(PYTHON, NODE, each.stem)
        found[each.name.split("/")[1]][each.stem] = [
            verdict(arrived, home.get(each.name), None, differences)
        ]
    return found
