"""Usage: the SDK lists the details once per request; the model keeps their sum, as Python does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hitl.dialect import json_type
from hitl.dialects.openai_js import wire
from hitl.errors import InvalidDocument
from hitl.model import Usage

if TYPE_CHECKING:
    from collections.abc import Callable

    from hitl.document import JSONObject, JSONValue

_ENTRY = {mine: theirs for mine, theirs in wire.COUNTS.items() if mine != "requests"}


def read(given: JSONObject, tag: Callable[[Any], Any], path: str) -> Usage:  # noqa: ARG001
    """Read one usage object; what is not in the SDK's form is not read."""
    counts: dict[str, Any] = {
        theirs: given[mine] for mine, theirs in wire.COUNTS.items() if type(given.get(mine)) is int
    }
    details: dict[str, Any] = {
        theirs: tag([_sum(given[mine])])
        for mine, theirs in wire.DETAILS.items()
        if _is_objects(given.get(mine))
    }
    entries = given.get("requestUsageEntries")
    return Usage(
        **counts,
        **details,
        entries=tag([_entry(each) for each in entries])  # type: ignore[union-attr]
        if _is_objects(entries)
        else None,
    )


def write(given: Usage, unfolded: list[JSONValue] | None) -> JSONObject:
    """Write one usage object; `unfolded` are its entries, in full."""
    written: JSONObject = {}
    for mine, theirs in wire.COUNTS.items():
        written[mine] = getattr(given, theirs) or 0
    for mine, theirs in wire.DETAILS.items():
        details = getattr(given, theirs)
        listed = details if isinstance(details, list) else [] if details is None else [details]
        numbers = [_numbers(each) for each in listed]
        if details is not None:
            written[mine] = [each for each in numbers if each] if any(numbers) else []
    if unfolded is not None:
        written["requestUsageEntries"] = [_entry_back(each) for each in unfolded]
    return written


def _is_objects(given: JSONValue) -> bool:
    return isinstance(given, list) and all(isinstance(each, dict) for each in given)


def _sum(given: Any) -> JSONObject:  # noqa: ANN401 - JSON
    total: dict[str, Any] = {}
    for each in given:
        for key, value in each.items():
            known = total.get(key, 0)
            both = isinstance(value, (int, float)) and isinstance(known, (int, float))
            total[key] = known + value if both else value
    return total


def _entry(given: Any) -> JSONObject:  # noqa: ANN401 - JSON
    names = _ENTRY | wire.DETAILS
    return {names[key]: value for key, value in given.items() if key in names}


def _entry_back(given: JSONValue) -> JSONValue:
    if not isinstance(given, dict):
        return given
    written: JSONObject = {mine: given.get(theirs) or 0 for mine, theirs in _ENTRY.items()}
    for mine, theirs in wire.DETAILS.items():
        if isinstance(given.get(theirs), dict):
            written[mine] = _numbers(given[theirs])
    return written


def _numbers(given: JSONValue) -> JSONObject:
    """Give the details that are numbers: the SDK refuses others."""
    if not isinstance(given, dict):
        return {}
    return {k: v for k, v in given.items() if type(v) in (int, float)}


def unfold(entries: Any, usages: Any) -> list[JSONValue]:  # noqa: ANN401 - of the model
    """Give the entries in full: one that repeats a response names it."""
    full: list[JSONValue] = []
    for index, entry in enumerate(entries):
        match entry:
            case [int(first), int(end)] if (
                0 <= first < end <= len(usages) and None not in usages[first:end]
            ):
                full += [_of_response(each) for each in usages[first:end]]
            case dict():
                full.append(entry)
            case _:
                message = f"expected an entry of usage, found {json_type(entry)}"
                raise InvalidDocument(message, path=f"/usage/entries/{index}")
    return full


def _of_response(given: Any) -> JSONObject:  # noqa: ANN401 - of the model
    counts = {theirs: getattr(given, theirs) for theirs in wire.COUNTS.values()}
    details = {name: getattr(given, name) for name in wire.DETAILS.values()}
    firsts = {k: v[0] for k, v in details.items() if isinstance(v, list) and v}
    return {**{k: v for k, v in counts.items() if k != "requests"}, **firsts}
