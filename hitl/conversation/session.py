"""What a session holds of a run, compared with what the run's state says it should.

A session is a foreign store: it knows no run and no occurrence. An item with a call id or an id is
found by that wherever it stands; one without is found by its content, between its neighbours.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING

from attrs import frozen

from hitl import document
from hitl.conversation.occurrence import Occurrence, answered, asked, open_calls, parts
from hitl.conversation.told import history

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.document import JSONObject
    from hitl.model import RunState

_PLACEHOLDER = "__fake_id__"  # openai-agents, for providers that give no ids
_BESIDE = frozenset({"id", "status", "created_by", "type", "annotations", "logprobs"})


@frozen(kw_only=True)
class SessionDifference:
    """How a session differs from what a run's state says; positions are the session's.

    Attributes:
        missing: what it should hold and does not, in order.
        duplicates: where it holds an item of the run, with an id, once more than once.
        dangling: calls in it without an answer that do not wait in the state either: the answers
            were never stored, as when `session=` was forgotten at a resume.
        interleaved: where it holds what is not the run's, after the run began.
        other: whether it holds nothing of the run at all: another session, or a new one.
    """

    missing: tuple[Occurrence, ...] = ()
    duplicates: tuple[int, ...] = ()
    dangling: tuple[str, ...] = ()
    interleaved: tuple[int, ...] = ()
    other: bool = False

    @property
    def clean(self) -> bool:
        """Whether the session holds the run as the state says it."""
        return not (self.missing or self.duplicates or self.dangling or self.interleaved)


def compare(state: RunState, held: Sequence[JSONObject]) -> SessionDifference:
    """Compare a session with the state of a run.

    Args:
        state: the run; its history is expected, in order, after whatever came before it.
        held: the items of the session, oldest first; all of them.
    """
    told = history(state)
    places = _places(told, held)
    found = {place for place in places if place is not None}
    named = {name for each in told if (name := _name(each.raw)) is not None}
    rest = [at for at in range(min(found, default=len(held)), len(held)) if at not in found]
    duplicates = [at for at in range(len(held)) if at not in found and _name(held[at]) in named]
    waiting = open_calls(each.raw for each in told)
    return SessionDifference(
        missing=tuple(each for each, at in zip(told, places, strict=True) if at is None),
        duplicates=tuple(duplicates),
        dangling=tuple(sorted(open_calls(held) - waiting)),
        interleaved=tuple(at for at in rest if at not in set(duplicates)),
        other=bool(told) and not found,
    )


def unsaved(held: Sequence[JSONObject], batch: Sequence[JSONObject]) -> list[JSONObject]:
    """Give what of a batch a session does not hold, so that appending it twice is appending once.

    An item without an id is known to be held only by an item with one: before one of the same
    batch that is held, or right after the last such, as in the batch. So a text said twice is
    stored twice, and a batch without any id is always new.

    Args:
        held: the items of the session, oldest first; its end is enough.
        batch: what is about to be appended, in order.
    """
    places = {name: at for at, each in enumerate(held) if (name := _name(each)) is not None}
    last = max((at for at, each in enumerate(batch) if _name(each) in places), default=None)
    if last is None:
        return list(batch)
    following = held[places[_name(batch[last]) or ""] + 1 :]
    same = 0
    for ours, theirs in zip(batch[last + 1 :], following, strict=False):
        if _name(ours) is not None or _content(ours) != _content(theirs):
            break
        same += 1
    late = [each for each in batch[:last] if _name(each) is not None and _name(each) not in places]
    return [*late, *batch[last + 1 + same :]]


def _places(told: Sequence[Occurrence], held: Sequence[JSONObject]) -> list[int | None]:
    """Give where each item of a run stands in a session; None where it does not.

    From the end: of equal texts the run has said the last ones, and others came before it.
    """
    named: defaultdict[str, list[int]] = defaultdict(list)
    alike: defaultdict[str, list[int]] = defaultdict(list)
    nameless: defaultdict[str, list[int]] = defaultdict(list)
    for at, raw in enumerate(held):
        content, name = _content(raw), _name(raw)
        alike[content].append(at)
        if name is None:
            nameless[content].append(at)
        else:
            named[name].append(at)
    found: list[int | None] = []
    used: set[int] = set()
    before = len(held)
    for each in reversed(told):
        name = _name(each.raw)
        place = _taken(named, name, used)
        if place is None:  # two ids are two items, whatever they say
            likely = (alike if name is None else nameless)[_content(each.raw)]
            index = bisect_left(likely, before) - 1  # all that is used stands behind
            place = likely[index] if index >= 0 else None
        if place is not None:
            used.add(place)
            before = min(before, place)
        found.append(place)
    return found[::-1]


def _taken(named: dict[str, list[int]], name: str | None, used: set[int]) -> int | None:
    """Give the first place of an id: what repeats it is the duplicate."""
    places = named.get(name, []) if name is not None else []
    return next((at for at in places if at not in used), None)


def _name(raw: JSONObject) -> str | None:
    """Give what tells an item from every other; None when nothing does."""
    if (call := asked(raw)) is not None:
        return f"call {call}"
    if (call := answered(raw)) is not None:
        return f"answer {call}"
    identity = raw.get("id")
    named = isinstance(identity, str) and identity not in {"", _PLACEHOLDER}
    return f"{raw.get('type')} {identity}" if named else None


def _content(raw: JSONObject) -> str:
    """Give what an item says, in whichever form it is written."""
    if (name := _name(raw)) is not None and "role" not in raw:
        return name
    told = {key: raw[key] for key in raw.keys() - _BESIDE - {"content"} if raw[key] is not None}
    return document.digest({**told, "content": parts(raw.get("content"))})
