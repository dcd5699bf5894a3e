"""Law 6 at the border: every leaf of a recorded state reaches the other SDK, or is reported."""

from __future__ import annotations

import copy
import json
import re
import sys
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

import hitl
from hitl.document import escape
from hitl.errors import HitlError
from tests.agents import corpus
from tests.hints import hints

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.revision import Loss

    Crossed: TypeAlias = "tuple[Any, tuple[Loss, ...]]"

Place: TypeAlias = "tuple[str | int, ...]"
PYTHON, JS = "openai-agents-python", "openai-agents-js"
TARGETS = {"cross/py-0.24.0": JS, "cross/js-0.20.0": PYTHON, "cross/js-older": PYTHON}
RUNS = "pendingAgentToolRuns"

# Where a leaf is reported under the name that the run state has for it.
REPORTED = {
    r".*/mcp_approval_requests/\*/mcp_tool/.*": r".*/processed/calls/\d+/tool",
    r".*/handoffs/\*/targetAgent/.*": r".*/processed/calls/\d+/target",
}
# What may change without a trace, and why.
ANEW = {
    r".*/current_response_generated_item_ownership/.*": "worked out from the items themselves",
    r".*/functions/\*/tool/lookupKey/.*": "the call says which tool it is for",
    r".*/pendingAgentToolRunAliases.*": "second names of runs that are found by their calls",
}


def leaves(value: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:  # noqa: ANN401  (JSON)
    """Every leaf of a document, those of runs that are kept as text too."""
    if len(place) > 1 and place[-2] == RUNS:
        value = json.loads(value)
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from leaves(each, (*place, key))
    elif isinstance(value, list) and value:
        for index, each in enumerate(value):
            yield from leaves(each, (*place, index))
    else:
        yield place, value


def changed(value: Any, place: Place, new: Any, before: str | int = "") -> Any:  # noqa: ANN401  (JSON)
    """The document with another value in one place."""
    if not place:
        return new
    if before == RUNS:
        return json.dumps(changed(json.loads(value), place, new))
    first, *rest = place
    whole = copy.copy(value)
    if len(rest) and first == RUNS:
        whole[first] = {
            **value[first],
            rest[0]: changed(value[first][rest[0]], (*rest[1:],), new, RUNS),
        }
        return whole
    whole[first] = changed(value[first], (*rest,), new, first)
    return whole


def other(value: Any) -> Any:  # noqa: ANN401  (JSON)
    """Another value of the same type; something instead of nothing."""
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case str():
            return f"{value}x"
        case list():
            return ["x"]
        case dict():
            return {"x": "y"}
        case _:
            return "x"


def kind(place: Place) -> str:
    """The place without indexes and ids: leaves of one kind are treated alike."""
    names = ("*" if isinstance(each, int) else str(each) for each in place)
    return "/" + "/".join(re.sub(r"^(?:call|mcpr)_\w+$", "ID", name) for name in names)


def crossed(document: Any, target: str, known: Any) -> Crossed:  # noqa: ANN401  (JSON)
    """What the other SDK gets of a document, and what is reported."""
    done = hitl.convert(hitl.loads(document), dialect=target, allow_loss=True, **known)
    return json.loads(done.data), done.losses


@cache
def fate(folder: str) -> dict[str, str]:
    """What becomes of one leaf of every kind in a folder, when it is another value."""
    found: dict[str, str] = {}
    target = TARGETS[folder]
    for name in (each for each in sorted(_names()) if each.startswith(folder)):
        document = corpus.load(name)
        known = hints(name.rpartition("/")[2].partition(".")[0], target)
        if name.endswith(corpus.NO_RUN_INSIDE):  # refused as a whole
            continue
        whole = crossed(document, target, known)
        for place, value in leaves(document):
            if kind(place) not in found:
                new = changed(document, place, other(value))
                found[kind(place)] = _fate(new, place, whole, target, known)
    return found


def _names() -> set[str]:
    return {*corpus.every(), *corpus.javascript()}


def _fate(document: Any, place: Place, whole: Crossed, target: str, known: Any) -> str:  # noqa: ANN401  (JSON)
    try:
        there, losses = crossed(document, target, known)
    except HitlError:
        return "refused"
    if there != whole[0]:
        return "carried"
    pointer = "".join(f"/{escape(str(each))}" for each in place)
    before = whole[1]
    if losses != before or any(each.path and pointer.startswith(each.path) for each in before):
        return "reported"
    under = [mine for theirs, mine in REPORTED.items() if re.fullmatch(theirs, kind(place))]
    if any(re.fullmatch(mine, each.path) for mine in under for each in before):
        return "reported"
    return "silent"


@pytest.mark.parametrize("folder", TARGETS)
def test_nothing_silent(folder: str) -> None:
    """A leaf that is another value changes the other SDK's document, the report, or is refused."""
    silent = [at for at, fate_ in fate(folder).items() if fate_ == "silent"]
    assert [at for at in silent if not any(re.fullmatch(each, at) for each in ANEW)] == []


def test_the_lists_are_short() -> None:
    """Each reason is needed: without it something would be silent."""
    silent = {at for folder in TARGETS for at, each in fate(folder).items() if each == "silent"}
    assert all(any(re.fullmatch(each, at) for at in silent) for each in ANEW)


def test_count(capsys: pytest.CaptureFixture[str]) -> None:
    """Every fate is met, in each folder, by many kinds of leaves."""
    for folder in TARGETS:
        counted = Counter(fate(folder).values())
        with capsys.disabled():
            sys.stdout.write(f"\n{folder}: {sum(counted.values())} kinds of leaves, {counted}\n")
        assert counted["carried"] > 100
        assert counted["reported"] > 20
        assert counted["refused"] > 20
