"""Tagged values as the SDK itself would write them: what JSON cannot say becomes text.

The SDK turns such values into strings when it writes a state (`run_state.py`, 0.24.0); a state that
goes back to it can hold no more. Every value that changes is reported.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hitl import values
from hitl.document import escape
from hitl.errors import InvalidDocument

if TYPE_CHECKING:
    from collections.abc import Callable

    from hitl.document import JSONObject, JSONValue

_SAID_BY_PYTHON = {"float", "text"}


def plain(value: JSONValue, path: str, report: Callable[[str], None]) -> JSONValue:
    """Give a tagged value as the SDK's JSON has it; `report` gets the path of each change."""
    if isinstance(value, list):
        return [plain(each, f"{path}/{index}", report) for index, each in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if "$" not in value:
        return {key: plain(each, f"{path}/{escape(key)}", report) for key, each in value.items()}
    _check(value, path)
    kind = value["$"]
    if kind in _SAID_BY_PYTHON:
        return values.decode(value, path)  # type: ignore[return-value]
    if kind == "map" and all(isinstance(key, str) or _text(key) for key, _ in value["v"]):
        return {
            values.decode(key): plain(each, f"{path}/{index}", report)  # type: ignore[misc]
            for index, (key, each) in enumerate(value["v"])
        }
    report(path)
    return _changed(value, path)


def _check(tag: JSONObject, path: str) -> None:
    """Check that a tag has the form of its kind, before it is taken apart."""
    kind, content = tag["$"], tag.get("v")
    sound = isinstance(kind, str) and "v" in tag
    if kind in ("map", "tuple", "set", "frozenset"):  # not a set: it may be unhashable
        sound = isinstance(content, list)
    if kind == "map" and isinstance(content, list):
        sound = all(isinstance(each, list) and len(each) == 2 for each in content)  # noqa: PLR2004
    if not sound:
        raise InvalidDocument("expected a tag as hitl writes it, found another form", path=path)


def _text(key: JSONValue) -> bool:
    return isinstance(key, dict) and key.get("$") == "text"


def _changed(value: JSONObject, path: str) -> JSONValue:
    kind, content = value["$"], value["v"]
    if kind == "tuple":
        return [plain(each, path, _quiet) for each in content]
    if kind == "app":
        return plain(content, path, _quiet)
    if kind == "map" and all(_scalar(key) for key, _ in content):
        return {_key(key): plain(each, path, _quiet) for key, each in content}
    return _string(value, path)


def _scalar(key: JSONValue) -> bool:
    return key is None or isinstance(key, (str, int, float)) or _text(key)


def _key(key: JSONValue) -> str:
    if isinstance(key, str) or _text(key):
        return str(values.decode(key))
    return json.dumps(key)


def _string(value: JSONValue, path: str) -> str:
    try:
        return str(values.decode(value, path))
    except InvalidDocument:
        # A type of the app inside, unknown here: its parts still say more than nothing.
        return json.dumps(value)


def _quiet(path: str) -> None:
    """The change around this one was reported."""
