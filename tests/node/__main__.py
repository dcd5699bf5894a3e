"""Play every case and write the table: `python -m tests.node`."""

from __future__ import annotations

from tests.node import table
from tests.node.cases import CASES
from tests.node.natively import play


def main() -> None:
    """Write the table anew."""
    played = {"python": play(CASES, "python"), "js": play(CASES, "js")}
    found = table.cells(lambda case, language: played[language][case])
    table.TABLE.write_text(table.render(found), encoding="utf-8")


if __name__ == "__main__":
    main()
