"""A state of another SDK on its way to the Python SDK: what that would fail on once it runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hitl import values
from hitl.dialect import is_texts, too_deep
from hitl.model import decide
from hitl.revision import Loss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.model import RunState

_TARGET = "the SDK finds the agent of a handoff by the handoff's name"
_SURROGATE = "the arguments hold half of a surrogate pair; the Python SDK fails on such a call"
_UNSENT = (
    "a text holds half of a surrogate pair; the Python SDK fails when it sends it to the model"
)
_DEEP = "the arguments are nested too deeply; the Python SDK fails on such a call"


def losses(state: RunState) -> Iterator[Loss]:
    """Give what the Python SDK has no place for, and the calls and items it cannot use."""
    yield from _aimed(state)
    for index, each in enumerate(decide.interruptions(state)):
        if each.arguments is not None and _halved(each.arguments):
            yield Loss(path=f"/step/interruptions/{index}", severity="error", reason=_SURROGATE)
    yield from _items(state, "")


def _items(state: RunState, path: str) -> Iterator[Loss]:
    for position, record in enumerate(state.log):
        raw = None if record.item is None else values.decode(record.item.raw)
        given = raw.get("arguments") if isinstance(raw, dict) else None
        at = f"{path}/items/{position}/item/raw"
        if too_deep(given):
            yield Loss(path=f"{at}/arguments", severity="error", reason=_DEEP)
        elif isinstance(given, str) and _halved(given):
            yield Loss(path=f"{at}/arguments", severity="error", reason=_SURROGATE)
        elif not is_texts(_texts(raw)):
            yield Loss(path=at, severity="error", reason=_UNSENT)
    for index, call in enumerate(state.processed.calls if state.processed else ()):
        if call.run is not None:
            yield from _items(call.run, f"{path}/processed/calls/{index}/run")


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
        return not is_texts(_texts(json.loads(arguments)))
    except (ValueError, RecursionError):
        return False


def _texts(value: object) -> Iterator[str]:
    """Give all texts of a value, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(key)
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
