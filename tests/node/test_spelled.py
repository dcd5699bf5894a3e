"""What was approved is what runs, or nothing does: arguments in any spelling, in both languages."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from hitl.errors import HitlError
from tests.node.across import carry, ready
from tests.node.oracle import generated_arguments
from tests.node.spelled import (
    paused_in_node,
    paused_in_python,
    resumed_in_node,
    resumed_in_python,
)

if TYPE_CHECKING:
    from tests.node.outcome import Language

TEXTS = tuple(dict.fromkeys(generated_arguments(250)))


@cache
def paused(language: Language) -> dict[str, str]:
    """Arguments → state with the approved call; without those that the SDK itself fails on."""
    states = paused_in_node(TEXTS) if language == "js" else paused_in_python(TEXTS)
    return {text: state for text, state in zip(TEXTS, states, strict=True) if state is not None}


@cache
def resumed(language: Language) -> dict[str, list[Any]]:
    """Arguments → what the tool got, at home."""
    go_on = resumed_in_node if language == "js" else resumed_in_python
    states = paused(language)
    return dict(zip(states, go_on(list(states.values())), strict=True))


def _parses(text: str) -> bool:
    """Whether JSON.parse reads it: Python's reader takes NaN and Infinity too."""

    def never(name: str) -> None:
        raise ValueError(name)

    try:
        json.loads(text, parse_constant=never)
    except ValueError:
        return False
    return True


class TestAtHome:
    def test_js(self) -> None:
        """The tool gets the very text that was approved, if it is JSON; else it does not run."""
        ran = resumed("js")
        assert ran == {text: [text] if _parses(text) else [] for text in TEXTS}
        assert {len(each) for each in ran.values()} == {0, 1}

    def test_python(self) -> None:
        """The tool gets the very text that was approved, JSON or not."""
        assert resumed("python") == {text: [text] for text in paused("python")}
        left_out = set(TEXTS) - set(paused("python"))
        assert left_out
        assert all(r"\ud" in text for text in left_out)


if ready():  # test_across.TestCommitted says when it is not

    @cache
    def _carried(target: Language) -> dict[str, str]:
        """Arguments → the state in the other form, of those that cross."""
        found = {}
        for text, state in paused("python" if target == "js" else "js").items():
            try:
                found[text] = carry(state, target, {}).data.decode()
            except HitlError:
                continue
        return found

    class TestAcross:
        @pytest.mark.parametrize("target", ["python", "js"])
        def test_same(self, target: Language) -> None:
            """What crosses runs as the other SDK runs it at home: never another text."""
            states = _carried(target)
            go_on = resumed_in_node if target == "js" else resumed_in_python
            ran = dict(zip(states, go_on(list(states.values())), strict=True))
            assert ran == {text: resumed(target).get(text) for text in states}

        @pytest.mark.parametrize("target", ["python", "js"])
        def test_most_cross(self, target: Language) -> None:
            """Plain arguments are not refused."""
            plain = {text for text in TEXTS if _plain(text)}
            assert len(plain) > 10
            assert plain <= set(_carried(target))

    def _plain(text: str) -> bool:
        """Whether it is JSON whose every value both languages have."""
        return _parses(text) and not re.search(r"\\u|\d[.eE]|-0|\d{9}|__proto__", text)
