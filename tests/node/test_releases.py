"""Law 4 for the JavaScript SDK, and law 5 for releases that are not the newest.

The whole table: `HITL_MATRIX=full pytest -m matrix`. Otherwise the releases that are dependencies
in `older/package.json`.
"""

from __future__ import annotations

import json
import os
import re
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from hitl.dialects.openai_js import DIALECT
from tests.node import record, recorded, room
from tests.node import release_table as table
from tests.node.cases import Case
from tests.node.releases import (
    LABELS,
    NODE,
    PYTHON,
    Absent,
    Arrived,
    Station,
    carried,
    natively,
    paused,
    resumed,
)
from tests.node.verdict import ALLOWED, REPAIRED, RESUMED, STOPPED, WRONG, Verdict, known, verdict

if TYPE_CHECKING:
    from pathlib import Path

    from tests.node.outcome import Seen

FULL = os.environ.get("HITL_MATRIX") == "full"
REDUCED = tuple(release for release, reduced in room.older().items() if reduced)
PLAYED = tuple(LABELS) if FULL else REDUCED
RECORDED = tuple(recorded.STATES) if FULL else ("0.8.0", "0.14.0", "0.20.0")


@cache
def _played() -> table.Found:
    return table.play(PLAYED, python_releases=RECORDED)


@pytest.mark.matrix
class TestReleases:
    def test_resumed_or_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        """With hitl, no state runs otherwise than it should, on any release."""
        found = _played()
        with capsys.disabled():
            for path, rows in found.items():
                sys.stdout.write(f"\n{path}: {table.summary(table.count(rows))}")
        assert list(table.wrong(table.words(found))) == []

    def test_as_committed(self) -> None:
        """Every cell is as committed; `python -m tests.node.release_table` renews the table."""
        committed, found = table.committed(), table.words(_played())
        changed = [
            f"{path} {release} {column}: was {committed[path][release].get(column)}, is {cell}"
            for path, rows in found.items()
            for release, row in rows.items()
            for column, cell in row.items()
            if cell != committed[path][release].get(column)
        ]
        assert changed == []
        if FULL:  # to the letter: the numbers and the names of differences too
            assert table.render(_played()) == table.TABLE.read_text(encoding="utf-8")

    @pytest.mark.parametrize("release", PLAYED)
    def test_label(self, release: str) -> None:
        """A release writes the version that the table says."""
        case = Case("plain")
        outcome = paused(Station("js", release), (case,))[case]
        assert not isinstance(outcome, Absent)
        assert json.loads(outcome["state"])["$schemaVersion"] == LABELS[release]

    @pytest.mark.parametrize("release", [each for each in PLAYED if each != NODE.release])
    def test_recorded(self, release: str) -> None:
        """What was recorded is what the release writes; the first ones had another model."""
        texts = {case: text for (case, each), text in record.recorded().items() if each == release}
        now = paused(Station("js", release), tuple(texts))
        same = []
        for case, text in texts.items():
            outcome = now[case]
            assert not isinstance(outcome, Absent)
            given, written = _untraced(text), _untraced(outcome["state"])
            if given["context"]["usage"]["inputTokens"] % 11 == 0:
                assert given == written
                same.append(case)
        assert len(same) >= 4

    def test_no_before_yes(self) -> None:
        """Why a no to a call beside a yes for good is refused before 1.19: the call would run."""
        case = Case("parallel", "always", decided=True)
        outcome = paused(NODE, (case,))[case]
        assert not isinstance(outcome, Absent)
        document = json.loads(outcome["state"])
        (entry,) = document["context"]["functionApprovals"]
        entry["approvals"]['["bare","send_email"]']["rejected"] = ["call_1"]
        assert _emails(NODE, case, document) == ["call_2"]
        assert _emails(Station("js", "0.11.8"), case, document) == ["call_1", "call_2"]


def _untraced(text: str) -> Any:  # noqa: ANN401  (JSON)
    """A state without the ids that the first releases make up for traces nobody asked for."""
    return json.loads(re.sub(r"trace_[0-9a-f]{32}", "trace", text))


def _emails(station: Station, case: Case, document: Any) -> list[str]:  # noqa: ANN401  (JSON)
    """The calls of `send_email` that run when a station goes on, whatever hitl says to it."""
    outcome = paused(station, (case,))[case]
    assert not isinstance(outcome, Absent)
    text = json.dumps(DIALECT.chain.downgrade(document, station.label))
    after = resumed(station, {case: (text, ())}, {case: outcome})[case]
    return [each["call_id"] for each in after["tool_runs"] if each["tool"] == "send_email"]


class TestOlder:
    LOCK = json.loads((room.OLDER / "package-lock.json").read_text(encoding="utf-8"))

    def test_lock(self) -> None:
        """The lock names a hash for every package, and the address of none."""
        packages = self.LOCK["packages"]
        assert all("integrity" in each for name, each in packages.items() if name)
        assert "resolved" not in json.dumps(self.LOCK)

    def test_one_per_version(self) -> None:
        """Every release that first wrote a version is there, with parts of its own."""
        assert [*room.older(), NODE.release] == list(LABELS)
        for release in room.older():
            own = f"node_modules/agents-{release}"
            assert self.LOCK["packages"][own]["version"] == release
            for part in ("agents-core", "agents-openai"):
                found = self.LOCK["packages"][f"{own}/node_modules/@openai/{part}"]
                assert found["version"] == release

    def test_reduced(self) -> None:
        """`.ci/run` plays a few of them: one before runs inside were written, one after, a late."""
        assert len(REDUCED) == 3


class TestTable:
    """What holds of the committed table without playing anything."""

    def test_nothing_wrong(self) -> None:
        """No cell is committed as wrong."""
        assert list(table.wrong(table.committed())) == []

    def test_every_release(self) -> None:
        """Every release has a row in every part."""
        older = set(LABELS) - {NODE.release}
        committed = table.committed()
        assert list(committed) == list(table.PATHS)
        for path in ("up", "up_alone", "down", "recorded"):
            assert set(committed[path]) == older
        for path in (*table.TO_PYTHON, "from_python"):
            assert set(committed[path]) >= older
        assert {path: set(row) for path, row in committed["python_labels"].items()} == {
            release: set(names) for release, names in recorded.STATES.items()
        }

    def test_alone(self) -> None:
        """Without hitl the newest release runs nothing that one before 0.19.0 paused."""
        for release, row in table.committed()[table.ALONE].items():
            said = {word for cell in row.values() for word in cell if "absent" not in word}
            if release == "0.19.0":
                assert said == {RESUMED}
            else:
                assert said
                assert all(word.startswith(STOPPED) for word in said)

    def test_recorded_states(self) -> None:
        """States of every older release were recorded, several of each."""
        releases = [release for _, release in record.recorded()]
        assert set(releases) == set(room.older())
        assert min(releases.count(each) for each in releases) >= 6

    def test_read_back(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is written is read back, however the cases of a cell ended."""
        words = [
            RESUMED,
            f"{ALLOWED} a",
            f"{REPAIRED} b",
            "refused: c",
            f"{STOPPED} d",
            "absent: e",
        ]
        row = {"x": [Verdict(each) for each in words], "y": [Verdict(f"{WRONG}: f")]}
        found: table.Found = {path: {} for path in table.PATHS}
        found["up"] = {"0.3.8": row, "0.6.0": {"x": [Verdict(RESUMED)]}}
        monkeypatch.setattr(table, "TABLE", tmp_path / "table.md")
        table.TABLE.write_text(table.render(found), encoding="utf-8")
        assert table.committed() == table.words(found)
        assert list(table.wrong(table.committed())) == [("up", "0.3.8", "y", f"{WRONG}: f")]


class TestVerdict:
    """A cell can be wrong: what is neither release's own way on is never called resumed."""

    OWN: dict[str, Any] = {  # noqa: RUF012
        "requests": [{"agent": "A", "input": [{"type": "function_call_output", "output": "1"}]}],
        "tool_runs": [{"tool": "t", "call_id": "c", "arguments": "{}"}],
        "stops": [[["A", "t", "c", "{}"]]],
        "final_output": "done",
        "usage": {"requests": 2, "input": 22, "cached": 6},
        "decisions": [["A", "t", "c", "approved", None]],
        "turn": 2,
        "error": None,
    }
    LATE, EARLY = Station("js", "0.18.0"), Station("js", "0.2.1")

    def word(self, there: Seen, source: Seen | None = None, **more: Any) -> str:  # noqa: ANN401
        """The word for a run on the newest release that 0.18.0 paused."""
        arrived = Arrived(seen=there, **more)
        return verdict(arrived, self.OWN, source, known(self.LATE, NODE, "plain")).word

    def test_same(self) -> None:
        """The same run is resumed; what had to be allowed for it is said."""
        assert self.word(self.OWN) == RESUMED
        assert self.word(self.OWN, needs=("a", "b")) == f"{ALLOWED} a, b"

    @pytest.mark.parametrize("key", OWN)
    def test_other(self, key: str) -> None:
        """Anything else that can be seen is wrong, whatever was allowed or repaired."""
        other = self.OWN | {key: ["Error", "no"] if key == "error" else "other"}
        word = f"{WRONG}: fails: Error: no" if key == "error" else f"{WRONG}: other {key}"
        assert self.word(other) == self.word(other, needs=("a",)) == word
        assert self.word(other, names=("n",), repaired=other) == word

    @pytest.mark.parametrize("key", [key for key in OWN if key != "error"])
    def test_as_the_source(self, key: str) -> None:
        """A place may look as with the release that paused, and only that place."""
        other = self.OWN | {key: "other"}
        assert self.word(other, other) == RESUMED
        third = self.OWN | {key: "third"}
        assert self.word(third, other).startswith(WRONG)

    def test_only_where_it_counts(self) -> None:
        """A difference of one release accounts for nothing on others."""
        uncounted = self.OWN | {"usage": self.OWN["usage"] | {"cached": 3}}
        assert self.word(uncounted) == f"{WRONG}: other usage"
        arrived = Arrived(seen=uncounted)
        found = verdict(arrived, self.OWN, None, known(self.EARLY, NODE, "plain"))
        assert found == Verdict(RESUMED, frozenset({"uncounted-usage"}))

    def test_asked_again(self) -> None:
        """What is asked again unless a repair is named must resume when it is named."""
        again = self.OWN | {"final_output": None, "stops": [[], []]}
        repaired = f"{REPAIRED} n; asks again otherwise"
        assert self.word(again, names=("n",), repaired=self.OWN) == repaired
        assert self.word(again, names=("n",), repaired=again).startswith(WRONG)
        wrong = again | {"final_output": "other"}
        assert self.word(wrong, names=("n",), repaired=self.OWN).startswith(WRONG)

    def test_stopped(self) -> None:
        """A release may refuse by itself as long as nothing has run."""
        failed = self.OWN | {"error": ["Error", "no"], "requests": [], "tool_runs": []}
        assert self.word(failed) == f"{STOPPED} Error: no"
        for key in ("requests", "tool_runs"):
            assert self.word(failed | {key: [1]}).startswith(f"{WRONG}: fails")

    def test_refused(self) -> None:
        """A refusal is said with its reason, without its place; absence with what is missing."""
        assert verdict(Arrived(refused="/x/y no; /z no"), None, None, ()).word == "refused: no"
        assert verdict(Absent("no such tool"), None, None, ()).word == "absent: no such tool"


@pytest.mark.matrix
def test_nothing_runs_before_a_refusal() -> None:
    """A state that hitl refuses for an older release was given to nobody."""
    case = Case("conversation")
    target = Station("js", "0.2.1") if FULL else Station("js", REDUCED[0])
    arrived = carried(PYTHON, target, (Case("nested"), case))
    found = arrived[Case("nested")]
    assert isinstance(found, Arrived)
    assert found.seen is None
    assert "starts again" in (found.refused or "")
    assert natively(target, (case,))[case]["error"] is None
