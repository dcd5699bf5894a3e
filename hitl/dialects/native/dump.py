"""Run state → native document."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import msgspec
from attrs import evolve

from hitl.dialects.native import ranges, wire

if TYPE_CHECKING:
    from hitl.codec import Codec
    from hitl.document import JSONObject
    from hitl.model import Processed, RunState


def dump(
    state: RunState,
    version: str,
    codec: Codec,
    outer: RunState | None = None,
    *,
    items: bool = True,
) -> bytes:
    """Write `state`; the log is copied as it stands unless the codec changes.

    Args:
        state: what to write.
        version: the label.
        codec: how to encode it.
        outer: the run around this one.
        items: whether with its log; the logs of runs inside are written in any case.
    """
    state = ranges.wide(state)
    processed, inside = _without_runs(state.processed)
    same = tuple(name for name in ("usage", "context") if outer and _shared(state, outer, name))
    sections = {name: getattr(state, name) for name in wire.SECTIONS if name != "same"}
    sections |= {"processed": processed, "same": same} | dict.fromkeys(same)
    left = sections["extras"].get("native", {}).get("surplus")
    sections["extras"] = {k: v for k, v in sections["extras"].items() if k != "native"}
    head = cast("JSONObject", wire.merge(wire.write(wire.Head(**sections)), left))
    arrays = {wire.ITEMS: state.log.recode(codec.log).chunks} if items else {}
    if inside:
        arrays[wire.RUNS] = tuple(dump(run, version, codec, state) for run in inside)
    return codec.join({wire.VERSION_KEY: version, **head}, arrays)


def _shared(state: RunState, outer: RunState, name: str) -> bool:
    mine = getattr(state, name)
    theirs = getattr(outer, name)
    if mine is None or theirs is None:
        return False
    # Not `==`: for Python, 1 is True and 1.0.
    return msgspec.json.encode(mine) == msgspec.json.encode(theirs)


def _without_runs(processed: Processed | None) -> tuple[Processed | None, list[RunState]]:
    if processed is None:
        return None, []
    inside: list[RunState] = []
    calls = []
    for call in processed.calls:
        if call.run is None:
            calls.append(call)
            continue
        calls.append(evolve(call, run=cast("RunState", len(inside))))
        inside.append(call.run)
    return evolve(processed, calls=tuple(calls)), inside
