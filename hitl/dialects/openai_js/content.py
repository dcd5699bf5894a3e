"""Parts of messages and of tool outputs: texts, images, files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hitl.document import JSONObject, JSONValue

_FILE = {"id": "file_id", "url": "file_url", "filename": "filename"}
_DATA = re.compile("data:[^;,]+;base64,.*", re.DOTALL)


def caller(given: JSONValue, names: dict[str, str]) -> JSONValue:
    """Give who made a call, with the keys of the other form."""
    if not isinstance(given, dict):
        return given
    return {names.get(key, key): value for key, value in given.items()}


def read(given: JSONValue, *, assistant: bool) -> JSONValue:
    """Give the content of a message in the form of the Responses API."""
    if not isinstance(given, list):
        return given
    return [_read_part(each, assistant=assistant) for each in given]


def write(given: JSONValue) -> JSONValue:
    """Give the content of a message in the form of the protocol."""
    return [_write_part(each) for each in given] if isinstance(given, list) else given


def read_output(given: JSONValue) -> JSONValue:
    """Give a function's output as the model was given it: text, or parts."""
    if (
        isinstance(given, dict)
        and given.get("type") == "text"
        and isinstance(given.get("text"), str)
    ):
        return given["text"]
    return read(given, assistant=False)


def write_output(given: JSONValue) -> JSONValue:
    """Give a function's output as a tool of the SDK writes it."""
    return {"type": "text", "text": given} if isinstance(given, str) else write(given)


def read_value(given: JSONValue) -> JSONValue:
    """Give what a tool returned, images and files as the Python SDK's tools return them."""
    if isinstance(given, list):
        return [read_value(each) for each in given]
    if not isinstance(given, dict):
        return given
    match given:
        case {"type": "image", "image": {"data": str(data), "mediaType": str(kind)}}:
            found = {**given, "image_url": f"data:{kind};base64,{data}"}
            del found["image"]
            return found
        case {"type": "image", "image": _}:
            return _opened(given, "image", "image_url", {"id": "file_id", "url": "image_url"})
        case {"type": "file", "file": dict()}:
            return _opened(given, "file", "file_data", _FILE)
        case _:
            return given


def write_value(given: JSONValue) -> JSONValue:
    """Give what a tool returned, images and files as the SDK's own tools return them."""
    if isinstance(given, list):
        return [write_value(each) for each in given]
    if not isinstance(given, dict):
        return given
    said: JSONObject = {k: v for k, v in given.items() if v is not None}
    found = given
    match said:
        case {"type": "image", "image_url": str(url)} if _DATA.fullmatch(url):
            kind, _, data = url.removeprefix("data:").partition(";base64,")
            found = {**said, "image": {"data": data, "mediaType": kind}}
        case {"type": "image", "image_url": str(url)}:
            found = {**said, "image": url}
        case {"type": "image", "file_id": str(name)}:
            found = {**said, "image": {"id": name}}
        case {"type": "file", "file_id": str()} | {"type": "file", "file_url": str()}:
            held = {mine: said[theirs] for mine, theirs in _FILE.items() if theirs in said}
            found = {**said, "file": held}
        case _:
            return given
    return {k: v for k, v in found.items() if k not in {"image_url", *_FILE.values()}}


def _read_part(part: JSONValue, *, assistant: bool) -> JSONValue:
    if not isinstance(part, dict):
        return part
    data = part.get("providerData")
    found: JSONObject = {k: v for k, v in part.items() if k != "providerData"}
    match part.get("type"):
        case "input_image":
            found = _opened(found, "image", "image_url", {"id": "file_id"})
        case "input_file":
            key = "file_data" if str(part.get("file")).startswith("data:") else "file_url"
            found = _opened(found, "file", key, {"id": "file_id", "url": "file_url"})
        case _:
            pass
    if isinstance(data, dict):
        found = {**data, **found}
    if assistant and part.get("type") == "output_text":
        found.setdefault("annotations", [])
    return found


def _opened(part: JSONObject, key: str, text: str, names: dict[str, str]) -> JSONObject:
    """Give a part with the value under `key` put where the Responses API has it."""
    value = part.get(key)
    rest = {k: v for k, v in part.items() if k != key}
    if isinstance(value, str):
        return {**rest, text: value}
    if isinstance(value, dict) and value.keys() and value.keys() <= names.keys():
        return {**rest, **{names[k]: v for k, v in value.items()}}
    return part


def _write_part(part: JSONValue) -> JSONValue:
    if not isinstance(part, dict):
        return part
    given: JSONObject = {k: v for k, v in part.items() if v is not None}
    match part.get("type"):
        case "output_text":
            rest = {k: v for k, v in part.items() if k not in {"type", "text"}}
            text: JSONObject = {"type": "output_text", "text": part.get("text")}
            return {"providerData": rest, **text} if rest else text
        case "input_image":
            return _closed(given, "image", {"image_url": None, "file_id": "id"})
        case "input_file":
            return _closed(given, "file", {"file_data": None, "file_url": "url", "file_id": "id"})
        case _:
            pass
    return part


def _closed(part: JSONObject, key: str, names: dict[str, str | None]) -> JSONObject:
    """Give a part with its value under `key`: a text, or an object that says what it is."""
    rest = {k: v for k, v in part.items() if k not in names}
    for theirs, mine in names.items():
        if theirs in part:
            value = part[theirs]
            return {**rest, key: value if mine is None else {mine: value}}
    return part
