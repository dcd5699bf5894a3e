"""Results of tools and of runs as bytes, with the SDK's own types of output."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from agents import (
    ApplyPatchResult,
    ShellCallOutcome,
    ShellCommandOutput,
    ShellResult,
    ToolOutputFileContent,
    ToolOutputImage,
    ToolOutputText,
)
from pydantic import BaseModel, TypeAdapter, ValidationError

from hitl import document, values
from hitl.errors import HitlError
from hitl.values import Values

if TYPE_CHECKING:
    from hitl.document import JSONValue
    from hitl.values.app import AppType

log = logging.getLogger("hitl")

_TYPES: tuple[type, ...] = (
    ApplyPatchResult,
    ShellCallOutcome,
    ShellCommandOutput,
    ShellResult,
    ToolOutputFileContent,
    ToolOutputImage,
    ToolOutputText,
)


class _Outputs(Values):
    """The SDK's types of output, and what the app registered."""

    def of_class(self, cls: type) -> AppType | None:
        return super().of_class(cls) or values.default.of_class(cls)

    def of_name(self, name: object) -> AppType | None:
        return super().of_name(name) or values.default.of_name(name)


_OUTPUTS = _Outputs()
for _each in _TYPES:
    _OUTPUTS.register(_each, f"agents.{_each.__name__}")


def dump_result(result: object) -> bytes:
    """Write what a tool gave; of a type nobody registered, the text the model is told."""
    try:
        return document.encode({"value": _OUTPUTS.encode(result)})
    except HitlError:
        log.warning("a tool gave a `%s`, which is not registered: its text is kept", _name(result))
        return document.encode({"value": str(result)})


def load_result(data: bytes | None) -> object:
    """Read what `dump_result` wrote; what a person recorded by hand is text."""
    if data is None:
        return None
    try:
        given = document.parse(data)
    except HitlError:
        return data.decode("utf-8", "replace")
    if isinstance(given, dict) and given.keys() == {"value"}:
        return _OUTPUTS.decode(given["value"])
    return data.decode("utf-8", "replace")


def tagged(final: object) -> JSONValue:
    """Give a run's final output as tagged JSON; of an unregistered type, its fields or its text."""
    try:
        return _OUTPUTS.encode(final)
    except HitlError:
        pass  # its fields, or its text
    if isinstance(final, BaseModel):
        return final.model_dump(mode="json")
    try:
        fields: JSONValue = TypeAdapter(type(final)).dump_python(final, mode="json")
        document.encode(fields)
    except Exception:  # noqa: BLE001 - pydantic, or a class of the app, raises anything
        return str(final)
    return fields


def final_output(value: JSONValue, kind: object) -> object:
    """Read a final output as the agent's output type, where it still fits.

    Args:
        value: what `tagged` gave.
        kind: the output type; None or str for text.
    """
    found = _OUTPUTS.decode(value)
    if kind is None or kind is str or not isinstance(kind, type) or isinstance(found, kind):
        return found
    try:
        return TypeAdapter(kind).validate_python(found)
    except (ValidationError, TypeError):
        return found


def _name(value: object) -> str:
    return type(value).__name__
