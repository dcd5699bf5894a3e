"""The JavaScript SDK as an oracle: it is asked the right thing, and can say no."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hitl.dialects.openai_js.fingerprint import fingerprint
from tests.node import room
from tests.node.oracle import (
    entries,
    fingerprints,
    generated_arguments,
    generated_calls,
    to_js,
    to_responses,
)

COUNT = 500
MATRIX = pytest.mark.matrix


class TestFingerprints:
    def test_generated(self) -> None:
        """Generated calls reach every kind, valid and broken arguments, and numbers as tokens."""
        calls = generated_calls(COUNT)
        answers = fingerprints(calls)
        payloads = [json.loads(answer).get("payload", {}) for answer in answers]
        formats = {each["format"] for each in payloads if "format" in each}
        assert formats == {"json", "raw"}
        assert {json.loads(answer)["type"] for answer in answers} == {
            call["type"] for _, call in calls
        }
        assert sum("openai-agents-json:number:" in answer for answer in answers) > COUNT / 10
        assert any('"callerId":"prog_1"' in answer for answer in answers)

    @pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=MATRIX) for n in range(1, 21))])
    def test_hitl_agrees(self, seed: int) -> None:
        """What hitl computes of a call is what the SDK records of it, character by character."""
        calls = generated_calls(COUNT, seed)
        mine = [fingerprint(each) for each in entries(calls)]
        wrong = [pair for pair in zip(mine, fingerprints(calls), strict=True) if pair[0] != pair[1]]
        assert wrong == []

    def test_same_seed(self) -> None:
        """The calls are the same for the same seed, and no others."""
        assert generated_calls(50) == generated_calls(50)
        assert generated_calls(50) != generated_calls(50, seed=1)
        assert generated_arguments(50) == generated_arguments(50)
        assert generated_arguments(50) != generated_arguments(50, seed=1)

    @pytest.mark.parametrize(
        ("one", "other", "same"),
        [
            ('{"a":1,"b":2}', '{ "b": 2, "a": 1 }', True),
            ('{"a":1.0}', '{"a":1}', True),
            ('{"a":1e2}', '{"a":100}', True),
            ('{"a":12345678901234567890}', '{"a":12345678901234567891}', False),
            ('{"a":-0}', '{"a":0}', False),
            ('{"a":1}', '{"a":"1"}', False),
            ("{'a':1}", '{"a":1}', False),
        ],
    )
    def test_meaning(self, one: str, other: str, same: bool) -> None:  # noqa: FBT001
        """Calls that mean the same have the same record, and no others."""
        call = {"type": "function_call", "callId": "c", "name": "t"}
        both = fingerprints([('["bare","t"]', call | {"arguments": each}) for each in (one, other)])
        assert (both[0] == both[1]) is same


class TestMapping:
    def _items(self) -> list[dict[str, Any]]:
        text = room.SCENARIOS.read_text(encoding="utf-8")
        steps = [
            step
            for name, agents in json.loads(text).items()
            if name != "_comment"
            for agent in agents.values()
            for step in agent
            if step != "FINAL"
        ]
        return [item for step in steps for item in step]

    def test_there_and_back(self) -> None:
        """Every item of the scripts goes into the SDK's form and back, but for two fields."""
        items = self._items()
        assert len({item["type"] for item in items}) >= 11
        there = to_js([[item] for item in items])
        assert not [each for each in there if isinstance(each, room.NodeError)]
        back = [each[0] for each in to_responses(there)]
        lost = {
            (item["type"], key)
            for item, came in zip(items, back, strict=True)
            for key in item
            if came.get(key) != item[key]
        }
        assert lost == {("mcp_call", "output"), ("image_generation_call", "result")}

    def test_thrown(self) -> None:
        """What the SDK refuses to map is an error of its own name, for this item alone."""
        good = {"type": "message", "role": "user", "content": "hi"}
        refused, mapped = to_responses([[{"type": "nonsense"}], [good]])
        assert isinstance(refused, room.NodeError)
        assert mapped == [{"role": "user", "content": "hi"}]
