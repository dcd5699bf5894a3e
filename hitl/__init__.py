"""hitl: pause an agent for a person, resume it anywhere, exactly once."""

from hitl.connection import approve, connect, reject
from hitl.errors import HitlError
from hitl.model import Interruption, RunState
from hitl.revision import Loss
from hitl.runtime.door import capture, check_restore, restore
from hitl.runtime.durable.door import (
    reconcile,
    resume,
    resume_streamed,
    resume_sync,
    run,
    run_streamed,
    run_sync,
)
from hitl.runtime.durable.idempotent import idempotency_key, idempotent
from hitl.runtime.durable.input import add_input, clear_input
from hitl.runtime.durable.outcome import DurableRun, DurableStream
from hitl.runtime.once import once
from hitl.transfer import Converted, Report, check, convert, dumps, loads
from hitl.values import register

__all__ = [
    "Converted",
    "DurableRun",
    "DurableStream",
    "HitlError",
    "Interruption",
    "Loss",
    "Report",
    "RunState",
    "add_input",
    "approve",
    "capture",
    "check",
    "check_restore",
    "clear_input",
    "connect",
    "convert",
    "dumps",
    "idempotency_key",
    "idempotent",
    "loads",
    "once",
    "reconcile",
    "register",
    "reject",
    "restore",
    "resume",
    "resume_streamed",
    "resume_sync",
    "run",
    "run_streamed",
    "run_sync",
]


def __getattr__(name: str) -> str:
    """Give `__version__`; the metadata is slow to read and seldom asked for."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version

    return version("hitl-sdk")
