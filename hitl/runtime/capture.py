"""The SDK's objects → run state, with values as they are live."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import evolve
from pydantic import BaseModel

from hitl import document, transfer, values
from hitl.errors import CaptureError, HitlError, LimitExceeded, ValueRefused
from hitl.model import Context, Guardrail, ItemLog, Record, positions
from hitl.revision import Loss
from hitl.runtime import sdk, seen
from hitl.values.app import plan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.document import JSONObject, JSONValue
    from hitl.model import Agent, Item, Processed, RunState
    from hitl.runtime.sdk import AnyState

log = logging.getLogger("hitl")

Look: TypeAlias = Callable[["Agent", Any], "Agent"]

_CONTEXT = "the app context has a type that is not registered; pass context= to restore"
_TEXT = "a value has a type that is not registered; only its text is kept"
_PARTS = "a value has a type that is not registered; its fields are kept, its type is not"
_MOST_PIECES = 100  # inside one value
_NOTHING = "a value has a type that is not registered; nothing of it is kept"


def capture(result: object) -> RunState:
    """Take a run's state from a result or from the SDK's `RunState`; changes neither.

    Raises:
        CaptureError: not an object of the SDK, or the SDK cannot write it.
        ValueRefused: something the model or the SDK produced cannot be held by any document.
    """
    state = _captured(sdk.state_of(result), "", None)
    for loss in state.missing:
        log.warning("capture: %s: %s", loss.path, loss.reason)
    return state


def _captured(live: AnyState, path: str, outer: _Overlay | None) -> RunState:
    state = evolve(transfer.loads(written(live, path)), secrets={})
    return _Overlay(live, state, path, outer).apply()


def written(live: AnyState, path: str = "") -> JSONObject:
    """Let the SDK write a state; app contexts, which JSON need not hold, are left out.

    Raises:
        CaptureError: the SDK cannot.
    """
    try:
        document = sdk.write(live)
    except Exception as exc:
        raise CaptureError("the SDK could not write the state", path=path) from exc
    _set_aside_contexts(document)
    return document


def overlaid(live: AnyState, state: RunState, agents: Look = seen.agent) -> RunState:
    """Give `state`, read from what the SDK wrote of `live`, with values as they are live.

    Args:
        live: the SDK's state.
        state: its reading; the lists of both are equally long.
        agents: what gives the table entry of an agent.
    """
    return _Overlay(live, state, "", None, agents).apply()


def _set_aside_contexts(written: JSONObject) -> None:
    """Take the contexts out of what the SDK wrote: JSON need not hold them."""
    holder: Any = written.get("context")
    if isinstance(holder, dict) and "context" in holder:
        holder["context"] = None
    for run in _runs_inside(written):
        _set_aside_contexts(run)


def _runs_inside(written: JSONObject) -> Iterator[JSONObject]:
    response: Any = written.get("last_processed_response") or {}
    for entry in response.get("functions", ()):
        if "agent_run_state" in entry:
            yield entry["agent_run_state"]


class _Overlay:
    """Puts live values where the SDK wrote what JSON could say of them."""

    def __init__(
        self,
        live: AnyState,
        state: RunState,
        path: str,
        outer: _Overlay | None,
        look: Look = seen.agent,
    ) -> None:
        self.look = look
        self.live = live
        self.state = state
        self.path = path
        self.outer = outer
        self.missing: list[Loss] = []
        self.changed: dict[int, bytes] = {}

    def apply(self) -> RunState:
        self._items()
        self._guardrails()
        self.state = evolve(
            self.state,
            log=self._log(),
            context=self._context(),
            agents=self._agents(),
        )
        processed = self._inside()
        return evolve(self.state, processed=processed, missing=tuple(self.missing))

    def _log(self) -> ItemLog:
        log = self.state.log
        if not self.changed:
            return log
        chunks = list(log.chunks)
        for position, chunk in self.changed.items():
            chunks[position] = chunk
        return ItemLog(chunks, log.codec)

    def _items(self) -> None:
        lists = (
            (self.state.generated, sdk.merged(self.live)),
            (self.state.session, sdk.session(self.live)),
        )
        done: set[int] = set()
        for packed, live in lists:
            for position, item in zip(positions(packed or ()), live, strict=True):
                if position not in done:
                    done.add(position)
                    self._item(position, item)

    def _item(self, position: int, live: Any) -> None:  # noqa: ANN401 - any of the SDK's items
        if not hasattr(live, "output") and not getattr(live, "custom_data", None):
            return
        item = self.state.log.item(position)
        changed = item
        if item.has_output:
            changed = evolve(changed, output=self._output(position, item, live.output))
        if item.custom_data is not None:
            place = f"/items/{position}/custom_data"
            data = self._tagged(live.custom_data, place, item.custom_data)
            changed = evolve(changed, custom_data=data)
        if changed != item or not document.equal(changed.output, item.output):
            self.changed[position] = self.state.log.codec.encode(Record(item=changed.folded()))

    def _output(self, position: int, item: Item, live: object) -> JSONValue:
        raw = item.raw if isinstance(item.raw, dict) else {}
        return self._tagged(live, f"/items/{position}/output", raw.get("output"))

    def _guardrails(self) -> None:
        for stage, packed in self.state.guardrails.items():
            live = sdk.guardrail_results(self.live, stage)
            for position, result in zip(positions(packed), live, strict=True):
                record = self.state.log[position].guardrail
                if record is None or not isinstance(record.result, dict):
                    continue
                self._guardrail(position, record, result)

    def _guardrail(self, position: int, record: Guardrail, live: Any) -> None:  # noqa: ANN401
        written: Any = record.result
        place = f"/items/{position}/result"
        info = written["output"].get("outputInfo")
        live_info = self._tagged(live.output.output_info, f"{place}/output/outputInfo", info)
        changed = {**written, "output": {**written["output"], "outputInfo": live_info}}
        if "agentOutput" in written:
            old = written["agentOutput"]
            changed["agentOutput"] = self._tagged(live.agent_output, f"{place}/agentOutput", old)
        if not document.equal(changed, written):
            record = evolve(record, result=changed)
            self.changed[position] = self.state.log.codec.encode(Record(guardrail=record))

    def _tagged(self, live: object, path: str, text: JSONValue) -> Any:  # noqa: ANN401
        """Tag a live value; what is not registered gives its fields, or the text there is."""
        try:
            return values.encode(live, path)
        except HitlError:
            pass  # tried again below, piece by piece
        pieces = _Pieces(path)
        try:
            tagged = values.encode(live, path, on_refused=pieces.put)
            document.encode(tagged)  # pieces inside pieces can be too deep
        except HitlError:
            self._lose("info", path, _TEXT)
            return text
        for place, reason in pieces.lost:
            self._lose("info", place, reason)
        return tagged

    def _context(self) -> Context | None:
        context = self.state.context
        if context is None:
            return None
        live = sdk.context_of(self.live)
        if self.outer is not None and live is sdk.context_of(self.outer.live):
            # One object, one context: the run inside shares it.
            shared = self.outer.state.context or context
            return evolve(shared, tool_input=context.tool_input)
        try:
            # A copy: the live context goes on changing, the state does not.
            data = copy.deepcopy(values.encode(live, "/context"))
            meta = context.meta or {}
            if meta.get("requires_deserializer"):
                meta = {**meta, "serialized_via": "hitl"}
            return evolve(context, data=data, meta=meta or None)
        except HitlError as exc:
            self._lose("warn", exc.path or "/context", _CONTEXT)
            meta = {**(context.meta or {}), "omitted": True, "serialized_via": "omitted"}
            return evolve(context, data=None, meta=meta)

    def _agents(self) -> Any:  # noqa: ANN401
        root = sdk.root_of(self.live)
        known = {} if root is None else sdk.identities(root)
        return tuple(
            self.look(entry, live) if (live := known.get(entry.identity or entry.name)) else entry
            for entry in self.state.agents
        )

    def _inside(self) -> Processed | None:
        live = dict(sdk.inside(self.live))
        processed = self.state.processed
        if processed is None or not live:
            return processed
        calls = []
        for index, call in enumerate(processed.calls):
            call_id = self.state.log.item(call.item).call_id
            if call.run is not None and call_id in live:
                path = f"{self.path}/processed/calls/{index}/run"
                run = _captured(live[call_id], path, self)
                self.missing += run.missing
                call = evolve(call, run=evolve(run, missing=()))  # noqa: PLW2901
            calls.append(call)
        return evolve(processed, calls=tuple(calls))

    def _lose(self, severity: Any, path: str, reason: str) -> None:  # noqa: ANN401
        self.missing.append(Loss(path=self.path + path, severity=severity, reason=reason))


class _Pieces:
    """What stands in for values inside a value that nobody registered.

    Attributes:
        lost: the places, each with what was lost there.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.lost: list[tuple[str, str]] = []
        self._around: list[object] = []

    def put(self, path: str, value: object) -> JSONValue:
        """Give the fields of a value, null where it has none, and note the place.

        Raises:
            ValueRefused: nothing can be said of the whole value.
            LimitExceeded: it is a web of objects.
        """
        within_itself = any(value is each for each in self._around)
        fields = None if within_itself else _fields(value)
        if fields is None and path == self.path:
            raise ValueRefused(f"expected fields, found `{type(value).__name__}`", path=path)
        if len(self.lost) == _MOST_PIECES:
            raise LimitExceeded(f"expected at most {_MOST_PIECES} such values, found more")
        self.lost.append((path, _NOTHING if fields is None else _PARTS))
        self._around.append(value)
        written = values.encode(fields, path, on_refused=self.put)
        self._around.pop()
        return written


def _fields(value: object) -> object:
    """Give the fields, entries or plain value of something nobody registered; None without any."""
    try:
        match value:
            case BaseModel() | Mapping():
                return dict(value)
            case list() | tuple():
                return list(value)
            case _:
                unstructure, _ = plan(type(value))
                return unstructure(value)
    except Exception:  # noqa: BLE001 - code of the app, which may raise anything
        return None
