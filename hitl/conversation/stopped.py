"""What a worker wrote to a session that was stopped before the run could say so.

A session does not tell whose an entry is. The worker's is what answers a call of the run, what was
staged for it, and what its models are known to have answered. Anything else no user says may be the
end of somebody else's turn; only when a repair is asked for, and no such turn is under way, it is
taken for the worker's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from hitl.conversation.entry import content_of, is_apps, is_compacted, name_of
from hitl.conversation.occurrence import answered, open_calls

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from hitl.document import JSONObject

_FEW = 10  # entries that tell where a run begins, in a session that lets go of its oldest


@frozen(kw_only=True)
class Mark:
    """Where a run begins in its session; `mark` gives one.

    Attributes:
        held: how many entries the session held before.
        before: what the newest of them say, as digests.
        wrote: what the first append says, as digests: the input as the app wants it stored.
    """

    held: int
    before: tuple[str, ...]
    wrote: tuple[str, ...]


def mark(held: Sequence[JSONObject], batch: Sequence[JSONObject]) -> Mark:
    """Say where a run begins in its session.

    Args:
        held: the entries of the session, oldest first.
        batch: what the run is about to append first.
    """
    before = tuple(map(content_of, held[-_FEW:]))
    return Mark(held=len(held), before=before, wrote=tuple(map(content_of, batch)))


def begun_at(begun: Mark, held: Sequence[JSONObject]) -> int | None:
    """Give where in a session the first append of a run stands; None where it does not."""
    since = _since(begun, held)
    wanted = [*begun.wrote]
    if since is None:
        return None
    marks = [content_of(each) for each in held[since:]]
    ends = range(len(marks), len(wanted) - 1, -1)
    starts = (end - len(wanted) for end in ends if marks[end - len(wanted) : end] == wanted)
    return next((since + start for start in starts), None)


def written(
    tail: Sequence[JSONObject],
    *,
    said: Said,
    alone: bool = False,
    calls: Collection[str] = (),
    staged: Sequence[JSONObject] = (),
) -> bool:
    """Tell whether only a stopped worker of the run can have written the end of its session.

    Args:
        tail: the end, oldest first.
        said: what the models of the run are known to have answered.
        alone: whether what nobody is known to have said is the run's, too.
        calls: the calls of the run before it.
        staged: input that waits for the next model call.
    """
    waiting = [content_of(each) for each in reversed(staged)]
    mine = {*calls}
    for raw in tail:
        if is_apps(raw):
            if not waiting or waiting.pop() != content_of(raw):
                return False
        elif (call := answered(raw)) is not None:
            if call not in mine:
                return False
        elif not said.take(raw) and not alone:
            return False
        mine |= open_calls([raw])
    return True


def overtaken(
    held: Sequence[JSONObject],
    start: int,
    said: Said,
    *,
    calls: Collection[str] = (),
    staged: Sequence[JSONObject] = (),
) -> list[int]:
    """Give the places, from one on, of what is surely the worker's, whoever wrote behind it.

    What was staged anybody may say: where it stands right behind what is the run's, it is.

    Args:
        held: the entries of the session, oldest first.
        start: the place behind the last entry that is known to be the run's.
        said: as in `written`.
        calls: the calls of the run that wait.
        staged: as in `written`.
    """
    mine = {*calls, *said.calls}
    waiting = [content_of(each) for each in reversed(staged)]
    found = [start - 1]
    for at in range(start, len(held)):
        if is_apps(held[at]):
            if found[-1] != at - 1 or waiting[-1:] != [content_of(held[at])]:
                continue
            waiting.pop()
        elif not said.take(held[at]) and answered(held[at]) not in mine:
            continue
        found.append(at)
    return found[1:]


def idle(others: Sequence[JSONObject]) -> bool:
    """Tell whether the turns of others have come to their end, as far as what they said tells."""
    waiting = 0
    for raw in others:
        if is_apps(raw):
            waiting += 1
        elif raw.get("role") == "assistant":
            waiting = max(0, waiting - 1)
        elif is_compacted(raw):
            waiting = 0
    return not waiting


class Said:
    """What the models of a run are known to have answered, each item once."""

    def __init__(self, items: Iterable[JSONObject], *, renamed: bool) -> None:
        """Take the items; `renamed` as in `reconcile`."""
        self._left, self._renamed = [*items], renamed
        self.calls = open_calls(self._left)

    def take(self, raw: JSONObject) -> bool:
        """Tell whether an entry is among them, and take it out."""
        found = next((at for at, each in enumerate(self._left) if self._same(each, raw)), None)
        if found is not None:
            del self._left[found]
        return found is not None

    def _same(self, one: JSONObject, other: JSONObject) -> bool:
        names = [name_of(each, renamed=self._renamed) for each in (one, other)]
        if None in names:
            return content_of(one) == content_of(other)
        return names[0] == names[1]


def _since(begun: Mark, held: Sequence[JSONObject]) -> int | None:
    """Give where what the session held before the run ends; None where that cannot be told."""
    before = [*begun.before]
    end = min(begun.held, len(held))
    marks = [content_of(each) for each in held[:end]]
    for there in range(end, 0, -1):  # fewer than before: it has let go of its oldest
        kept = min(len(before), there)
        if marks[there - kept : there] == before[-kept:]:
            return there
    return None if begun.held else 0
