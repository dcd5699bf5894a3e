"""Play every case and write the tables: `python -m tests.node`."""

from __future__ import annotations

from tests.node import table, values
from tests.node.cases import CASES
from tests.node.natively import PLAYERS, play


def main() -> None:
    """Write the tables anew."""
    played = {language: play(CASES, language) for language in PLAYERS}
    table.TABLE.write_text(table.render(table.words(played)), encoding="utf-8")
    values.TABLE.write_text(values.render(), encoding="utf-8")


if __name__ == "__main__":
    main()
