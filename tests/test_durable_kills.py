"""T1, T2: `kill -9` at random points of save, claim, resume and tool."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import pytest

_PROCESSES = 2


def _soak(kills: int, *options: str, seed: int = 1) -> Counter[str]:
    """Kill in processes of their own: they fork before threads and loops exist."""
    command = [sys.executable, "-m", "tests.kills", "--kills", str(-(-kills // _PROCESSES))]
    running = [
        subprocess.Popen(
            [*command, "--seed", str(seed + number), *options], stdout=subprocess.PIPE, text=True
        )
        for number in range(_PROCESSES)
    ]
    tally: Counter[str] = Counter()
    for process in running:
        said, _ = process.communicate(timeout=3600)
        assert process.returncode == 0
        tally.update(json.loads(said))
    return tally


def _show(capsys: pytest.CaptureFixture[str], what: str, tally: Counter[str]) -> None:
    with capsys.disabled():
        figures = ", ".join(f"{name} {count}" for name, count in tally.items())
        sys.stdout.write(f"\n{what}: {figures}\n")


def _nothing_lost_or_twice(tally: Counter[str]) -> None:
    wrong = (
        "lost",
        "started twice",
        "cut, not in doubt",
        "entries stored twice",
        "entries missing",
    )
    assert {name: tally[name] for name in wrong} == dict.fromkeys(wrong, 0)


def test_killed(capsys: pytest.CaptureFixture[str]) -> None:
    """T1: 100 kills; every run ends, every approved call ran once, each cut call was in doubt."""
    tally = _soak(100)
    _show(capsys, "T1, SQLite", tally)
    assert tally["kills"] >= 100
    assert tally["cut in the tool"] > 0
    _nothing_lost_or_twice(tally)


def test_control(capsys: pytest.CaptureFixture[str]) -> None:
    """T2: the same kills without the gate run calls twice, so the harness can see it."""
    tally = _soak(50, "--unguarded")
    _show(capsys, "T2, openai-agents alone", tally)
    assert tally["started twice"] > 0


@pytest.mark.soak
def test_killed_often(capsys: pytest.CaptureFixture[str]) -> None:
    """T1: 2,000 kills."""
    tally = _soak(2000, seed=1000)
    _show(capsys, "T1, SQLite", tally)
    assert tally["kills"] >= 2000
    _nothing_lost_or_twice(tally)
