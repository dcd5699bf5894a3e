"""Recorded states with one value damaged: refused by name or carried, in every direction.

Each damage stands for a place that once took it for something sound.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import hitl
from hitl import document
from hitl.dialects.openai_js import DIALECT as JS
from hitl.dialects.openai_python import DIALECT as PYTHON
from hitl.errors import ArgumentsChanged, HitlError, InvalidDocument
from tests.agents import corpus

if TYPE_CHECKING:
    from hitl import RunState

TARGETS = (JS.name, PYTHON.name)
_TOOL = ("last_processed_response", "functions", 0, "tool")
_WAITING = ("current_step", "data", "interruptions", 0, "raw_item")
_SAME = ("currentStep", "data", "interruptions", 0, "rawItem")
_META = ("context", "context_meta")
_LAST = ("lastModelResponse", "usage", "outputTokensDetails", 0)


class Damage(NamedTuple):
    """A recorded state, the place that is damaged, and what stands there instead."""

    name: str
    at: tuple[str | int, ...]
    value: Any

    def document(self) -> bytes:
        """The damaged document; the native one, where the place is one of its."""
        data = corpus.read(self.name)
        native = self.at[0] in {"items", "extras", "processed"}
        given = json.loads(hitl.dumps(hitl.loads(data)) if native else data)
        holder: Any = given
        for part in self.at[:-1]:
            holder = holder[part]
        holder[self.at[-1]] = self.value
        return document.encode_lenient(given)


PARALLEL, NESTED = "cross/py-0.24.0/parallel", "cross/js-older/nested_0.14.3"
JS_PLAIN, PY_PLAIN = "cross/js-0.20.0/plain", "cross/py-0.24.0/plain"
UNNAMED = {
    "name": Damage(NESTED, (*_SAME, "name"), {}),
    "namespace": Damage(JS_PLAIN, ("items", 0, "item", "raw", "namespace"), ["x"]),
    "tool": Damage(PY_PLAIN, (*_TOOL, "lookupKey", "name"), ["x"]),
    "tool-too": Damage(PY_PLAIN, _TOOL, {"name": {"x": 1}}),
    "server": Damage(
        "cross/js-0.20.0/hosted_mcp.rejectalways", ("items", 0, "item", "raw", "server_label"), [{}]
    ),
}
"""Calls that do not say which tool they are for."""

CARRIED = {
    "serialized-via": Damage(PY_PLAIN, (*_META, "serialized_via"), []),
    "original-type": Damage(PY_PLAIN, (*_META, "original_type"), {}),
    "type": Damage("cross/py-0.24.0/shell", (*_WAITING, "type"), {}),
    "binding": Damage(JS_PLAIN, (*_LAST, "mcpToolBinding"), None),
    "not-found": Damage(JS_PLAIN, (*_LAST, "functionToolsNotFound"), [{}]),
}
REFUSED = {
    "call": Damage(
        "cross/js-0.20.0/hosted_two",
        ("items", 0),
        {"item": {"kind": "mcp_approval_request", "agent": 0, "call": None, "raw": None}},
    ),
    "entries": Damage(PY_PLAIN, ("items", 2, "response", "usage"), None),
    "agent": Damage("cross/js-older/nested_0.4.5", ("items", 1, "item", "agent"), 7),
    "no-agent": Damage(PY_PLAIN, ("items", 0, "item", "agent"), -1),
    "kept": Damage(JS_PLAIN, ("extras", JS.name, "kept"), [7]),
    "kept-now": Damage(JS_PLAIN, ("extras", JS.name, "kept", 0, "now"), "x"),
    "extras": Damage(PY_PLAIN, ("extras", PYTHON.name, "document"), "x"),
    "signed": Damage(PY_PLAIN, ("extras", PYTHON.name, "signed"), ["x"]),
    "response": Damage(JS_PLAIN, ("processed", "calls", 0, "item"), 2),
}
"""Native documents that no SDK's can be made of."""


def problems(data: bytes) -> list[HitlError]:
    """What `check` finds for any target, without raising."""
    return [
        problem
        for target in (*TARGETS, None)
        for problem in hitl.check(data, dialect=target).problems
    ]


def attempts(data: bytes) -> list[HitlError]:
    """What stops the state, as it is or decided, on its way to either SDK."""
    return [
        error
        for target in TARGETS
        for verdict in (None, False, True)
        if (error := refused(data, target, always=verdict)) is not None
    ]


def refused(data: bytes, target: str, *, always: bool | None) -> HitlError | None:
    """What stops a state that is written for a target; each call is approved before, if asked."""
    try:
        state: RunState = hitl.loads(data)
        for waiting in state.interruptions if always is not None else ():
            if waiting.decision is None:
                state = state.approve(waiting.call, always=bool(always))
        hitl.dumps(state, dialect=target, allow_loss=True)
    except HitlError as exc:
        return exc
    return None


@pytest.mark.parametrize("damage", UNNAMED.values(), ids=UNNAMED)
def test_no_tool(damage: Damage) -> None:
    """A call whose tool is no text is never decided: nobody could say what was."""
    data = damage.document()
    assert any(isinstance(each, ArgumentsChanged) for each in problems(data))
    for target in TARGETS:
        for always in (False, True):
            assert isinstance(refused(data, target, always=always), ArgumentsChanged)


@pytest.mark.parametrize("damage", CARRIED.values(), ids=CARRIED)
def test_carried(damage: Damage) -> None:
    """A value that decides nothing stops nothing: at its own dialect the document is the same."""
    data = damage.document()
    state = hitl.loads(data)
    own = hitl.dumps(state, dialect=state.origin.dialect, version=state.origin.version)
    assert document.equal(document.parse(own), document.parse(data))
    assert not [each for each in problems(data) if not isinstance(each, ArgumentsChanged)]
    assert attempts(data) == []


@pytest.mark.parametrize("damage", REFUSED.values(), ids=REFUSED)
def test_refused(damage: Damage) -> None:
    """What a native document cannot mean is refused by name, and reported by `check`."""
    data = damage.document()
    found = problems(data)
    assert any(isinstance(each, InvalidDocument) and each.path for each in found)
    assert any(isinstance(each, InvalidDocument) for each in attempts(data))


@pytest.mark.parametrize(
    "damage",
    [
        Damage("cross/js-0.20.0/hosted_two", ("pendingAgentToolRunAliases",), {"x": {}}),
        Damage(JS_PLAIN, ("extras", JS.name, "kept", 0, "now"), []),
    ],
    ids=["aliases", "kept-nothing"],
)
def test_older(damage: Damage) -> None:
    """What names nothing changes nothing on the way to an older release."""
    state = hitl.loads(damage.document())
    written = hitl.dumps(state, dialect=JS.name, version="1.13", allow_loss=True)
    assert [each.call for each in hitl.loads(written).interruptions] == [
        each.call for each in state.interruptions
    ]
