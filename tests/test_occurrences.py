"""What is said again is another occurrence, whatever it says (R-44)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import hitl
from hitl.conversation import history, staged
from tests.agents import corpus

if TYPE_CHECKING:
    from hitl import RunState

SAID = {"role": "user", "content": "go"}
ITEM = {"type": "input_item", "input_id": "input_1", "raw_item": SAID}
JS_SAID = {"type": "message", **SAID}
JS_ITEM = {"type": "input_item", "inputId": "input_1", "rawItem": JS_SAID}


def python(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - of a document
    """A recorded state of the Python SDK, changed."""
    found: dict[str, Any] = corpus.load("openai-agents-python/0.24.0/approved")
    return {**found, "original_input": [SAID], **changed}


def javascript(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 - of a document
    """A recorded state of the JavaScript SDK, changed."""
    found: dict[str, Any] = corpus.load("cross/js-0.20.0/apply_patch")
    return {**found, "originalInput": [JS_SAID], **changed}


def told(state: RunState) -> int:
    """How often it was said: in how many places of the log."""
    found = (*history(state), *staged(state))
    return len({each.name for each in found if each.raw.get("content") == "go"})


def delivered(document: dict[str, Any], key: str, item: dict[str, Any]) -> dict[str, Any]:
    """The same with an item at the end of a list, of the agent of the others."""
    before = document[key]
    return {**document, key: [*before, {**item, "agent": before[0]["agent"]}]}


STATES = {
    "python, staged": python(pending_input=[SAID]),
    "python, delivered": delivered(python(), "generated_items", ITEM),
    "javascript, staged": javascript(pendingInput=[JS_SAID]),
    "javascript, delivered": delivered(javascript(), "generatedItems", JS_ITEM),
}


@pytest.mark.parametrize("document", STATES.values(), ids=STATES)
def test_told_twice(document: dict[str, Any]) -> None:
    """Input that equals the input a run began with is told beside it, staged and delivered."""
    state = hitl.loads(document)
    assert told(state) == 2
    dialect, version = state.origin.dialect, state.origin.version
    assert hitl.loads(hitl.dumps(state, dialect=dialect, version=version)) == state
