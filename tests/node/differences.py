"""Where two runs differ, and the committed list of what the two SDKs do differently.

`NAMED` is the whole list: a difference that no entry accounts for is a fault of whoever carried the
run across. An entry accounts for as little as it can: it looks at the values, not only at the path.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ABSENT = "(absent)"


class Found(NamedTuple):
    """One place where two outcomes differ; a side that has nothing there says `ABSENT`.

    Attributes:
        path: a JSON Pointer into the outcome.
        kind: `type` of the Responses item it is in; "" outside of items.
        python: what the run on the Python SDK shows.
        js: what the run on the JavaScript SDK shows.
    """

    path: str
    kind: str
    python: Any
    js: Any


def differences(python: Any, js: Any, path: str = "", kind: str = "") -> Iterator[Found]:  # noqa: ANN401  (JSON)
    """Every difference, in place; lists of different lengths as a whole."""
    if isinstance(python, dict) and isinstance(js, dict):
        kind = str(python.get("type", kind))
        for key in sorted(python.keys() | js.keys()):
            one, other = python.get(key, ABSENT), js.get(key, ABSENT)
            yield from differences(one, other, f"{path}/{key}", kind)
    elif isinstance(python, list) and isinstance(js, list) and len(python) == len(js):
        for position, (one, other) in enumerate(zip(python, js, strict=True)):
            yield from differences(one, other, f"{path}/{position}", kind)
    elif type(python) is not type(js) or python != js:
        yield Found(path, kind, python, js)


@attrs.frozen(kw_only=True)
class Difference:
    """Something the SDKs themselves do differently.

    Attributes:
        name: how the table says it.
        why: what each does.
        where: pattern of the whole path.
        accounts: whether these values differ for this reason.
    """

    name: str
    why: str
    where: str
    accounts: Callable[[Found], bool]

    def explains(self, found: Found) -> bool:
        """Whether it accounts for a difference."""
        return re.fullmatch(self.where, found.path) is not None and self.accounts(found)


_NESTED = frozenset({"Researcher", "worker"})  # agents that are tools of others
ITEM = r"/(?:requests/\d+/input|session)/\d+"
_OUTPUT = rf"(?:{ITEM}/output|.*/saw/[^/]+)"


def _read(text: Any, read: Callable[[str], Any]) -> Any:  # noqa: ANN401  (any value)
    """What a text says; ABSENT when it is no text or says nothing."""
    try:
        return read(text) if isinstance(text, str) else ABSENT
    except (ValueError, SyntaxError):
        return ABSENT


def _same(one: object, other: object) -> bool:
    return one is not ABSENT and one == other


NAMED: tuple[Difference, ...] = (
    Difference(
        name="json-spacing",
        why="JSON the SDK writes for the model has spaces in Python and none in JS",
        where=_OUTPUT,
        accounts=lambda it: (
            _same(_read(it.python, json.loads), _read(it.js, json.loads))
            and it.python.replace(" ", "") == it.js.replace(" ", "")
        ),
    ),
    Difference(
        name="output-text",
        why="an output with structure reaches the model as `str()` of it in Python, as JSON in JS",
        where=_OUTPUT,
        accounts=lambda it: _same(_read(it.python, ast.literal_eval), _read(it.js, json.loads)),
    ),
    Difference(
        name="result-status",
        why="JS sends a `status` with the output of a function call; Python sends none",
        where=rf"{ITEM}/status",
        accounts=lambda it: (
            (it.kind, it.python, it.js) == ("function_call_output", ABSENT, "completed")
        ),
    ),
    Difference(
        name="message-type",
        why="Python sends a message with its `type` when it was given one; JS never does",
        where=rf"{ITEM}/type",
        accounts=lambda it: (it.kind, it.js) == ("message", ABSENT),
    ),
    Difference(
        name="call-id-in-session",
        why="JS stores function calls without the `id` the server gave them; Python keeps it",
        where=r"/session/\d+/id",
        accounts=lambda it: it.kind == "function_call" and it.js is ABSENT,
    ),
    Difference(
        name="handoff-name",
        why="the default name of a handoff keeps the agent's case in JS, and is lower in Python",
        where=rf"/requests/\d+/handoffs/\d+|{ITEM}/name",
        accounts=lambda it: (it.python, it.js) == ("transfer_to_mailer", "transfer_to_Mailer"),
    ),
    Difference(
        name="mcp-output",
        why="JS sends an earlier `mcp_call` back without its `output`",
        where=rf"{ITEM}/output",
        accounts=lambda it: it.kind == "mcp_call" and it.js is ABSENT,
    ),
    Difference(
        name="image-result",
        why="JS sends an earlier `image_generation_call` back with `result: null`",
        where=rf"{ITEM}/result",
        accounts=lambda it: it.kind == "image_generation_call" and it.js is None,
    ),
    Difference(
        name="one-number-type",
        why="Python tells 1.0 from 1; JS has one type of number",
        where=rf"{ITEM}/.*",
        accounts=lambda it: (
            isinstance(it.python, float) and type(it.js) is int and it.python == it.js
        ),
    ),
    Difference(
        name="shell-call-id",
        why="JS tells a shell executor the action alone; Python tells it the call id too",
        where=r"/tool_runs/\d+/call_id",
        accounts=lambda it: it.python is not None and it.js is None,
    ),
    Difference(
        name="rejected-shell",
        why="a shell call that was rejected ended with exit code 1 in Python, with 0 in JS",
        where=rf"{_OUTPUT}/\d+/outcome/exit_code",
        accounts=lambda it: (it.python, it.js) == (1, 0),
    ),
    Difference(
        name="nested-decision",
        why="what was said to a nested run's call stays in the outer run in JS; in Python it goes "
        "with the nested run, which is over",
        where=r"/decisions",
        accounts=lambda it: it.python == [row for row in it.js or [] if row[0] not in _NESTED],
    ),
)


def named(
    python: object, js: object, known: Iterable[Difference] = NAMED
) -> tuple[set[str], list[Found]]:
    """Names of the differences between two runs, and what no name accounts for."""
    names: set[str] = set()
    unnamed: list[Found] = []
    for found in differences(python, js):
        reasons = [each.name for each in known if each.explains(found)]
        names.update(reasons[:1])
        unnamed += [found] if not reasons else []
    return names, unnamed
