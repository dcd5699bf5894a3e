"""What became of a run on another release, in a word: held against how that release goes on itself.

What was before the pause is spelled as the release that paused spelled it. So a place may also look
as it does when that release goes on by itself; what looks like neither is wrong, unless the list of
`differences`, or the one here, has a name for it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import attrs

from tests.node.differences import ABSENT, ITEM, NAMED, Difference, Found, named
from tests.node.releases import LABELS, Absent, Arrived, Station

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.node.outcome import Seen

_PLACE = re.compile(r"^/\S* ")
RESUMED, WRONG = "resumed", "WRONG"
ALLOWED = "resumed with allow_loss:"
REPAIRED = "resumed with repairs:"
STOPPED = "refused by the release before anything runs:"
_REQUEST = {
    "requests": 1,
    "input": 11,
    "output": 7,
    "total": 18,
    "cached": 3,
    "cache_written": 2,
    "reasoning": 5,
}
"""What a scripted model says that a request costs."""


def _gap(found: Found) -> int:
    """How far apart two counts are; 0 when they are none."""
    both = (found.python, found.js)
    return abs(both[0] - both[1]) if {type(each) for each in both} == {int} else 0


def _turned(difference: Difference) -> Difference:
    """The same difference, whichever side is which."""

    def accounts(found: Found) -> bool:
        given = (found, found._replace(python=found.js, js=found.python))
        return any(difference.accounts(each) for each in given)

    return attrs.evolve(difference, accounts=accounts)


_MORE = (
    Difference(
        name="shell-action",
        why="the action of a shell call has a `type` in Python; JS says too what it does not limit",
        where=rf"{ITEM}/action/(?:type|timeout_ms|max_output_length)",
        accounts=lambda it: (it.python, it.js) in {("exec", ABSENT), (ABSENT, None)},
    ),
    Difference(
        name="no-instructions",
        why="an agent without instructions sends none in Python, and an empty text in JS",
        where=r"/requests/\d+/instructions",
        accounts=lambda it: (it.python, it.js) == (None, ""),
    ),
    Difference(
        name="message-type-kept",
        why="JS keeps a `type` with what a user says; Python sends it as it is kept",
        where=rf"{ITEM}/type",
        accounts=lambda it: (it.python, it.js) == (ABSENT, "message"),
    ),
)
_EVER = tuple(_turned(each) for each in (*NAMED, *_MORE))
_UNCOUNTED = Difference(
    name="uncounted-usage",
    why="0.2.1 writes no details of usage, and nothing of what a streamed run has used",
    where=r"/usage/\w+",
    accounts=lambda it: _gap(it) > 0 and _gap(it) % _REQUEST[it.path.rpartition("/")[2]] == 0,
)
_SAME_NAME = Difference(
    name="same-name",
    why="before 0.9.0 a state does not tell two agents of one name apart: the first is meant",
    where=r"/decisions/\d+/0",
    accounts=lambda it: {it.python, it.js} == {"Worker", "Worker#2"},
)
_NO_REASON = Difference(
    name="no-reason",
    why="before 0.5.4 no release of JS keeps what is told of a rejected call",
    where=rf"{ITEM}/reason",
    accounts=lambda it: {it.python, it.js} == {ABSENT, "not today"},
)
_CACHE_WRITES = Difference(
    name="cache-writes",
    why="openai-agents 0.14.0 does not count what is written to a cache",
    where=r"/usage/cache_written",
    accounts=lambda it: 0 in {it.python, it.js},
)
_INNER_USAGE = Difference(
    name="inner-usage",
    why="openai-agents 0.14.0 forgets what a run inside has used; JS counts it in one",
    where=r"/usage/\w+",
    accounts=lambda it: _gap(it) == _REQUEST[it.path.rpartition("/")[2]],
)
OTHER_COSTS = Difference(
    name="other-costs",
    why="the first states that were recorded had a model with other costs",
    where=r"/usage/(?!requests)\w+",
    accounts=lambda it: _gap(it) > 0,
)
OLDER = (*_MORE, OTHER_COSTS, _UNCOUNTED, _SAME_NAME, _NO_REASON, _CACHE_WRITES, _INNER_USAGE)
"""Differences beyond the 30 definitions and the newest releases; where they count, `known` says."""


def known(source: Station, target: Station, definition: str) -> tuple[Difference, ...]:
    """The differences that may be between runs of two releases."""
    labels = list(LABELS.values())
    label = labels.index(source.label) if source.language == "js" else len(labels)
    names = {
        _UNCOUNTED: label == labels.index(LABELS["0.2.1"]),
        _SAME_NAME: label < labels.index(LABELS["0.9.0"]),
        _NO_REASON: label < labels.index(LABELS["0.5.4"]),
        _CACHE_WRITES: target == Station("python", "0.14.0"),
        _INNER_USAGE: target == Station("python", "0.14.0") and definition == "nested",
    }
    return (*_EVER, *(each for each, counts in names.items() if counts))


def judge(
    there: Seen, target: Seen, source: Seen | None, differences: Iterable[Difference]
) -> tuple[set[str], list[Found]]:
    """Names of the differences to how the target goes on itself, and what has no name.

    Args:
        there: what is judged.
        target: how the release that went on does so by itself.
        source: how the release that paused does; None where it does not.
        differences: the differences that have names.
    """
    names, unnamed = named(target, there, differences)
    if source is None or not unnamed:
        return names, unnamed
    _, other = named(source, there, differences)
    return names, [each for each in unnamed if _within(each, other)]


def _within(found: Found, others: Iterable[Found]) -> bool:
    places = (f"{each.path}/" for each in others)
    here = f"{found.path}/"
    return any(here.startswith(each) or each.startswith(here) for each in places)


@attrs.frozen
class Verdict:
    """What became of a run.

    Attributes:
        word: in a word, with the reason.
        names: the named differences it has.
    """

    word: str
    names: frozenset[str] = frozenset()


def verdict(
    arrived: Arrived | Absent,
    target: Seen | None,
    source: Seen | None,
    differences: tuple[Difference, ...],
) -> Verdict:
    """Say what became of a run, see `judge`."""
    if isinstance(arrived, Absent):
        return Verdict(f"absent: {_brief(arrived.why)}")
    if arrived.seen is None:
        return Verdict(f"refused: {_brief(arrived.refused or '')}")
    assert target is not None
    word, names = _compared(arrived.seen, target, source, differences)
    if word == RESUMED and arrived.needs:
        word = f"{ALLOWED} {_brief('; '.join(arrived.needs))}"
    elif word.startswith(WRONG) and arrived.repaired is not None:
        repaired, names = _compared(arrived.repaired, target, source, differences)
        if repaired == RESUMED and _asks_again(arrived.seen, target):
            word = f"{REPAIRED} {', '.join(arrived.names)}; asks again otherwise"
    return Verdict(word, frozenset(names))


def _asks_again(there: Seen, target: Seen) -> bool:
    """Whether a call waits once more that was decided, and the run has not gone wrong otherwise."""
    return there["error"] is None and there["final_output"] is None is not target["final_output"]


def _compared(
    there: Seen, target: Seen, source: Seen | None, differences: tuple[Difference, ...]
) -> tuple[str, set[str]]:
    if there["error"] is not None:
        kind, said = there["error"]
        nothing = not there["requests"] and not there["tool_runs"]
        return f"{STOPPED if nothing else f'{WRONG}: fails:'} {kind}: {_brief(said)}", set()
    names, unnamed = judge(there, target, source, differences)
    if not unnamed:
        return RESUMED, names
    other = sorted({each.path.split("/")[1] for each in unnamed})
    return f"{WRONG}: other {', '.join(other)}", names


def _brief(text: str) -> str:
    """A reason as a cell of a table can say it: without places, and each only once."""
    sentence = text.partition("\n")[0].partition(". ")[0]
    found = (_PLACE.sub("", each).strip() for each in sentence.split("; "))
    return ", ".join(dict.fromkeys(found)).replace("|", "/").replace("`", "")
