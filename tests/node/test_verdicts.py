"""What the real SDK runs of states that hold two decisions for good, or one of another agent."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

import hitl
from hitl.dialects.openai_js import DIALECT
from tests.agents import corpus
from tests.node.players import Job, in_node
from tests.node.releases import Absent, Station, play

EARLY = Station("js", "0.11.8")


def ran(outcome: Any) -> list[str]:  # noqa: ANN401  (JSON)
    """The calls that ran, with nothing decided after the state was read."""
    assert outcome["error"] is None
    return [each["call_id"] for each in outcome["tool_runs"]]


def test_both_for_good() -> None:
    """A no for good, then a yes for good: the call that was refused does not run."""
    state = hitl.loads(corpus.read("cross/js-0.20.0/parallel"))
    state = state.reject("call_1", always=True).approve("call_2", always=True).reject("call_3")
    written = hitl.dumps(state, dialect=DIALECT.name).decode()
    (outcome,) = in_node([Job(definition="parallel", state=written)])
    assert ran(outcome) == ["call_2"]


@pytest.mark.matrix
@pytest.mark.parametrize("decided", [False, True])
def test_of_another_agent(decided: bool) -> None:  # noqa: FBT001
    """A yes for good of Triage runs no call of Mailer where decisions are kept by tool name."""
    given = copy.deepcopy(corpus.load("cross/js-0.20.0/handoff"))
    record: Any = {"approved": True, "rejected": []}
    own = {"agentIdentity": "Triage", "approvals": {'["bare","send_email"]': record}}
    given["context"]["functionApprovals"] = [own]
    state = hitl.loads(given)
    if decided:
        state = state.reject("call_1")
    text = hitl.dumps(state, dialect=DIALECT.name, version=EARLY.label, allow_loss=True).decode()
    wide = json.loads(text)
    wide["context"]["approvals"] = {"send_email": record}
    jobs = [Job(definition="handoff", state=each, legs=1) for each in (text, json.dumps(wide))]
    narrow, would = play(EARLY, jobs)
    assert not isinstance(narrow, Absent)
    assert not isinstance(would, Absent)
    assert ran(narrow) == []
    assert ran(would) == ["call_1"]
