"""Agents, scripted models and the oracle that resume recorded states; support, no tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.agents.log import Log, ModelRequest, ToolRun
from tests.agents.model import ScriptedModel, ScriptExhausted, call, message
from tests.agents.oracle import (
    Outcome,
    always_approve,
    always_reject,
    approve,
    leave,
    reject,
    resume,
    resume_native,
    resume_state,
)
from tests.agents.scenario import Scenario, Stage
from tests.agents.session import MemorySession

if TYPE_CHECKING:
    from tests.agents.registry import SCENARIOS

__all__ = [
    "SCENARIOS",
    "Log",
    "MemorySession",
    "ModelRequest",
    "Outcome",
    "Scenario",
    "ScriptExhausted",
    "ScriptedModel",
    "Stage",
    "ToolRun",
    "always_approve",
    "always_reject",
    "approve",
    "call",
    "leave",
    "message",
    "reject",
    "resume",
    "resume_native",
    "resume_state",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401  (of any attribute)
    """Look the scenarios up when they are asked for: older releases cannot import all of them."""
    if name != "SCENARIOS":
        raise AttributeError(name)
    from tests.agents.registry import SCENARIOS

    return SCENARIOS
