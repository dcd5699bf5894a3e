"""What a session holds of a run, compared with what the run says it should; and what is to be done.

A session is a foreign store: it knows no run and no occurrence, is appended to and popped from its
end, and other turns and other runs write to it. An entry with a call id or an id is found by that
wherever it stands; one without is found by its content, between its neighbours.

| what is found | is | and |
| --- | --- | --- |
| an entry of the run, once | as it should be | stays |
| an entry of the run not there, behind one that is | `append` | is appended, late as it is |
| the same, before the first that is there, or before a compaction | `trimmed` | stays away |
| nothing of the run, though it has answered before | `other`, all in `append` | is refused |
| an entry of the run once more, by its id | `duplicates` | is taken back when asked |
| behind all of the run, what only a stopped worker of it can say | `surplus` | is taken back |
| what one surely said, and others wrote behind it | `ahead` | stays, and is not appended again |
| input that is not there, though what followed it is | `trimmed` | stays away: the app changed it |
| anything else after the run began | `interleaved` | stays: it is another turn's |
| a call without its answer, not waiting in the run | `dangling` | stays: the SDK sends no such |
| what is held back until an output guardrail has passed, not there | nothing | stays away |
| the same, there: an older release wrote it | `early` | is `withdrawn` when asked |

Two equal texts without ids are two entries, and never duplicates of each other.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from attrs import frozen

from hitl.conversation.entry import (
    content_of,
    find,
    gives_names,
    is_bare_reasoning,
    is_compacted,
    name_of,
)
from hitl.conversation.occurrence import Occurrence, answered, open_calls
from hitl.conversation.stopped import Mark, Said, begun_at, idle, overtaken, written
from hitl.conversation.told import kept, latest, staged, withheld

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from hitl.document import JSONObject
    from hitl.model import RunState


@frozen(kw_only=True)
class SessionPlan:
    """How a session differs from what a run says, and what makes it right; `reconcile` gives one.

    Positions are the session's, as it was read.

    Attributes:
        take_back: how many of the newest entries are popped first.
        append: what is appended then, in order.
        duplicates: where it holds an entry of the run, with an id, once more.
        repaired: those of them that are taken back.
        surplus: where it holds what a stopped worker of the run wrote after the checkpoint.
        ahead: where it holds more of that, behind which others wrote: the run is about to append
            it, and must not.
        dangling: calls that are left without an answer and wait in no part of the run.
        interleaved: where it holds what is not the run's, after the run began.
        trimmed: what the session has let go of, as when it was compacted, or never got.
        early: where it holds what has to be held back, and stays.
        withdrawn: what has to be held back and is taken back: it is not appended again.
        found: how many entries of the run it holds.
        other: whether it holds nothing of a run that has answered: another session, or emptied.
    """

    take_back: int = 0
    append: tuple[Occurrence, ...] = ()
    duplicates: tuple[int, ...] = ()
    repaired: tuple[int, ...] = ()
    surplus: tuple[int, ...] = ()
    ahead: tuple[int, ...] = ()
    dangling: tuple[str, ...] = ()
    interleaved: tuple[int, ...] = ()
    trimmed: tuple[Occurrence, ...] = ()
    early: tuple[int, ...] = ()
    withdrawn: tuple[Occurrence, ...] = ()
    found: int = 0
    other: bool = False

    @property
    def clean(self) -> bool:
        """Whether the session holds the run as the run says it, and nothing behind it."""
        wrong = self.append or self.duplicates or self.surplus or self.dangling
        return not (wrong or self.interleaved or self.early or self.withdrawn or self.other)


def reconcile(
    state: RunState,
    held: Sequence[JSONObject],
    *,
    given: Sequence[JSONObject] | None = None,
    said: Sequence[JSONObject] = (),
    renamed: bool = False,
    stopped: bool = False,
    repair: bool = False,
    deferred: bool = False,
) -> SessionPlan:
    """Compare a session with a run; linear in both.

    Carried out, the plan for the same run is clean but for what it leaves alone.

    Args:
        state: the run.
        held: the entries of the session, oldest first; all of them.
        given: the input the run began with, without what the session held before; None takes it
            from the state, where the SDK put the two together.
        said: what its models are known to have answered that is not in `state` yet.
        renamed: whether the session gives messages ids of its own, as a server does; where it is
            an app's, what it holds tells.
        stopped: whether a worker may have written after `state` was stored, and died.
        repair: whether duplicates are taken back where nothing of others stands behind them. What
            of the run stands between them is appended again.
        deferred: whether the response that waits is held back until an output guardrail passed.
    """
    hidden = withheld(state)
    writing = state.session_write is not None  # an append the SDK has to settle by itself first
    told = _visible(kept(state, given), hidden, renamed=renamed)
    renamed = renamed or gives_names([each.raw for each in told], held)
    names = [name_of(each.raw, renamed=renamed) for each in told]
    start = _after_compaction(held, {*names})
    found = _Found(told, names, held, start, renamed=renamed)
    first = next((at for at, place in enumerate(found.places) if place is not None), None)
    lost = [at for at, place in enumerate(found.places) if place is None]
    trims = len(told) if start and first is None else first or 0
    absent = {
        at for at in lost if at < trims or (first is not None and told[at].name < 0 and given)
    }
    ready = latest(state, told) if deferred else len(told)
    early = [place for place in found.places[ready:] if place is not None and state.persisted]
    models = Said(said, renamed=renamed)
    alone = repair and idle(found.others)
    may = stopped and not writing
    mine = [each.raw for each in staged(state)] if may else []
    surplus = _surplus(told, found, models, mine, alone=alone) if may else ()
    cut = _cut(found, surplus, early, repair=repair and not writing)
    back = {at for at, place in enumerate(found.places) if place is not None and place >= cut}
    missing = {at for at in lost if at < ready} - absent
    append = () if writing else tuple(told[at] for at in sorted(missing | back) if at < ready)
    left = [*held[:cut], *(each.raw for each in append)]
    waiting = open_calls([*(each.raw for each in told), *hidden])
    models = Said(said, renamed=renamed)
    ahead = {*found.answers, *overtaken(held, found.behind, models, calls=waiting, staged=mine)}
    return SessionPlan(
        take_back=len(held) - cut,
        append=append,
        duplicates=tuple(found.duplicates),
        repaired=tuple(at for at in found.duplicates if at >= cut),
        surplus=tuple(surplus),
        ahead=tuple(sorted(at for at in ahead if at < cut)),
        dangling=tuple(sorted(open_calls(left) - waiting)),
        interleaved=tuple(at for at in found.foreign if at not in {*surplus, *ahead}),
        trimmed=tuple(told[at] for at in sorted(absent)),
        early=tuple(place for place in early if place < cut),
        withdrawn=tuple(told[at] for at in sorted(back) if at >= ready),
        found=len(told) - len(lost),
        other=first is None and not start and any(each.name >= 0 for each in told[:ready]),
    )


def restart(
    begun: Mark,
    held: Sequence[JSONObject],
    said: Sequence[JSONObject] = (),
    *,
    late: Sequence[JSONObject] = (),
    renamed: bool = False,
) -> SessionPlan:
    """Say what a worker wrote to a session that died before its first checkpoint.

    The input, and what followed it: it is taken back; where others wrote behind it, it stays and is
    not appended again.

    Args:
        begun: where the run begins.
        held: the entries of the session, oldest first.
        said: as in `reconcile`.
        late: what was said to the run while it went on.
        renamed: as in `reconcile`.
    """
    start = begun_at(begun, held)
    if start is None:
        return SessionPlan()
    behind = start + len(begun.wrote)
    models = Said(said, renamed=renamed)
    if written(held[behind:], said=models, staged=late):
        mine = range(start, len(held))
        return SessionPlan(take_back=len(mine), surplus=tuple(mine))
    theirs = overtaken(held, behind, Said(said, renamed=renamed), staged=late)
    return SessionPlan(ahead=(*range(start, behind), *theirs))


def unsaved(held: Sequence[JSONObject], batch: Sequence[JSONObject]) -> list[JSONObject]:
    """Give what of a batch a session does not hold, so that appending it twice is appending once.

    An item without an id is known to be held only by an item with one: before one of the same
    batch that is held, or right after the last such, as in the batch. So a text said twice is
    stored twice, and a batch without any id is always new.

    Args:
        held: the items of the session, oldest first; its end is enough.
        batch: what is about to be appended, in order.
    """
    places = {name: at for at, each in enumerate(held) if (name := name_of(each)) is not None}
    last = max((at for at, each in enumerate(batch) if name_of(each) in places), default=None)
    if last is None:
        return list(batch)
    following = held[places[name_of(batch[last]) or ""] + 1 :]
    same = 0
    for ours, theirs in zip(batch[last + 1 :], following, strict=False):
        if name_of(ours) is not None or content_of(ours) != content_of(theirs):
            break
        same += 1
    late = [
        each for each in batch[:last] if name_of(each) is not None and name_of(each) not in places
    ]
    return [*late, *batch[last + 1 + same :]]


class _Found:
    """Where each entry of a run stands in a session, and what else stands there.

    Attributes:
        end: how long the session is.
        held: the session.
        places: by entry of the run, its place; None where it has none.
        duplicates: places of what has the id of an entry of the run that stands elsewhere.
        answers: places of what answers a call of the run that waits.
        foreign: places of everything else after the run began.
        others: what is not the run's, before its last entry.
        behind: the place after the last entry of the run.
    """

    def __init__(
        self,
        told: Sequence[Occurrence],
        names: Sequence[str | None],
        held: Sequence[JSONObject],
        start: int,
        *,
        renamed: bool,
    ) -> None:
        self.end, self.held = len(held), held
        theirs = [name_of(each, renamed=renamed) for each in held]
        self.places = find(told, names, held, theirs, start)
        taken = {place for place in self.places if place is not None}
        begin = min(taken, default=self.end)
        self.behind = max(taken, default=self.end - 1) + 1
        ours = {*names} - {None}
        waiting = open_calls(each.raw for each in told)
        rest = [at for at in range(begin, self.end) if at not in taken]
        self.duplicates = [at for at in rest if theirs[at] in ours]
        self.answers = [at for at in rest if answered(held[at]) in waiting]
        known = {*self.duplicates, *self.answers}
        self.foreign = [at for at in rest if at not in known]
        before = (at for at in self.foreign if at < self.behind)
        self.others = [*held[:begin], *(held[at] for at in before)]


def _visible(
    told: Iterable[Occurrence], hidden: Iterable[JSONObject], *, renamed: bool
) -> list[Occurrence]:
    """Leave out what a session does not hold: what the SDK holds back, and what a server drops."""
    count = Counter(content_of(each) for each in hidden)
    seen = []
    for each in reversed([*told]):
        if count[content_of(each.raw)]:
            count[content_of(each.raw)] -= 1
        elif not (renamed and is_bare_reasoning(each.raw)):
            seen.append(each)
    return seen[::-1]


def _after_compaction(held: Sequence[JSONObject], names: Collection[str | None]) -> int:
    """Give where the session begins that the run can be looked for in; 0: nothing was replaced."""
    compacted = [
        at for at, each in enumerate(held) if is_compacted(each) and name_of(each) not in names
    ]
    return compacted[-1] + 1 if compacted else 0


def _surplus(
    told: Sequence[Occurrence],
    found: _Found,
    said: Said,
    staged: Sequence[JSONObject],
    *,
    alone: bool,
) -> Sequence[int]:
    """Give the end of the session that only a stopped worker of the run can have written."""
    calls = set(open_calls(each.raw for each in told))
    calls |= {call for each in told if (call := answered(each.raw)) is not None}
    tail = found.held[found.behind :]
    mine = written(tail, said=said, alone=alone, calls=calls, staged=staged)
    return range(found.behind, found.end) if mine else ()


def _cut(found: _Found, surplus: Sequence[int], early: Sequence[int], *, repair: bool) -> int:
    """Give from where on the session is taken back."""
    cut = found.end - len(surplus)
    if not repair:
        return cut
    others = max((at for at in found.foreign if at < cut), default=-1)
    removable = [at for at in found.duplicates if at > others]
    whole = [] if early and min(early) < others else early  # a response is held back as a whole
    return min([cut, *removable, *whole])
