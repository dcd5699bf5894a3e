"""What was approved is what runs, what was said stays: value by value, place by place."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, get_args

import pytest

from tests.node import values
from tests.node.outcome import Language
from tests.node.spelled import resumed_in_node, resumed_in_python

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.node.values import Cell

LANGUAGES: Sequence[Language] = get_args(Language)


@cache
def cells() -> dict[tuple[str, str, Language], Cell]:
    """The table, as it is now."""
    return values.cells()


def exact(target: Language, *, waiting: bool) -> dict[tuple[str, str], str]:
    """The exact cells of a direction: place and value → the state."""
    return {
        (place, value): each.data
        for (place, value, to), each in cells().items()
        if (to, each.word) == (target, values.EXACT) and (place == values.WAITING) is waiting
    }


class TestTable:
    def test_committed(self) -> None:
        """The committed table is what hitl does; `python -m tests.node` renews it."""
        assert values.render() == values.TABLE.read_text(encoding="utf-8")

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_bad_utf8(self, language: Language) -> None:
        """A byte that is no UTF-8 is refused before anything is read."""
        assert values.bad_utf8(language) == "refused: malformed"

    def test_every_word(self) -> None:
        """Whatever is not exact says where it stands."""
        for each in cells().values():
            assert bool(each.pointers) == (each.word in {values.WARNED, values.REFUSED})
        assert len({each.word for each in cells().values()}) == 4


class TestExact:
    @pytest.mark.parametrize("target", LANGUAGES)
    def test_tool(self, target: Language) -> None:
        """The tool gets the very text that was approved."""
        found = exact(target, waiting=True)
        resumed = resumed_in_node if target == "js" else resumed_in_python
        ran = dict(zip(found, resumed(list(found.values())), strict=True))
        assert ran == {key: [f'{{"n": {values.VALUES[key[1]]}}}'] for key in found}
        assert len(ran) > 6

    @pytest.mark.parametrize("target", LANGUAGES)
    def test_read(self, target: Language) -> None:
        """The real SDK reads the value that was there, and writes it again."""
        found = exact(target, waiting=False)
        read = values.reread(list(found.values()), target)
        wrong = {
            key: text[:300]
            for key, text in zip(found, read, strict=True)
            if not _is_same(text, key, target)
        }
        assert wrong == {}
        assert len(read) > 40


def _is_same(text: str, key: tuple[str, str], target: Language) -> bool:
    place, value = key
    spelled = values.VALUES[value]
    expected: Any = f'{{"n": {spelled}}}' if place == values.HISTORY else json.loads(spelled)
    try:
        return bool(values.said(text, place, target) == expected)
    except ValueError:  # the SDK threw: the text is its error
        return False
