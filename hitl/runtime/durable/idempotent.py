"""Tools that may be run again by themselves, and the key they are run under."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

_MARK = "__hitl_idempotent__"
KEY: ContextVar[str | None] = ContextVar("hitl_idempotency_key", default=None)


def idempotent(tool: T) -> T:
    """Mark a function, or a function tool, as safe to run again under the same key.

    A call that was cut between its start and its result is run again, without asking anybody. The
    body asks `idempotency_key` and hands the key to whoever carries out the effect.

    Args:
        tool: the function under `@function_tool`, or what `@function_tool` made of it.

    Returns:
        The same object.
    """
    setattr(tool, _MARK, True)
    return tool


def is_idempotent(tool: object) -> bool:
    """Tell whether a tool, or the function it was made of, is marked."""
    body = getattr(tool, "__wrapped__", None)
    return bool(getattr(tool, _MARK, False) or getattr(body, _MARK, False))


def idempotency_key() -> str | None:
    """Give the key of the call that is running: the same whenever it is run again.

    Returns:
        None outside a gated call of a durable run.
    """
    return KEY.get()
