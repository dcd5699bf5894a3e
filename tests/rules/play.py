"""One cell; or all of them on the installed release: `python -m tests.rules.play`, told as JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import TYPE_CHECKING

from agents import set_tracing_disabled

from tests.rules import cut, server, session, staged, state
from tests.rules.rule import RULES, Cell, cells
from tests.rules.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Collection

MODULES = (server, session, state, staged, cut)
"""Importing one registers its rules."""
PASSED = "passed"


def one(cell: Cell) -> None:
    """Play one cell; raises where the rule does not hold."""
    asyncio.run(RULES[cell.rule].play(Stage(cell.mode, streamed=cell.streamed)))


def all_cells(rules: Collection[str] | None = None) -> dict[str, str]:
    """Name of the cell → `passed`, why it does not apply, or how it failed; None: of all rules."""
    chosen = [cell for cell in cells() if rules is None or cell.rule in rules]
    return {cell.name: cell.absent or _outcome(cell) for cell in chosen}


def _outcome(cell: Cell) -> str:
    try:
        one(cell)
    except Exception as error:  # noqa: BLE001 - whatever it is, the cell failed of it
        return f"FAILED: {type(error).__name__}: {error}"
    return PASSED


def main() -> int:
    """Play all, and say what came of each."""
    set_tracing_disabled(disabled=True)
    logging.disable(logging.CRITICAL)
    out, sys.stdout = sys.stdout, sys.stderr
    found = all_cells()
    json.dump(found, out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
