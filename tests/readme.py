"""README's code blocks, and the one command that needs an empty machine.

`python -m tests.readme` runs that one: the install command, in a copy of the checkout.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
TEST_COMMAND = "./.ci/run"

_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Block(NamedTuple):
    """A fenced block of a Markdown file: language, text, and the line it starts at."""

    language: str
    text: str
    line: int


class Command(NamedTuple):
    """A command of a console block: what is typed after `$ `, and what is shown below it."""

    typed: str
    shown: str
    line: int

    @property
    def installs(self) -> bool:
        """Whether the command needs an empty machine."""
        return "pip install" in self.typed


def blocks(text: str) -> list[Block]:
    """Every fenced block, in order."""
    return [
        Block(match[1].strip(), match[2], text.count("\n", 0, match.start()) + 1)
        for match in _FENCE.finditer(text)
    ]


def commands(block: Block) -> list[Command]:
    """The commands of a console block, in order."""
    found: list[Command] = []
    for number, line in enumerate(block.text.splitlines(), block.line + 1):
        if line.startswith("$ "):
            found.append(Command(line.removeprefix("$ "), "", number))
        elif found:
            last = found[-1]
            found[-1] = last._replace(shown=f"{last.shown}{line}\n")
        else:
            message = f"expected a command after `$ ` - at README.md:{number}"
            raise ValueError(message)
    return found


def install_commands() -> list[Command]:
    """README's commands that need an empty machine."""
    consoles = [block for block in blocks(README.read_text("utf-8")) if block.language == "console"]
    return [command for block in consoles for command in commands(block) if command.installs]


def main() -> None:
    """Run the install commands in a copy of the checkout without what a clone does not have."""
    strangers = shutil.ignore_patterns(".?*", "__pycache__", "corpus", "build", "dist")
    for command in install_commands():
        with tempfile.TemporaryDirectory() as room:
            clone = shutil.copytree(ROOT, Path(room) / "hitl", ignore=strangers)
            subprocess.run(["bash", "-euo", "pipefail", "-c", command.typed], cwd=clone, check=True)


if __name__ == "__main__":
    main()
