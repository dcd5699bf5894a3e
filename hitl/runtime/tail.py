"""The end of a live run: the SDK's state without what was captured before.

The SDK writes the whole run each time. A copy of its state whose lists hold only their ends is
written in a time that does not depend on how long the run is. Private names of the SDK, read from
openai-agents 0.24.0, stand here as they do in `sdk`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from itertools import islice, takewhile
from operator import is_
from typing import TYPE_CHECKING, Any, cast

from agents import RunState
from attrs import frozen

from hitl.model.record import STAGES, Stage
from hitl.runtime import sdk

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from hitl.runtime.sdk import AnyState

_FAR = 1_000  # a response has fewer items than this
FEW = 100  # what the SDK may take back from the end of a list


@frozen(kw_only=True)
class Lists:
    """The SDK's growing lists as they were; the objects are compared by identity.

    Attributes:
        input: the prepared input; a copy of the list, not of its items.
        generated, session, responses, guardrails: the live objects.
        entries: how many usage entries there were.
        invocations: how many calls the SDK's ledger knew.
    """

    input: object
    generated: list[Any]
    session: list[Any]
    responses: list[Any]
    guardrails: Mapping[Stage, list[Any]]
    entries: int
    invocations: int


@frozen(kw_only=True)
class Cut:
    """Where the SDK's lists are cut; what stands before was captured earlier.

    Attributes:
        generated, session: may lie before the end of what was captured: the last response is
            written again, as other parts of the state refer to its items.
        responses, guardrails, entries: counts.
    """

    generated: int
    session: int
    responses: int
    guardrails: Mapping[Stage, int]
    entries: int


def lists(live: AnyState, generated: list[Any], entries: int, invocations: int) -> Lists:
    """Note the lists of `live`; `generated` is what the SDK's writer makes of the list."""
    given = live._original_input  # noqa: SLF001
    return Lists(
        input=list(given) if isinstance(given, list) else given,
        generated=generated,
        session=sdk.session(live),
        responses=sdk.responses(live),
        guardrails={stage: sdk.guardrail_results(live, stage) for stage in STAGES},
        entries=entries,
        invocations=invocations,
    )


def counts(result: object) -> tuple[int, int]:
    """Give how many usage entries and ledger entries a result, or a state, has."""
    wrapper = _wrapper(result)
    return len(wrapper.usage.request_usage_entries), len(wrapper._tool_invocations)  # noqa: SLF001


def short(result: object, before: Lists) -> AnyState | None:
    """Give the SDK's state of `result`; its usage says only what is new, its ledger nothing.

    Args:
        result: a result, or a state; not changed.
        before: the lists at the last capture.

    Returns:
        None when there is less than before.
    """
    wrapper = _wrapper(result)
    entries, invocations = counts(result)
    if entries < before.entries or invocations < before.invocations:
        return None
    small = copy.copy(wrapper)
    small.usage = copy.copy(wrapper.usage)
    small.usage.request_usage_entries = wrapper.usage.request_usage_entries[before.entries :]
    small._tool_invocations = {}  # noqa: SLF001
    if isinstance(result, RunState):
        live = copy.copy(result)
        live._context = small  # noqa: SLF001
        return live
    holder = cast("Any", result)
    # The SDK's `to_state` copies usage and ledger deeply, and would copy all of them.
    holder.context_wrapper = small
    try:
        return sdk.state_of(result)
    finally:
        holder.context_wrapper = wrapper


def _ledger(result: object, small: AnyState, before: Lists) -> dict[str, Any]:
    """Give the ledger's entries for the calls that `small` speaks of, and for new ones."""
    known = _wrapper(result)._tool_invocations  # noqa: SLF001
    new = list(islice(reversed(known), len(known) - before.invocations))
    processed = sdk.processed(small)
    items = [
        *sdk.generated(small),
        *sdk.session(small),
        *(processed.new_items if processed else ()),
    ]
    here = (_call_id(item.raw_item) for item in items if hasattr(item, "raw_item"))
    return {call_id: known[call_id] for call_id in (*here, *reversed(new)) if call_id in known}


def _call_id(raw: Any) -> object:  # noqa: ANN401 - an item, as an object or as a dict
    found = raw.get("call_id") if isinstance(raw, dict) else getattr(raw, "call_id", None)
    return found if isinstance(found, str) else None


def flags(result: object, call_id: str) -> tuple[bool, bool] | None:
    """Give whether a call was executed and completed; None when the SDK does not know it."""
    found = _wrapper(result)._tool_invocations.get(call_id)  # noqa: SLF001
    return None if found is None else (found.executed, found.completed)


def cut(live: AnyState, before: Lists, waiting: Collection[str]) -> Cut | None:
    """Say where to cut the lists; None when they are not what they were but for their ends.

    Args:
        live: the SDK's state.
        before: the lists at the last capture.
        waiting: ids of calls that had no output then; they are written again.
    """
    if live._original_input != before.input or live._nested_history_owned_session_item_refs:  # noqa: SLF001
        return None
    grown = [(before.responses, sdk.responses(live))]
    grown += [(old, sdk.guardrail_results(live, stage)) for stage, old in before.guardrails.items()]
    if any(_common(old, new) != len(old) for old, new in grown):
        return None
    generated = _common(before.generated, live._generated_items)  # noqa: SLF001
    session = _common(before.session, live._session_items)  # noqa: SLF001
    if generated is None or session is None:
        return None
    found = _open(live, waiting)
    if found is not None and found < generated:
        item = live._generated_items[found]  # noqa: SLF001
        at = _last(live._session_items, item)  # noqa: SLF001
        if at is None:
            return None
        generated, session = found, min(at, session)
    return Cut(
        generated=generated,
        session=session,
        responses=len(before.responses),
        guardrails={stage: len(old) for stage, old in before.guardrails.items()},
        entries=before.entries,
    )


def shortened(result: object, live: AnyState, at: Cut, before: Lists) -> AnyState:
    """Give a copy of the state, made by `short`, with the ends of its lists."""
    small = cast("Any", copy.copy(live))
    small._original_input = ""  # noqa: SLF001
    small._generated_items = small._generated_items[at.generated :]  # noqa: SLF001
    small._session_items = small._session_items[at.session :]  # noqa: SLF001
    small._model_responses = small._model_responses[at.responses :]  # noqa: SLF001
    for stage, start in at.guardrails.items():
        name = f"_{stage}_guardrail_results"
        setattr(small, name, getattr(small, name)[start:])
    small._context._tool_invocations = _ledger(result, small, before)  # noqa: SLF001
    return cast("AnyState", small)


def _common(old: Sequence[Any], new: Sequence[Any]) -> int | None:
    """Give how many of the first objects are the same; None when others than the last few differ.

    A resumed turn takes its approvals out of the list again.
    """
    sure = max(0, len(old) - FEW)
    if len(new) < sure or not all(map(is_, old[:sure], new)):
        return None
    ends = zip(old[sure:], new[sure:], strict=False)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], ends))
    return sure + same


def _open(live: AnyState, waiting: Collection[str]) -> int | None:
    """Give where the items of the last response, or of a waiting call, begin.

    They are told by what the SDK's writer tells them by: after a resume they are other objects.
    """
    processed = sdk.processed(live)
    marks = {mark for item in (processed.new_items if processed else ()) for mark in _marks(item)}
    marks |= {("call_id", call_id) for call_id in waiting}
    items = live._generated_items  # noqa: SLF001
    first = max(0, len(items) - FEW)
    ends = enumerate(items[first:], first)
    return next((index for index, item in ends if not marks.isdisjoint(_marks(item))), None)


def _marks(item: Any) -> list[tuple[str, object]]:  # noqa: ANN401 - any of the SDK's items
    raw = getattr(item, "raw_item", None)
    fields = raw if isinstance(raw, dict) else getattr(raw, "__dict__", {})
    return [(key, fields[key]) for key in ("id", "call_id") if fields.get(key)]


def _last(items: Sequence[Any], wanted: object) -> int | None:
    """Give the last index of an object, looked for from the end."""
    stop = max(-1, len(items) - _FAR)
    return next((i for i in range(len(items) - 1, stop, -1) if items[i] is wanted), None)


def _wrapper(result: object) -> Any:  # noqa: ANN401 - the SDK's RunContextWrapper
    if isinstance(result, RunState):
        return result._context  # noqa: SLF001
    return cast("Any", result).context_wrapper
