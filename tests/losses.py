"""What a rollback costs: `python -m tests.losses` prints it, `--write` renews the snapshot.

Two tables over the recorded states of the newest version: the worst loss of each plain scenario at
each released version, and how often each loss is met over all states.
"""

from __future__ import annotations

import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import hitl
from hitl import transfer
from hitl.dialects.openai_python import DIALECT
from tests.agents import corpus

if TYPE_CHECKING:
    from hitl.revision import Loss

SNAPSHOT = Path(__file__).with_suffix(".txt")
RELEASED = tuple(
    revision.version
    for revision in DIALECT.chain.revisions
    if "never released" not in revision.source
)
SEVERITIES = ("error", "warn", "info")
_PLAIN = "openai-agents-python/0.24.0/"


@cache
def losses(name: str, version: str) -> tuple[Loss, ...]:
    """What a recorded state loses at a version."""
    return transfer.losses_for(hitl.loads(corpus.read(name)), DIALECT.name, version)


def worst(found: tuple[Loss, ...]) -> str:
    """The severity that decides; `-` when nothing is lost."""
    severities = {loss.severity for loss in found}
    return next((each for each in SEVERITIES if each in severities), "-")


def describe() -> str:
    """Both tables."""
    lines = [f"{'':22}" + "".join(f"{version:>6}" for version in RELEASED)]
    for name in corpus.names():
        if name.startswith(_PLAIN):
            cells = "".join(f"{worst(losses(name, version)):>6}" for version in RELEASED)
            lines.append(f"{name.removeprefix(_PLAIN):22}{cells}")
    lines += [
        "",
        "states  severity  reason, over all states of the newest version at the first one",
    ]
    first = RELEASED[0]
    counted = Counter(
        kind
        for name in corpus.names()
        for kind in {(loss.severity, loss.reason) for loss in losses(name, first)}
    )
    for (severity, reason), states in sorted(
        counted.items(), key=lambda entry: (SEVERITIES.index(entry[0][0]), entry[0][1])
    ):
        lines.append(f"{states:6}  {severity:8}  {reason}")
    return "\n".join(lines) + "\n"


def main(arguments: list[str]) -> None:
    """Print the tables, or write the snapshot."""
    if arguments == ["--write"]:
        SNAPSHOT.write_text(describe(), encoding="utf-8")
    else:
        sys.stdout.write(describe())


if __name__ == "__main__":
    main(sys.argv[1:])
