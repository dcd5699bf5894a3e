"""Guardrail results: what a tool guardrail decided has other words here than in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hitl.dialects.openai_js import wire

if TYPE_CHECKING:
    from hitl.document import JSONValue

_BACK = {theirs: mine for mine, theirs in wire.BEHAVIOURS.items()}


def read(given: JSONValue) -> JSONValue:
    """Give a result in the words of the log."""
    return _reworded(given, wire.BEHAVIOURS)


def write(given: JSONValue) -> JSONValue:
    """Give a result in the words of the SDK."""
    return _reworded(given, _BACK)


def _reworded(given: Any, words: dict[str, str]) -> JSONValue:  # noqa: ANN401 - JSON
    match given:
        case {"output": {"behavior": {"type": str(kind)}}} if kind in words:
            output = given["output"]
            behavior = {**output["behavior"], "type": words[kind]}
            return {**given, "output": {**output, "behavior": behavior}}
        case _:
            return given
