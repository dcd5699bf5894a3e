"""Captures one run again and again: each time only what is new is written and read.

The first capture is a whole one. From then on the log goes on where it ended, so that a pause in a
run of a thousand turns costs what one in a run of ten does. When the SDK's lists are not what they
were, and more (a handoff may filter them), the run is captured wholly again, and what the log
holds already keeps its place.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from hitl import transfer
from hitl.dialects.openai_python import DIALECT
from hitl.dialects.openai_python.history import After, History
from hitl.model import Ledger, RunState, ahead, count, positions
from hitl.model.rebase import rebase
from hitl.runtime import capture, sdk, seen, tail
from hitl.runtime.tail import Lists

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from hitl.document import JSONObject
    from hitl.model import Agent, CallState, Spans, Usage
    from hitl.revision import Loss
    from hitl.runtime.sdk import AnyState
    from hitl.runtime.tail import Cut


@frozen(kw_only=True)
class _Last:
    """The last capture.

    Attributes:
        state: what it gave.
        history: what built the end of its log.
        lists: the SDK's lists at that moment.
    """

    state: RunState
    history: History
    lists: Lists


class Recorder:
    """Captures one live run; the log of each state begins with the log of the one before."""

    def __init__(self, known: RunState | None = None) -> None:
        """Begin; `known` is the stored state the run goes on from."""
        self._known = known
        self._last: _Last | None = None
        self._agents: dict[str, tuple[object, Agent]] = {}

    def capture(self, result: object) -> RunState:
        """Take the state of a result, or of the SDK's `RunState`; changes neither.

        Raises:
            CaptureError: not an object of the SDK, or the SDK cannot write it.
            ValueRefused: something the model or the SDK produced cannot be held by any document.
        """
        state = None if self._last is None else self._further(result, self._last)
        if state is None:
            state = self._whole(result)
        self._known = state
        return state

    def _whole(self, result: object) -> RunState:
        live = sdk.state_of(result)
        read, history = _read(live, None)
        state = capture.overlaid(live, evolve(read, secrets={}))
        fresh = state
        if self._known is not None:
            state = rebase(state, self._known.log.chunks, self._known.agents)
        history.moved(_moves(fresh, state))
        generated = sdk.merged(live)
        self._last = _Last(
            state=state, history=history, lists=tail.lists(live, generated, *tail.counts(result))
        )
        return state

    def _further(self, result: object, last: _Last) -> RunState | None:
        """Capture what came after the last capture; None when that cannot be told."""
        before = last.state
        live = tail.short(result, last.lists)
        waiting = before.ledger.open if before.ledger else {}
        at = None if live is None else tail.cut(live, last.lists, waiting)
        if live is None or at is None:
            return None
        small = tail.shortened(result, live, at, last.lists)
        after = _after(last, at)
        read, history = _read(small, after)
        kept = _kept(result, before, history)
        if kept is None or "generated_session_item_indexes" in _rest(read):
            return None
        told = evolve(read, log=before.log.extended(read.log.chunks), secrets={})
        ends = capture.overlaid(small, told, agents=self._seen)
        if _changed(before, ends):
            return None
        state = _joined(before, ends, at, kept)
        history.remember(last.history, frozenset((*_end(state.generated), *_end(state.session))))
        generated = [*last.lists.generated[: at.generated], *sdk.merged(small)]
        self._last = _Last(
            state=state, history=history, lists=tail.lists(live, generated, *tail.counts(result))
        )
        return state

    def _seen(self, entry: Agent, live: Any) -> Agent:  # noqa: ANN401 - the SDK's Agent
        """Look at an agent unless it is as it was: digests of tools take time."""
        key = entry.identity or entry.name
        tools = [id(tool) for tool in live.tools]
        mark = (id(live), live.instructions, tools, live.handoffs[:], seen.tool_use(live))
        known = self._agents.get(key)
        if known is not None and known[0] == mark:
            return known[1]
        found = seen.agent(entry, live)
        self._agents[key] = (mark, found)
        return found


def _read(live: AnyState, after: After | None) -> tuple[RunState, History]:
    written = capture.written(live)
    return DIALECT.follow(written, transfer.codecs()["json"], after)


def _changed(before: RunState, ends: RunState) -> bool:
    """Tell whether something that was captured before has other values now."""
    old, new = before.log.chunks, ends.log.chunks
    met = (*positions(ends.generated or ()), *positions(ends.session or ()))
    return any(new[position] is not old[position] for position in met if position < len(old))


def _kept(result: object, before: RunState, history: History) -> dict[str, CallState] | None:
    """Give the open calls that nothing new was said of; None when one of them has changed."""
    open_ = before.ledger.open if before.ledger else {}
    kept = {call_id: each for call_id, each in open_.items() if call_id not in history.calls.ids}
    for call_id, each in kept.items():
        if tail.flags(result, call_id) != (each.executed, each.completed):
            return None
    return kept


def _after(last: _Last, at: Cut) -> After:
    window = last.history.placed
    lists = {
        "generated_items": ahead(last.state.generated or (), at.generated),
        "session_items": ahead(last.state.session or (), at.session),
    }
    given = last.state.input
    if given is not None and not isinstance(given, str):
        lists["pending_input"] = given
    taken = {key: _among(packed, window) for key, packed in lists.items()}
    return After(
        base=len(last.state.log), agents=last.state.agents, history=last.history, taken=taken
    )


def _moves(fresh: RunState, rebased: RunState) -> dict[int, int]:
    """Say where the last entries of the run's lists have gone; what is older is not met again."""
    moves: dict[int, int] = {}
    for name in ("generated", "session"):
        old, new = (positions(getattr(each, name) or ()) for each in (fresh, rebased))
        moves |= dict(deque(zip(old, new, strict=True), tail.FEW))
    return moves


def _joined(before: RunState, ends: RunState, at: Cut, kept: dict[str, CallState]) -> RunState:
    """Put the ends of the lists behind what was known of them."""
    responded = _join(before.responded, ends.responded)
    own = ends.current_response
    moved = None if own is None else _shifted(own, at.generated)
    ledger = ends.ledger and Ledger(
        open=kept | dict(ends.ledger.open),
        unlisted=_unlisted(before.ledger, ends.ledger),
    )
    return evolve(
        ends,
        input=before.input,
        generated=_join(ahead(before.generated or (), at.generated), ends.generated),
        session=_join(ahead(before.session or (), at.session), ends.session),
        responded=responded,
        last_response=before.last_response if not ends.responded else ends.last_response,
        current_response=moved,
        ledger=ledger,
        usage=_usage(before, ends),
        guardrails={
            stage: _join(before.guardrails.get(stage), packed)
            for stage, packed in ends.guardrails.items()
        },
        missing=_missing(before.missing, ends.missing),
        extras=_signed(before, ends, kept),
    )


def _signed(before: RunState, ends: RunState, kept: Collection[str]) -> dict[str, JSONObject]:
    """Keep the digests of open calls that no list names any more: nothing else says them."""
    own = before.extras.get(DIALECT.name, {})
    signed = own.get("signed", {})
    left = {call_id: each for call_id, each in signed.items() if call_id in kept}
    now = ends.extras.get(DIALECT.name, {})
    if left:
        now = {**now, "signed": {**left, **now.get("signed", {})}}
    return {**ends.extras, DIALECT.name: now}


def _usage(before: RunState, ends: RunState) -> Usage | None:
    """Put the new usage entries behind the known ones; ranges of responses are counted on."""
    if ends.usage is None or before.usage is None or before.usage.entries is None:
        return ends.usage
    start = count(before.responded or ())
    entries = [list(each) if isinstance(each, list) else each for each in before.usage.entries]
    for each in ends.usage.entries or ():
        if not isinstance(each, list):
            entries.append(each)
            continue
        first, end = each[0] + start, each[1] + start
        last = entries[-1] if entries else None
        if isinstance(last, list) and last[1] == first:
            last[1] = end
        else:
            entries.append([first, end])
    return evolve(ends.usage, entries=entries)


def _shifted(own: Any, start: int) -> Any:  # noqa: ANN401 - JSON of the SDK
    """Count the items of the last response from the beginning of the list."""
    return {
        **own,
        "start": own["start"] + start,
        "end": own["end"] + start,
        "interruptions": [each + start for each in own["interruptions"]],
    }


def _unlisted(before: Ledger | None, ends: Ledger) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*(before.unlisted if before else ()), *ends.unlisted)))


def _missing(before: Iterable[Loss], new: Iterable[Loss]) -> tuple[Loss, ...]:
    return tuple({loss.path: loss for loss in (*before, *new)}.values())


def _end(packed: Spans | None) -> list[int]:
    """Give the last positions."""
    found: list[int] = []
    for start, stop in reversed(packed or ()):
        found += range(max(start, stop - tail.FEW), stop)
        if len(found) >= tail.FEW:
            break
    return found


def _join(one: Spans | None, other: Spans | None) -> Spans:
    first, second = one or (), other or ()
    if first and second and first[-1][1] == second[0][0]:
        return (*first[:-1], (first[-1][0], second[0][1]), *second[1:])
    return (*first, *second)


def _among(packed: Spans, wanted: frozenset[int]) -> frozenset[int]:
    """Give the positions of `wanted` that are in `packed`."""
    first = min(wanted, default=0)
    near = ((max(start, first), stop) for start, stop in packed if stop > first)
    return frozenset(position for span in near for position in range(*span)) & wanted


def _rest(state: RunState) -> Any:  # noqa: ANN401 - JSON of the SDK
    return state.extras.get(DIALECT.name, {}).get("document", {})
