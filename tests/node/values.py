"""Values that one of the languages cannot hold, in every place of a state, in both directions.

A cell says what hitl does: *exact*, *warned* or *refused*, the last two with the pointer that the
loss report gives. What is exact is read by the other language's real SDK, or given to its tool.
"""

from __future__ import annotations

import asyncio
import copy
import json
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from agents import RunState

import hitl
from hitl.errors import DocumentError, HitlError, LossError
from tests.agents import corpus
from tests.agents.log import Log
from tests.node import room
from tests.node.across import DIALECTS
from tests.node.definitions import cast
from tests.node.spelled import paused_in_node, paused_in_python

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.node.outcome import Language

TABLE = room.HERE / "VALUES.md"
EXACT, WARNED, REFUSED, ABSENT = "exact", "warned", "refused", "-"
_DEFINITION = "guardrails"
_NEVER_IN_JS = {"2^53 + 1", "-(2^53 + 1)", "10^25", "1e400", "NaN"}  # as a number of its own
_FOLDERS: dict[Language, str] = {"python": "cross/py-0.24.0", "js": "cross/js-0.20.0"}
_MARK = "THE VALUE"

VALUES: dict[str, str] = {
    "2^53": "9007199254740992",
    "2^53 + 1": "9007199254740993",
    "-(2^53 + 1)": "-9007199254740993",
    "10^25": "10000000000000000000000000",
    "1e22": "1e22",
    "1e400": "1e400",
    "NaN": "NaN",
    "-0": "-0",
    "1.0": "1.0",
    "1.50": "1.50",
    "integer-like keys": '{"10": 1, "9": 2, "a": 3}',
    "`__proto__`": '{"__proto__": 1}',
    "astral": r'"\ud83d\ude00"',
    "lone surrogate": r'"\ud800"',
}
"""Name → how it is spelled in JSON."""


class Place(NamedTuple):
    """Where a value stands; pointers into a state of either SDK."""

    python: str
    js: str

    def of(self, language: Language) -> str:
        """The pointer in a state of one SDK."""
        return self.python if language == "python" else self.js


WAITING = "arguments of a waiting call"
HISTORY = "arguments in the history"
_ITEM = "/generated_items/5", "/generatedItems/5"
_GUARDRAIL = "/output/outputInfo/ok"
PLACES: dict[str, Place] = {
    WAITING: Place("/generated_items/1/raw_item/arguments", "/generatedItems/1/rawItem/arguments"),
    HISTORY: Place("/generated_items/3/raw_item/arguments", "/generatedItems/3/rawItem/arguments"),
    "output of a tool": Place(f"{_ITEM[0]}/output", f"{_ITEM[1]}/output"),
    "text of an output": Place(f"{_ITEM[0]}/raw_item/output", f"{_ITEM[1]}/rawItem/output/text"),
    "context": Place("/context/context/key", "/context/context/key"),
    "guardrail info": Place(
        f"/input_guardrail_results/0{_GUARDRAIL}", f"/inputGuardrailResults/0{_GUARDRAIL}"
    ),
}
_TEXTS = "text of an output"


@cache
def state(place: str, value: str, language: Language) -> str | None:
    """A state with the value at the place; None where that language has no such state."""
    spelled = VALUES[value]
    if place == WAITING:
        paused = paused_in_python if language == "python" else paused_in_node
        return paused([f'{{"n": {spelled}}}'])[0]
    if place == _TEXTS and not spelled.startswith('"'):
        return None
    if language == "js" and value in _NEVER_IN_JS and place != HISTORY:
        return None
    document = copy.deepcopy(corpus.load(f"{_FOLDERS[language]}/{_DEFINITION}"))
    if place == HISTORY:
        arguments = json.dumps(f'{{"n": {spelled}}}')
        changed = _everywhere(document, _resolved(document, PLACES[place].of(language)), _MARK)
        return json.dumps(changed).replace(json.dumps(_MARK), arguments)
    items = ("generated_items", "session_items", "generatedItems")
    pointer = PLACES[place].of(language)
    for key in items if "items" in pointer.lower() else ("",):
        _put(document, pointer.replace("generated_items", key).replace("generatedItems", key))
    return json.dumps(document).replace(json.dumps(_MARK), spelled)


def _everywhere(given: Any, old: object, new: object) -> Any:  # noqa: ANN401  (JSON)
    if isinstance(given, dict):
        return {key: _everywhere(each, old, new) for key, each in given.items()}
    if isinstance(given, list):
        return [_everywhere(each, old, new) for each in given]
    return new if given == old else given


def _resolved(given: Any, pointer: str) -> Any:  # noqa: ANN401  (JSON)
    for part in pointer.split("/")[1:]:
        given = given[int(part)] if isinstance(given, list) else given[part]
    return given


def _put(document: Any, pointer: str) -> None:  # noqa: ANN401  (JSON)
    *parts, last = pointer.split("/")[1:]
    if parts[0] not in document:
        return
    holder = _resolved(document, "".join(f"/{part}" for part in parts)) or {}
    if parts == ["context", "context"]:
        document["context"]["context"] = holder
    holder[last] = _MARK


class Cell(NamedTuple):
    """What hitl does with a value.

    Attributes:
        word: one of the four above.
        pointers: where the loss report says that it stands.
        data: the state as the other SDK reads it.
    """

    word: str
    pointers: tuple[str, ...] = ()
    data: str = ""

    def __str__(self) -> str:
        """Give it as the table does."""
        return " ".join([self.word, *(f"`{each}`" for each in self.pointers)])


def cell(place: str, value: str, target: Language) -> Cell:
    """What becomes of a value on its way to a language."""
    source: Language = "python" if target == "js" else "js"
    text = state(place, value, source)
    if text is None:
        return Cell(ABSENT)
    try:
        found = hitl.loads(text)
        done = hitl.convert(found, dialect=DIALECTS[target], allow_loss=True)
    except LossError as exc:
        losses: Any = exc.losses
        worst = (each.path for each in losses if each.severity == "error")
        return Cell(REFUSED, tuple(dict.fromkeys(worst)))
    except HitlError as exc:
        return Cell(REFUSED, (exc.path or "",))
    warned = tuple(each.path for each in done.losses if "number" in each.reason)
    return Cell(WARNED if warned else EXACT, warned, done.data.decode())


def cells() -> dict[tuple[str, str, Language], Cell]:
    """Every cell: place, value, target."""
    targets: tuple[Language, ...] = ("js", "python")
    return {
        (place, value, target): cell(place, value, target)
        for place in PLACES
        for value in VALUES
        for target in targets
    }


def bad_utf8(language: Language) -> str:
    """What hitl says of a state with a byte that is no UTF-8."""
    data = corpus.read(f"{_FOLDERS[language]}/plain").replace(b"Mail Bob", b"Mail \xff")
    try:
        hitl.loads(data)
    except DocumentError as exc:
        return f"{REFUSED}: {exc.code}"
    return EXACT


def reread(states: Sequence[str], language: Language) -> list[str]:
    """States as the real SDK of a language reads them and writes them again."""
    if language == "js":
        jobs = [{"kind": "reread", "definition": _DEFINITION, "state": each} for each in states]
        return [str(each.get("value", each.get("thrown"))) for each in room.work(jobs)]
    return [asyncio.run(_read_again(each)) for each in states]


async def _read_again(text: str) -> str:
    read = await RunState.from_string(cast(_DEFINITION)(Log()), text)
    return read.to_string()


def said(text: str, place: str, language: Language) -> Any:  # noqa: ANN401  (JSON)
    """The value at a place of a state."""
    return _resolved(json.loads(text), PLACES[place].of(language))


_INTRO = """# Values at the language border

Generated by `python -m tests.node`. A state with the value at the place goes to the other SDK: it is
carried *exact*, *warned* about with the pointer of the loss report, or *refused* with the pointer.
What is exact is read again by the real SDK, and arguments are what its tool gets. JavaScript has one
type of number: 1.0 is 1 there. Its own states hold no NaN and no infinity. "-" is a state that no
SDK writes. A byte that is no UTF-8 is refused wherever it stands.

"""  # noqa: E501  (a table)


def render() -> str:
    """The table to read."""
    lines = ["| place | value | Python → JS | JS → Python |", "| --- | --- | --- | --- |"]
    found = cells()
    for place in PLACES:
        for value in VALUES:
            both = (str(found[place, value, "js"]), str(found[place, value, "python"]))
            lines.append(f"| {place} | {value} | {both[0]} | {both[1]} |")
    return _INTRO + "\n".join(lines) + "\n"
