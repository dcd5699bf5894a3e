"""What people said, put on the calls it was said of, once these are the calls they saw."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from hitl.errors import ArgumentsChanged
from hitl.model import Interruption, RunState, decide
from hitl.runtime.durable.packed import Always, Note
from hitl.store import NewRequest, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from hitl.store import Request

_BY_ALWAYS = "always"
_NO_QUESTION = Verdict(approved=True)


@frozen(kw_only=True)
class Bound:
    """What a verdict on a call is bound to; see `Request`."""

    call: str
    tool: str
    agent: str | None
    arguments_sha256: str


@frozen(kw_only=True)
class Judged:
    """A run state after the verdicts there are.

    Attributes:
        state: with the decisions.
        note: with the verdicts that cover later calls.
        approved: what will run, by name of the call.
        count: how many calls got a verdict now.
        open: the calls that still wait for a person.
    """

    state: RunState
    note: Note
    approved: Mapping[str, Bound]
    count: int
    open: tuple[Interruption, ...]


def bound(state: RunState, waiting: Interruption) -> Bound:
    """Say what a verdict on a call is bound to."""
    tool, agent, sha256 = decide.binding(state, waiting)
    return Bound(call=waiting.call, tool=tool, agent=agent, arguments_sha256=sha256)


def judge(state: RunState, note: Note, requests: Iterable[Request] = ()) -> Judged:
    """Put the verdicts on the calls that wait: a person's first, then those that cover later calls.

    The SDK is only ever told of single calls: one that a sticky verdict covers stops the run too,
    so that every gated call has a checkpoint to go on from.

    Raises:
        ArgumentsChanged: a call is not the one that was decided; nothing was decided.
    """
    rows = {row.call: row for row in requests}
    waiting = [each for each in state.interruptions if each.decision is None]
    bindings = {each.call: bound(state, each) for each in waiting}
    found: dict[str, tuple[Verdict, Request | None]] = {}
    for call, binding in bindings.items():
        row = rows.get(call)
        if row is None or row.verdict is None:
            continue
        _refuse_changed(binding, row)
        found[call] = (row.verdict, row)
        note = _with_always(note, binding, row.verdict)
    for call, binding in bindings.items():
        verdict = _covering(note, binding)
        if call not in found and verdict is not None:
            found[call] = (verdict, None)
    return _judged(state, note, bindings, found)


def _judged(
    state: RunState,
    note: Note,
    bindings: Mapping[str, Bound],
    found: Mapping[str, tuple[Verdict, Request | None]],
) -> Judged:
    for call, (verdict, row) in found.items():
        at = None if row is None or row.decided_at is None else _iso(row.decided_at)
        if verdict.approved:
            state = state.approve(call, by=verdict.by, at=at, reason=verdict.reason)
        else:
            state = state.reject(
                call, message=verdict.message, by=verdict.by, at=at, reason=verdict.reason
            )
    return Judged(
        state=state,
        note=note,
        approved={call: bindings[call] for call, (verdict, _) in found.items() if verdict.approved},
        count=len(found),
        open=tuple(
            each for each in state.interruptions if each.call in bindings and each.call not in found
        ),
    )


def asked(
    state: RunState,
    waiting: Iterable[Interruption],
    *,
    expires_in_s: float | None,
    default: Verdict | None,
) -> tuple[NewRequest, ...]:
    """Give the calls that begin to wait for a person."""
    return tuple(
        NewRequest(
            call=each.call,
            tool=binding.tool,
            agent=binding.agent,
            arguments_sha256=binding.arguments_sha256,
            body=_body(each),
            expires_in_s=expires_in_s,
            default=default,
        )
        for each in waiting
        for binding in (bound(state, each),)
    )


def wave(note: Note, calls: Collection[str]) -> Note:
    """Note the calls that were stopped for the gate alone."""
    return evolve(note, waved=tuple(sorted(calls)))


def _body(waiting: Interruption) -> bytes:
    shown = {"kind": waiting.kind, "arguments": waiting.arguments, "raw": waiting.raw}
    return json.dumps(shown, ensure_ascii=True).encode()


def _refuse_changed(binding: Bound, row: Request) -> None:
    now = (binding.tool, binding.agent, binding.arguments_sha256)
    if now != (row.tool, row.agent, row.arguments_sha256):
        message = f"call {binding.call!r} is not the one that was decided"
        raise ArgumentsChanged(message, hint="show it again and decide anew")


def _with_always(note: Note, binding: Bound, verdict: Verdict) -> Note:
    if not verdict.always:
        return note
    covers = Always(
        outer=_outer(binding.call),
        agent=binding.agent,
        tool=binding.tool,
        approved=verdict.approved,
        message=verdict.message,
        by=verdict.by,
    )
    return evolve(note, always=(*note.always, covers))


def _covering(note: Note, binding: Bound) -> Verdict | None:
    for each in reversed(note.always):
        mine = (_outer(binding.call), binding.agent, binding.tool)
        if mine == (each.outer, each.agent, each.tool):
            return Verdict(
                approved=each.approved, message=each.message, by=each.by, reason=_BY_ALWAYS
            )
    return _NO_QUESTION if binding.call in note.waved else None


def _outer(call: str) -> str:
    return call.rpartition("/")[0]


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
