"""Law 5: a state of either SDK converts to the other, and the other's real SDK finishes the run."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, get_args

import pytest

from hitl.errors import LossError
from tests.hints import HINTS, hints
from tests.node import across, table
from tests.node.across import Crossed, relayed
from tests.node.cases import REDUCED, Case
from tests.node.differences import named
from tests.node.natively import play
from tests.node.outcome import Language

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.node.natively import Native
    from tests.node.outcome import Seen

LANGUAGES: Sequence[Language] = get_args(Language)
RELAYED = ("hosted_two", "parallel", "parallel_session", "two_pauses", "two_session")
"""Definitions that can be handed on more than once: several pauses, or several calls at one."""


@cache
def along(*path: Language) -> dict[str, Seen]:
    """The runs that are handed on, along this path."""
    return relayed(RELAYED, path)


class TestRelays:
    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("definition", RELAYED)
    def test_at_home(self, definition: str, language: Language) -> None:
        """A run that is written and read at every decision is the run that is decided at once."""
        whole = play(REDUCED, language)[Case(definition)]
        handed_on = along(*[language] * 5)[definition]
        assert handed_on["error"] is None
        for key in ("final_output", "usage", "turn", "session", "decisions", "last_agent"):
            assert (key, handed_on[key]) == (key, whole.after[key])
        for key in ("requests", "tool_runs"):
            assert handed_on[key] == [*whole.before[key], *whole.after[key]]


class TestJudge:
    """A cell can be wrong: what differs from the run at home is never called resumed."""

    @staticmethod
    def _home() -> Native:
        return play(REDUCED, "python")[Case("session")]

    def test_resumed(self) -> None:
        """The same run is resumed."""
        home = self._home().after
        assert table.judge(home, Crossed(seen=home), "js") == table.RESUMED

    @pytest.mark.parametrize("key", ["requests", "tool_runs", "session", "turn", "usage", "stops"])
    def test_another(self, key: str) -> None:
        """Anything else that can be seen is wrong, and is said."""
        home = self._home().after
        other = Crossed(seen=home | {key: "other"})
        assert table.judge(home, other, "js") == f"{table.WRONG}: {key}"

    def test_failed(self) -> None:
        """An error of the other SDK is wrong: hitl should have refused."""
        home = self._home().after
        other = Crossed(seen=home | {"error": ["UserError", "no"]})
        assert table.judge(home, other, "python") == f"{table.WRONG}: UserError"

    def test_refused(self) -> None:
        """A refusal is said with its reason."""
        home = self._home().after
        assert table.judge(home, Crossed(refused="loss /x y"), "js") == "refused: loss /x y"


class TestCommitted:
    def test_columns(self) -> None:
        """The table has both directions exactly when hitl has both dialects."""
        expected = [table.APART, *(table.TARGETS if across.ready() else ())]
        assert table.columns(table.committed()) == expected

    def test_nothing_wrong(self) -> None:
        """No cell is committed as wrong, and with the hints none is refused."""
        said = [
            (row, column, word)
            for row, cells in table.committed().items()
            for column, words in cells.items()
            for word in words
            if word.startswith((table.WRONG, table.REFUSED))
        ]
        assert said == []


class TestWithoutHints:
    @pytest.mark.parametrize("target", LANGUAGES)
    @pytest.mark.parametrize("definition", sorted({name for name, _ in HINTS}))
    def test_refused(self, definition: str, target: Language) -> None:
        """A run that needs hints is refused without, before anything runs, with what to say."""
        source: Language = "python" if target == "js" else "js"
        native = play(REDUCED, source)[Case(definition)]
        with pytest.raises(LossError) as caught:
            across.carry(native.paused["state"], target, {})
        needed = hints(definition, across.DIALECTS[target])
        assert any(f"{name}={{" in str(caught.value) for name in needed)


if across.ready():  # until then `test_columns` says that there is nothing to show

    @cache
    def _crossed(column: str) -> dict[Case, str]:
        """Every reduced case across the border, as the table says it."""
        target = table.TARGETS[column]
        natives = play(REDUCED, "python" if target == "js" else "js")
        found = across.crossed(natives, target)
        return {case: table.judge(natives[case].after, found[case], target) for case in REDUCED}

    class TestLaw5:
        @pytest.mark.parametrize("column", table.TARGETS)
        @pytest.mark.parametrize("case", REDUCED, ids=lambda case: case.name)
        def test_crossed(self, case: Case, column: str) -> None:
            """A run that crosses the border ends as at home, or is refused, as the table says."""
            assert (
                _crossed(column)[case] in table.committed()[case.definition, case.verdict][column]
            )

        @pytest.mark.parametrize("first", LANGUAGES)
        @pytest.mark.parametrize("definition", RELAYED)
        def test_relayed(self, definition: str, first: Language) -> None:
            """A run that crosses at every pause ends as one that stays at home."""
            second: Language = "js" if first == "python" else "python"
            home = along(*[first] * 5)[definition]
            away = along(first, second, first, second, first)[definition]
            assert named(*((home, away) if first == "python" else (away, home)))[1] == []
