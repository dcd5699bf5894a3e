"""Agents of `openai-agents-python/hitl`, whose states `tests.agents.record` recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from tests.agents.scenarios.hitl import copies, guards, kinds, turns, values

if TYPE_CHECKING:
    from tests.agents.scenario import Scenario
    from tests.agents.take import Take

FOLDER = "openai-agents-python/hitl"

TAKES: dict[str, Take] = {
    **copies.TAKES,
    **kinds.TAKES,
    **values.TAKES,
    **turns.TAKES,
    **guards.TAKES,
}


def _with_history(stem: str, scenario: Scenario) -> Scenario:
    """A run in a session resumes with what the session held when the state was written."""
    if scenario.session_id is None:
        return scenario
    return attrs.evolve(scenario, history=f"{FOLDER}/{stem}.history")


SCENARIOS = {f"{FOLDER}/{stem}": _with_history(stem, take.scenario) for stem, take in TAKES.items()}
