"""Assertions: what every run state and every document keeps."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, cast

from attrs import evolve

from hitl import document, transfer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.document import JSONObject
    from hitl.model import Origin, Processed, RunState


def assert_round_trip(state: RunState) -> None:
    """Assert law 1 for native: every codec gives the state back, secrets aside.

    Raises:
        AssertionError: it comes back as another, or is written in another way the second time.
    """
    expected = without_secrets(state)
    for codec in transfer.codecs():
        data = transfer.dumps(state, codec=codec)
        back = transfer.loads(data)
        _require(back == expected, f"the state is another after {codec}")
        again = transfer.dumps(back, codec=codec)
        _require(again == data, f"{codec} writes the same state in two ways")


def assert_document_kept(given: JSONObject) -> RunState:
    """Assert law 1 for a document of an SDK, directly and through every native codec.

    What native leaves out is exactly the state's secrets.

    Returns:
        The run state it holds.

    Raises:
        AssertionError: something was dropped, added or changed.
        DocumentError: it cannot be read.
    """
    state = transfer.loads(given)
    label = state.newer or state.origin
    changes = document.diff(given, written(state, label))
    _require(not changes, f"changed at {[each.path for each in changes]}")
    kept = set(all_secrets(state))
    for codec in transfer.codecs() if state.newer is None else ():
        back = transfer.loads(transfer.dumps(state, codec=codec))
        changed = {each.path for each in document.diff(given, written(back, label))}
        _require(changed == kept, f"changed through {codec}: {changed ^ kept}")
    return state


def written(state: RunState, label: Origin) -> JSONObject:
    """Give the document of a state in a dialect and version, parsed."""
    data = transfer.dumps(state, dialect=label.dialect, version=label.version)
    return cast("JSONObject", document.parse(data, lenient=True))


def all_secrets(state: RunState) -> Iterator[str]:
    """Give a JSON Pointer into an SDK's document for every secret, nested runs included."""
    yield from state.secrets
    nth: Counter[str] = Counter()
    for call in state.processed.calls if state.processed else ():
        place = f"/last_processed_response/functions/{nth[call.group]}/agent_run_state"
        nth[call.group] += 1
        if call.run is not None:
            yield from (place + path for path in all_secrets(call.run))


def without_secrets(state: RunState) -> RunState:
    """Give the state as native holds it."""
    if state.processed is None:
        return evolve(state, secrets={})
    calls = (
        call if call.run is None else evolve(call, run=without_secrets(call.run))
        for call in state.processed.calls
    )
    processed: Processed = evolve(state.processed, calls=tuple(calls))
    return evolve(state, secrets={}, processed=processed)


def _require(kept: bool, broken: str) -> None:  # noqa: FBT001 - reads as an assert, and survives -O
    if not kept:
        raise AssertionError(broken)
