"""Agents, scripted models and the oracle that resume recorded states; support, no tests."""

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
from tests.agents.registry import SCENARIOS
from tests.agents.scenario import Scenario, Stage
from tests.agents.session import MemorySession

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
