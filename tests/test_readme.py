"""What README shows is what happens."""

from __future__ import annotations

import doctest
import os
import subprocess
import sys
from pathlib import Path

from tests import readme

BLOCKS = readme.blocks(readme.README.read_text("utf-8"))
COMMANDS = [
    command for block in BLOCKS if block.language == "console" for command in readme.commands(block)
]
LOOSE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def shell(typed: str, room: Path) -> str:
    """Run the line as a reader would, with the installed `hitl` first on the PATH."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", typed],
        cwd=room,
        env={**os.environ, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"$ {typed}\n{done.stdout}exit code {done.returncode}"
    return done.stdout


class TestReadme:
    def test_languages(self) -> None:
        """A block is run, or is marked as text."""
        assert {block.language for block in BLOCKS} <= {"python", "console", "text"}

    def test_two_commands(self) -> None:
        """One command installs and runs the demo, one installs and passes the tests."""
        first, second = COMMANDS[:2]
        assert first.installs
        assert first.typed.endswith("hitl demo")
        assert second.typed == readme.TEST_COMMAND

    def test_test_command_can_be_run(self) -> None:
        """`./.ci/run` is there and executable."""
        assert os.access(readme.ROOT / readme.TEST_COMMAND, os.X_OK)

    def test_blocks_in_order(self, tmp_path: Path) -> None:
        """Every block works after those before it, in one folder, and shows what it says.

        Not here: the test command, which is what runs this, and what needs an empty machine, which
        the test command runs beside this (`python -m tests.readme`).
        """
        for block in BLOCKS:
            if block.language == "python":
                script = tmp_path / f"readme_{block.line}.py"
                script.write_text(block.text, encoding="utf-8")
                shell(f"python {script.name}", tmp_path)
            elif block.language == "console":
                for command in readme.commands(block):
                    if not command.installs and command.typed != readme.TEST_COMMAND:
                        shown = shell(command.typed, tmp_path)
                        matches = doctest.OutputChecker().check_output(command.shown, shown, LOOSE)
                        assert matches or not command.shown, (
                            f"README.md:{command.line} shows\n{command.shown}but gives\n{shown}"
                        )
