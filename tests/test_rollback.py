"""Written for an older release: what is rewritten, what is lost, and what is refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

import hitl
from hitl import document as documents
from hitl.dialects.openai_python import DIALECT
from hitl.dialects.openai_python.shape import SHAPE
from hitl.document import equal
from hitl.errors import LossError
from tests import losses
from tests.agents import corpus
from tests.schemas import validator
from tests.test_versions import FOLDER, NEWEST, RELEASES, run, state, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from hitl import RunState
    from hitl.document import JSONObject

CHAIN = DIALECT.chain
KEY = "$schemaVersion"
ALWAYS = True


def below(document: JSONObject, version: str) -> tuple[JSONObject, list[tuple[str, str]]]:
    """A newest document at a version, and the losses as (severity, path)."""
    lost = CHAIN.losses(document, version)
    return CHAIN.downgrade(document, version), [(loss.severity, loss.path) for loss in lost]


class TestRollback:
    @pytest.mark.parametrize("name", NEWEST)
    def test_written_or_refused(self, name: str) -> None:
        """At every released label: what would run otherwise is refused, the rest is written."""
        for version in losses.RELEASED:
            found = losses.losses(name, version)
            if losses.worst(found) == "error":
                with pytest.raises(LossError):
                    written(state(name), version)
                continue
            document = written(state(name), version)
            validator(version).validate(document)
            again = hitl.loads(json.dumps(document))
            assert equal(written(again, version), document)

    def test_warn_stops_until_allowed(self) -> None:
        """A decision for good is not widened to other agents unless somebody says so."""
        with pytest.raises(LossError) as caught:
            hitl.dumps(state(f"{FOLDER}/0.24.0/always"), dialect=DIALECT.name, version="1.13")
        assert {loss.path for loss in caught.value.losses} >= {  # type: ignore[attr-defined]
            "/context/function_tool_approvals/0"
        }

    def test_cost(self) -> None:
        """What a rollback costs is reviewed: `python -m tests.losses --write`."""
        assert losses.SNAPSHOT.read_text(encoding="utf-8") == losses.describe()

    @pytest.mark.parametrize("name", NEWEST)
    def test_losses_point_at_something(self, name: str) -> None:
        """Law 6: each loss names a place that is in the document."""
        document = corpus.load(name)
        for revision in reversed(CHAIN.revisions):
            for loss in revision.losses(document):
                if not loss.path.startswith("/context/approvals/"):
                    documents.resolve(document, loss.path)
            document = revision.downgrade(document)


VERDICTS: dict[str, tuple[str, Callable[[RunState], RunState]]] = {
    "approved": ("plain", lambda state: state.approve("call_d", by="ana")),
    "always": ("plain", lambda state: state.approve("call_d", always=True)),
    "rejected": ("plain", lambda state: state.reject("call_d", message="no")),
    "always_rejected": ("plain", lambda state: state.reject("call_d", always=True)),
    "hosted_mcp_always": ("hosted_mcp", lambda state: state.approve("mcpr_1", always=True)),
}


class TestDecided:
    @pytest.mark.parametrize("verdict", VERDICTS)
    @pytest.mark.parametrize("release", RELEASES)
    def test_as_that_release_would(self, release: str, verdict: str) -> None:
        """Decided without the agent, a state is what its release writes after the same verdict."""
        before, decide = VERDICTS[verdict]
        recorded = corpus.load(f"{FOLDER}/{release}/{verdict}")
        version = recorded[KEY]
        if version in {"1.0", "1.1", "1.2", "1.4", "1.5"} and verdict == "rejected":
            assert "rejection_messages" not in json.dumps(recorded)
        decided = decide(state(f"{FOLDER}/{release}/{before}"))
        assert equal(written(decided, version), recorded)

    @pytest.mark.parametrize("release", RELEASES)
    def test_a_call_inside(self, release: str) -> None:
        """A verdict on a call in a run inside stands where that release looks for it."""
        recorded = corpus.load(f"{FOLDER}/{release}/nested_approved")
        before = state(f"{FOLDER}/{release}/nested")
        ours = written(before.approve(before.interruptions[0].call), recorded[KEY])
        places = ("approvals", "function_tool_approvals")
        for (_, mine), (_, theirs) in zip(SHAPE.runs(ours), SHAPE.runs(recorded), strict=True):
            for place in places:
                expected = theirs["context"].get(place)
                assert expected in ({}, mine["context"].get(place))


def owned(agent: str, key: str, approved: object, rejected: object) -> JSONObject:
    """A decision on a function tool of an agent."""
    decision = {"approved": approved, "rejected": rejected}
    return {"agent": {"name": agent}, "tool_key": key, "decision": decision}


def decided(*records: JSONObject, **context: object) -> JSONObject:
    """A run with decisions on function tools."""
    document = run()
    document["context"] |= {"function_tool_approvals": list(records), **context}
    return document


class TestRewritten:
    def test_owners_join_under_the_tool(self) -> None:
        """1.18: decisions of two agents on tools of one name stand under the name."""
        both = decided(owned("a", "t", ["c1"], []), owned("b", "t", [], ["c2"]))
        document, lost = below(both, "1.17")
        assert document["context"]["approvals"] == {"t": {"approved": ["c1"], "rejected": ["c2"]}}
        assert {severity for severity, _ in lost} == {"info"}

    @pytest.mark.parametrize(("yes", "no"), [(ALWAYS, ALWAYS), (["c1"], ["c1"])])
    def test_opposites_clash(self, yes: object, no: object) -> None:
        """1.18: what one agent may and another may not cannot be said by name."""
        document = decided(owned("a", "t", yes, []), owned("b", "t", [], no))
        assert ("error", "/context/approvals/t") in below(document, "1.17")[1]

    def test_one_call_beside_all(self) -> None:
        """1.16: below it, a decision for good wins over the opposite one on a call."""
        document = decided(owned("a", "t", ALWAYS, ["c1"]))
        assert "error" not in {severity for severity, _ in below(document, "1.16")[1]}
        assert ("error", "/context/approvals/t") in below(document, "1.15")[1]

    @pytest.mark.parametrize("odd", [{"decision": 1}, owned("a", "t", "yes", []), {}])
    def test_odd_decisions(self, odd: JSONObject) -> None:
        """A record nobody can read is never dropped without a word."""
        assert ("error", "/context/function_tool_approvals/0") in below(decided(odd), "1.17")[1]

    @pytest.mark.parametrize("approvals", [[], {"t": 1}])
    def test_odd_approvals(self, approvals: object) -> None:
        """Nor is a decision lost where its new place is not in the SDK's form."""
        document = decided(owned("a", "t", ["c1"], []), approvals=approvals)
        assert ("error", "/context/approvals/t") in below(document, "1.17")[1]

    def test_hosted_by_name(self) -> None:
        """1.14: a hosted request is known by its tool's name; without one, it is asked again."""
        record = {"approved": ["r1"], "rejected": []}
        query = {"type": "query", "tool_name": "search", "request_id": "r1"}
        entries = [
            {"identity": {"type": "request", "request_id": "r1"}, "decision": record},
            {"identity": query, "decision": record},
        ]
        document = run()
        document["context"]["hosted_mcp_approvals"] = entries
        lower, lost = below(document, "1.13")
        assert lower["context"]["approvals"] == {"search": record}
        assert "warn" not in {severity for severity, _ in lost}
        document["context"]["hosted_mcp_approvals"] = entries[:1]
        assert ("warn", "/context/hosted_mcp_approvals/0") in below(document, "1.13")[1]

    def test_inside_to_outside(self) -> None:
        """1.15: decisions two runs deep are found in the outermost one, as older releases do."""
        document = corpus.load(f"{FOLDER}/hitl/turns_nested_deep_decided")
        lower, _ = below(document, "1.14")
        inner = [run["context"]["approvals"] for _, run in SHAPE.runs(lower)][-1]
        assert inner
        assert inner.items() <= lower["context"]["approvals"].items()

    def test_a_step_that_has_no_name(self) -> None:
        """1.15: that the model is asked again becomes silence, and somebody must say it."""
        document, lost = below(run(current_step={"type": "next_step_run_again"}), "1.14")
        assert document["current_step"] is None
        assert ("warn", "/current_step") in lost

    def test_a_call_that_ran(self) -> None:
        """1.15: a call without output would run again; a run inside goes on."""
        document = run()
        document["context"]["tool_invocations"]["call_d"] |= {"executed": True}
        assert ("error", "/context/tool_invocations/call_d") in below(document, "1.14")[1]
        nested = corpus.load(f"{FOLDER}/0.24.0/nested")
        assert nested["context"]["tool_invocations"]["call_out"]["executed"]
        assert "error" not in {severity for severity, _ in below(nested, "1.14")[1]}

    def test_no_limit(self) -> None:
        """1.10: no turn limit is one that nobody reaches, in runs inside too."""
        document = corpus.load(f"{FOLDER}/0.24.0/nested")
        for _, each in SHAPE.runs(document):
            each["max_turns"] = None
        lower, lost = below(document, "1.9")
        assert {each["max_turns"] for _, each in SHAPE.runs(lower)} == {2**31 - 1}
        inside = "/last_processed_response/functions/0/agent_run_state/max_turns"
        assert {("info", "/max_turns"), ("info", inside)} <= set(lost)

    def test_items_of_no_name(self) -> None:
        """1.15, 1.5: items an older release drops without a word are errors with their place."""
        staged = {"type": "input_item", "raw_item": {"role": "user", "content": "x"}}
        document = run()
        document["generated_items"].append({**staged, "agent": {"name": "ops"}, "input_id": "i"})
        lower, lost = below(document, "1.14")
        place = f"/generated_items/{len(document['generated_items']) - 1}"
        assert ("error", place) in lost
        assert len(lower["generated_items"]) == len(document["generated_items"]) - 1
        assert lower["generated_session_item_indexes"] == []
