"""Law 4: a state written by any release resumes on any other, or is refused before anything runs.

The whole table: `HITL_MATRIX=full pytest -m matrix`. Otherwise the four releases of `.ci/run`.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.matrix import cells, recorded, room, table
from tests.matrix.releases import DURABLE, FIRST, NEWEST, REDUCED, installed
from tests.rules import table as rules

if TYPE_CHECKING:
    from pathlib import Path

    from tests.matrix.cells import Tables

FULL = os.environ.get("HITL_MATRIX") == "full"


@cache
def _played() -> Tables:
    """What the releases make of the cases; made once, the environments included."""
    return {**recorded.play(), **cells.play(FIRST if FULL else REDUCED)}


@pytest.mark.matrix
@pytest.mark.filterwarnings("default")
class TestMatrix:
    def test_resumed_or_refused(self, capsys: pytest.CaptureFixture[str]) -> None:
        """With hitl, no state runs otherwise than it should, on any release."""
        found = _played()
        with capsys.disabled():
            for path in table.ORDER:
                sys.stdout.write(f"\n{path}: {table.summary(found[path].values())}")
        assert list(table.wrong(table.said(found))) == []

    def test_as_committed(self) -> None:
        """Every cell is as the committed table says; `python -m tests.matrix --write` renews it."""
        assert list(table.changes(table.committed(), table.said(_played()))) == []


@pytest.mark.matrix
class TestDurable:
    @pytest.mark.parametrize("release", DURABLE if FULL else (DURABLE[0], DURABLE[-1]))
    def test_one_effect(self, release: str) -> None:
        """Laws 7 and 8 on the release: each approved call runs once, the other not at all."""
        told = room.run(release, "tests.matrix.durable")
        assert told == [
            *("waiting", ["c1", "c2"], "finished", "done", "finished", "done"),
            *("waiting", ["o1/i1"], "finished", "end", ["pay 1", "pay 3"]),
        ]

    @pytest.mark.parametrize("release", DURABLE[:-1] if FULL else DURABLE[:1])
    def test_rules(self, release: str) -> None:
        """Every rule holds in every mode as on the newest release, where the suite plays them."""
        assert room.run(release, "tests.rules.play") == rules.expected()

    @pytest.mark.parametrize("release", DURABLE if FULL else (DURABLE[0], DURABLE[-1]))
    def test_staged_input(self, release: str) -> None:
        """R-40 to R-45, R-2, R-15, X-9 on the release, in each mode, streamed and not."""
        found = room.run(release, "tests.matrix.staged")
        assert len(found) == 8
        for name, told in found.items():
            later = ["while 2"] if "streamed" in name else []
            assert told == [
                *(["one"], 1, "waiting", 2, "finished"),
                ["go", ">1", ">2", "<1", "<2", "one", "one", *later, ">3", "<3", "end"],
                ["1", "2", "3"],
                True if "session" in name else None,
            ]


class TestTable:
    """What holds of the committed table without playing anything."""

    def test_read_back(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What is written is read back, whichever way the cases of a cell ended."""
        words = {
            "resumed": 2,
            "refused: A: b": 1,
            f"{cells.ALLOWED}: c": 1,
            f"{cells.REPAIRED} d": 1,
        }
        row = {"x": words, "y": {"refused: A: b": 4}, "z": {recorded.ENDED: 1}}
        found = {"up": {"0.8.0": row, "0.9.1": {"x": {cells.CHANCE: 3}}}, "down": {"0.8.0": row}}
        monkeypatch.setattr(table, "TABLE", tmp_path / "table.md")
        table.commit(found)
        assert table.committed() == table.said(found)

    def test_nothing_wrong(self) -> None:
        """No cell that hitl answers for is committed as wrong."""
        assert list(table.wrong(table.committed())) == []

    def test_every_release(self) -> None:
        """Every release that first wrote a version has a row in every table, with every column."""
        committed = table.committed()
        for path in cells.PATHS:
            assert set(committed[path]) == set(FIRST)
            assert all(set(row) == set(cells.GROUPS) for row in committed[path].values())
        for path in recorded.RECORDED:
            names = recorded.states()
            assert len(names) >= 23
            assert {key: set(row) for key, row in committed[path].items()} == {
                key: set(row) for key, row in names.items()
            }

    def test_reduced(self) -> None:
        """The reduced run is a part of the whole, and the tests run on the newest release."""
        assert set(REDUCED) <= set(FIRST)
        assert len(REDUCED) <= 4
        assert installed() == NEWEST == list(FIRST)[-1]


class TestJudge:
    """A cell can be wrong: what differs from the release's own way on is never called resumed."""

    OWN = {"requests": [1], "ran": [], "stops": [[]], "turn": 2, "error": None}  # noqa: RUF012

    @pytest.mark.parametrize("key", ["requests", "ran", "turn"])
    def test_other(self, key: str) -> None:
        """Anything else that can be seen is a difference."""
        assert cells.judge(self.OWN, [self.OWN]) == cells.RESUMED
        word = cells.judge(self.OWN | {key: "other"}, [self.OWN])
        assert word == f"{cells.WRONG}: other {key}"
        assert list(table.wrong({"down": {"0.8.0": {"plain": word}}}))

    def test_asked_again(self) -> None:
        """One stop more is a decision that did not hold."""
        word = cells.judge(self.OWN | {"stops": [[], []]}, [self.OWN])
        assert word == f"{cells.WRONG}: asks again what was decided"

    def test_allowed_and_wrong(self) -> None:
        """What is refused unless allowed must resume when it is allowed."""
        refused = {"refused": "LossError warn", "why": "w"}
        good = cells.judge(refused | {"allowed": self.OWN}, [self.OWN])
        assert good == f"{cells.ALLOWED}: w"
        bad = cells.judge(refused | {"allowed": self.OWN | {"ran": [1]}}, [self.OWN])
        assert list(table.wrong({"up": {"0.8.0": {"plain": bad}}}))

    def test_repaired(self) -> None:
        """What is asked again unless a repair is named must resume when it is named."""
        again = self.OWN | {"stops": [[], []], "names": ["n"]}
        good = cells.judge(again | {"repaired": self.OWN}, [self.OWN])
        assert good == f"{cells.REPAIRED} n; asks again otherwise"
        bad = cells.judge(again | {"repaired": self.OWN | {"ran": [1]}}, [self.OWN])
        assert list(table.wrong({"up": {"0.8.0": {"plain": bad}}}))

    def test_changed(self) -> None:
        """A cell that is not as committed is named."""
        old = {"up": {"0.8.0": {"plain": "resumed"}}}
        new = {"up": {"0.8.0": {"plain": "3 resumed, 1 refused: x"}}}
        assert list(table.changes(old, old)) == []
        assert len(list(table.changes(old, new))) == 1
        assert list(table.changes({}, old))
