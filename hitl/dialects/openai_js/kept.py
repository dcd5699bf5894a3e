"""What a document says beyond the run state: kept as the difference to what would be written.

Each part of the difference holds the value that was expected and the one that stood there. When a
document is written, a part counts only where the expected value still stands: what was decided or
changed since is never overwritten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hitl import document
from hitl.dialects.openai_js import shape
from hitl.document import escape
from hitl.errors import HitlError, InvalidDocument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.document import JSONObject, JSONValue

_PART = {"at", "was", "now"}


def difference(expected: JSONValue, given: JSONValue, path: str = "") -> Iterator[JSONObject]:
    """Give the parts in which `given` is not what was expected.

    `was` and `now` are lists of one value, or empty where the key is missing.
    """
    if isinstance(expected, dict) and isinstance(given, dict):
        for key in {**expected, **given}:
            at = f"{path}/{escape(key)}"
            if key in expected and key in given:
                yield from difference(expected[key], given[key], at)
            else:
                was = [expected[key]] if key in expected else []
                yield {"at": at, "was": was, "now": [given[key]] if key in given else []}
    elif isinstance(expected, list) and isinstance(given, list) and len(expected) == len(given):
        for index, (one, other) in enumerate(zip(expected, given, strict=True)):
            yield from difference(one, other, f"{path}/{index}")
    elif not document.equal(expected, given) and not shape.same_run(expected, given):
        yield {"at": path, "was": [expected], "now": [given]}


def put_back(written: JSONObject, found: JSONValue, path: str) -> None:
    """Put what was kept back into `written`, in place.

    Raises:
        InvalidDocument: what was kept is not in its form; it stands at `path`.
    """
    for part in parts(found, path):
        _put(written, part)


def parts(found: JSONValue, path: str) -> Iterator[dict[str, Any]]:
    """Give the parts of a difference that was kept; see `difference`.

    Raises:
        InvalidDocument: what was kept is not in its form; it stands at `path`.
    """
    if not isinstance(found, list):
        raise InvalidDocument("expected array", path=path)
    for index, part in enumerate(found):
        match part:
            case {"at": str(), "was": list(), "now": list()} if len(part) == len(_PART):
                yield part
            case _:
                raise InvalidDocument("expected a kept difference", path=f"{path}/{index}")


def _put(written: JSONObject, part: Any) -> None:  # noqa: ANN401 - JSON
    holder_at, _, key = part["at"].rpartition("/")
    key = key.replace("~1", "/").replace("~0", "~")
    try:
        holder: Any = document.resolve(written, holder_at)
    except HitlError:
        return
    if isinstance(holder, list) and key.isdecimal() and int(key) < len(holder):
        place: Any = int(key)
        was = [holder[place]]
    elif isinstance(holder, dict):
        place, was = key, [holder[key]] if key in holder else []
    else:
        return
    if not document.equal(was, part["was"]):
        return
    if part["now"]:
        holder[place] = part["now"][0]
    elif isinstance(holder, dict):
        holder.pop(place, None)


def reveal(given: JSONObject, secrets: JSONObject) -> None:
    """Put secrets back, where the objects they stood in are still there."""
    for pointer, secret in secrets.items():
        holder, _, key = pointer.rpartition("/")
        try:
            target = document.resolve(given, holder)
        except HitlError:
            continue
        if isinstance(target, dict):
            target[key] = secret


def unshared(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Give a copy in which nothing stands in two places."""
    if isinstance(value, dict):
        return {key: unshared(each) for key, each in value.items()}
    return [unshared(each) for each in value] if isinstance(value, list) else value
