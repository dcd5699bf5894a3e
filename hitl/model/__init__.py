"""The run state and its parts: frozen, keyword-only classes that know no SDK."""

from hitl.model.agent import Agent, Tool
from hitl.model.approval import Decision, Grant, Interruption, arguments_sha256
from hitl.model.context import TEXT_INPUT, Context, Conversation, Mode
from hitl.model.log import ItemLog, LogCodec
from hitl.model.record import (
    BOXES,
    KINDS,
    STAGES,
    Box,
    Guardrail,
    Item,
    Kind,
    Record,
    Response,
    Stage,
    read_record,
    slim,
)
from hitl.model.span import Spans, ahead, behind, count, positions, spans
from hitl.model.state import MOST_TURNS, Origin, RunState, Turn, View, referred
from hitl.model.step import Call, CallState, Ledger, Processed, Step
from hitl.model.usage import Usage

__all__ = [
    "BOXES",
    "KINDS",
    "MOST_TURNS",
    "STAGES",
    "TEXT_INPUT",
    "Agent",
    "Box",
    "Call",
    "CallState",
    "Context",
    "Conversation",
    "Decision",
    "Grant",
    "Guardrail",
    "Interruption",
    "Item",
    "ItemLog",
    "Kind",
    "Ledger",
    "LogCodec",
    "Mode",
    "Origin",
    "Processed",
    "Record",
    "Response",
    "RunState",
    "Spans",
    "Stage",
    "Step",
    "Tool",
    "Turn",
    "Usage",
    "View",
    "ahead",
    "arguments_sha256",
    "behind",
    "count",
    "positions",
    "read_record",
    "referred",
    "slim",
    "spans",
]
