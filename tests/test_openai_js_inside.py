"""Runs inside one another: whose a call is, whatever its id, and whose a decision by name."""

from __future__ import annotations

import json
from typing import Any

import pytest

import hitl
from hitl.dialects.openai_js import DIALECT as JS
from hitl.dialects.openai_python import DIALECT as PYTHON
from tests.agents import corpus

NESTED = "cross/py-0.24.0/nested"
OWN = "cross/py-0.24.0/plain"


def crossed(data: Any, target: str, *repairs: str) -> Any:  # noqa: ANN401  (JSON)
    """A document in the form of an SDK; only what is told in the losses may be missing."""
    written = hitl.dumps(hitl.loads(data), dialect=target, allow_loss=True, repairs=repairs)
    return json.loads(written)


def waiting(data: Any) -> list[tuple[str, bool | None]]:  # noqa: ANN401  (JSON)
    """The names of the calls that wait, and their verdicts."""
    found = hitl.loads(data).interruptions
    return [(each.call, each.decision.approved if each.decision else None) for each in found]


class TestColons:
    """Some models give calls ids with a colon: the run inside such a call is found by the whole."""

    CALL = "functions.ask:0"

    def given(self, name: str) -> Any:  # noqa: ANN401  (JSON)
        """A recorded state whose outer call has another id."""
        return json.loads(corpus.read(name).replace(b"call_o1", self.CALL.encode()))

    @pytest.mark.parametrize("release", ["0.4.5", "0.11.8", "0.18.0"])
    def test_older(self, release: str) -> None:
        """Under the plain name of the tool, and under its key."""
        given = self.given(f"cross/js-older/nested_{release}")
        assert waiting(given) == [(f"{self.CALL}/call_r1", None)]
        assert waiting(crossed(given, PYTHON.name)) == [(f"{self.CALL}/call_r1", None)]

    @pytest.mark.parametrize("name", [NESTED, "cross/js-0.20.0/nested"])
    def test_across(self, name: str) -> None:
        """To either SDK."""
        given = self.given(name)
        for target in (JS.name, PYTHON.name):
            assert waiting(crossed(given, target)) == [(f"{self.CALL}/call_r1", None)]

    def test_another(self) -> None:
        """A run under a longer id, which ends in that of a call, is not the run of that call."""
        given = corpus.load("cross/js-0.20.0/nested")
        runs = given["pendingAgentToolRuns"]
        ((key, text),) = runs.items()
        longer = key.replace(":call_o1", ":x:call_o1")
        runs[longer] = text
        losses = hitl.check(given, dialect=PYTHON.name).losses
        assert [each.path for each in losses if each.severity == "error"] == [
            f"/pendingAgentToolRuns/{longer}"
        ]


class TestSharedId:
    """A call of the run and one of the run inside may have one id: they are two calls."""

    def given(self) -> Any:  # noqa: ANN401  (JSON)
        """A run that waits for a call of its own under the id of the call inside."""
        given, other = corpus.load(NESTED), self.other()
        given["generated_items"] += other["generated_items"]
        given["session_items"] += other["session_items"]
        given["current_step"]["data"]["interruptions"] += other["current_step"]["data"][
            "interruptions"
        ]
        mine, more = given["last_processed_response"], other["last_processed_response"]
        for key in ("new_items", "interruptions", "functions", "tools_used"):
            mine[key] += more[key]
        for response in (given["model_responses"][0], given["last_model_response"]):
            response["output"] += other["model_responses"][0]["output"]
        given["context"]["tool_invocations"] |= other["context"]["tool_invocations"]
        for key in ("generated_session_item_indexes", "current_response_generated_item_ownership"):
            given.pop(key, None)
        return given

    def other(self) -> Any:  # noqa: ANN401  (JSON)
        """A recorded run of the same agent that waits under that id."""
        text = corpus.read(OWN).replace(b"call_1", b"call_r1").replace(b"Mailer", b"Orchestrator")
        return json.loads(text)

    def test_untouched(self) -> None:
        """The outer record is of the outer call: nobody changed it."""
        state = hitl.loads(self.given())
        assert "signed" not in state.extras[PYTHON.name]
        assert waiting(self.given()) == [("call_o1/call_r1", None), ("call_r1", None)]

    def test_there_and_back(self) -> None:
        """Each run keeps the record of its own call, as the SDK wrote it."""
        given = self.given()
        back = crossed(crossed(given, JS.name), PYTHON.name)
        for one, other in zip(self.runs(given), self.runs(back), strict=True):
            assert one["context"]["tool_invocations"] == other["context"]["tool_invocations"]
        assert self.requested(back) == ["send_email"]

    def test_decided(self) -> None:
        """A verdict on one of them is none on the other."""
        state = hitl.loads(crossed(self.given(), JS.name)).approve("call_r1")
        written = hitl.dumps(state, dialect=PYTHON.name, allow_loss=True)
        assert waiting(written) == [("call_o1/call_r1", None), ("call_r1", True)]

    def runs(self, given: Any) -> list[Any]:  # noqa: ANN401  (JSON)
        """The run and the one inside it."""
        functions = given["last_processed_response"]["functions"]
        return [given, *(f["agent_run_state"] for f in functions if "agent_run_state" in f)]

    def requested(self, given: Any) -> list[str]:  # noqa: ANN401  (JSON)
        """What the response of the run itself asked for."""
        found = given["last_processed_response"]["interruptions"]
        return [each["raw_item"]["name"] for each in found]


class TestByName:
    """A release that kept decisions by tool name kept those of runs inside outside."""

    AT = "/context/approvals/lookup"

    def given(self, approved: Any, rejected: Any) -> Any:  # noqa: ANN401  (JSON)
        """A recorded state in which a call inside, and all others of its tool, were decided."""
        given = corpus.load("cross/js-older/nested_0.11.8")
        given["context"]["approvals"] = {"lookup": {"approved": approved, "rejected": rejected}}
        return given

    @pytest.mark.parametrize(
        ("approved", "rejected"), [(True, ["call_r1"]), (["call_r1"], True)], ids=["yes", "no"]
    )
    def test_for_good(self, approved: Any, rejected: Any) -> None:  # noqa: ANN401
        """The call keeps its own verdict; what is for good is named, and used when asked for."""
        given = self.given(approved, rejected)
        exact = approved is not True
        for target in (JS.name, PYTHON.name):
            report = hitl.check(given, dialect=target)
            assert [each.severity for each in report.losses if each.path == self.AT] == ["warn"]
            names = {each.name for each in report.repairs if each.path == self.AT}
            assert names == {"decision-owner", "sticky-owner"}
            for asked in ((), ("sticky-owner",)):
                assert waiting(crossed(given, target, *asked)) == [("call_o1/call_r1", exact)]

    def test_asked_for(self) -> None:
        """Then it is the calling agent's."""
        given = self.given([*("call_r1",)], rejected=True)
        (owned,) = crossed(given, JS.name, "sticky-owner")["context"]["functionApprovals"]
        assert owned["agentIdentity"] == "Researcher"
        (record,) = owned["approvals"].values()
        assert record == {"approved": ["call_r1"], "rejected": True}

    def test_exact(self) -> None:
        """A decision on the call alone is that run's, and nothing is left to name."""
        given = self.given(["call_r1"], [])
        report = hitl.check(given, dialect=JS.name)
        assert "decision-owner" in {each.name for each in report.repairs}
        assert self.AT not in {each.path for each in report.losses}
