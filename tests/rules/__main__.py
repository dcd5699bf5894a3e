"""`python -m tests.rules`: play every rule and compare; `--write` renews the committed table."""

from __future__ import annotations

import sys

from tests.rules import play, table


def main(arguments: list[str]) -> int:
    """Give 0 when the table is as committed and every rule holds."""
    found = play.all_cells()
    text = table.render(found)
    if "--write" in arguments:
        table.TABLE.write_text(text, encoding="utf-8")
    wrong = [
        f"{name}: {found[name]}" for name, word in table.expected().items() if found[name] != word
    ]
    sys.stdout.writelines(f"{line}\n" for line in wrong)
    passed = sum(word == play.PASSED for word in found.values())
    sys.stdout.write(f"{passed} cells passed, {len(found) - passed - len(wrong)} do not apply\n")
    return 1 if wrong or text != table.TABLE.read_text(encoding="utf-8") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
