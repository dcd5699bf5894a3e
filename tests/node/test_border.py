"""What hitl writes for JavaScript is read by the SDK, and runs that need a word finish with it."""

from __future__ import annotations

import json
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

import hitl
from hitl.dialects.openai_js import DIALECT
from hitl.dialects.openai_js.shape import SHAPE
from hitl.errors import LossError
from tests.agents import corpus
from tests.hints import hints, stopping
from tests.node import room
from tests.node.players import Job, Outcome, in_node

if TYPE_CHECKING:
    from hitl.document import JSONObject

PLAIN = "cross/py-0.24.0/plain"


def over(state: hitl.RunState, **known: Any) -> str:  # noqa: ANN401  (hints)
    """A state as the JavaScript SDK reads it."""
    return hitl.dumps(state, dialect=DIALECT.name, allow_loss=True, **known).decode()


def finished(state: str) -> Outcome:
    """What Node makes of a state of the definition `plain`, with no more decisions."""
    (outcome,) = in_node([Job(definition="plain", state=state, verdict="leave")])
    assert outcome["error"] is None
    return outcome


class TestWritten:
    def test_read(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Each state of Python that hitl converts is what the SDK's own reader takes."""
        documents: list[tuple[str, JSONObject]] = []
        names = [name for name in corpus.every() if name not in corpus.javascript()]
        for name in names:
            known = hints(name.rpartition("/")[2].partition(".")[0], DIALECT.name)
            try:
                document = json.loads(over(hitl.loads(corpus.read(name)), **known))
            except LossError:
                continue
            documents += [(f"{name}{path}", run) for path, run in SHAPE.runs(document)]
        jobs = [{"kind": "schema", "state": run} for _, run in documents]
        wrong = {
            name: outcome["value"]
            for (name, _), outcome in zip(documents, room.work(jobs), strict=True)
            if outcome["value"]
        }
        with capsys.disabled():
            sys.stdout.write(f"\nread by the SDK's schema: {len(documents)} runs of Python\n")
        assert wrong == {}
        assert len(documents) > 500

    def test_can_say_no(self) -> None:
        """The reader refuses a state that is not one."""
        document = json.loads(over(hitl.loads(corpus.read(PLAIN))))
        document["generatedItems"][0]["rawItem"]["type"] = "unknown"
        (outcome,) = room.work([{"kind": "schema", "state": document}])
        assert outcome["value"] == [["generatedItems", 0, "rawItem"]]


@cache
def _plain() -> str:
    return corpus.read(PLAIN).decode()


class TestUnknownServer:
    """A Python release before 1.18 did not say which MCP server a call is for."""

    @staticmethod
    def _state() -> hitl.RunState:
        document = json.loads(_plain().replace('"type": "function"', '"type": "mcp"'))
        document = json.loads(
            json.dumps(document).replace('{"type": "function"}', '{"type": "mcp"}')
        )
        del document["last_processed_response"]["mcp_tool_bindings"]
        return hitl.loads(document)

    @pytest.mark.parametrize("approved", [None, True])
    def test_never_runs(self, approved: bool | None) -> None:  # noqa: FBT001
        """Undecided or approved, it is refused before anything runs."""
        state = self._state()
        state = state.approve("call_1") if approved else state
        with pytest.raises(LossError) as caught:
            over(state)
        (loss,) = stopping(caught.value)
        assert loss.path == "/processed/calls/0"
        assert str(loss.hint).startswith("reject the call")

    def test_can_be_rejected(self) -> None:
        """Rejected, it crosses, and the run finishes."""
        text = over(self._state().reject("call_1", message="no"))
        (call,) = json.loads(text)["lastProcessedResponse"]["functions"]
        assert call["mcpToolBinding"] == "unknown"
        outcome = finished(text)
        assert outcome["final_output"] is not None
        assert outcome["tool_runs"] == []
        assert "no" in json.dumps(outcome["requests"][-1]["input"][-1])


CALL = {
    "type": "custom_tool_call",
    "id": "ctc_1",
    "call_id": "call_c",
    "name": "raw_sql",
    "input": "select 1",
}
OUTPUT = {"type": "custom_tool_call_output", "call_id": "call_c", "output": "1"}


class TestCustomTool:
    @staticmethod
    def _state() -> hitl.RunState:
        """The run called a custom tool in the turn before: it is done."""
        document = json.loads(_plain())
        agent = document["current_agent"]
        call = {"type": "tool_call_item", "raw_item": CALL, "agent": agent}
        output = {"type": "tool_call_output_item", "raw_item": OUTPUT, "agent": agent}
        done = [call, {**output, "output": "1"}]
        for key in ("generated_items", "session_items"):
            document[key] = [*done, *document[key]]
        document["generated_session_item_indexes"] = [*range(len(document["generated_items"]))]
        own = document["current_response_generated_item_ownership"]
        own |= {"start": own["start"] + 2, "end": own["end"] + 2}
        own["interruptions"] = [each + 2 for each in own["interruptions"]]
        before = {**document["model_responses"][0], "output": [CALL], "response_id": "resp_0"}
        document["model_responses"] = [before, *document["model_responses"]]
        document["current_turn"] = 2
        return hitl.loads(document)

    def test_in_history(self) -> None:
        """What a custom tool did is sent to the model as it was, and the run finishes."""
        outcome = finished(over(self._state().approve("call_1")))
        assert [each["tool"] for each in outcome["tool_runs"]] == ["send_email"]
        assert outcome["final_output"] is not None
        given = outcome["requests"][0]["input"]
        assert [each.get("providerData", each).get("type") for each in given[1:3]] == [
            "custom_tool_call",
            "custom_tool_call_output",
        ]

    def test_pending(self) -> None:
        """One that waits is refused, with the way out."""
        with pytest.raises(LossError) as caught:
            over(hitl.loads(corpus.read("openai-agents-python/hitl/kinds_native")))
        (loss,) = stopping(caught.value)
        assert loss.path.startswith("/processed/calls/")
        assert "until the call is done" in str(loss.hint)
