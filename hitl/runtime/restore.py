"""Run state → the SDK's objects, ready to run; refused by name before anything runs."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from agents import RunState as SdkState
from attrs import evolve

from hitl import values
from hitl.errors import ContextMismatch, HitlError, RestoreError, StepUnknown
from hitl.model import Step, positions
from hitl.runtime import release, sdk
from hitl.runtime.door import STORED
from hitl.runtime.fit import Fit
from hitl.runtime.open import ending
from hitl.runtime.rename import rename
from hitl.runtime.repair import repaired
from hitl.runtime.taken import dropped

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterator, Mapping

    from agents import Agent

    from hitl.document import JSONObject
    from hitl.model import Guardrail, Item, RunState
    from hitl.runtime.sdk import AnyState


async def restore(  # see hitl.runtime.restore for the arguments
    agent: Agent[Any],
    state: RunState,
    *,
    context: object = STORED,
    agents: Mapping[str, str] | None = None,
    tools: Mapping[str, str] | None = None,
    allow_changed: bool = False,
    allow_loss: bool = False,
    assume: str | None = None,
    repairs: Collection[str] = (),
) -> AnyState:
    """Give the SDK's `RunState`."""
    ready = prepared(state, agents or {}, tools or {}, assume)
    known = (agents or {}).values()
    async for problem in _problems(agent, ready, context, allow_changed=allow_changed):
        raise problem
    ready = await repaired(agent, ready, repairs, _context(ready, context), known)
    live = await _read(agent, ready, context, allow_loss=allow_loss)
    for problem in dropped(ready, live):
        raise problem
    _overlay(ready, live, _context(ready, context), context)
    return live


async def problems(
    agent: Agent[Any],
    state: RunState,
    *,
    context: object = STORED,
    agents: Mapping[str, str] | None = None,
    tools: Mapping[str, str] | None = None,
    allow_changed: bool = False,
    allow_loss: bool = False,
    assume: str | None = None,
    repairs: Collection[str] = (),
) -> tuple[HitlError, ...]:
    """Give everything that `restore` would refuse, in its order."""
    try:
        ready = prepared(state, agents or {}, tools or {}, assume)
    except HitlError as exc:
        return (exc,)
    told = _problems(agent, ready, context, allow_changed=allow_changed)
    found = [problem async for problem in told]
    known = (agents or {}).values()
    try:
        if not found:
            ready = await repaired(agent, ready, repairs, _context(ready, context), known)
            live = await _read(agent, ready, context, allow_loss=allow_loss)
            found += dropped(ready, live)
        if not found:
            _overlay(ready, live, _context(ready, context), context)
    except HitlError as exc:
        found.append(exc)
    return tuple(found)


async def _problems(
    agent: Agent[Any], state: RunState, context: object, *, allow_changed: bool
) -> AsyncIterator[HitlError]:
    """Give what can be found without the SDK's reader."""
    lost: list[HitlError] = list(_lost_contexts(state, context, ""))
    value = None
    try:
        value = None if lost else _context(state, context)
    except HitlError as exc:
        lost.append(exc)
    fit = Fit(allow_changed=allow_changed, context=value)
    try:
        async for problem in fit.problems(agent, state):
            yield problem
    except HitlError as exc:
        yield exc
    for problem in lost:
        yield problem


def prepared(
    state: RunState, agents: Mapping[str, str], tools: Mapping[str, str], assume: str | None
) -> RunState:
    """Give the state under the names the app uses now, with the step the caller knows."""
    if assume is not None and assume != "run_again":
        raise StepUnknown('expected assume="run_again" or None, found something else')
    if assume is not None and ending(state) == "unknown":
        state = evolve(state, step=Step(kind="run_again"))
    return rename(state, agents, tools)


def _lost_contexts(state: RunState, given: object, path: str) -> Iterator[ContextMismatch]:
    """Give the contexts, those of runs inside too, that the document does not hold."""
    if given is not STORED:
        return
    meta = state.context.meta or {} if state.context else {}
    data = state.context.data if state.context else None
    place, hint = f"{path}/context", "pass context= to restore"
    if meta.get("omitted"):
        yield ContextMismatch("the app context was left out", path=place, hint=hint)
    # The SDK writes the fields of such a context as a mapping; hitl tags its type.
    elif meta.get("requires_deserializer") and isinstance(data, dict) and "$" not in data:
        hint = f"{hint}; its fields are stored"
        yield ContextMismatch("the app context has lost its type", path=place, hint=hint)
    for index, call in enumerate(state.processed.calls if state.processed else ()):
        if call.run is not None and not _shares(call.run, state):
            yield from _lost_contexts(call.run, given, f"{path}/processed/calls/{index}/run")


def _shares(run: RunState, outer: RunState) -> bool:
    """Tell whether a run inside has the context of the run around it."""
    return (run.context and run.context.data) == (outer.context and outer.context.data)


def _context(state: RunState, given: object) -> object:
    """Give the app context: the stored one unless there is another."""
    if given is not STORED:
        return given
    # A copy: the run changes its context, the state stays as it is.
    data = copy.deepcopy(state.context.data) if state.context else None
    try:
        return values.decode(data, "/context/data")
    except HitlError as exc:
        hint = "pass context= to restore"
        raise ContextMismatch(exc.message, path=exc.path, hint=exc.hint or hint) from exc


def _document(state: RunState, *, allow_loss: bool) -> JSONObject:
    """Write what the installed SDK reads; the context is handed over live."""
    document = release.document(state, allow_loss=allow_loss)
    _without_contexts(document)
    return document


def _without_contexts(document: Any) -> None:  # noqa: ANN401 - JSON just parsed here
    context = document.get("context") or {}
    context["context"] = {}
    context.pop("context_meta", None)
    for entry in (document.get("last_processed_response") or {}).get("functions", ()):
        if "agent_run_state" in entry:
            _without_contexts(entry["agent_run_state"])


async def _read(
    agent: Agent[Any], state: RunState, context: object, *, allow_loss: bool
) -> AnyState:
    document = _document(state, allow_loss=allow_loss)
    value = _context(state, context)  # tools may ask it whether they are enabled
    try:
        return await SdkState.from_json(agent, document, context_deserializer=lambda _: value)
    except Exception as exc:
        raise RestoreError(f"the SDK refuses the state: {exc}") from exc


def _overlay(state: RunState, live: AnyState, value: object, given: object) -> None:
    """Hand over what JSON cannot say: the context, and outputs as they were."""
    sdk.set_context(live, value)
    lists = ((state.generated, sdk.generated(live)), (state.session, sdk.session(live)))
    for packed, items in lists:
        for position, item in zip(positions(packed or ()), items, strict=packed is not None):
            _give(state.log.item(position), item, f"/items/{position}")
    for stage, packed in state.guardrails.items():
        for position, result in zip(
            positions(packed), sdk.guardrail_results(live, stage), strict=True
        ):
            _inform(state.log[position].guardrail, result)
    read = dict(sdk.inside(live))
    for call in state.processed.calls if state.processed else ():
        inner = read.get(state.log.item(call.item).call_id or "")
        if call.run is not None and inner is not None:
            own = value if _shares(call.run, state) else _context(call.run, given)
            _overlay(call.run, inner, own, given)


def _give(item: Item, live: Any, path: str) -> None:  # noqa: ANN401 - any of the SDK's items
    if item.has_output and hasattr(live, "output"):
        live.output = values.decode(item.output, f"{path}/output")
    if item.custom_data is not None and hasattr(live, "custom_data"):
        live.custom_data = values.decode(item.custom_data, f"{path}/custom_data")


def _inform(record: Guardrail | None, live: Any) -> None:  # noqa: ANN401 - any guardrail result
    result = record.result if record else None
    if not isinstance(result, dict):
        return
    if isinstance(output := result.get("output"), dict):
        live.output.output_info = values.decode(output.get("outputInfo"))
    if "agentOutput" in result:
        live.agent_output = values.decode(result["agentOutput"])
