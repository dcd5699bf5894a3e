"""The scenario of every recorded state, by corpus name: its path there without `.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.agents.scenarios import cross, feature, hitl, release

if TYPE_CHECKING:
    from tests.agents.scenario import Scenario

SCENARIOS: dict[str, Scenario] = {
    **release.SCENARIOS,
    **feature.SCENARIOS,
    **cross.SCENARIOS,
    **hitl.SCENARIOS,
}
