"""The double-resume table of the README says what is seen: law 8, beside openai-agents alone."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.doubles import ROWS, table


@pytest.fixture(scope="module")
def seen() -> dict[str, Any]:
    """What came of each row; played by a process that forks before it has threads."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.doubles"],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    rows, _, printed = done.stdout.partition("\n")
    assert printed.strip() == table()
    return {each["row"]: each for each in json.loads(rows)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row(row: Any, seen: dict[str, Any]) -> None:  # noqa: ANN401
    """Each call's tool ran at most once, and the process that lost was told why."""
    result = seen[row.name]
    times, told = result["hitl"], result["told"]
    assert max(times.values(), default=0) <= 1
    if row.ours == "once":
        assert max(times.values()) == 1
    losers = {word for each in told if each for word in each.split(", ")} - {"finished"}
    if row.killed:
        assert losers == {"AlreadyDecided", "InDoubt"}
        assert told[0] is None
    else:
        assert times.keys() in ({"call_1", "call_2"}, {"call_1"}, {"call_2"}, set())
        assert "AlreadyDecided" in losers
        # Slow to start, the second finds the run finished.
        assert losers & {"AlreadyClaimed", "finished before"}
        assert sum("finished" in str(each).split(", ") for each in told) == 1


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_control(row: Any, seen: dict[str, Any]) -> None:  # noqa: ANN401
    """T2: beside it openai-agents runs the tool twice, or for one who rejected it."""
    times = seen[row.name]["alone"]
    assert max(times.values()) == (2 if "twice" in row.theirs else 1)
