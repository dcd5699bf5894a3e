"""What a version brought without a key of its own: items of a kind, and what a known key may say.

An older release refuses such a state, or reads it otherwise than it was meant. Each function gives
the JSON Pointers, in one run, to what the versions before do not know.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hitl.dialects.openai_js.shape import SHAPE
from hitl.revision import Loss
from hitl.shape import Route, follow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hitl.document import JSONObject

_RAW: tuple[Route, ...] = (
    ("originalInput", "*"),
    ("pendingInput", "*"),
    ("modelResponses", "*", "output", "*"),
    ("generatedItems", "*", "rawItem"),
    ("lastProcessedResponse", "newItems", "*", "rawItem"),
)
_ENVELOPES: tuple[Route, ...] = (
    ("sandbox", "sessionState"),
    ("sandbox", "sessionsByAgent", "*", "sessionState"),
)


def tool_search(run: JSONObject, path: str) -> Iterator[Loss]:
    """Name what a tool search said: raw items, and the run items around them."""
    reason = "the release does not know tool search, and refuses the state"
    yield from _raw(run, path, reason, lambda raw: _type(raw).startswith("tool_search_"))


def programs(run: JSONObject, path: str) -> Iterator[Loss]:
    """Name programs that call tools, what they gave, and what they called."""
    reason = "the release does not know programs that call tools, and refuses the state"
    yield from _raw(run, path, reason, _of_program)


def compaction(run: JSONObject, path: str) -> Iterator[Loss]:
    """Name compacted items of the run; those of a model response are known to all versions."""
    for at, item in SHAPE.find(run, "Item", path):
        if item.get("type") == "compaction_item":
            reason = "the release does not know compacted items, and refuses the state"
            yield Loss(path=at, severity="error", reason=reason)


def both_verdicts(run: JSONObject, path: str) -> Iterator[Loss]:
    """Name decisions for good with another on single calls: the first wins in older releases."""
    for at, record in SHAPE.find(run, "Approval", path):
        yes, no = record.get("approved"), record.get("rejected")
        if (yes is True and no) or (no is True and yes):
            reason = "in the release a decision for good wins over another on a single call"
            hint = "decide each call alone, or resume it where version 1.19 or newer is read"
            yield Loss(path=at, severity="error", reason=reason, hint=hint)


def sandbox(newest: int) -> Callable[[JSONObject, str], Iterator[Loss]]:
    """Make the function that names sandbox sessions in a newer form than the `newest` known."""

    def lost(run: JSONObject, path: str) -> Iterator[Loss]:
        for route in _ENVELOPES:
            for at, envelope in follow(run, route, path):
                version = envelope.get("version")
                if type(version) is int and version > newest:
                    reason = "the release does not know this form of a sandbox session"
                    yield Loss(path=f"{at}/version", severity="error", reason=reason)

    return lost


def _raw(
    run: JSONObject, path: str, reason: str, says: Callable[[JSONObject], bool]
) -> Iterator[Loss]:
    for route in _RAW:
        for at, raw in follow(run, route, path):
            if says(raw):
                yield Loss(path=at, severity="error", reason=reason)


def _type(raw: JSONObject) -> str:
    return str(raw.get("type"))


def _of_program(raw: JSONObject) -> bool:
    caller: Any = raw.get("caller")
    called = isinstance(caller, dict) and caller.get("type") == "program"
    return called or _type(raw) in {"program", "program_output"}
