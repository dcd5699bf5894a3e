"""`python -m tests.newest` names what a release brought; here with releases that are made up."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from hitl.dialects.openai_python import DIALECT
from hitl.runtime import sdk
from tests import newest
from tests.agents import corpus
from tests.matrix import cells, room
from tests.matrix.releases import FIRST, NEWEST, libraries, requirements

if TYPE_CHECKING:
    from pathlib import Path

CHAIN = DIALECT.chain
PLAIN = "openai-agents-python/0.24.0/plain"


def about(*more: str, **changed: Any) -> dict[str, Any]:  # noqa: ANN401
    """What the newest known release says of itself, and more versions."""
    reads = [*CHAIN.versions, *more]
    return {"writes": reads[-1], "reads": reads, "summaries": {}, "missing": []} | changed


class TestLabels:
    def test_known(self) -> None:
        """A release that reads and writes what hitl knows gives nothing to do."""
        assert list(newest.labels(about())) == []

    def test_unknown(self) -> None:
        """Each new version is a module, after its parent, for what the SDK says it is for."""
        told = list(newest.labels(about("1.23", "1.22", summaries={"1.22": "moods"})))
        assert len(told) == 2
        assert "version 1.22 is new (moods)" in told[0]
        assert "v1_22.py with parent '1.21'" in told[0]
        assert "v1_23.py with parent '1.22'" in told[1]

    def test_older(self) -> None:
        """A release that does not write the newest version is not the newest."""
        assert "not the newest known" in " ".join(newest.labels(about(writes="1.18")))

    def test_lost_name(self) -> None:
        """A name that hitl relies on and that is gone is named; the tested release has them all."""
        assert "`_gone`" in " ".join(newest.labels(about(missing=["_gone"])))
        assert list(sdk.missing()) == []


class TestShapes:
    def test_known(self) -> None:
        """A recorded state of the newest version shows nothing new."""
        text = corpus.read(PLAIN).decode()
        assert list(newest.shapes(CHAIN.newest, {"plain/approve": text})) == []

    def test_unknown(self) -> None:
        """A key that the schema does not know is named with its place and its scenarios, once."""
        document = corpus.load(PLAIN)
        for item in document["generated_items"]:
            item["mood"] = "calm"
        texts = dict.fromkeys(("plain/a", "plain/b", "session/a"), json.dumps(document))
        (told,) = newest.shapes("1.22", texts)
        assert "/generated_items/*" in told
        assert "'mood' was unexpected" in told
        assert "(in plain, session)" in told


class TestRows:
    def test_wrong_and_refused(self) -> None:
        """What is wrong is to be repaired, what is refused to be looked at."""
        good = {"plain": {"resumed": 2}}
        row = dict.fromkeys(cells.PATHS, good)
        assert list(newest.rows("9.9.9", row)) == []
        row |= {"up": {"plain": {"WRONG: other turn": 1}}, "down": {"plain": {"refused: X": 1}}}
        told = list(newest.rows("9.9.9", row))
        assert any(line.startswith("repair or refuse: up 9.9.9 plain") for line in told)
        assert "look at down: refused: X" in told

    def test_steps(self) -> None:
        """The rest of the recipe is told for another release than the tested one."""
        assert list(newest.steps(NEWEST)) == []
        assert any("tests.matrix --write" in line for line in newest.steps("9.9.9"))


class TestRoom:
    """An environment is what its requirements say, or there is none."""

    @pytest.fixture(autouse=True)
    def _away(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(room.CACHE, str(tmp_path))

    def test_not_installable(self, tmp_path: Path) -> None:
        """A release that cannot be installed is an error, never left out; nothing is kept."""
        with pytest.raises(room.RoomError, match=r"cannot install .*openai-agents==0\.0\.0"):
            room.python("0.0.0")
        assert not list(tmp_path.glob("*/complete"))

    def test_tested_release(self) -> None:
        """The release of the tests is the one they run on."""
        (told,) = room.work(NEWEST, [{"kind": "about"}])
        assert told["reads"] == sorted(CHAIN.versions)

    def test_failing_worker(self) -> None:
        """A worker that fails says so."""
        with pytest.raises(room.RoomError, match=r"tests\.matrix\.worker failed"):
            room.work(NEWEST, [{"kind": "nothing"}])

    def test_requirements(self) -> None:
        """Everything is pinned; a release that is not in the table takes what fits it."""
        for release in FIRST:
            names = [line.split("==")[0] for line in requirements(release)]
            assert names == sorted(libraries())
            assert all(re.fullmatch(r"[\w-]+==[\d.]+", line) for line in requirements(release))
        assert len(requirements("9.9.9")) == len(libraries()) - 2
