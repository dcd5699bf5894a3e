"""Every rule in every mode, streamed and not, on the installed release of the SDK."""

from __future__ import annotations

import attrs
import pytest

from tests.rules import play, table
from tests.rules.rule import MODES, RULES, Cell, cells

APPLIES = [cell for cell in cells() if cell.absent is None]
NAMED = (*range(1, 19), *range(40, 46), 50)


@pytest.mark.parametrize("cell", APPLIES, ids=lambda cell: cell.name)
def test_rule(cell: Cell) -> None:
    """The rule holds in the mode."""
    play.one(cell)


def test_table() -> None:
    """The committed table says what `test_rule` shows: `python -m tests.rules --write`."""
    assert table.TABLE.read_text(encoding="utf-8") == table.render(table.expected())


def test_every_rule() -> None:
    """R-1 to R-18, R-40 to R-50 and X-9 are there, each applies somewhere, and says where not."""
    assert set(RULES) == {*(f"R-{number}" for number in NAMED), "X-9"}
    assert {cell.rule for cell in APPLIES} == set(RULES)
    assert len(cells()) == 2 * len(MODES) * len(RULES)


def test_a_failure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that does not hold is in the table as such."""

    async def broken(_stage: object) -> None:
        raise AssertionError("as planned")

    monkeypatch.setitem(RULES, "R-1", attrs.evolve(RULES["R-1"], play=broken, absent={}))
    found = play.all_cells(["R-1"])
    assert set(found.values()) == {"FAILED: AssertionError: as planned"}
