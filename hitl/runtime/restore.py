"""Run state → the SDK's objects, ready to run; refused by name before anything runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from agents import RunState as SdkState
from attrs import evolve

from hitl import transfer
from hitl.dialects.openai_python import DIALECT
from hitl.errors import ContextMismatch, HitlError, RestoreError, StepUnknown, UnsupportedVersion
from hitl.model import Step, count, positions
from hitl.runtime import sdk
from hitl.runtime.door import STORED
from hitl.runtime.fit import Fit
from hitl.runtime.open import ending
from hitl.runtime.rename import rename

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agents import Agent

    from hitl.document import JSONObject
    from hitl.model import Item, RunState, Spans
    from hitl.runtime.sdk import AnyState


async def restore(  # see hitl.runtime.restore for the arguments
    agent: Agent[Any],
    state: RunState,
    *,
    context: object = STORED,
    agents: Mapping[str, str] | None = None,
    tools: Mapping[str, str] | None = None,
    allow_changed: bool = False,
    assume: str | None = None,
) -> AnyState:
    """Give the SDK's `RunState`."""
    ready = prepared(state, agents or {}, tools or {}, assume)
    async for problem in Fit(allow_changed=allow_changed).problems(agent, ready):
        raise problem
    value = _context(ready) if context is STORED else context
    document = _document(ready)
    live = await _read(agent, document)
    _verify(ready, live, "")
    _overlay(ready, live, value)
    return live


async def problems(
    agent: Agent[Any],
    state: RunState,
    *,
    context: object = STORED,
    agents: Mapping[str, str] | None = None,
    tools: Mapping[str, str] | None = None,
    allow_changed: bool = False,
    assume: str | None = None,
) -> tuple[HitlError, ...]:
    """Give everything that `restore` would refuse, in its order."""
    ready = prepared(state, agents or {}, tools or {}, assume)
    try:
        found = [each async for each in Fit(allow_changed=allow_changed).problems(agent, ready)]
    except HitlError as exc:
        found = [exc]
    if context is STORED:
        try:
            _context(ready)
        except HitlError as exc:
            found.append(exc)
    return tuple(found)


def prepared(
    state: RunState, agents: Mapping[str, str], tools: Mapping[str, str], assume: str | None
) -> RunState:
    """Give the state under the names the app uses now, with the step the caller knows."""
    if assume is not None and assume != "run_again":
        raise StepUnknown('expected assume="run_again" or None, found something else')
    if assume is not None and ending(state) == "unknown":
        state = evolve(state, step=Step(kind="run_again"))
    return rename(state, agents, tools)


def _context(state: RunState) -> object:
    """Give the stored context.

    Raises:
        ContextMismatch: the writer left it out, or kept its fields and lost its type.
    """
    context = state.context
    if context is None:
        return None
    meta = context.meta or {}
    tagged = isinstance(context.data, dict) and context.data.get("$") == "app"
    hint = "pass context= to restore"
    if meta.get("omitted"):
        raise ContextMismatch("the app context was left out", path="/context", hint=hint)
    if meta.get("requires_deserializer") and not tagged:
        message = "the app context has lost its type"
        raise ContextMismatch(message, path="/context", hint=f"{hint}; its fields are stored")
    return context.value


def _document(state: RunState) -> JSONObject:
    """Write what the installed SDK reads; the context is handed over live."""
    newest = DIALECT.chain.newest
    if newest not in sdk.readable_versions():
        raise UnsupportedVersion("the installed SDK does not read the newest version hitl writes")
    if state.newer is not None:
        message = "the state is of a newer version than this hitl knows"
        raise RestoreError(message, hint="upgrade hitl")
    codec = transfer.codecs()["json"]
    document: JSONObject = json.loads(DIALECT.dump(state, newest, codec))
    _without_contexts(document)
    return document


def _without_contexts(document: Any) -> None:  # noqa: ANN401 - JSON just parsed here
    context = document.get("context") or {}
    if "context" in context:
        context["context"] = None
    context.pop("context_meta", None)
    for entry in (document.get("last_processed_response") or {}).get("functions", ()):
        if "agent_run_state" in entry:
            _without_contexts(entry["agent_run_state"])


async def _read(agent: Agent[Any], document: JSONObject) -> AnyState:
    try:
        return await SdkState.from_json(agent, document)
    except Exception as exc:
        raise RestoreError(f"the SDK refuses the state: {exc}") from exc


def _verify(state: RunState, live: AnyState, path: str) -> None:
    """Check that the SDK took all it was given: it drops what it cannot read without an error."""
    _same_length("generated", state.generated, sdk.generated(live), path)
    _same_length("session", state.session, sdk.session(live), path)
    waiting = state.step.interruptions if state.step else None
    _same_length("step/interruptions", waiting, live.get_interruptions(), path)
    read = dict(sdk.inside(live))
    for index, call in enumerate(state.processed.calls if state.processed else ()):
        if call.run is None:
            continue
        place = f"{path}/processed/calls/{index}/run"
        call_id = state.log.item(call.item).call_id or ""
        if call_id not in read:
            raise RestoreError("the SDK dropped the run inside a call", path=place)
        _verify(call.run, read[call_id], place)


def _same_length(name: str, packed: Spans | None, live: list[Any], path: str) -> None:
    if packed is not None and count(packed) != len(live):
        message = f"the SDK took {len(live)} of {count(packed)} entries"
        raise RestoreError(message, path=f"{path}/{name}")


def _overlay(state: RunState, live: AnyState, context: object) -> None:
    """Hand over what JSON cannot say: the context, and outputs as they were."""
    sdk.set_context(live, context)
    lists = ((state.generated, sdk.generated(live)), (state.session, sdk.session(live)))
    for packed, items in lists:
        for position, item in zip(positions(packed or ()), items, strict=packed is not None):
            _give(state.log.item(position), item)
    read = dict(sdk.inside(live))
    for call in state.processed.calls if state.processed else ():
        inner = read.get(state.log.item(call.item).call_id or "")
        if call.run is None or inner is None:
            continue
        shared = (call.run.context and call.run.context.data) == (
            state.context and state.context.data
        )
        _overlay(call.run, inner, context if shared else _context(call.run))


def _give(item: Item, live: Any) -> None:  # noqa: ANN401 - any of the SDK's items
    if item.has_output and hasattr(live, "output"):
        live.output = item.value
    if item.custom_data is not None and hasattr(live, "custom_data"):
        live.custom_data = item.data
