"""Every example does what it says."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from agents import set_tracing_disabled

from tests.readme import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE_S = 20.0


def start(module: str, room: Path, *words: str) -> subprocess.Popen[str]:
    """Run an example in a folder of its own."""
    environ = {key: value for key, value in os.environ.items() if key != "OPENAI_API_KEY"}
    environ |= {"PYTHONPATH": str(ROOT), "OPENAI_AGENTS_DISABLE_TRACING": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-m", f"examples.{module}", *words],
        cwd=room,
        env=environ,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        text=True,
    )


def said(process: subprocess.Popen[str], *answers: str) -> str:
    """What it printed, once it has ended well."""
    out, err = process.communicate("".join(f"{each}\n" for each in answers), timeout=60)
    assert process.returncode == 0, err
    return out


def refunds(room: Path) -> list[str]:
    """What the tool really did."""
    log = room / "refunds.log"
    return log.read_text().split() if log.exists() else []


class TestTerminal:
    def test_loop(self, tmp_path: Path) -> None:
        """Each call is asked once; a no is told to the model."""
        out = said(start("terminal", tmp_path, "Refund order 7 and 8"), "yes", "too late")
        assert refunds(tmp_path) == ["7"]
        assert 'support wants refund: {"order": 7}' in out
        assert "too late" in out.splitlines()[-1]

    def test_killed_while_it_asks(self, tmp_path: Path) -> None:
        """What was said before a kill counts, and is not asked again."""
        first = start("terminal", tmp_path, "Refund order 7 and 8")
        assert first.stdin is not None
        assert first.stdout is not None
        first.stdin.write("yes\n")
        first.stdin.flush()
        seen = ""
        while seen.count("wants refund") < 2:
            seen += first.stdout.read(1)
        first.kill()
        first.communicate()
        out = said(start("terminal", tmp_path, "Refund order 7 and 8"), "yes")
        assert out.count("wants refund") == 1
        assert sorted(refunds(tmp_path)) == ["7", "8"]
        assert (
            said(start("terminal", tmp_path, "Refund order 7 and 8"))
            == out.splitlines()[-1][out.splitlines()[-1].index("{") :] + "\n"
        )
        assert sorted(refunds(tmp_path)) == ["7", "8"]


class TestAdopt:
    def test_column(self, tmp_path: Path) -> None:
        """The column is decided and finished, in the format it had."""
        assert "refunded" in said(start("adopt", tmp_path))
        assert refunds(tmp_path) == ["7"]


class TestWeb:
    @pytest.fixture
    def client(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
        """The app, served in this process."""
        from starlette.testclient import TestClient

        from examples.web import app

        set_tracing_disabled(disabled=True)
        monkeypatch.chdir(tmp_path)
        monkeypatch.delenv("OPENAI_API_KEY", raising=False)
        monkeypatch.setenv("HITL_STORE", f"sqlite:///{tmp_path / 'web.db'}")
        with TestClient(app) as client:
            yield client
        set_tracing_disabled(disabled=False)

    def until(self, client: Any, run: str, key: str) -> Any:  # noqa: ANN401
        """What the app says of a run once it says something under `key`."""
        deadline = time.monotonic() + PATIENCE_S
        while not (shown := client.get(f"/runs/{run}").json())[key]:
            assert time.monotonic() < deadline, shown
            time.sleep(0.02)
        return shown

    def test_approve(self, client: Any, tmp_path: Path) -> None:  # noqa: ANN401
        """Two people, one refund: the second is told who was first; other arguments are refused."""
        run = client.post("/runs", json={"say": "Refund order 7 and 8"}).json()["id"]
        shown = self.until(client, run, "waiting")["waiting"]
        assert [each["arguments"] for each in shown] == ['{"order": 7}', '{"order": 8}']
        one, two = (f"/runs/{run}/calls/call_{number}" for number in (7, 8))
        yes = {"approve": True, "by": "ana", "sha256": shown[0]["sha256"]}
        assert client.post(one, json=yes).status_code == 200
        late = client.post(one, json={"approve": False, "by": "bob"})
        assert (late.status_code, late.json()["by"]) == (409, "ana")
        other = client.post(two, json={"approve": True, "sha256": shown[0]["sha256"]})
        assert (other.status_code, other.json()["error"]) == (400, "arguments-changed")
        assert refunds(tmp_path) == []
        assert client.post(two, json={"approve": False, "by": "bob"}).status_code == 200
        answer = self.until(client, run, "answer")["answer"]
        assert answer.startswith("{'order': 7, 'refunded': True}")
        assert refunds(tmp_path) == ["7"]

    def test_same_request_twice(self, client: Any) -> None:  # noqa: ANN401
        """A retried request starts no second run."""
        headers = {"Idempotency-Key": "k1"}
        for _ in range(2):
            made = client.post("/runs", json={"say": "Refund order 7"}, headers=headers)
            assert made.json() == {"id": "k1"}
        assert len(self.until(client, "k1", "waiting")["waiting"]) == 1

    def test_unknown(self, client: Any) -> None:  # noqa: ANN401
        """A run that is not there is not there."""
        assert client.get("/runs/none").status_code == 404
