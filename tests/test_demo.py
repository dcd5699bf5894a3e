"""`hitl demo`: one process pauses, another decides without the agent, a third resumes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import hitl
from hitl.runtime import demo

ROOT = Path(hitl.__file__).parent.parent
TIMEOUT_S = 120


def python(*command: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a process of its own, without keys; modules in `path` come first."""
    found = os.pathsep.join(str(each) for each in (path, ROOT) if each)
    kept = {key: value for key, value in os.environ.items() if key != "OPENAI_API_KEY"}
    return subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        check=False,
        env=kept | {"PYTHONPATH": found},
        text=True,
        timeout=TIMEOUT_S,
    )


def step(name: str, folder: Path, path: Path | None = None) -> dict[str, Any]:
    """Run one step of the demo in a process of its own; gives its facts."""
    done = python("-m", "hitl.runtime.demo", name, str(folder), path=path)
    assert done.returncode == 0, done.stderr
    facts: dict[str, Any] = json.loads(done.stdout)
    return facts


def test_whole() -> None:
    """It tells a person what happens step by step, and all it promises is so."""
    told: list[str] = []
    facts = demo.run(told.append)
    assert facts | demo._PROMISED == facts
    assert (facts["turn_at_pause"], facts["turn_at_end"]) == (2, 3)
    assert (facts["ran_before_approval"], facts["ran_after_approval"]) == (0, 1)
    steps = [line.partition(":")[0] for line in told if not line.startswith(" ")]
    assert steps == ["pause", "decide", "resume", "proved"]


class TestSteps:
    def test_one_by_one(self, tmp_path: Path) -> None:
        """All that goes from process to process is one file; the tool runs in the last."""
        effects = tmp_path / demo.EFFECTS
        step("pause", tmp_path)
        assert sorted(each.name for each in tmp_path.iterdir()) == [demo.STATE]
        assert not step("decide", tmp_path)["agents_sdk_loaded"]
        assert not effects.exists()
        assert step("resume", tmp_path)["quote_is_equal"]
        assert len(effects.read_text().splitlines()) == 1

    def test_decides_without_the_sdk(self, tmp_path: Path) -> None:
        """The second process needs no agent SDK, and the first decision stands."""
        step("pause", tmp_path)
        away = tmp_path / "away"
        for name in ("agents", "openai", "pydantic"):
            (away / name).mkdir(parents=True)
            (away / name / "__init__.py").write_text("raise ImportError('not installed')\n")
        assert step("decide", tmp_path, away)["approved_by"] == demo.DECIDER
        waiting = hitl.loads((tmp_path / demo.STATE).read_bytes()).interruptions[0]
        assert waiting.decision
        assert (waiting.decision.by, waiting.decision.approved) == (demo.DECIDER, True)
        done = python("-m", "hitl.runtime.demo", "decide", str(tmp_path))
        assert (done.returncode, "AlreadyDecided" in done.stderr) == (1, True)


def test_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo is a proof: without the decision it fails, and says what is not as promised."""
    monkeypatch.delitem(demo._STEPS, "decide")
    with pytest.raises(hitl.HitlError, match="expected agents_sdk_loaded to be False, found None"):
        demo.run(lambda _: None)
