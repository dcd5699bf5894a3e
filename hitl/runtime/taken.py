"""What the SDK took of a state: it drops what it cannot read, mostly without an error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hitl.errors import HitlError, RestoreError, ToolMismatch
from hitl.model import count
from hitl.model.open import open_calls
from hitl.runtime import sdk
from hitl.runtime.open import tool_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.model import RunState, Spans
    from hitl.runtime.sdk import AnyState


def dropped(state: RunState, live: AnyState, path: str = "") -> Iterator[HitlError]:
    """Give what the SDK left out of `live`, which it read from `state`."""
    for name, packed, taken in _lists(state, live):
        if packed is not None and count(packed) != len(taken):
            message = f"the SDK took {len(taken)} of {count(packed)} entries"
            yield RestoreError(message, path=f"{path}/{name}")
    waiting = open_calls(state)
    here = sdk.calls(live)
    read = dict(sdk.inside(live))
    for index, call in enumerate(state.processed.calls if state.processed else ()):
        call_id = state.log.item(call.item).call_id or ""
        place = f"{path}/processed/calls/{index}"
        if call_id in waiting and (call.group, call_id) not in here:
            message = f"tool {tool_of(call)!r}, which a call waits for, is not enabled"
            yield ToolMismatch(message, path=place)
        elif call.run is not None and call_id not in read:
            yield RestoreError("the SDK dropped the run inside a call", path=f"{place}/run")
        elif call.run is not None:
            yield from dropped(call.run, read[call_id], f"{place}/run")


def _lists(state: RunState, live: AnyState) -> Iterator[tuple[str, Spans | None, list[Any]]]:
    yield "generated", state.generated, sdk.generated(live)
    yield "session", state.session, sdk.session(live)
    yield "responded", state.responded, sdk.responses(live)
    yield "staged", state.staged, sdk.staged(live)
    for stage, packed in state.guardrails.items():
        yield f"guardrails/{stage}", packed, sdk.guardrail_results(live, stage)
    if state.step is not None:
        yield "step/interruptions", state.step.interruptions, live.get_interruptions()
    if state.processed is not None and (response := sdk.processed(live)) is not None:
        yield "processed/new_items", state.processed.new_items, response.new_items
        yield "processed/interruptions", state.processed.interruptions, response.interruptions
