"""A request as an SDK wrote it, held against what it must carry."""

from __future__ import annotations

from collections import defaultdict, deque
from copy import deepcopy
from itertools import pairwise
from typing import TYPE_CHECKING

from attrs import field, frozen

from hitl import document
from hitl.conversation.occurrence import Occurrence, answered, asked, parts
from hitl.document import JSONObject

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from hitl.conversation.tracker import Request

_BESIDE = frozenset({"id", "status", "created_by", "provider_data"})
_PLACEHOLDER = "__fake_id__"  # openai-agents, for providers that give no ids


@frozen(kw_only=True)
class Correction:
    """What was wrong with a request of an SDK; what left is right.

    Attributes:
        turn: the model call of the run, counted from 1.
        repeated: what the server has already: taken out.
        missing: what it has not: put in.
    """

    turn: int = 0
    repeated: tuple[JSONObject, ...] = field(default=(), repr=False)
    missing: tuple[JSONObject, ...] = field(default=(), repr=False)


@frozen(kw_only=True)
class Corrected:
    """A request that carries what it must.

    Attributes:
        input: the items to send: the SDK's own where it wrote them.
        names: the occurrences they are.
        repeated, missing: see `Correction`.
    """

    input: list[JSONObject]
    names: frozenset[int]
    repeated: tuple[JSONObject, ...] = ()
    missing: tuple[JSONObject, ...] = ()


@frozen
class Shown:
    """An item as a filter of the app is given it.

    Attributes:
        raw: the item; the filter may edit it.
        marks: what it was recognised by before.
    """

    raw: JSONObject
    marks: tuple[str, ...]


def marks(raw: JSONObject) -> tuple[str, ...]:
    """Give what an item is recognised by, the surest first: its call, its id, its content."""
    if (call := answered(raw)) is not None:
        return (f"answer {call}",)
    if (call := asked(raw)) is not None:
        return (f"call {call}",)
    identity = raw.get("id")
    named = isinstance(identity, str) and identity not in {"", _PLACEHOLDER}
    if "role" in raw:
        content = document.digest([raw["role"], parts(raw.get("content"))])
    else:
        content = document.digest({key: raw[key] for key in raw.keys() - _BESIDE})
    return (f"id {identity}", content) if named else (content,)


def correct(
    request: Request,
    had: AbstractSet[str],
    given: Sequence[JSONObject],
    *,
    shown: Sequence[Shown] | None = None,
) -> Corrected:
    """Give what an SDK is about to send, corrected.

    An item is first looked for among what must be sent, each occurrence once, then among what the
    server has. One that is neither (a filter of the app made it) stays where it is.

    Args:
        request: what must be sent.
        had: the marks of what the server has.
        given: what the SDK is about to send.
        shown: what a filter of the app was given; None where there is none. What it has rewritten
            is the same occurrence still, what is not in `given` it took out on purpose.
    """
    waiting = _by_mark((each.name, marks(each.raw)) for each in request.items)
    taken: dict[int, JSONObject] = {}
    kept: list[tuple[int | None, JSONObject]] = []
    repeated: list[JSONObject] = []
    for raw, known in zip(given, _recognised(given, shown), strict=True):
        name = _next(waiting, known, taken.keys())
        if name is not None:
            taken[name] = raw
            kept.append((name, raw))
        elif not had.isdisjoint(known):
            repeated.append(raw)
        else:
            kept.append((None, raw))
    dropped = _known(request.items, (each.marks for each in shown or ()))
    missing = [each for each in request.items if each.name not in {*taken, *dropped}]
    names = frozenset(taken) | {each.name for each in missing}
    wrong = missing or repeated
    return Corrected(
        input=_ordered(request.only(names), kept) if wrong else [raw for _, raw in kept],
        names=names,
        repeated=tuple(repeated),
        missing=tuple(each.raw for each in missing),
    )


def filled(request: Request, given: Sequence[JSONObject]) -> Corrected:
    """Give a request with all that it must carry, before everything is known of it.

    What is put in is a copy: who is shown it may edit it.

    Args:
        request: what must be sent, as far as it is known.
        given: what an SDK is about to send; what of it is not known comes last.
    """
    waiting = _by_mark((each.name, marks(each.raw)) for each in request.items)
    taken: dict[int, JSONObject] = {}
    new: list[JSONObject] = []
    for raw in given:
        name = _next(waiting, marks(raw), taken.keys())
        if name is None:
            new.append(raw)
        else:
            taken[name] = raw
    put_in = {each.name: deepcopy(each.raw) for each in request.items if each.name not in taken}
    whole = [(taken | put_in)[each.name] for each in request.items]
    return Corrected(
        input=[*whole, *new],
        names=frozenset(each.name for each in request.items),
        missing=tuple(each.raw for each in request.items if each.name not in taken),
    )


def _recognised(
    given: Sequence[JSONObject], shown: Sequence[Shown] | None
) -> list[tuple[str, ...]]:
    """Give the marks of each item, as they were before a filter rewrote it.

    What a filter made itself is nothing that was said before, whatever it says; a call or an id
    that is there already would be refused all the same.
    """
    if shown is None:
        return [marks(raw) for raw in given]
    return [
        tuple(mark for mark in marks(raw) if " " in mark) if at is None else shown[at].marks
        for raw, at in zip(given, _rewritten(given, shown), strict=True)
    ]


def _rewritten(given: Sequence[JSONObject], shown: Sequence[Shown]) -> list[int | None]:
    """Give which of what a filter was shown each item is: the object, the same, or in its place."""
    objects = {id(each.raw): at for at, each in enumerate(shown)}
    found: list[int | None] = [objects.pop(id(raw), None) for raw in given]
    taken = {at for at in found if at is not None}
    alike = _by_mark((at, each.marks) for at, each in enumerate(shown))
    for index, raw in enumerate(given):
        if found[index] is None and (at := _next(alike, marks(raw), taken)) is not None:
            found[index] = at
            taken.add(at)
    known = [(index, at) for index, at in enumerate(found) if at is not None]
    for (before, low), (behind, high) in pairwise([(-1, -1), *known, (len(given), len(shown))]):
        if before + 1 < behind:
            left = _by_mark((at, _kind(shown[at].raw)) for at in range(low + 1, high))
            for index in range(before + 1, behind):
                found[index] = _next(left, _kind(given[index]), taken)
            taken.update(at for at in found[before + 1 : behind] if at is not None)
    return found


def _kind(raw: JSONObject) -> tuple[str, ...]:
    return (str(raw.get("role") or raw.get("type")),)


def _by_mark(
    named: Iterable[tuple[int, tuple[str, ...]]],
) -> defaultdict[str, deque[int]]:
    found: defaultdict[str, deque[int]] = defaultdict(deque)
    for name, known in named:
        for mark in known:
            found[mark].append(name)
    return found


def _known(items: Iterable[Occurrence], shown: Iterable[tuple[str, ...]]) -> frozenset[int]:
    """Give the occurrences that somebody was shown, each once."""
    waiting = _by_mark((each.name, marks(each.raw)) for each in items)
    found = set[int]()
    for known in shown:
        name = _next(waiting, known, found)
        if name is not None:
            found.add(name)
    return frozenset(found)


def _next(
    waiting: dict[str, deque[int]], found: Iterable[str], taken: AbstractSet[int]
) -> int | None:
    """Find the first that has one of these marks and is not taken."""
    for mark in found:
        places = waiting.get(mark, ())
        while places:
            name = places.popleft()
            if name not in taken:
                return name
    return None


def _ordered(request: Request, kept: Sequence[tuple[int | None, JSONObject]]) -> list[JSONObject]:
    """Put everything in its place; what nobody knows stays behind its predecessor."""
    after: defaultdict[int | None, list[JSONObject]] = defaultdict(list)
    last: int | None = None
    written: dict[int, JSONObject] = {}
    for name, raw in kept:
        if name is None:
            after[last].append(raw)
        else:
            written[name], last = raw, name
    ordered = after[None]
    for each in request.items:
        ordered.append(written.get(each.name, each.raw))
        ordered += after[each.name]
    return ordered
