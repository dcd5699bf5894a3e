"""A state of another SDK on its way to the Python SDK: what that would fail on once it runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hitl.model import decide
from hitl.revision import Loss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.model import RunState

_TARGET = "the SDK finds the agent of a handoff by the handoff's name"
_SURROGATE = "the arguments hold half of a surrogate pair; the Python SDK fails on such a call"


def losses(state: RunState) -> Iterator[Loss]:
    """Give what the Python SDK has no place for, and the calls that wait and it cannot make."""
    yield from _aimed(state)
    for index, each in enumerate(decide.interruptions(state)):
        if each.arguments is not None and _halved(each.arguments):
            yield Loss(path=f"/step/interruptions/{index}", severity="error", reason=_SURROGATE)


def _aimed(state: RunState, path: str = "") -> Iterator[Loss]:
    """Give the handoffs that name their agent."""
    for index, call in enumerate(state.processed.calls if state.processed else ()):
        at = f"{path}/processed/calls/{index}"
        if call.target is not None:
            yield Loss(path=f"{at}/target", severity="info", reason=_TARGET)
        if call.run is not None:
            yield from _aimed(call.run, f"{at}/run")


def _halved(arguments: str) -> bool:
    """Tell whether a text, read as JSON, holds half of a surrogate pair."""
    try:
        json.dumps(json.loads(arguments), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False
    return False
