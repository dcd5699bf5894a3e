"""The `hitl` command: paused runs in files, seen and decided by a person.

| module | what it holds |
| --- | --- |
| `display` | `safe_display`: text from a model, a user or a file as a person may see it |
| `output` | the only door to stdout and stderr |
| `operand` | files, dialects and codecs as they stand on the command line |
| `command` | `--json`, and every failure as one line without a traceback |
| `delivery` | a written document to its file or to stdout |
| `stored` | `--store URL`, and stored runs as they are shown |
| `runs` | the commands for stored runs only |
| `show`, `check`, `convert`, `decision`, `input`, `resume`, `diff`, `demo` | the commands |

Exit codes: 0 done, 1 refused or different, 2 wrong usage. Data goes to stdout, words to stderr.
"""

from __future__ import annotations

import click

from hitl.cli.check import check
from hitl.cli.command import Door
from hitl.cli.convert import convert
from hitl.cli.decision import approve, reject
from hitl.cli.demo import demo
from hitl.cli.diff import diff
from hitl.cli.input import add_input, clear_input
from hitl.cli.reconcile import reconcile
from hitl.cli.resume import resume
from hitl.cli.runs import cancel, prune, runs
from hitl.cli.show import show


@click.group(cls=Door)
@click.version_option(package_name="hitl-sdk", message="%(prog)s %(version)s", prog_name="hitl")
def main() -> None:
    """Pause an agent for a person. Resume it anywhere, exactly once.

    FILE is a paused run in any dialect, version and codec; - is stdin. RUN is the id of a run in
    the store at --store URL.
    Exit codes: 0 done, 1 refused or different, 2 wrong usage.
    """


for _each in (
    demo,
    show,
    check,
    convert,
    approve,
    reject,
    add_input,
    clear_input,
    diff,
    runs,  # stored runs from here on
    resume,
    cancel,
    reconcile,
    prune,
):
    main.add_command(_each)
