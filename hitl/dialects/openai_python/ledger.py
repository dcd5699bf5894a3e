"""How far each call has come: the SDK's `tool_invocations`, kept where it cannot be computed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hitl.dialect import is_texts, json_type
from hitl.dialects.openai_python.fingerprint import CALLS, OUTPUT_OF, Identity, identity
from hitl.document import escape
from hitl.errors import InvalidDocument
from hitl.model import CallState, Ledger, positions
from hitl.model.inside import mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.document import JSONObject, JSONValue
    from hitl.model import Agent, Item, RunState

_KEYS = {"type", "approval_scope", "fingerprint", "executed", "completed"}
_DIGESTS = ("type", "approval_scope", "fingerprint")
_DONE = CallState(executed=True, completed=True)


class Calls:
    """The calls and outputs of a log, noted in log order."""

    def __init__(self) -> None:
        """Know of no call yet."""
        self._calls: dict[str, list[Item]] = {}
        self._outputs: set[tuple[str, str]] = set()

    @property
    def ids(self) -> frozenset[str]:
        """The ids of the calls noted."""
        return frozenset(self._calls)

    def note(self, item: Item) -> None:
        """Take an entry into account."""
        raw = item.raw
        if not isinstance(raw, dict) or item.call_id is None:
            return
        kind = str(raw.get("type"))
        if kind in OUTPUT_OF:
            self._outputs.add((OUTPUT_OF[kind], item.call_id))
        elif kind in CALLS:
            self._calls.setdefault(item.call_id, []).append(item)

    def leave_out(self, agents: Sequence[Agent], inside: frozenset[bytes]) -> None:
        """Forget the requests of runs inside, which the run around them repeats.

        Args:
            agents: the table of the run that was noted.
            inside: the marks of those requests; see `asked_inside`.
        """
        if inside:
            self._calls = {
                call_id: left
                for call_id, items in self._calls.items()
                if (left := [each for each in items if not _is_of(each, agents, inside)])
            }

    def identity(self, call_id: str) -> Identity | None:
        """Give what the ledger should say of a call: by the item that says most of it."""
        items = self._calls.get(call_id)
        # Of those that say as much the first counts, and of requests the last.
        return None if items is None else identity(max(_ranked(items), key=_says))

    def done(self) -> dict[str, Identity]:
        """Give the calls that have an output, in log order."""
        found = {call_id: self.identity(call_id) for call_id in self._calls}
        return {
            call_id: each
            for call_id, each in found.items()
            if each is not None and (each.kind, call_id) in self._outputs
        }


def _ranked(items: list[Item]) -> list[Item]:
    requests = [item for item in items if item.kind == "approval"]
    return requests[-1:] or items


def _is_of(item: Item, agents: Sequence[Agent], inside: frozenset[bytes]) -> bool:
    return item.kind == "approval" and mark(agents, item) in inside


def _says(item: Item) -> int:
    """Rank what can be known of a call: a bare output of a response names no tool."""
    return {"approval": 2, "output": 0, "input": 0}.get(item.kind, 1)


def read(given: JSONObject, calls: Calls) -> tuple[Ledger, JSONObject, JSONObject]:
    """Read the SDK's ledger.

    Returns:
        The ledger, the entries whose digests cannot be computed, and the entries that are not in
        the SDK's form.
    """
    done = calls.done()
    open_: dict[str, CallState] = {}
    signed: JSONObject = {}
    odd: JSONObject = {}
    for call_id, entry in given.items():
        if not _usual(call_id, entry):
            odd[call_id] = entry
            continue
        state = CallState(executed=entry["executed"], completed=entry["completed"])
        if call_id not in done or state != _DONE:
            open_[call_id] = state
        known = done.get(call_id) or calls.identity(call_id)
        if known is None or _entry(known, state) != entry:
            signed[call_id] = {key: entry[key] for key in _DIGESTS}
    unlisted = tuple(call_id for call_id in done if call_id not in given)
    return Ledger(open=open_, unlisted=unlisted), signed, odd


def write(ledger: Ledger, calls: Calls, signed: JSONObject) -> JSONObject:
    """Write the SDK's ledger: the done calls in log order, then the open ones."""
    states = {call_id: _DONE for call_id in calls.done() if call_id not in ledger.unlisted}
    states |= ledger.open
    written: JSONObject = {}
    for call_id, state in states.items():
        own: Any = signed.get(call_id)
        known = calls.identity(call_id)
        if own is not None:
            flags = {"executed": state.executed, "completed": state.completed}
            written[call_id] = {**own, **flags}
        elif known is not None:
            written[call_id] = _entry(known, state)
    return written


def digests(extras: JSONObject, path: str) -> JSONObject:
    """Give the digests that cannot be computed, from the SDK's own extras at `path`.

    Raises:
        InvalidDocument: they are not in the form that `read` gives.
    """
    found = extras.get("signed", {})
    path = f"{path}/signed"
    if not isinstance(found, dict):
        raise InvalidDocument(f"expected object, got {json_type(found)}", path=path)
    for call_id, own in found.items():
        if not isinstance(own, dict) or set(own) != {*_DIGESTS} or not is_texts(own.values()):
            message = "expected the digests of a call, found something else"
            raise InvalidDocument(message, path=f"{path}/{escape(call_id)}")
    return found


def forged(state: RunState) -> tuple[str, ...]:
    """Give the ids of waiting calls that are not what the SDK's ledger says they are.

    Raises:
        InvalidDocument: what was kept of the ledger is not in its form.
    """
    signed: JSONObject = {}
    for dialect, extras in state.extras.items():
        signed |= digests(extras, f"/extras/{escape(dialect)}")
    if not signed or state.step is None:
        return ()
    waiting = [state.log.item(position) for position in positions(state.step.interruptions or ())]
    return tuple(item.call_id for item in waiting if item.call_id in signed)


def _entry(known: Identity, state: CallState) -> JSONObject:
    return {
        "type": known.kind,
        "approval_scope": known.scope,
        "fingerprint": known.fingerprint,
        "executed": state.executed,
        "completed": state.completed,
    }


def _usual(call_id: str, entry: JSONValue) -> bool:
    if not isinstance(entry, dict) or set(entry) != _KEYS:
        return False
    flags = type(entry["executed"]) is bool and type(entry["completed"]) is bool
    return flags and is_texts((call_id, *(entry[key] for key in _DIGESTS)))
