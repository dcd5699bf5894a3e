"""The model: spans, the log, views, items and their values."""

from __future__ import annotations

import hashlib
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hitl
from hitl import transfer
from hitl.errors import InvalidDocument
from hitl.model import (
    Conversation,
    Grant,
    Item,
    ItemLog,
    Record,
    RunState,
    View,
    arguments_sha256,
    count,
    positions,
    spans,
)
from tests.agents import corpus

PARALLEL = "cross/py-0.24.0/parallel"
CODEC = transfer.codecs()["json"].log


def log_of(*items: Item) -> ItemLog:
    """A log of these items."""
    return ItemLog([CODEC.encode(Record(item=item)) for item in items], CODEC)


@pytest.fixture
def state() -> RunState:
    """A recorded state."""
    return hitl.loads(corpus.read(PARALLEL))


class TestSpans:
    @given(st.lists(st.integers(0, 30)))
    def test_round_trip(self, given_: list[int]) -> None:
        """Packing keeps order and repeats; counting walks nothing."""
        packed = spans(given_)
        assert list(positions(packed)) == given_
        assert count(packed) == len(given_)

    def test_runs(self) -> None:
        """Consecutive positions become one range."""
        assert spans([0, 1, 2, 5, 6, 6, 2]) == ((0, 3), (5, 7), (6, 7), (2, 3))


class TestView:
    VIEW: View[int] = View(((0, 3), (7, 9)), lambda position: position)

    def test_sequence(self) -> None:
        """It is a sequence of what stands at its positions."""
        assert list(self.VIEW) == [0, 1, 2, 7, 8]
        assert (self.VIEW[0], self.VIEW[3], self.VIEW[-1], self.VIEW[-5]) == (0, 7, 8, 0)
        assert self.VIEW[1:4] == (1, 2, 7)
        assert self.VIEW[::-1] == (8, 7, 2, 1, 0)

    @pytest.mark.parametrize("index", [5, -6, 99])
    def test_outside(self, index: int) -> None:
        """There is nothing before the first and after the last."""
        with pytest.raises(IndexError):
            self.VIEW[index]

    def test_repr(self) -> None:
        """It reads nothing."""
        assert repr(self.VIEW) == "<5 entries>"


class TestLog:
    def test_call_is_filled_in(self) -> None:
        """An approval that points at its call has the call's raw item."""
        raw: Any = {"type": "function_call", "call_id": "c", "arguments": "{}"}
        log = log_of(Item(kind="tool_call", raw=raw), Item(kind="approval", call=0))
        assert log.item(1).raw == raw
        assert log.item(1).call is None
        assert log[-1] == log[1]

    @pytest.mark.parametrize("call", [-1, 1, 2, 99])
    def test_call_must_be_earlier(self, call: int) -> None:
        """It cannot point at itself, behind itself, or nowhere."""
        after = Item(kind="tool_call", raw={"type": "function_call"})
        log = log_of(Item(kind="message"), Item(kind="approval", call=call), after)
        with pytest.raises(InvalidDocument, match="position of an earlier call") as caught:
            log.item(1)
        assert caught.value.path == "/items/1/item/call"

    def test_no_chain(self) -> None:
        """It cannot point at another that points."""
        log = log_of(
            Item(kind="tool_call"), Item(kind="approval", call=0), Item(kind="approval", call=1)
        )
        with pytest.raises(InvalidDocument):
            log.item(2)

    @pytest.mark.parametrize("index", [-1, 1, 99])
    def test_item(self, index: int) -> None:
        """An item is asked for by a position that is there."""
        with pytest.raises(InvalidDocument, match="position of an item"):
            log_of(Item(kind="message")).item(index)

    def test_slices(self) -> None:
        """A slice is a tuple of records."""
        log = log_of(Item(kind="message", raw=1), Item(kind="message", raw=2))
        assert [record.item and record.item.raw for record in log[::-1]] == [2, 1]
        with pytest.raises(IndexError):
            log[2]


class TestText:
    """The model-visible text is kept only where it cannot be derived from the value."""

    @pytest.mark.parametrize(
        ("output", "text"),
        [
            ("sunny", "sunny"),
            ({"a": 1}, "{'a': 1}"),
            ([1, True, None], "[1, True, None]"),
            (1.5, "1.5"),
            (10**30, str(10**30)),
            (None, "None"),
            (True, "True"),
        ],
    )
    def test_derived(self, output: Any, text: str) -> None:  # noqa: ANN401 - JSON
        """It is left out and comes back."""
        item = Item(kind="tool_output", raw={"output": text}, has_output=True, output=output)
        folded = item.folded()
        assert folded.raw == {}
        assert folded.expanded() == item
        assert log_of(folded).item(0) == item

    @pytest.mark.parametrize(
        ("output", "visible"),
        [
            ({"a": 1}, '{"a": 1}'),
            ("sunny", "rainy"),
            (1, "1.0"),
            (1, 1),
            ({"$": "bytes", "v": "aGk="}, "{'$': 'bytes', 'v': 'aGk='}"),
            (["a"], [{"type": "input_text", "text": "a"}]),
            (None, ""),
        ],
    )
    def test_kept(self, output: Any, visible: Any) -> None:  # noqa: ANN401 - JSON
        """Where it says something else, or the value needs a tag, it stays."""
        item = Item(kind="tool_output", raw={"output": visible}, has_output=True, output=output)
        assert item.folded() == item


class TestItem:
    @pytest.mark.parametrize(
        ("raw", "call_id"),
        [
            ({"type": "function_call", "call_id": "c", "id": "i"}, "c"),
            ({"type": "mcp_approval_request", "id": "i"}, "i"),
            ({"type": "mcp_approval_response", "approval_request_id": "i"}, "i"),
            ({"type": "message", "id": "i"}, None),
            ({"call_id": ""}, None),
            ({"call_id": 7}, None),
            ("text", None),
        ],
    )
    def test_call_id(self, raw: Any, call_id: str | None) -> None:  # noqa: ANN401 - JSON
        """What ties a call, its approval and its output together."""
        assert Item(kind="tool_call", raw=raw).call_id == call_id


class TestDigest:
    def test_exact_bytes(self) -> None:
        """It is of the argument string's bytes, white space included."""
        raw: Any = {"type": "function_call", "arguments": '{"a": "é"}'}
        assert arguments_sha256(raw) == hashlib.sha256('{"a": "é"}'.encode()).hexdigest()
        assert arguments_sha256(raw) != arguments_sha256({**raw, "arguments": '{"a":"é"}'})

    def test_objects(self) -> None:
        """Calls that carry an object: what runs, key order aside, and nothing else."""
        one: Any = {"type": "shell_call", "call_id": "1", "action": {"a": 1, "b": 2}}
        other: Any = {"action": {"b": 2, "a": 1}, "type": "shell_call", "call_id": "2"}
        assert arguments_sha256(one) == arguments_sha256(other)
        assert arguments_sha256(one) != arguments_sha256({**one, "action": {"a": True, "b": 2}})
        assert arguments_sha256(one) != arguments_sha256({**one, "environment": {}})


class TestGrant:
    def test_exact_and_sticky(self) -> None:
        """An exact record answers for its call, a sticky one for all."""
        exact = Grant(subject="tool", key="t", approved=["a"], rejected=["b"])
        assert (exact.exact("a"), exact.exact("b"), exact.exact("c")) == (True, False, None)
        assert exact.sticky is None
        assert Grant(subject="tool", key="t", approved=True).sticky is True
        assert Grant(subject="tool", key="t", rejected=True).sticky is False
        assert Grant(subject="tool", key="t", approved=True, rejected=["b"]).exact("b") is False


class TestConversation:
    @pytest.mark.parametrize(
        ("given_", "mode"),
        [
            ({}, "local"),
            ({"auto": False}, "local"),
            ({"auto": True}, "response_chain"),
            ({"previous_response_id": "r"}, "response_chain"),
            ({"id": "c", "previous_response_id": "r"}, "conversation"),
        ],
    )
    def test_mode(self, given_: dict[str, Any], mode: str) -> None:
        """Who keeps the history."""
        assert Conversation(**given_).mode == mode


class TestState:
    def test_frozen(self, state: RunState) -> None:
        """Nothing of a state can be set."""
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            state.turn = state.turn  # type: ignore[misc]

    def test_sections(self, state: RunState) -> None:
        """What a reader asks for first."""
        assert state.turn.current == corpus.load(PARALLEL)["current_turn"]
        assert len(state.items) == len(corpus.load(PARALLEL)["session_items"])
        assert len(state.responses) == len(corpus.load(PARALLEL)["model_responses"])
        assert [each.kind for each in state.interruptions] == ["function_call"] * 3

    def test_tool_outputs(self) -> None:
        """Structured outputs keep type and value, by call id."""
        state = hitl.loads(corpus.read("openai-agents-python/hitl/values_outputs"))
        assert len(state.tool_outputs) > 3
        assert {type(each) for each in state.tool_outputs.values()} > {str}

    def test_guardrails(self) -> None:
        """Results by stage, read when asked for."""
        name = "openai-agents-python/feature/h_handoff_trace_guardrails"
        state = hitl.loads(corpus.read(name))
        results = state.guardrail_results("input")
        assert [each.stage for each in results] == ["input"] * len(results)
        assert len(results) == len(corpus.load(name)["input_guardrail_results"]) > 0
        wrong = attrs.evolve(state, guardrails={"input": ((0, 1),)})
        with pytest.raises(InvalidDocument, match="position of a guardrail result"):
            list(wrong.guardrail_results("input"))
