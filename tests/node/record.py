"""Record what older releases of the JavaScript SDK write: `python -m tests.node.record`.

The states lie in `corpus/cross/js-older`, named after definition, verdict (if it was given before
the state was written) and release. What is there is not written again.
"""

from __future__ import annotations

import json
import sys

from tests.agents import corpus
from tests.node.cases import Case
from tests.node.releases import LABELS, NODE, Absent, Station, paused

FOLDER = corpus.ROOT / "cross" / "js-older"
RECORDED = (
    *(Case(each) for each in ("plain", "multi_turn", "nested", "parallel", "hosted_mcp", "shell")),
    Case("plain", "always", decided=True),
)
"""One of every kind of call, an output with structure, a run inside, and a decision for good."""


def name(case: Case) -> str:
    """What a case is called here."""
    return f"{case.definition}.{case.verdict}" if case.decided else case.definition


def recorded() -> dict[tuple[Case, str], str]:
    """(case, release) → the text of every state that was recorded."""
    found = {}
    for release in LABELS:
        for case in RECORDED:
            path = FOLDER / f"{name(case)}_{release}.json"
            if path.exists():
                found[case, release] = path.read_text(encoding="utf-8")
    return found


def main() -> None:
    """Record what is missing."""
    for release in LABELS:
        if release == NODE.release:
            continue
        for case, outcome in paused(Station("js", release), RECORDED).items():
            path = FOLDER / f"{name(case)}_{release}.json"
            if isinstance(outcome, Absent) or path.exists():
                continue
            text = json.dumps(json.loads(outcome["state"]), indent=1, ensure_ascii=False)
            path.write_text(f"{text}\n", encoding="utf-8")
            sys.stdout.write(f"{path.name}\n")


if __name__ == "__main__":
    main()
