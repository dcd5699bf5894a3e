"""What a release makes of a case: resumed, or refused and why; one word each, to be counted."""

from __future__ import annotations

import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from tests.matrix import room
from tests.matrix.case import CASES, Case
from tests.matrix.releases import FIRST, NEWEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Outcome = dict[str, Any]
Row = dict[str, dict[str, int]]
"""Group of cases → what became of them → how many."""
Tables = dict[str, dict[str, Row]]
"""Path → release → row."""

RESUMED = "resumed"
ALLOWED = "resumed with allow_loss"
CHANCE = "resumed, but the release may leave out the output of the call"
REPAIRED = "resumed with repairs:"
ABSENT = "not in this release"
WRONG = "WRONG"

PATHS: dict[str, str] = {
    "down": f"paused on {NEWEST}, restored by hitl on the release",
    "both": f"paused on {NEWEST}, written by hitl at the version of the release, which reads it"
    " without hitl",
    "same": "paused on the release, captured, restored by hitl on the same release",
    "up": f"paused on the release, restored by hitl on {NEWEST}",
    "down_alone": f"without hitl: paused on {NEWEST}, read by the release",
    "up_alone": f"without hitl: paused on the release, read by {NEWEST}",
    "same_alone": "without hitl: paused on the release, written, read by the same release, and"
    " compared with going on in the same process",
}
OURS = ("down", "both", "same", "up")
_WORKERS = 2


def group(case: Case) -> str:
    """The column a case is counted in."""
    match case.scenario, case.verdict:
        case "plain", "always" | "never":
            return "for good"
        case "plain", "told":
            return "reject, told why"
        case "plain", verdict:
            return verdict
        case (("conversation" | "previous" | "auto"), _):
            return "server-managed"
        case scenario, "always":
            return f"{_NAMES.get(scenario, scenario)} for good"
        case scenario, _:
            return _NAMES.get(scenario, scenario)


_NAMES = {
    "nested": "agent as tool",
    "native": "shell, patch",
    "hosted_mcp": "hosted MCP",
    "local_mcp": "local MCP",
}
GROUPS: tuple[str, ...] = tuple(dict.fromkeys(group(case) for case in CASES))


def judge(outcome: Outcome, expected: Sequence[Outcome], *, by_chance: bool = False) -> str:
    """Say in words what became of a case.

    Args:
        outcome: what could be seen of it.
        expected: what the release does with its own states: what it wrote, what it still held.
        by_chance: whether the release sends the outputs of calls or not, by their address; so
            requests cannot be compared.
    """
    if by_chance:
        expected = [{k: v for k, v in each.items() if k != "requests"} for each in expected]
    if "refused" in outcome:
        allowed = outcome.get("allowed")
        if allowed is None:
            return f"refused: {outcome['refused']}: {brief(outcome['why'])}"
        word = judge(allowed, expected, by_chance=by_chance)
        good = word in {RESUMED, CHANCE}
        return f"{ALLOWED}: {brief(outcome['why'])}" if good else f"allowed, {word}"
    differences = [_differences(outcome, each) for each in expected]
    if not all(differences):
        return CHANCE if by_chance else RESUMED
    again = len(outcome["stops"]) > 1 and any("stops" in each for each in differences)
    repaired = outcome.get("repaired")
    if again and repaired and judge(repaired, expected, by_chance=by_chance) == RESUMED:
        return f"{REPAIRED} {', '.join(outcome['names'])}; asks again otherwise"
    return f"{WRONG}: {_fault(outcome, min(differences, key=len))}"


def _fault(outcome: Outcome, differences: list[str]) -> str:
    if outcome["error"]:
        return f"fails: {brief(outcome['error'])}"
    if "stops" in differences and len(outcome["stops"]) > 1:
        return "asks again what was decided"
    return f"other {', '.join(differences)}"


def _differences(outcome: Outcome, expected: Outcome) -> list[str]:
    if "refused" in expected:
        return ["outcome"]
    return [key for key in expected if outcome.get(key) != expected[key]]


_ID = re.compile(r"call_\w+|mcpr_\w+|'[^']*'|\b[0-9a-f]{32}\b|expected [^;]*; found")


def brief(text: str) -> str:
    """A reason without the names in it."""
    return _ID.sub("…", text.partition("\n")[0].partition(". ")[0])


class Play:
    """Plays every case on a release and on the newest one, both ways."""

    def __init__(self) -> None:
        self._paused: dict[str, dict[str, Outcome]] = {}

    def paused(self, release: str) -> dict[str, Outcome]:
        """What a release saves of each case, and how it goes on itself."""
        if release not in self._paused:
            jobs = [{"kind": "pause", "case": case.name} for case in CASES]
            names = [case.name for case in CASES]
            self._paused[release] = dict(zip(names, room.work(release, jobs), strict=True))
            found = {each.get("version") for each in self._paused[release].values()} - {None}
            if release in FIRST and found != {FIRST[release][0]}:
                raise room.RoomError(f"{release}: expected its own version, captured {found}")
        return self._paused[release]

    def row(self, release: str) -> dict[str, Row]:
        """Path → the row of a release."""
        here, there = self.paused(release), self.paused(NEWEST)
        on_release = [
            *_jobs("down", "hitl", there, "written", "saved"),
            *_jobs("both", "both", there, "written"),
            *_jobs("same", "hitl", here, "written", "saved"),
            *_jobs("down_alone", "sdk", there, "written"),
        ]
        on_newest = [
            *_jobs("up", "hitl", here, "written", "saved"),
            *_jobs("up_alone", "sdk", here, "written"),
        ]
        told = [
            *_told(release, on_release, here, there),
            *_told(NEWEST, on_newest, there, here),
        ]
        told += [
            (
                "same_alone",
                case,
                judge(each["native"], [each["live"]], by_chance=each["by_chance"]),
            )
            for case, each in here.items()
            if "native" in each
        ]
        told += [
            (path, case, f"{ABSENT}: {brief(each['absent'])}")
            for case, each in here.items()
            if "absent" in each
            for path in PATHS
        ]
        return {path: _row(told, path) for path in PATHS}


def _jobs(path: str, by: str, paused: dict[str, Outcome], *forms: str) -> list[dict[str, Any]]:
    return [
        {
            "kind": "resume",
            "path": path,
            "case": case,
            "by": by,
            "text": each[form],
            "items": each["items"],
        }
        for case, each in paused.items()
        if "absent" not in each
        for form in forms
    ]


def _told(
    release: str,
    jobs: list[dict[str, Any]],
    own: dict[str, Outcome],
    other: dict[str, Outcome],
) -> list[tuple[str, str, str]]:
    jobs = [job for job in jobs if "absent" not in own[job["case"]]]
    outcomes = room.work(release, jobs)
    return [
        (
            job["path"],
            job["case"],
            judge(outcome, _expected(each), by_chance=each["by_chance"]),
        )
        for job, outcome in zip(jobs, outcomes, strict=True)
        for each in (own[_heard(job["case"], other)],)
    ]


def _heard(name: str, writer: dict[str, Outcome]) -> str:
    """The case as its writer could play it: the first releases cannot say why a call is rejected.

    What they saved of a rejection with a reason is one without.
    """
    case = Case.named(name)
    if case.verdict == "told" and case.decided and not writer[name]["words"]:
        return case._replace(verdict="reject").name
    return name


def _expected(own: Outcome) -> list[Outcome]:
    return [own["native"], own["live"]]


def _row(told: list[tuple[str, str, str]], path: str) -> Row:
    row: dict[str, Counter[str]] = {name: Counter() for name in GROUPS}
    for at, case, word in told:
        if at == path:
            row[group(Case.named(case))][word] += 1
    return {name: dict(sorted(counts.items())) for name, counts in row.items()}


def play(releases: Iterable[str]) -> Tables:
    """The cells of some releases, two at a time."""
    releases = list(releases)
    game = Play()
    game.paused(NEWEST)  # every row needs it
    with ThreadPoolExecutor(_WORKERS) as pool:
        rows = dict(zip(releases, pool.map(game.row, releases), strict=True))
    return {path: {release: row[path] for release, row in rows.items()} for path in PATHS}
