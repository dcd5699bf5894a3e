"""What hitl writes of a call is what the JavaScript SDK itself would have written."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from hitl.errors import HitlError
from tests.node.across import carry, ready
from tests.node.cases import REDUCED
from tests.node.natively import play
from tests.node.oracle import fingerprints, generated_arguments
from tests.node.spelled import paused_in_python

if TYPE_CHECKING:
    from collections.abc import Iterator

GENERATED = 200


def records(state: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Every call of a JavaScript state that has a record, with the record."""
    calls = {}
    waiting = state.get("currentStep", {}).get("data", {}).get("interruptions", [])
    for item in [*state["generatedItems"], *waiting]:
        raw = item["rawItem"]
        if not raw["type"].endswith(("_result", "_output", "message")):
            calls[raw.get("callId", raw.get("id"))] = raw
    for entry in (*state["context"]["approvalInvocations"], *state["completedToolInvocations"]):
        for call_id, record in entry["invocations"].items():
            if call_id in calls:  # a nested run's calls are in the nested run
                yield calls[call_id], record


def disagreements(found: list[tuple[dict[str, Any], str]]) -> list[tuple[str, str]]:
    """Pairs of a record and what the SDK says instead."""
    asked = [(json.loads(record)["toolName"], call) for call, record in found]
    said = fingerprints(asked)
    return [
        (record, answer)
        for (_, record), answer in zip(found, said, strict=True)
        if record != answer
    ]


@cache
def _native() -> list[tuple[dict[str, Any], str]]:
    """Records of the states the SDK itself writes at the pauses of the definitions."""
    states = [json.loads(run.paused["state"]) for run in play(REDUCED, "js").values()]
    return [pair for state in states for pair in records(state)]


class TestOracle:
    def test_recorded(self) -> None:
        """The oracle says of every call what the SDK itself wrote into its states."""
        assert disagreements(_native()) == []
        kinds = {json.loads(record)["type"] for _, record in _native()}
        assert kinds == {"function_call", "hosted_tool_call", "shell_call", "apply_patch_call"}
        assert len(_native()) > 60

    def test_another_record(self) -> None:
        """A record of another call is a disagreement."""
        call, record = next(pair for pair in _native() if pair[0]["type"] == "function_call")
        other = call | {"arguments": '{"to": "eve@example.com"}'}
        assert [written for written, _ in disagreements([(other, record)])] == [record]


if ready():  # test_across.TestCommitted says when it is not

    class TestConverted:
        def test_definitions(self) -> None:
            """Every record in a state that came from Python is the SDK's own, case by case."""
            found: list[tuple[dict[str, Any], str]] = []
            refused: set[str] = set()
            for case, run in play(REDUCED, "python").items():
                try:
                    found += records(json.loads(carry(run.paused["state"], "js", {}).data))
                except HitlError:
                    refused.add(case.definition)
            assert refused == {"dup_names", "handoff_pending"}  # without hints
            assert disagreements(found) == []
            assert len(found) > 60

        @pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.matrix)])
        def test_generated(self, seed: int) -> None:
            """Whatever the arguments are, the record is the SDK's, or the state does not cross."""
            found: list[tuple[dict[str, Any], str]] = []
            refused = 0
            texts = generated_arguments(GENERATED, seed)
            for arguments, text in zip(texts, paused_in_python(texts), strict=True):
                if text is None:  # the Python SDK cannot run such a call at all
                    assert r"\ud" in arguments
                    continue
                try:
                    state = json.loads(carry(text, "js", {}).data)
                except HitlError:
                    refused += 1
                    continue
                (pair,) = records(state)
                assert pair[0]["arguments"] == arguments
                found.append(pair)
            assert disagreements(found) == []
            assert refused < GENERATED / 2
