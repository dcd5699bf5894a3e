"""Approval records on the way to versions that have fewer places for them: joined by tool name."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from hitl.document import escape
from hitl.revision import Loss
from hitl.shape import follow

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hitl.document import JSONObject, JSONValue

APPROVALS = "approvals"
_MIXED = "decisions on several tools of one name cannot be told apart by name"
_ODD = "a decision that is not in the SDK's form cannot be recorded by tool name"


def entries(context: JSONObject, key: str, path: str = "") -> Iterator[tuple[str, JSONObject]]:
    """Give the records under `key` that are in the SDK's form, each with its JSON Pointer."""
    return ((at, each) for at, each in follow(context, (key, "*"), path) if _usual(each))


def odd(context: JSONObject, key: str, path: str) -> Iterator[Loss]:
    """Name the records under `key` that are in another form: nobody knows whom they let do what."""
    usual = {at for at, _ in entries(context, key, path)}
    given = context.get(key)
    for index in range(len(given)) if isinstance(given, list) else ():
        at = f"{path}/{escape(key)}/{index}"
        if at not in usual:
            yield Loss(path=at, severity="error", reason=_ODD)
    if given is not None and not isinstance(given, list):
        yield Loss(path=f"{path}/{escape(key)}", severity="error", reason=_ODD)


def _usual(entry: JSONObject) -> bool:
    return is_record(entry.get("decision")) and (
        isinstance(entry.get("identity"), dict) or isinstance(entry.get("tool_key"), str)
    )


def is_record(record: JSONValue) -> bool:
    """Tell whether a record is in the SDK's form."""
    if not isinstance(record, dict):
        return False
    verdicts = (record.get("approved"), record.get("rejected"))
    messages = record.get("rejection_messages")
    return all(isinstance(each, bool | list) for each in verdicts) and (
        messages is None or isinstance(messages, dict)
    )


def by_tool(context: JSONValue) -> dict[str, JSONObject]:
    """Give the records by tool name that are in the SDK's form."""
    given = context.get(APPROVALS) if isinstance(context, dict) else None
    named = given.items() if isinstance(given, dict) else ()
    return {key: record for key, record in named if is_record(record)}


def with_records(
    context: JSONObject, records: Iterable[tuple[str, JSONObject]], *without: str
) -> JSONObject:
    """Give a context with more records by tool name, and without the place they come from."""
    more = list(records)
    kept = {key: value for key, value in context.items() if key not in without}
    given = context.get(APPROVALS)
    if not more or not isinstance(given, dict | None):
        return kept
    return {**kept, APPROVALS: {**(given or {}), **_added(by_tool(context), more)}}


def mixed(
    context: JSONObject, records: Iterable[tuple[str, JSONObject]], path: str, *, beside: bool
) -> Iterator[Loss]:
    """Give the names under which a decision would meet its opposite.

    Args:
        context: what the records will stand in.
        records: what is added to those by tool name.
        path: JSON Pointer to the context.
        beside: whether the target takes a decision on one call beside one for good.
    """
    named = by_tool(context)
    given = context.get(APPROVALS)
    for key, record in records:
        at = f"{path}/{APPROVALS}/{escape(key)}"
        if not isinstance(given, dict | None) or (key not in named and key in (given or {})):
            yield Loss(path=at, severity="error", reason=_ODD)
        elif key in named and _opposed(named[key], record, beside=beside):
            yield Loss(path=at, severity="error", reason=_MIXED)
        named = _added(named, [(key, record)])


def _added(
    named: dict[str, JSONObject], records: Iterable[tuple[str, JSONObject]]
) -> dict[str, JSONObject]:
    result = dict(named)
    for key, record in records:
        result[key] = _joined(result[key], record) if key in result else record
    return result


def sticky(record: JSONObject) -> bool:
    """Tell whether a record decides later calls too."""
    return record.get("approved") is True or record.get("rejected") is True


def both(record: JSONObject) -> bool:
    """Tell whether a record for good stands beside opposite decisions on single calls."""
    approved, rejected = record.get("approved"), record.get("rejected")
    return (approved is True and bool(rejected)) or (rejected is True and bool(approved))


def _opposed(one: JSONObject, other: JSONObject, *, beside: bool) -> bool:
    record = _joined(one, other)
    approved, rejected = record["approved"], record["rejected"]
    if approved is True and rejected is True:
        return True
    if isinstance(approved, list) and isinstance(rejected, list):
        return any(call_id in rejected for call_id in approved)
    return not beside and both(record) and not (both(one) or both(other))


def _joined(one: JSONObject, other: JSONObject) -> JSONObject:
    record: JSONObject = {**one, **other}
    for key in ("approved", "rejected"):
        record[key] = _verdict(one.get(key), other.get(key))
    messages = {**(one.get("rejection_messages") or {}), **(other.get("rejection_messages") or {})}
    return {**record, "rejection_messages": messages} if messages else record


def _verdict(one: JSONValue, other: JSONValue) -> JSONValue:
    if one is True or other is True:
        return True
    if not (one or other):
        return other
    calls = cast("list[str]", one or []) + cast("list[str]", other or [])
    return list(dict.fromkeys(calls))
