"""A request as an SDK wrote it, held against what it must carry."""

from __future__ import annotations

from collections import defaultdict, deque
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
    shown: Iterable[tuple[str, ...]] = (),
) -> Corrected:
    """Give what an SDK is about to send, corrected.

    An item is first looked for among what must be sent, each occurrence once, then among what the
    server has. One that is neither (a filter of the app made it) stays where it is.

    Args:
        request: what must be sent.
        had: the marks of what the server has.
        given: what the SDK is about to send.
        shown: the marks of what a filter of the app was given: what of it is not in `given`, the
            app took out on purpose.
    """
    waiting = _by_mark(request.items)
    taken: dict[int, JSONObject] = {}
    kept: list[tuple[int | None, JSONObject]] = []
    repeated: list[JSONObject] = []
    for raw in given:
        found = _next(waiting, marks(raw), taken.keys())
        if found is not None:
            taken[found.name] = raw
            kept.append((found.name, raw))
        elif not had.isdisjoint(marks(raw)):
            repeated.append(raw)
        else:
            kept.append((None, raw))
    dropped = _known(request.items, shown)
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

    Args:
        request: what must be sent, as far as it is known.
        given: what an SDK is about to send; what of it is not known comes last.
    """
    waiting = _by_mark(request.items)
    taken: dict[int, JSONObject] = {}
    new: list[JSONObject] = []
    for raw in given:
        found = _next(waiting, marks(raw), taken.keys())
        if found is None:
            new.append(raw)
        else:
            taken[found.name] = raw
    return Corrected(
        input=[*(taken.get(each.name, each.raw) for each in request.items), *new],
        names=frozenset(each.name for each in request.items),
        missing=tuple(each.raw for each in request.items if each.name not in taken),
    )


def _by_mark(items: Iterable[Occurrence]) -> defaultdict[str, deque[Occurrence]]:
    found: defaultdict[str, deque[Occurrence]] = defaultdict(deque)
    for each in items:
        for mark in marks(each.raw):
            found[mark].append(each)
    return found


def _known(items: Iterable[Occurrence], shown: Iterable[tuple[str, ...]]) -> frozenset[int]:
    """Give the occurrences that somebody was shown, each once."""
    waiting, found = _by_mark(items), set[int]()
    for each in shown:
        occurrence = _next(waiting, each, found)
        if occurrence is not None:
            found.add(occurrence.name)
    return frozenset(found)


def _next(
    waiting: dict[str, deque[Occurrence]], found: Iterable[str], taken: AbstractSet[int]
) -> Occurrence | None:
    """Find the first occurrence with one of these marks that is not taken."""
    for mark in found:
        places = waiting.get(mark, ())
        while places:
            each = places.popleft()
            if each.name not in taken:
                return each
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
