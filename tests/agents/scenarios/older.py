"""Every recorded state of an older release: the same agents, driven to the same pauses by each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.agents import corpus
from tests.agents.scenarios import release

if TYPE_CHECKING:
    from tests.agents.scenario import Scenario

_NEWEST = "openai-agents-python/0.24.0"

SCENARIOS: dict[str, Scenario] = {
    name: release.SCENARIOS[f"{_NEWEST}/{name.rpartition('/')[2]}"]
    for name in sorted({*corpus.every()} - {*corpus.names()})
}


def twin(name: str) -> str:
    """The state that the newest release wrote at the same pause of the same run."""
    return f"{_NEWEST}/{name.rpartition('/')[2]}"
