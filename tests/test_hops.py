"""Generated states across the language border and back: the same run, or refused up front.

What comes back is the state that went, but for what `FORMS` names; from the first hop on nothing
changes any more, however often the run changes its language.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

import hitl
from hitl import document
from hitl.dialects.openai_js import DIALECT as JS
from hitl.dialects.openai_python import DIALECT as PYTHON
from hitl.errors import HitlError, LossError
from hitl.testing import run_states
from hitl.testing.mutation import WRONG, places
from hitl.testing.value import json_values, texts
from tests.agents import corpus
from tests.soak import both

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl import RunState
    from hitl.dialect import Dialect
    from hitl.document import Change
    from hitl.transfer import Converted


class Form(NamedTuple):
    """A difference that the way there and back makes.

    Attributes:
        where: pattern of the JSON Pointers, of a run or of one inside.
        why: what it means.
        loss: pattern of the pointers a loss report names it by; None where both mean the same.
        adds: whether it only adds, and nothing for good.
    """

    where: str
    why: str
    loss: str | None = None
    adds: bool = False

    def covers(self, path: str, change: Change) -> bool:
        """Tell whether a difference is of this form."""
        more = change.kind == "added" and "true" not in json.dumps(change.after)
        found = re.fullmatch(self.where, path, re.DOTALL)  # a key may hold a line break
        return found is not None and (more or not self.adds)


FORMS: dict[str, tuple[Form, ...]] = {
    PYTHON.name: (
        Form(r"/auto_previous_response_id", "no place there", r"/conversation/auto$"),
        Form(r"/last_processed_response/mcp_tool_bindings", "none, said or unsaid"),
        Form(
            r"/last_processed_response/(\w+)/\d+/(tool|shell|apply_patch|computer|mcp_tool)",
            "a tool that nobody described is described by its call",
        ),
        Form(
            r"/last_processed_response/tool_output_guardrail_result_start"
            r"|/current_response_generated_item_ownership",
            "what can be told is said",
        ),
        Form(r"/last_processed_response/tools_used/\d+", "hosted tools are named there"),
        Form(
            r"/(generated_items|session_items|last_processed_response/new_items)/\d+/tool_name",
            "a call without the name of its tool gets it",
        ),
        Form(
            r"/context/hosted_mcp_approvals/\d+",
            "a decision for good on a hosted tool is not repeated under its request",
        ),
        Form(
            r"/context/function_tool_approvals(/.*)?",
            "a decision on a call of another run, inside or around, decides nothing here",
            adds=True,
        ),
        Form(
            r"/context/(approvals|function_tool_approvals|hosted_mcp_approvals)(/.*)?",
            "what was decided for good in one run would be for good in another",
            r"/(grants|decisions)/",
        ),
    ),
    JS.name: (
        Form(
            r"/context/approvalInvocations/\d+(/invocations/\w+)?",
            "a call decided for good is not bound again: every call of its tool is",
        ),
    ),
}
_INSIDE = re.compile(r"^(/last_processed_response/functions/\d+/agent_run_state|/inside/[^/]+)+")


_UNORDERED = {
    *("approved", "rejected", "functionApprovals"),
    *("function_tool_approvals", "hosted_mcp_approvals"),
    *("approvalInvocations", "completedToolInvocations", "completedToolInvocationEvidence"),
}


def opened(given: Any) -> Any:  # noqa: ANN401  (JSON)
    """A document with the runs inside as objects, and the same order in what has none."""
    inside = given.get("pendingAgentToolRuns", {})
    runs = {key: opened(json.loads(text)) for key, text in inside.items()}
    found = _ordered({**given, "pendingAgentToolRuns": {}} if inside else given)
    return {**found, "inside": runs} if inside else found


def _ordered(given: Any) -> Any:  # noqa: ANN401  (JSON)
    if isinstance(given, list):
        return [_ordered(each) for each in given]
    if not isinstance(given, dict):
        return given
    found = {key: _ordered(each) for key, each in given.items()}
    for key in _UNORDERED & found.keys():
        if isinstance(found[key], list):
            found[key].sort(key=lambda each: json.dumps(each, sort_keys=True))
    return found


def changes(one: bytes, other: bytes) -> list[Change]:
    """Where two documents differ."""
    first, second = (opened(document.parse(each, lenient=True)) for each in (one, other))
    return list(document.diff(first, second))


def hop(data: bytes, target: Dialect) -> Converted:
    """The state in the form of an SDK."""
    return hitl.convert(hitl.loads(data), dialect=target.name, allow_loss=True)


def unnamed(first: str, found: list[Change], lost: set[str]) -> Iterator[str]:
    """The pointers of differences that no form accounts for."""
    for change in found:
        inside = _INSIDE.match(change.path)
        path = change.path[inside.end() if inside else 0 :]
        form = next((each for each in FORMS[first] if each.covers(path, change)), None)
        if form is None or not (form.loss is None or any(re.search(form.loss, p) for p in lost)):
            yield change.path


def assert_hops(given: Any, first: Dialect, second: Dialect) -> None:  # noqa: ANN401  (JSON)
    """A state goes to another SDK, comes back, and goes there again; or is refused."""
    data = document.encode_lenient(given)
    try:
        there = hop(data, second)
        back = hop(there.data, first)
    except HitlError:
        return
    lost = {each.path for each in (*there.losses, *back.losses)}
    assert list(unnamed(first.name, changes(data, back.data), lost)) == []
    assert changes(there.data, hop(back.data, second).data) == []


def written(state: RunState, dialect: Dialect) -> Any:  # noqa: ANN401  (JSON)
    """A generated state as an SDK's document; None where it has no place there."""
    try:
        data = hitl.dumps(state, dialect=dialect.name, allow_loss=True)
    except HitlError:
        return None
    return document.parse(data, lenient=True)


class TestThereAndBack:
    @both(500, soak=20)
    @given(state=run_states(portable=True))
    def test_python(self, state: RunState) -> None:
        """Python to JavaScript to Python to JavaScript."""
        given = written(state, PYTHON)
        assert given is not None
        assert_hops(given, PYTHON, JS)

    @both(500, soak=20)
    @given(state=run_states(portable=True))
    def test_js(self, state: RunState) -> None:
        """JavaScript to Python to JavaScript to Python."""
        given = written(state, JS)
        if given is not None:
            assert_hops(given, JS, PYTHON)


class TestMostCross:
    @given(state=run_states(portable=True))
    def test_refusals(self, state: RunState) -> None:
        """A portable state is refused for a number that JavaScript does not have, or not at all."""
        given = written(state, PYTHON)
        try:
            hop(document.encode_lenient(given), JS)
        except LossError as exc:
            losses: Any = exc.losses
            assert all("number" in each.reason for each in losses if each.severity == "error")


RECORDED = {
    PYTHON.name: [name for name in corpus.every() if name.startswith("cross/py-0.24.0/")],
    JS.name: corpus.javascript(),
}
WAYS: list[tuple[Dialect, Dialect]] = [(PYTHON, JS), (JS, PYTHON)]
_FREE = {"arguments", "diff", "text", "id", "callId", "call_id", "path", "originalInput"}
"""Keys whose texts an SDK carries and never reads."""


def substituted(given: Any, old: str, new: str) -> Any:  # noqa: ANN401  (JSON)
    """The document with one text replaced wherever it stands, in runs inside and in keys too."""
    if isinstance(given, list):
        return [substituted(each, old, new) for each in given]
    if isinstance(given, dict):
        return {substituted(k, old, new): substituted(v, old, new) for k, v in given.items()}
    return new if given == old else given


def texts_of(given: Any) -> list[str]:  # noqa: ANN401  (JSON)
    """The texts that can be anything."""
    found = {
        value
        for parts, value in places(given, 12)
        if parts and parts[-1] in _FREE and isinstance(value, str)
    }
    return sorted(found)


def recorded(data: st.DataObject, dialect: Dialect) -> Any:  # noqa: ANN401  (JSON)
    """A recorded state of an SDK."""
    return corpus.load(data.draw(st.sampled_from(RECORDED[dialect.name])))


class TestRecorded:
    """What the SDKs wrote, with one thing changed."""

    @both(100, soak=20)
    @given(data=st.data())
    def test_other_texts(self, data: st.DataObject) -> None:
        """Other ids, arguments and words cross as well, or the records no longer fit them."""
        first, second = data.draw(st.sampled_from(WAYS))
        given = recorded(data, first)
        old = data.draw(st.sampled_from(texts_of(given)))
        new = data.draw(texts() | json_values().map(json.dumps))
        survives(substituted(given, old, new), first, second)

    @both(200, soak=20)
    @given(data=st.data())
    def test_damaged(self, data: st.DataObject) -> None:
        """A wrong value anywhere is refused with a typed error, or carried."""
        first, second = data.draw(st.sampled_from(WAYS))
        given = recorded(data, first)
        parts = data.draw(st.sampled_from([p for p, _ in places(given, 12) if p]))
        holder: Any = given
        for part in parts[:-1]:
            holder = holder[part]
        holder[parts[-1]] = data.draw(st.sampled_from(WRONG) | json_values())
        survives(given, first, second)

    def test_no_item(self) -> None:
        """An item whose raw form is no object is refused by name: JavaScript has no such item."""
        given = corpus.load("cross/py-0.24.0/listinput")
        given["generated_items"][0]["raw_item"] = None
        with pytest.raises(LossError) as caught:
            hop(document.encode_lenient(given), JS)
        losses: Any = caught.value.losses
        assert any(each.path.endswith("/item/raw") for each in losses)


def survives(given: Any, first: Dialect, second: Dialect) -> None:  # noqa: ANN401  (JSON)
    """It crosses and comes back with the same calls waiting; or is refused by an error of ours."""
    data = document.encode_lenient(given)
    try:
        back = hop(hop(data, second).data, first)
    except HitlError:
        return
    assert waiting(hitl.loads(back.data)) == waiting(hitl.loads(data))


def waiting(state: RunState) -> list[tuple[str, str | None]]:
    """The calls that wait, with what they run."""
    return [(each.call, each.arguments) for each in state.interruptions]
