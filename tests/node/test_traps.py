"""What the real SDKs do in the twenty traps, and that what hitl writes does not fall into them.

Each trap takes a run across the border twice: as hitl writes it, and without the one thing that the
trap is about. Some the SDK refuses; in the *silent* ones it finishes, and the run is wrong.
The documents alone are looked at in `tests/test_openai_js_traps.py`.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from tests.node import table
from tests.node.across import Crossed, carry, session_for
from tests.node.natively import PLAYERS, Native, play
from tests.node.outcome import Language, Seen, seen
from tests.node.traps import TRAPS, Trap


def _home(trap: Trap) -> Native:
    """The run at home, where its state was written."""
    cases = tuple({each.case: None for each in TRAPS if each.source == trap.source})
    return play(cases, trap.source)[trap.case]


def _carried(trap: Trap) -> str:
    text: str = _home(trap).paused["state"]
    return text if trap.home else carry(text, trap.target, {}).data.decode()


def _without(trap: Trap) -> str:
    document = json.loads(_carried(trap))
    trap.without(document)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


@cache
def played(target: Language) -> dict[Trap, tuple[Seen, Seen]]:
    """Each trap of an SDK: the run with what the trap is about, and the run without."""
    traps = [each for each in TRAPS if each.target == target]
    jobs = [
        trap.case.resume(_home(trap).paused, text, _rows(trap))
        for trap in traps
        for text in (_carried(trap), _without(trap))
    ]
    shown = [seen(each, target) for each in PLAYERS[target](jobs)]
    return dict(zip(traps, zip(shown[::2], shown[1::2], strict=True), strict=True))


def _rows(trap: Trap) -> list[Any]:
    paused = _home(trap).paused
    return list((paused["items"] or []) if trap.home else session_for(paused, trap.target))


NAMES = [f"trap_{trap.number}_{trap.name}" for trap in TRAPS]


@pytest.mark.parametrize("trap", TRAPS, ids=NAMES)
class TestTraps:
    def test_without(self, trap: Trap) -> None:
        """The SDK refuses the state, or goes on and is wrong without a word."""
        _, there = played(trap.target)[trap]
        if isinstance(trap.then, str):
            assert trap.then in str(there["error"])
            return
        assert there["error"] is None
        assert trap.then(_home(trap).after, there)

    def test_with(self, trap: Trap) -> None:
        """What hitl writes goes on there as it does at home."""
        there, _ = played(trap.target)[trap]
        word = table.judge(_home(trap).after, Crossed(seen=there), trap.target)
        assert word.startswith(table.RESUMED)


def test_all_twenty() -> None:
    """No trap is left out."""
    assert {trap.number for trap in TRAPS} == set(range(1, 21))
