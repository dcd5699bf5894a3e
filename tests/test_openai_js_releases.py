"""States of one JavaScript release on another: what is repaired, what an older one cannot take."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

import hitl
from hitl.dialects.openai_js import DIALECT
from hitl.dialects.openai_python import DIALECT as PYTHON
from hitl.errors import LossError
from tests.agents import corpus

if TYPE_CHECKING:
    from hitl import Converted

CHAIN = DIALECT.chain
PLAIN = "cross/js-0.20.0/plain"


def converted(
    given: Any,  # noqa: ANN401  (JSON)
    dialect: str = DIALECT.name,
    version: str | None = None,
    *repairs: str,
) -> Converted:
    """A document in another format, with every loss that may be allowed."""
    state = hitl.loads(given)
    return hitl.convert(state, dialect=dialect, version=version, allow_loss=True, repairs=repairs)


def written(*given: Any) -> Any:  # noqa: ANN401  (JSON)
    """The document that is made."""
    return json.loads(converted(*given).data)


def refused(given: Any, version: str) -> set[tuple[str, str]]:  # noqa: ANN401  (JSON)
    """Where a version of the SDK cannot hold a document, and how bad that is."""
    with pytest.raises(LossError) as caught:
        converted(given, DIALECT.name, version)
    losses: Any = caught.value.losses
    return {(each.path, each.severity) for each in losses}


def with_item(kind: str, **raw: object) -> Any:  # noqa: ANN401  (JSON)
    """The plain state with one more item in front of what waits, as the SDK keeps it."""
    document = copy.deepcopy(corpus.load(PLAIN))
    item = {"type": kind, "rawItem": raw, "agent": {"name": "Mailer"}}
    document["generatedItems"].insert(0, item)
    document["currentTurnPersistedItemCount"] = 0
    return document


FEATURES: list[tuple[str, str, Any]] = [
    ("1.8", "/rawItem", with_item("tool_search_call_item", type="tool_search_call", arguments={})),
    (
        "1.14",
        "/rawItem",
        with_item("tool_call_item", type="program", callId="p", code="1", fingerprint="f"),
    ),
    (
        "1.14",
        "/rawItem",
        with_item(
            "tool_call_item",
            type="function_call",
            callId="c",
            name="t",
            arguments="{}",
            status="completed",
            caller={"type": "program", "callerId": "p"},
        ),
    ),
    ("1.16", "", with_item("compaction_item", type="compaction", encrypted_content="x")),
]


class TestDown:
    @pytest.mark.parametrize(("since", "at", "document"), FEATURES)
    def test_items(self, since: str, at: str, document: Any) -> None:  # noqa: ANN401  (JSON)
        """An item of a kind that a release does not know is no state of that release."""
        before = CHAIN.versions[CHAIN.index(since) - 1]
        converted(document, DIALECT.name, since)
        assert (f"/generatedItems/0{at}", "error") in refused(document, before)

    @pytest.mark.parametrize(
        ("form", "since"), [(2, "1.15"), (3, "1.18"), (4, "1.19"), (5, "1.20"), (1, "1.9")]
    )
    def test_sandbox(self, form: int, since: str) -> None:
        """A sandbox session in a form that a release does not know is no state of that release."""
        session = {
            "version": form,
            "backendId": "b",
            "manifest": {},
            "workspaceReady": True,
            "providerState": {},
        }
        names = {"backendId": "b", "currentAgentKey": "k", "currentAgentName": "Mailer"}
        sandbox = {**names, "sessionState": session, "sessionsByAgent": {}}
        document = {**corpus.load(PLAIN), "sandbox": sandbox}
        before = CHAIN.versions[CHAIN.index(since) - 1]
        converted(document, DIALECT.name, since)
        at = "/sandbox" if form == 1 else "/sandbox/sessionState/version"
        assert refused(document, before) == {(at, "error")}

    @pytest.mark.parametrize("verdicts", [(True, ["call_1"]), (["call_1"], True)])
    def test_both_verdicts(self, verdicts: tuple[object, object]) -> None:
        """No to a call, yes to all others: before 1.19 the call would run."""
        document = corpus.load("cross/js-0.20.0/plain")
        record = dict(zip(("approved", "rejected"), verdicts, strict=True))
        own = {"agentIdentity": "Mailer", "approvals": {'["bare","send_email"]': record}}
        document["context"]["functionApprovals"] = [own]
        at = '/context/functionApprovals/0/approvals/["bare","send_email"]'
        converted(document, DIALECT.name, "1.19")
        assert refused(document, "1.18") == {(at, "error")}


class TestForGood:
    """Decisions for good that releases before 1.16 kept by the name of the tool."""

    STATE = corpus.load("cross/js-older/plain.always_0.11.8")

    def test_named(self) -> None:
        """Without the repair it is not used, and that is said."""
        found = converted(self.STATE)
        warned = [each.path for each in found.losses if each.severity == "warn"]
        assert "/context/approvals/send_email" in warned
        assert "functionApprovals" not in json.loads(found.data)["context"]

    def test_given_to_its_owner(self) -> None:
        """With the repair the only agent that can be meant has it."""
        context = written(self.STATE, DIALECT.name, None, "sticky-owner")["context"]
        record = {"approved": True, "rejected": []}
        approvals = {'["bare","send_email"]': record}
        assert context["functionApprovals"] == [{"agentIdentity": "Mailer", "approvals": approvals}]
        assert "send_email" not in context["approvals"]

    def test_of_a_run_inside(self) -> None:
        """A run inside has the decision on its own tool, and the outer run does not."""
        state = corpus.load("cross/js-older/nested_0.11.8")
        state["context"]["approvals"] = {"lookup": {"approved": True, "rejected": []}}
        (entry,) = written(state, DIALECT.name, None, "sticky-owner")["context"][
            "functionApprovals"
        ]
        assert entry["agentIdentity"] == "Researcher"

    def test_of_a_server(self) -> None:
        """One on a hosted tool goes to its server; without the repair it is named too."""
        state = corpus.load("cross/js-older/hosted_mcp_0.14.3")
        state["context"]["approvals"] = {"search": {"approved": False, "rejected": True}}
        losses = converted(state).losses
        assert "/context/approvals/search" in {each.path for each in losses}
        context = written(state, DIALECT.name, None, "sticky-owner")["context"]
        record = context["hostedMcpApprovals"]['["hosted_mcp","deepwiki","search"]']
        assert record["rejected"] is True

    def test_two_that_can_be_meant(self) -> None:
        """What may mean two tools is given to none of them, whatever is asked for."""
        state = copy.deepcopy(self.STATE)
        other = copy.deepcopy(state["generatedItems"][0])
        other["agent"]["name"] = "Other"
        other["rawItem"]["callId"] = "call_0"
        state["generatedItems"].insert(0, other)
        found = converted(state, DIALECT.name, None, "sticky-owner")
        assert "/context/approvals/send_email" in {each.path for each in found.losses}
        assert "functionApprovals" not in json.loads(found.data)["context"]

    def test_with_others_on_single_calls(self) -> None:
        """What was said of single calls stays beside it."""
        state = copy.deepcopy(self.STATE)
        state["context"]["approvals"]["send_email"]["rejected"] = ["call_1"]
        (entry,) = written(state, DIALECT.name, None, "sticky-owner")["context"][
            "functionApprovals"
        ]
        record = entry["approvals"]['["bare","send_email"]']
        assert (record["approved"], record["rejected"]) == (True, ["call_1"])


class TestToPython:
    @pytest.mark.parametrize(
        ("name", "boundary"),
        [
            ("js-older/plain_0.2.1", {"start": 0, "end": 2, "interruptions": [1]}),
            ("js-older/parallel_0.11.8", {"start": 0, "end": 8, "interruptions": [5, 6, 7]}),
            ("js-0.20.0/hosted_mcp", {"start": 0, "end": 2, "interruptions": [1]}),
            ("js-0.20.0/parallel", {"start": 0, "end": 8, "interruptions": [5, 6, 7]}),
        ],
    )
    def test_boundary(self, name: str, boundary: object) -> None:
        """With output guardrails Python goes on with no run that does not say its last response."""
        document = written(corpus.load(f"cross/{name}"), PYTHON.name)
        assert document["current_response_generated_item_ownership"] == boundary

    def test_no_details(self) -> None:
        """0.2.1 wrote no details of usage; every Python release writes them."""
        for usage in (
            written(corpus.load("cross/js-older/plain_0.2.1"), PYTHON.name)["context"]["usage"],
            written(corpus.load("cross/js-older/plain_0.2.1"), PYTHON.name)["model_responses"][0][
                "usage"
            ],
        ):
            assert usage["input_tokens_details"] == []

    def test_back(self) -> None:
        """What is added for Python is not added to a state that comes back to JavaScript."""
        there = written(corpus.load("cross/js-0.20.0/parallel"), PYTHON.name)
        back = written(there, DIALECT.name)
        assert "currentResponseGeneratedItemOwnership" in back


class TestFromPython:
    def test_kind_of_action(self) -> None:
        """The SDK strips `type` from the action of a shell call, and refuses a call that has it."""
        document = written(corpus.load("openai-agents-python/0.24.0/native"), DIALECT.name)
        (waiting, _) = document["currentStep"]["data"]["interruptions"]
        assert waiting["rawItem"]["action"] == {"commands": ["ls"], "timeoutMs": 1000}
