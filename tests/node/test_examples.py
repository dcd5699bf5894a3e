"""Every example that crosses the border does what it says, on both real SDKs."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.node import room
from tests.readme import ROOT
from tests.test_examples import refunds, said, start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOURCES = ROOT / "examples" / "node"


def node(name: str, place: Path, *words: str) -> subprocess.Popen[str]:
    """Run a part that is in JavaScript, in a folder of its own."""
    script = room.beside(SOURCES) / name
    environ = {key: os.environ[key] for key in ("HOME", "PATH", "LANG") if key in os.environ}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [str(room.node()), str(script), *words],
        cwd=place,
        env=environ,
        stdout=pipe,
        stderr=pipe,
        text=True,
    )


class TestHandOver:
    """Python pauses, Node goes on."""

    @pytest.fixture
    def service(self, tmp_path: Path) -> Iterator[str]:
        """Where the Node service listens; it works in `tmp_path`."""
        process = node("service.mjs", tmp_path)
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.kill()
        process.communicate()

    def test_approved_in_node(self, service: str, tmp_path: Path) -> None:
        """The call that Python's run waited with is shown, and runs in Node, once."""
        out = said(start("hand_over", tmp_path, service)).splitlines()
        assert out == ['Node waits for refund: {"order": 7}', '{"order":7,"refunded":true}']
        assert refunds(tmp_path) == ["7"]

    def test_approved_twice(self, service: str, tmp_path: Path) -> None:
        """A second approval finds nothing that waits."""
        said(start("hand_over", tmp_path, service))
        with closing(http.client.HTTPConnection(service)) as connection:
            connection.request("POST", "/runs/1/yes")
            with connection.getresponse() as response:
                assert response.status == 400
                assert json.load(response) == {"error": "no run waits under this id"}
        assert refunds(tmp_path) == ["7"]


class TestTakeOver:
    """Node pauses, Python goes on."""

    @pytest.mark.parametrize(("answer", "paid"), [("yes", ["7"]), ("no", [])])
    def test_decided_in_python(self, answer: str, paid: list[str], tmp_path: Path) -> None:
        """The call that Node's run waited with is asked for, and runs in Python when it may."""
        paused = said(node("pause.mjs", tmp_path, "Refund order 7"))
        assert refunds(tmp_path) == []
        (tmp_path / "paused.json").write_text(paused)
        out = said(start("take_over", tmp_path, "paused.json"), answer)
        assert 'support wants refund: {"order":7} (yes/no)' in out
        assert refunds(tmp_path) == paid
        assert ("refunded" in out.splitlines()[-1]) == (answer == "yes")
        assert ("not today" in out) == (answer == "no")
