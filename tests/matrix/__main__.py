"""`python -m tests.matrix`: play all releases and compare; `--write` renews the committed table."""

from __future__ import annotations

import sys

from tests.matrix import cells, recorded, table
from tests.matrix.releases import FIRST


def main(arguments: list[str]) -> int:
    """Give 0 when the table is as committed and hitl is nowhere wrong."""
    found = {**recorded.play(), **cells.play(FIRST)}
    if "--write" in arguments:
        table.commit(found)
    wrong = list(table.wrong(table.said(found)))
    changed = list(table.changes(table.committed(), table.said(found)))
    for line in (*changed, *(f"wrong: {each}" for each in wrong)):
        sys.stdout.write(f"{line}\n")
    for path in table.ORDER:
        sys.stdout.write(f"{path}: {table.summary(found[path].values())}\n")
    return 1 if wrong or changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
