"""Record our own states with the installed openai-agents: `python -m tests.agents.record [NAME…]`.

Writes `tests/corpus/openai-agents-python/hitl/<name>.json`, and `<name>.history.json` for runs in a
session. Recorded states are never edited; a state is recorded anew only with its scenario.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

from agents import set_trace_processors

from tests.agents import corpus
from tests.agents.model import plain
from tests.agents.scenarios import hitl

if TYPE_CHECKING:
    from tests.agents.take import Take


async def _record(stem: str, take: Take) -> None:
    stage = take.scenario.stage(earlier=take.earlier)
    document = await take.document(stage)
    _write(stem, document)
    if stage.session is not None:
        _write(f"{stem}.history", plain(stage.session.items))


def _write(stem: str, value: object) -> None:
    path = corpus.ROOT / hitl.FOLDER / f"{stem}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=1) + "\n")


def main(names: list[str]) -> None:
    """Record these, or all."""
    set_trace_processors([])  # states carry traces, but no trace leaves this process
    for stem, take in hitl.TAKES.items():
        if not names or stem in names:
            asyncio.run(_record(stem, take))


if __name__ == "__main__":
    main(sys.argv[1:])
