"""A state of this SDK on its way to another: what its document says beyond the run state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hitl import values
from hitl.dialect import json_type
from hitl.dialects.openai_python import approvals, wire
from hitl.dialects.openai_python.nest import every
from hitl.document import escape
from hitl.errors import InvalidDocument
from hitl.revision import Loss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.model import RunState

_UNKNOWN = "the other SDK has no place for this"
_SCOPE = "a decision for good says that it covers something else than its tool"
_RESUME = "resume it once in the SDK that wrote it, up to the next pause"
_ODD = "a record of what was called is not in the SDK's form; the other SDK does not get it"
_SIGNED = "a record of what was called cannot be computed anew; the other SDK does not get it"
_OWN = {
    "generated_prompt_cache_key": "the key of the prompt cache is not carried; requests cost more",
    "generated_session_item_indexes": "which items of the session are which is worked out anew",
    "nested_history_owned_session_item_refs": "which items a handoff folded is not carried",
    "no_active_agent_run": "whether an agent was running is said anew",
}


def losses(state: RunState, dialect: str) -> Iterator[Loss]:
    """Give what a state of `dialect`, and the runs inside it, would leave behind."""
    for path, run in every(state):
        yield from _left(run, dialect, path)
        for index, grant in enumerate(run.grants):
            if grant.sticky is not None and grant.scope not in {None, *approvals.scopes(grant)}:
                at = f"{path}/grants/{index}/scope"
                yield Loss(path=at, severity="error", reason=_SCOPE, hint=_RESUME)


def _left(run: RunState, dialect: str, path: str) -> Iterator[Loss]:
    for key, value in _kept(run, dialect, "document", path).items():
        if value is None or value == wire.DEFAULTS.get(key, ...):
            continue
        severity = "info" if key in _OWN else "warn"
        reason = _OWN.get(key, _UNKNOWN)
        yield Loss(path=f"{path}/{escape(key)}", severity=severity, reason=reason)  # type: ignore[arg-type]
    for key, value in _kept(run, dialect, "context", path).items():
        if value is not None:
            at = f"{path}/context/{escape(key)}"
            yield Loss(path=at, severity="warn", reason=_UNKNOWN)
    for name, reason in (("odd_invocations", _ODD), ("signed", _SIGNED)):
        for call_id in _kept(run, dialect, name, path):
            at = f"{path}/context/tool_invocations/{escape(call_id)}"
            yield Loss(path=at, severity="info", reason=reason)


def _kept(run: RunState, dialect: str, name: str, path: str) -> dict[str, Any]:
    """Give what was kept of a part of the document.

    Raises:
        InvalidDocument: it is not in its form.
    """
    found = values.decode(run.extras.get(dialect, {}).get(name, {}))
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        at = f"{path}/extras/{escape(dialect)}/{name}"
        raise InvalidDocument(f"expected object, got {json_type(found)}", path=at)
    return found
