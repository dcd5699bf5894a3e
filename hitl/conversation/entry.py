"""How an entry of a session is recognised: by what names it, else by what it says."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from itertools import accumulate
from typing import TYPE_CHECKING

from hitl import document
from hitl.conversation.occurrence import answered, asked, parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.conversation.occurrence import Occurrence
    from hitl.document import JSONObject

_PLACEHOLDER = "__fake_id__"  # openai-agents, for providers that give no ids
_BESIDE = frozenset(
    {"id", "status", "created_by", "type", "annotations", "logprobs", "content", "provider_data"}
)
_APP = frozenset({"user", "system", "developer"})
_COMPACTED = frozenset({"compaction", "compaction_summary"})


def name_of(raw: JSONObject, *, renamed: bool = False) -> str | None:
    """Give what tells an entry from every other; None when nothing does.

    Args:
        raw: the entry.
        renamed: whether the session gives messages ids of its own: theirs tell nothing then.
    """
    if (call := asked(raw)) is not None:
        return f"call {call}"
    if (call := answered(raw)) is not None:
        return f"answer {call}"
    identity = raw.get("id")
    named = isinstance(identity, str) and identity not in {"", _PLACEHOLDER}
    return f"{raw.get('type')} {identity}" if named and not (renamed and "role" in raw) else None


def content_of(raw: JSONObject) -> str:
    """Give what an entry says, in whichever form it is written and whatever its id."""
    if (call := asked(raw) or answered(raw)) is not None:
        return f"{asked(raw) is None} {call}"
    told = {key: raw[key] for key in raw.keys() - _BESIDE if raw[key] is not None}
    kind = None if "role" in raw else raw.get("type")
    return document.digest({**told, "type": kind, "content": parts(raw.get("content"))})


def is_apps(raw: JSONObject) -> bool:
    """Tell whether an entry begins a turn: a model never says it."""
    return raw.get("role") in _APP


def is_compacted(raw: JSONObject) -> bool:
    """Tell whether an entry stands for others that it has replaced."""
    return raw.get("type") in _COMPACTED


def is_bare_reasoning(raw: JSONObject) -> bool:
    """Tell whether an entry is reasoning without a body: a server that names entries drops it."""
    return raw.get("type") == "reasoning" and not (raw.get("id") or raw.get("encrypted_content"))


def gives_names(told: Sequence[JSONObject], held: Sequence[JSONObject]) -> bool:
    """Tell whether a session gives messages ids of its own.

    It has none of the ids of the run, and all that was said before the last call that it has.
    """
    names = {name_of(each) for each in held}
    calls = [at for at, each in enumerate(told) if asked(each) and name_of(each) in names]
    named = [at for at, each in enumerate(told) if "role" in each and name_of(each)]
    said = [told[at] for at in named if at < max(calls, default=0)]
    if not said or any(name_of(told[at]) in names for at in named):
        return False
    theirs = Counter(content_of(each) for each in held if "role" in each and name_of(each))
    return not Counter(map(content_of, said)) - theirs


def find(
    told: Sequence[Occurrence],
    names: Sequence[str | None],
    held: Sequence[JSONObject],
    theirs: Sequence[str | None],
    start: int,
) -> list[int | None]:
    """Give where each entry of a run stands in a session; None where it does not.

    What has a name stands where the session has it first. What has none stands between its named
    neighbours, if its content does; else wherever its content stands that is nobody's yet. From
    the end: of equal texts the run has said the last ones, and others came before it.

    Args:
        told: the entries of the run, in order.
        names: their names.
        held: the entries of the session, oldest first.
        theirs: their names.
        start: from where on the run is looked for.
    """
    ours = {*names} - {None}
    first: dict[str, int] = {}
    alike: defaultdict[str, list[int]] = defaultdict(list)
    nameless: defaultdict[str, list[int]] = defaultdict(list)
    for at in range(start, len(held)):
        content, name = content_of(held[at]), theirs[at]
        if name not in ours:
            alike[content].append(at)
        if name is None:
            nameless[content].append(at)
        else:
            first.setdefault(name, at)
    found = [None if name is None else first.pop(name, None) for name in names]
    # Two names are two entries, whatever they say.
    likely = [
        (alike if name is None else nameless)[content_of(each.raw)]
        for each, name in zip(told, names, strict=True)
    ]
    _between(found, likely, len(held))
    _anywhere(found, likely)
    return found


def _between(found: list[int | None], likely: Sequence[list[int]], end: int) -> None:
    """Place entries between those that are placed."""
    floors = [-1, *accumulate((-1 if place is None else place for place in found), max)]
    for at in reversed(range(len(found))):
        place = found[at]
        if place is None:
            index = bisect_left(likely[at], end) - 1
            if index < 0 or likely[at][index] <= floors[at]:
                continue
            place = found[at] = likely[at][index]
        end = min(end, place)


def _anywhere(found: list[int | None], likely: Sequence[list[int]]) -> None:
    """Place what is left: an append that came late stands behind what followed it."""
    used = {place for place in found if place is not None}
    for at in reversed(range(len(found))):
        while found[at] is None and likely[at]:
            place = likely[at].pop()
            if place not in used:
                used.add(place)
                found[at] = place
