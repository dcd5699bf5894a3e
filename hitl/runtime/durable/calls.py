"""Where in a run a call is made, and which calls there are: some tools are told no id."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from attrs import field, mutable

from hitl import document
from hitl.document import JSONObject
from hitl.errors import ToolMismatch
from hitl.model.decide import nested_runs
from hitl.model.open import open_calls
from hitl.runtime.durable.gate import Halt
from hitl.runtime.durable.idempotent import KEY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hitl.model import RunState

_OPEN = frozenset({"apply_patch_call", "computer_call"})

PATH: ContextVar[tuple[str, ...]] = ContextVar("hitl_path", default=())
"""The calls of agents used as tools around what runs now, outermost first, escaped."""


@mutable(kw_only=True, eq=False)
class Inside:
    """A run inside an agent used as a tool, as far as it has come.

    Attributes:
        agent: whose run it is.
        tools, graph: what its tools pass, and the agents it may hand off to.
        result: what it gave; None while there is none.
    """

    agent: Any
    tools: Any
    graph: Any
    result: Any = None

    @property
    def suspended(self) -> bool:
        """Whether it waits for a person, or never ran."""
        return self.result is None or bool(getattr(self.result, "interruptions", None))


INSIDE: ContextVar[Inside | None] = ContextVar("hitl_inside", default=None)
"""The run that begins next inside an agent used as a tool."""


ANSWERS: ContextVar[list[int]] = ContextVar("hitl_answers")
"""How many responses the run inside an agent used as a tool has: one number."""


APART: ContextVar[bool] = ContextVar("hitl_apart", default=False)
"""Whether what runs now is a run of the app's own: none of a durable run, nor inside one."""


def outside() -> None:
    """Be in no run and in no call."""
    PATH.set(())
    INSIDE.set(None)
    KEY.set(None)
    APART.set(False)


def strays(calls: Iterable[str], state: RunState | None) -> tuple[str, ...]:
    """Give those of `calls` that `state` does not know: their response is lost.

    Args:
        calls: names of calls that ran.
        state: the run as it will go on; None when it starts over.
    """
    known = None if state is None else _Known(state)
    return tuple(call for call in calls if known is None or not known.holds(call))


class _Known:
    """The calls a run knows, those of the runs inside it too."""

    def __init__(self, state: RunState) -> None:
        items = (record.item for record in state.log)
        self._ids = {document.escape(item.call_id or "") for item in items if item is not None}
        self._open = {document.escape(each) for each in open_calls(state)}
        self._inside = {document.escape(outer): _Known(run) for outer, run in nested_runs(state)}

    def holds(self, call: str) -> bool:
        """Tell whether a call is of this run; what an answered call did inside is part of it."""
        first, _, rest = call.partition("/")
        if first not in self._ids:
            return False
        if not rest or first not in self._open:
            return True
        return first in self._inside and self._inside[first].holds(rest)


def name_of(call_id: str) -> str:
    """Give the name of a call made here: its id, or `outer/inner`."""
    return "/".join((*PATH.get(), document.escape(call_id)))


@mutable(kw_only=True, eq=False)
class Open:
    """The calls of the last responses that are matched to their tools by what they say.

    Calls of one kind run in the order the model made them; equal ones are alike.
    """

    _calls: dict[tuple[str, ...], list[JSONObject]] = field(factory=dict, init=False)
    _last: dict[tuple[tuple[str, ...], str], str] = field(factory=dict, init=False)

    def answered(self, output: list[Any]) -> None:
        """Take the calls of a response that was just received."""
        raws = [each if isinstance(each, dict) else each.model_dump() for each in output]
        self._calls[PATH.get()] = [raw for raw in raws if raw.get("type") in _OPEN]

    def restored(self, state: RunState, path: tuple[str, ...] = ()) -> None:
        """Take the calls of a run that is taken up again, those of runs inside too."""
        calls = state.processed.calls if state.processed else ()
        runs = open_calls(state) - {each.call_id for each in state.decisions if not each.approved}
        items = [state.log.item(each.item) for each in calls]
        raws = [item.raw for item in items if item.call_id in runs]
        self._calls[path] = [
            raw for raw in raws if isinstance(raw, dict) and raw.get("type") in _OPEN
        ]
        for outer, run in nested_runs(state):
            self.restored(run, (*path, document.escape(outer)))

    def take(self, kind: str, operation: JSONObject | None = None) -> tuple[str, JSONObject]:
        """Take the first call of a kind that does `operation`: its id, and the call."""
        calls = self._calls.get(PATH.get(), [])
        for raw in calls:
            if raw.get("type") == kind and (operation is None or _does(raw, operation)):
                calls.remove(raw)
                call_id = str(raw.get("call_id"))
                self._last[PATH.get(), kind] = call_id
                return call_id, raw
        raise Halt(ToolMismatch(f"expected a {kind} of the last response, found another"))

    def taken(self, kind: str) -> str | None:
        """Give the id of the call of a kind that was taken last."""
        return self._last.get((PATH.get(), kind))


def _does(raw: JSONObject, operation: JSONObject) -> bool:
    given: Any = raw.get("operation") or {}
    return all(given.get(key) == value for key, value in operation.items())
