"""A record of decisions with one more decision, as both SDKs record it, or with another record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

if TYPE_CHECKING:
    from hitl.model.approval import Decision, Grant


def always(grant: Grant, decision: Decision) -> Grant:
    """Record a decision on all calls; unlike in the SDKs, one on a single call outlives it."""
    mine, other = _sides(decision)
    opposite = getattr(grant, other)
    exact = _without(opposite, decision.call_id) if isinstance(opposite, list) else []
    verdict: dict[str, Any] = {mine: True, other: exact}
    changed = evolve(grant, **verdict)
    if decision.approved:
        messages = {key: text for key, text in (grant.messages or {}).items() if key in exact}
        return evolve(changed, messages=messages or None, sticky_message=None)
    return evolve(
        changed,
        approved=exact or False,
        messages=_messages(grant, decision),
        sticky_message=decision.message,
    )


def once(grant: Grant, decision: Decision) -> Grant:
    """Record a decision on one call."""
    mine, other = _sides(decision)
    call_id = decision.call_id
    opposite, target = getattr(grant, other), getattr(grant, mine)
    if isinstance(opposite, list):
        opposite = _without(opposite, call_id)
    if target is not True:
        listed = target if isinstance(target, list) else []
        target = listed if call_id in listed else [*listed, call_id]
    return evolve(grant, **{mine: target, other: opposite, "messages": _messages(grant, decision)})


def joined(one: Grant, other: Grant) -> Grant:
    """Join two records of one tool; where both have a message, the first one's stays.

    A yes for good and a no for good make a no: what either refused must not run.
    """
    if None not in (one.sticky, other.sticky) and one.sticky is not other.sticky:
        yes, no = (one, other) if one.sticky else (other, one)
        one, other = no, evolve(yes, approved=[])
    told = {**(other.messages or {}), **(one.messages or {})}
    return evolve(
        one,
        approved=_both(one.approved, other.approved),
        rejected=_both(one.rejected, other.rejected),
        messages=told or None,
        sticky_message=(one if one.sticky is not None else other).sticky_message,
    )


def _both(one: bool | list[str], other: bool | list[str]) -> bool | list[str]:  # noqa: FBT001
    if isinstance(one, list) and isinstance(other, list):
        return list(dict.fromkeys([*one, *other]))
    if True in (one, other):
        return True
    return one or other or one


def _sides(decision: Decision) -> tuple[str, str]:
    return ("approved", "rejected") if decision.approved else ("rejected", "approved")


def _without(ids: list[str], call_id: str) -> list[str]:
    return [each for each in ids if each != call_id]


def _messages(grant: Grant, decision: Decision) -> dict[str, str] | None:
    kept = {key: text for key, text in (grant.messages or {}).items() if key != decision.call_id}
    if not decision.approved and decision.message is not None:
        kept[decision.call_id] = decision.message
    return kept or None
