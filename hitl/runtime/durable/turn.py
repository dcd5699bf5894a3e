"""What is in the effect ledger beside calls; the SDK is not needed to know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hitl.store import Effect

# No call has such a name: in the id of a call, `~` stands as `~0`.
_PREFIX = "~request:"
SESSION = "~session:"
"""Begins the name of a mark that says where a run begins in its session; a generation follows."""
GIVEN_UP = "~given-up:"
"""Begins the name of a mark that holds what was answered and given up; a generation follows."""
PLACE = "~place:"
"""Begins the name of a mark that says where a run was told to go on; a generation follows."""
LIMIT = "~limit:"
"""Begins the name of a mark that says how many turns a run was given; a generation follows."""
SAID = "~said:"
"""Begins the name of a row of what was said to a run that goes on; generation and number follow."""
_MARKS = (SESSION, GIVEN_UP, PLACE, LIMIT)


def is_call(name: str) -> bool:
    """Tell whether a name is that of a call: not of a request to a model, of a mark, or input."""
    return not name.rpartition("/")[2].startswith((_PREFIX, *_MARKS, SAID))


def is_mark(name: str) -> bool:
    """Tell whether a name is that of a mark, or of input: of what only a worker reads."""
    return name.startswith((*_MARKS, SAID))


def name_of(turn: int, *outer: str) -> str:
    """Give the name of a request.

    Args:
        turn: the model call of its run, counted from 1.
        outer: the calls of agents used as tools around that run, outermost first, escaped.
    """
    return "/".join((*outer, f"{_PREFIX}{turn}"))


def turn_of(call: str) -> int | None:
    """Give the turn of a request of the outer run, 0 of one inside; None for the name of a call."""
    outer, _, last = call.rpartition("/")
    if not last.startswith(_PREFIX):
        return None
    return 0 if outer else int(last.removeprefix(_PREFIX))


def marks(effects: Iterable[Effect]) -> list[str]:
    """Give the names of the marks among effects, each of use until there is a checkpoint."""
    ended = (each for each in effects if each.state in {"finished", "rerun"})
    return [each.call for each in ended if each.call.startswith(_MARKS)]


def recorded(effects: Iterable[Effect]) -> dict[str, bytes]:
    """Give the responses that were recorded and are in no checkpoint yet, by name."""
    done = (each for each in effects if each.state == "finished")
    return {each.call: each.result or b"" for each in done if turn_of(each.call) is not None}


def cut(effects: Iterable[Effect]) -> list[str]:
    """Give the requests that were cut and may go out again, by name."""
    left = (each.call for each in effects if each.state == "rerun")
    return [call for call in left if turn_of(call) is not None]
