"""The JavaScript SDK's documents: laws 1, 2 and 6, decisions, records, and the way to Python."""

from __future__ import annotations

import copy
import hashlib
import json
import sys
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

import hitl
from hitl import transfer
from hitl.dialects.openai_js import DIALECT, fingerprint
from hitl.dialects.openai_js import raw as protocol
from hitl.dialects.openai_js.shape import SHAPE
from hitl.dialects.openai_python import DIALECT as PYTHON
from hitl.document import equal
from hitl.errors import (
    ArgumentsChanged,
    InvalidDocument,
    LossError,
    UnsupportedVersion,
)
from hitl.testing import assert_document_kept
from tests import schemas
from tests.agents import corpus
from tests.hints import hints
from tests.schemas import validator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl import RunState
    from hitl.document import JSONObject

CHAIN = DIALECT.chain
KEY = "$schemaVersion"
NAMES = corpus.javascript()
NEWEST = [name for name in NAMES if "/js-older/" not in name]
OLDER = [name for name in NAMES if name not in NEWEST]
FROM_PYTHON = [name for name in corpus.every() if name.startswith("cross/py-0.24.0/")]
PLAIN = "cross/js-0.20.0/plain"
NESTED = "cross/js-0.20.0/nested"
DECIDED = ("parallel", "nested", "shell", "apply_patch", "hosted_mcp")


@cache
def state(name: str) -> RunState:
    """A recorded state, read."""
    return hitl.loads(corpus.read(name))


def written(
    of: RunState,
    dialect: str = DIALECT.name,
    version: str | None = None,
    **known: Any,  # noqa: ANN401
) -> Any:  # noqa: ANN401
    """What a state is in a dialect."""
    return json.loads(hitl.dumps(of, dialect=dialect, version=version, allow_loss=True, **known))


def converted(name: str) -> Any:  # noqa: ANN401  (JSON)
    """What a state of one SDK is in the other's newest version."""
    target = PYTHON if name in NAMES else DIALECT
    return written(state(name), target.name, **hints(stem(name), target.name))


def stem(name: str) -> str:
    """The definition a state is of."""
    return name.rpartition("/")[2].partition(".")[0]


class TestRoundTrip:
    @pytest.mark.parametrize("name", NAMES)
    def test_kept(self, name: str) -> None:
        """Law 1: a state comes back as it was, directly and through native JSON and MessagePack."""
        assert_document_kept(corpus.load(name))

    @pytest.mark.parametrize("name", NAMES)
    def test_no_loss(self, name: str) -> None:
        """At its own label nothing is lost, and nothing is reported as lost."""
        label = corpus.load(name)[KEY]
        assert transfer.convert(state(name), dialect=DIALECT.name, version=label).losses == ()

    @pytest.mark.parametrize("name", NEWEST)
    def test_little_is_kept_beside(self, name: str) -> None:
        """Items, responses, records and ownership follow from the run state, not from a copy."""
        parts: Any = state(name).extras[DIALECT.name].get("kept", [])
        beside = ("/lastProcessedResponse/", "/context/", "/currentTurnSessionInputItems")
        assert [each["at"] for each in parts if not each["at"].startswith(beside)] == []


class TestUnknownIsKept:
    @pytest.mark.parametrize("name", NAMES)
    def test_everywhere(self, name: str) -> None:
        """Law 6: a field that nobody knows stays, in every object of the document."""
        given = _with_unknown(corpus.load(name))
        assert_document_kept(given)

    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("generatedItems/0", None),
            ("generatedItems/0", {"type": "unheard_of", "rawItem": {}}),
            ("generatedItems/0/rawItem", 7),
            ("generatedItems/0/agent", {"name": 7}),
            ("currentStep", {"type": "next_step_final_output", "output": "x"}),
            ("currentStep", {"type": "next_step_handoff", "newAgent": {"name": "B"}}),
            ("modelResponses/0/usage", {"inputTokens": "1"}),
            ("modelResponses/0/output", None),
            ("context", {}),
            ("context/approvals", {"x": {"approved": 1}}),
            ("context/approvals", {"\ud800": {"approved": True, "rejected": []}}),
            ("context/functionApprovals", [{"agentIdentity": "A", "approvals": {"odd": 1}}]),
            ("context/legacyFunctionApprovals", {"t": {"approved": True, "rejected": []}}),
            ("context/approvalInvocations", [7]),
            ("context/context", {"$": "bytes", "v": "aGk="}),
            ("context/usage/requestUsageEntries", [None]),
            ("lastProcessedResponse", None),
            ("toolUseTracker", []),
            ("pendingAgentToolRuns", {"x:1": "no JSON"}),
            ("completedToolInvocationEvidence", None),
            ("currentTurnPersistedItemCount", -1),
            ("sandbox", {"backendId": "b"}),
            ("pendingSessionWrite", {"phase": "prepared"}),
            ("trace", None),
            ("reasoningItemIdPolicy", "omit"),
        ],
    )
    def test_odd_values(self, path: str, value: object) -> None:
        """What is not what the SDK usually writes comes back as it was."""
        assert_document_kept(_changed(corpus.load(PLAIN), path, value))


def _with_unknown(value: Any) -> Any:  # noqa: ANN401  (JSON)
    """The document with a new field in every object, those of runs inside too."""
    if isinstance(value, list):
        return [_with_unknown(each) for each in value]
    if not isinstance(value, dict):
        return value
    changed = {
        key: {k: json.dumps(_with_unknown(json.loads(text))) for k, text in each.items()}
        if key == "pendingAgentToolRuns"
        else _with_unknown(each)
        for key, each in value.items()
    }
    if set(value) & {"approved", "callId", "agentIdentity", "invocations"}:
        return changed
    return {**changed, "newField": {"of": [1, None, "\ud800"]}} if KEY in value else changed


def _changed(given: JSONObject, path: str, value: object) -> Any:  # noqa: ANN401  (JSON)
    document = copy.deepcopy(given)
    *parts, last = path.split("/")
    holder: Any = document
    for part in parts:
        holder = holder[int(part)] if isinstance(holder, list) else holder[part]
    holder[int(last) if isinstance(holder, list) else last] = value
    return document


class TestRefused:
    @pytest.mark.parametrize(
        ("path", "value"),
        [
            ("currentTurn", None),
            ("currentTurn", 1.5),
            ("maxTurns", -1),
            ("currentAgent", {}),
            ("originalInput", 7),
            ("generatedItems", {}),
            ("generatedItems/0/rawItem/arguments", "\ud800"),
        ],
    )
    def test_named(self, path: str, value: object) -> None:
        """What no run can go on from is refused by its place."""
        with pytest.raises(InvalidDocument) as caught:
            hitl.loads(_changed(corpus.load(PLAIN), path, value))
        assert caught.value.path == f"/{path}"

    def test_another_major(self) -> None:
        """What is no version of this dialect is refused, not guessed."""
        with pytest.raises(UnsupportedVersion):
            hitl.loads(_changed(corpus.load(PLAIN), KEY, "2.0"))

    def test_a_newer_minor(self) -> None:
        """A newer version is kept word for word and written back at its own only."""
        document = {**_changed(corpus.load(PLAIN), KEY, "1.99"), "new": {"of": [1]}}
        newer = hitl.loads(document)
        assert newer.newer is not None
        assert equal(json.loads(hitl.dumps(newer, dialect=DIALECT.name)), document)
        with pytest.raises(LossError):
            hitl.dumps(newer, dialect=DIALECT.name, version=CHAIN.newest)


class TestUpAndDown:
    @pytest.mark.parametrize("name", NAMES)
    def test_each_step_is_of_its_version(self, name: str) -> None:
        """Law 2: every step up lands on its schema; down again gives the document back."""
        recorded = corpus.load(name)
        document = recorded
        for revision in CHAIN.revisions[CHAIN.index(recorded[KEY]) + 1 :]:
            document = revision.upgrade(document)
            for _, run in SHAPE.runs(document):
                validator(revision.version, DIALECT).validate(run)
        assert equal(CHAIN.downgrade(document, recorded[KEY]), recorded)

    @pytest.mark.parametrize("name", NEWEST)
    def test_down_lands_on_each_schema(self, name: str) -> None:
        """A state of the newest version is, at each label, one that could be of that label."""
        document = corpus.load(name)
        for revision in reversed(CHAIN.revisions):
            for _, run in SHAPE.runs(document):
                validator(revision.version, DIALECT).validate(run)
                assert run[KEY] == revision.version
            document = revision.downgrade(document)

    def test_all_known(self) -> None:
        """23 versions without a gap, in the order of their links."""
        assert CHAIN.versions == tuple(f"1.{minor}" for minor in range(23))

    @pytest.mark.parametrize("name", OLDER)
    def test_old_states_say_what_new_releases_ask(self, name: str) -> None:
        """Law 4: at the newest label an old state has all that the newest release resumes by."""
        if name.endswith(corpus.NO_RUN_INSIDE):
            with pytest.raises(LossError, match="cannot hold"):
                written(state(name))
            return
        document = written(state(name))
        for _, run in SHAPE.runs(document):
            validator(CHAIN.newest, DIALECT).validate(run)
            assert run["initialInputGuardrailsCompleted"] is True
            assert all(f["mcpToolBinding"] is None for f in _functions(run))
        repairs = transfer.convert(state(name), dialect=DIALECT.name, allow_loss=True).repairs
        due = CHAIN.index(corpus.load(name)[KEY]) < CHAIN.index("1.21")
        assert [each.name for each in repairs] == ["input-guardrails"] * due

    def test_decisions_by_tool_name(self) -> None:
        """A decision that old releases kept by tool name goes to the calling agent."""
        given = corpus.load("cross/js-older/plain_0.11.8")
        given["context"]["approvals"] = {"send_email": {"approved": ["call_1"], "rejected": []}}
        context = written(hitl.loads(given))["context"]
        assert equal(context, corpus.load("cross/js-0.20.0/plain")["context"] | context)
        (owned,) = context["functionApprovals"]
        assert owned["approvals"]['["bare","send_email"]']["approved"] == ["call_1"]
        assert "call_1" in context["approvalInvocations"][0]["invocations"]


def _functions(run: Any) -> Any:  # noqa: ANN401  (JSON)
    return run["lastProcessedResponse"]["functions"]


class TestSchemas:
    @pytest.mark.parametrize("version", CHAIN.versions)
    def test_committed_and_frozen(self, version: str) -> None:
        """What the code gives is what is committed, and does not change any more."""
        path = schemas.path(version, DIALECT)
        assert path.read_bytes() == schemas.render(version, DIALECT)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert schemas.frozen(DIALECT)[path.name] == digest

    @pytest.mark.parametrize("name", NAMES)
    def test_valid(self, name: str) -> None:
        """Every recorded state is what the schema of its version says, and no key more."""
        document = corpus.load(name)
        check = validator(document[KEY], DIALECT)
        check.validate(document)
        assert not check.is_valid({**document, "nobody": 1})

    @pytest.mark.parametrize("name", OLDER)
    def test_a_newer_key_is_rejected(self, name: str) -> None:
        """One key that a later version added makes the state a state of no older version."""
        document = corpus.load(name)
        check = validator(document[KEY], DIALECT)
        tried = 0
        for added in _added_after(document[KEY]):
            changed = copy.deepcopy(document)
            found = next((each for _, each in SHAPE.find(changed, added.place)), None)
            if found is not None and not added.changed:
                found[added.key] = True
                assert not check.is_valid(changed), f"{added.place}.{added.key}"
                tried += 1
        assert tried or document[KEY] == "1.21"  # 1.22 has no key that 1.21 has not


def _added_after(version: str) -> Iterator[Any]:
    for revision in CHAIN.revisions[CHAIN.index(version) + 1 :]:
        yield from revision.added


VARIANTS: dict[str, dict[str, Any]] = {
    "approve1": {},
    "always": {"always": True},
    "reject1": {"message": "no thanks"},
    "rejectalways": {"message": "never", "always": True},
}


class TestDecisions:
    @pytest.mark.parametrize("variant", VARIANTS)
    @pytest.mark.parametrize("definition", DECIDED)
    def test_as_the_sdk(self, definition: str, variant: str) -> None:
        """A decision taken without the SDK is written exactly as the SDK writes its own."""
        before = state(f"cross/js-0.20.0/{definition}")
        decide = before.reject if variant.startswith("reject") else before.approve
        after = decide(before.interruptions[0].call, **VARIANTS[variant])
        recorded = corpus.load(f"cross/js-0.20.0/{definition}.{variant}")
        assert equal(written(after), recorded)

    @pytest.mark.parametrize("variant", VARIANTS)
    @pytest.mark.parametrize("definition", DECIDED)
    def test_read(self, definition: str, variant: str) -> None:
        """A decision that the SDK wrote is the verdict of its call, and of no other."""
        decided = state(f"cross/js-0.20.0/{definition}.{variant}").interruptions
        first = decided[0].decision
        assert first is not None
        assert first.approved == (not variant.startswith("reject"))
        assert first.message == VARIANTS[variant].get("message")

    @pytest.mark.parametrize("variant", VARIANTS)
    @pytest.mark.parametrize("definition", DECIDED)
    def test_across(self, definition: str, variant: str) -> None:
        """A decision means the same after the way to Python and back, message included."""
        name = f"cross/js-0.20.0/{definition}.{variant}"
        over = hitl.loads(converted(name))
        back = hitl.loads(written(over))
        for other in (over, back):
            assert _verdicts(other) == _verdicts(state(name))


def _verdicts(of: RunState) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for each in of.interruptions:
        verdict = each.decision
        said = verdict and (verdict.approved, verdict.always, verdict.message)
        found.append((each.call, each.agent, each.tool_name, each.arguments, said))
    return found


class TestRecords:
    @pytest.mark.parametrize("target", [PYTHON, DIALECT])
    def test_another_call(self, target: Any) -> None:  # noqa: ANN401
        """A call that is not the one its record is of never gets a new record."""
        folder = "js-0.20.0" if target is PYTHON else "py-0.24.0"
        given = corpus.load(f"cross/{folder}/parallel.approve1")
        forged = hitl.loads(_with_arguments(given, "a@example.com", "eve@example.com"))
        with pytest.raises(ArgumentsChanged):
            hitl.dumps(forged, dialect=target.name, allow_loss=True)

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("3", "3e0"),
            ("1.50", "15e-1"),
            ("-0", "-0"),
            ("0.00", "0"),
            ("1e2", "1e2"),
            ("100", "1e2"),
            ("12345678901234567890", "1234567890123456789e1"),
        ],
    )
    def test_numbers(self, text: str, value: str) -> None:
        """A number is recorded by its digits: none is rounded."""
        raw = {"type": "function_call", "name": "t", "call_id": "c", "arguments": f"[{text}]"}
        found = fingerprint.fingerprint(hitl.model.Item(kind="tool_call", raw=raw))
        assert found is not None
        (token,) = json.loads(found)["payload"]["value"]
        assert token == f"\x00openai-agents-json:number:{value}"

    def test_order_of_keys(self) -> None:
        """Keys stand as JavaScript has them: integer-like ones first, the others by code unit."""
        arguments = json.dumps({"b": 1, "10": 1, "\U0001f600": 1, "9": 1, "\uffff": 1, "01": 1})
        raw = {"type": "function_call", "name": "t", "call_id": "c", "arguments": arguments}
        found = fingerprint.fingerprint(hitl.model.Item(kind="tool_call", raw=raw))
        keys = list(json.loads(str(found))["payload"]["value"])
        assert keys == ["9", "10", "01", "b", "\U0001f600", "\uffff"]


def _with_arguments(value: Any, old: str, new: str) -> Any:  # noqa: ANN401  (JSON)
    """The document with other arguments in every copy of its calls, and the old records."""
    if isinstance(value, list):
        return [_with_arguments(each, old, new) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: each.replace(old, new) if key == "arguments" else _with_arguments(each, old, new)
        for key, each in value.items()
    }


class TestToJavaScript:
    @pytest.mark.parametrize("name", FROM_PYTHON)
    def test_what_the_sdk_asks(self, name: str) -> None:
        """A state of Python has all that `fromString` and `run` check."""
        document = converted(name)
        for _, run in SHAPE.runs(document):
            validator(CHAIN.newest, DIALECT).validate(run)
            _assert_asked_for(run)
        assert not hitl.loads(document).extras[DIALECT.name].get("signed")

    @pytest.mark.parametrize("name", FROM_PYTHON)
    def test_items_as_the_sdk_writes_them(self, name: str) -> None:
        """The responses of one definition are the same in both SDKs, and so are the items."""
        twin = corpus.load(name.replace("py-0.24.0", "js-0.20.0"))
        if stem(name) in {"handoff_pending", "handoff_default"}:  # the SDKs name it otherwise
            return
        mine = converted(name)
        for ours, theirs in zip(mine["modelResponses"], twin["modelResponses"], strict=True):
            assert _numbers(ours["output"]) == _numbers(theirs["output"])
        assert [each["type"] for each in mine["generatedItems"]] == [
            each["type"] for each in twin["generatedItems"]
        ] or stem(name).startswith("hosted")

    @pytest.mark.parametrize("name", FROM_PYTHON)
    def test_back(self, name: str) -> None:
        """What waits, the turn and the conversation are the same after the way there and back."""
        there = hitl.loads(converted(name))
        back = hitl.loads(written(there, PYTHON.name, **hints(stem(name), PYTHON.name)))
        before = state(name)
        if not stem(name).startswith("hosted"):  # Python keeps the call beside the tool
            assert _verdicts(back) == _verdicts(before)
        assert [each.call for each in back.interruptions] == [
            each.call for each in before.interruptions
        ]
        assert back.turn == before.turn
        assert back.persisted == before.persisted
        assert [each.kind for each in back.items] == [each.kind for each in before.items]

    def test_a_warning_stops(self) -> None:
        """What the run cannot prove is said first; nobody takes it for granted unasked."""
        with pytest.raises(LossError) as caught:
            hitl.dumps(state("cross/py-0.24.0/plain"), dialect=DIALECT.name)
        assert ["input guardrails" in loss.reason for loss in _losses(caught.value)] == [True]

    def test_numbers_of_arguments(self) -> None:
        """A call that JavaScript would run with another number is refused by its place."""
        text = json.dumps(corpus.load("cross/py-0.24.0/plain"))
        text = text.replace('\\"Hi\\"', "12345678901234567890")
        given = json.loads(text)
        given["context"]["tool_invocations"] = {}
        with pytest.raises(LossError) as caught:
            hitl.dumps(hitl.loads(given), dialect=DIALECT.name, allow_loss=True)
        (loss,) = _losses(caught.value)
        assert loss.path == "/step/interruptions/0/raw/arguments"

    @pytest.mark.parametrize("name", [PLAIN, "cross/py-0.24.0/plain"])
    def test_deep_arguments(self, name: str) -> None:
        """Arguments that no record can be computed of are refused by their place, never a crash."""
        deep = "[" * 600 + "]" * 600
        given = _with_arguments(corpus.load(name), _arguments_of(name), deep)
        given["context"] |= {"tool_invocations": {}} if name != PLAIN else {}
        target = PYTHON if name == PLAIN else DIALECT
        with pytest.raises(LossError) as caught:
            written(hitl.loads(given).approve("call_1"), target.name)
        paths = {loss.path for loss in _losses(caught.value) if loss.severity == "error"}
        assert "/items/0/item/raw/arguments" in paths

    def test_answered_requests_go(self) -> None:
        """Trap 4: the SDK refuses a request for approval that no longer waits."""
        given = corpus.load("cross/py-0.24.0/parallel")
        waiting = given["current_step"]["data"]["interruptions"]
        del waiting[0]
        document = written(hitl.loads(given))
        _assert_asked_for(document)
        kinds = [each["type"] for each in document["generatedItems"]]
        assert kinds.count("tool_approval_item") == len(waiting)

    def test_for_good_inside_is_not_for_good_outside(self) -> None:
        """The SDK keeps decisions of runs inside outside: one that would cover more is narrowed."""
        text = corpus.read("cross/py-0.24.0/nested").replace(b"Researcher", b"Orchestrator")
        decided = hitl.loads(text).approve("call_o1/call_r1", always=True)
        converted = transfer.convert(decided, dialect=DIALECT.name, allow_loss=True)
        (owned,) = json.loads(converted.data)["context"]["functionApprovals"]
        verdict = {"approved": ["call_r1"], "rejected": []}
        assert owned["approvals"] == {'["bare","lookup"]': verdict}
        assert _narrowed(converted) == ["/processed/calls/0/run/decisions/call_r1"]

    def test_for_good_in_one_is_not_for_good_beside(self) -> None:
        """An agent used as a tool twice at once: what is for good in one run asks in the other."""
        given = corpus.forgotten(corpus.load("cross/py-0.24.0/nested"))
        response = given["last_processed_response"]
        waiting = given["current_step"]["data"]["interruptions"]
        for found in (given["generated_items"], waiting, response["functions"]):
            text = json.dumps(found).replace("call_o1", "call_o2").replace("call_r1", "call_r2")
            found.extend(json.loads(text))
        given["session_items"] = response["new_items"] = given["generated_items"]
        decided = hitl.loads(given).approve("call_o1/call_r1", always=True)
        assert [each.call for each in decided.interruptions if each.decision is None] == [
            "call_o2/call_r2"
        ]
        converted = transfer.convert(decided, dialect=DIALECT.name, allow_loss=True)
        (owned,) = json.loads(converted.data)["context"]["functionApprovals"]
        assert owned["approvals"] == {
            '["bare","lookup"]': {"approved": ["call_r1"], "rejected": []}
        }
        assert _narrowed(converted) == ["/processed/calls/0/run/decisions/call_r1"]

    def test_for_good_deeper_inside_is_not_for_good_outside(self) -> None:
        """A run around the run around it is another run too, and the verdict stays on its call."""
        inner = corpus.forgotten(corpus.load("cross/py-0.24.0/nested"))
        text = json.dumps(inner).replace("call_o1", "call_x1").replace("Orchestrator", "Researcher")
        given = json.loads(text)
        given["last_processed_response"]["functions"][0]["agent_run_state"] = inner
        decided = hitl.loads(given).approve("call_x1/call_o1/call_r1", always=True)
        converted = transfer.convert(decided, dialect=DIALECT.name, allow_loss=True)
        (owned,) = json.loads(converted.data)["context"]["functionApprovals"]
        assert owned["approvals"] == {
            '["bare","lookup"]': {"approved": ["call_r1"], "rejected": []}
        }
        place = "/processed/calls/0/run/processed/calls/0/run/decisions/call_r1"
        assert _narrowed(converted) == [place]


def _narrowed(converted: transfer.Converted) -> list[str]:
    """The decisions for good that are kept for their calls alone."""
    return [each.path for each in converted.losses if "other runs" in each.reason]


def _arguments_of(name: str) -> str:
    """The arguments of the call that waits."""
    (waits,) = state(name).interruptions
    return str(waits.arguments)


def _losses(error: LossError) -> Any:  # noqa: ANN401
    return error.losses


def _numbers(value: Any) -> Any:  # noqa: ANN401  (JSON)
    """The value as JavaScript reads it: it has one kind of number."""
    return json.loads(json.dumps(value, sort_keys=True))


def _assert_asked_for(run: Any) -> None:  # noqa: ANN401  (JSON)
    """What the SDK checks before it resumes (traps 1 to 3, 7, 10, 16 and 17)."""
    assert run["initialInputGuardrailsCompleted"] is True
    assert all("mcpToolBinding" in each for each in _functions(run))
    assert json.dumps(run["lastModelResponse"]) == json.dumps(run["modelResponses"][-1])
    assert "legacyFunctionApprovals" not in run["context"]
    assert isinstance(run["trace"]["workflow_name"], str)
    assert isinstance(run["trace"]["metadata"], dict)
    own = run.get("currentResponseGeneratedItemOwnership")
    waiting = run["currentStep"]["data"]["interruptions"]
    if own is not None:
        indexes = own["interruptionGeneratedItemIndexes"]
        assert [run["generatedItems"][index] for index in indexes] == waiting
        assert own["generatedItemEndIndexExclusive"] == len(run["generatedItems"])
    for each in run["generatedItems"]:
        raw = each["rawItem"]
        if raw["type"] == "function_call_result":
            assert raw["status"] == "completed"
            assert raw["name"] != raw["callId"]


class TestToPython:
    @pytest.mark.parametrize("name", NAMES)
    def test_what_the_sdk_asks(self, name: str) -> None:
        """A state of any JavaScript release has what Python's reader keeps, or is refused."""
        if name.endswith(corpus.NO_RUN_INSIDE):
            with pytest.raises(LossError):
                converted(name)
            return
        document = converted(name)
        validator(PYTHON.chain.newest).validate(document)
        for item in document["generated_items"]:
            raw = item["raw_item"]
            if raw["type"] in {"message", "reasoning"}:
                assert raw["id"]  # trap 11
        for entry in document["context"].get("function_tool_approvals", ()):
            record = entry["decision"]
            sticky = record["approved"] is True or record["rejected"] is True
            assert ("sticky_scope" in record) == sticky  # trap 13
        waiting = document["current_step"]["data"]["interruptions"]
        assert [each.call_id for each in hitl.loads(document).interruptions] == [
            each["raw_item"].get("call_id", each["raw_item"].get("id")) for each in waiting
        ]

    @pytest.mark.parametrize("variant", VARIANTS)
    @pytest.mark.parametrize("definition", DECIDED)
    def test_approvals_as_the_sdk(self, definition: str, variant: str) -> None:
        """What was decided in JavaScript stands where Python looks for it, digests included."""
        places = ("approvals", "function_tool_approvals", "hosted_mcp_approvals")
        mine = converted(f"cross/js-0.20.0/{definition}.{variant}")
        theirs = corpus.load(f"cross/py-0.24.0/{definition}.{variant}")
        for ours, other in zip(_contexts(mine), _contexts(theirs), strict=True):
            for place in places:
                if place in ours and place[0] == "h" and "always" in variant:
                    assert ours[place][0] == other[place][0]  # the sticky one
                else:
                    assert ours.get(place) == other.get(place)


def _contexts(run: Any) -> Iterator[Any]:  # noqa: ANN401  (JSON)
    yield run["context"]
    for each in run["last_processed_response"]["functions"]:
        if "agent_run_state" in each:
            yield from _contexts(each["agent_run_state"])


class TestRawItems:
    @pytest.mark.parametrize("name", NAMES)
    def test_there_and_back(self, name: str) -> None:
        """Raw items of recorded states are the same after the way to the Responses API and back."""
        for response in corpus.load(name)["modelResponses"]:
            for raw in response["output"]:
                assert equal(protocol.write(protocol.read(raw)), raw)

    @pytest.mark.parametrize(
        "raw",
        [
            {"type": "message", "role": "assistant", "content": [], "id": "__fake_id__"},
            {"type": "custom_tool_call", "id": "c", "call_id": "c", "name": "t", "input": "x"},
            {"type": "computer_call", "id": "c", "call_id": "c", "action": {"type": "wait"}},
            {"type": "compaction", "id": "c", "encrypted_content": "E"},
            {"type": "tool_search_call", "id": "t", "arguments": {"someKey": 1}},
            {"type": "program", "id": "p", "call_id": "p", "code": "1", "fingerprint": "f"},
            {"type": "program_output", "id": "p", "call_id": "p", "result": "1"},
            {"type": "mcp_approval_response", "id": "r", "approval_request_id": "m"},
            {"type": "something_new", "id": "n", "someKey": {"snake_key": 1}},
            {"role": "user", "content": [{"type": "input_image", "file_id": "f"}]},
            {"role": "user", "content": [{"type": "input_file", "file_url": "https://x/y"}]},
        ],
        ids=lambda raw: str(raw.get("type", raw.get("role"))),
    )
    def test_responses_form(self, raw: JSONObject) -> None:
        """An item of the Responses API is the same after the way to the protocol and back."""
        there = protocol.write(raw)
        back = protocol.read(there)
        assert isinstance(back, dict)
        assert equal({**raw, **back}, {**back, **raw})
        assert back.keys() >= raw.keys()


class TestSecrets:
    def test_never_in_native(self) -> None:
        """Keys, headers and addresses of servers stay in the SDK's own document only."""
        given = corpus.load("cross/js-0.20.0/hosted_mcp")
        given["trace"]["tracing_api_key"] = "sk-trace"
        (request,) = given["lastProcessedResponse"]["mcpApprovalRequests"]
        request["mcpTool"]["providerData"] |= {"authorization": "b-1", "headers": {"x": "h-1"}}
        found = assert_document_kept(given)
        assert len(found.secrets) == 3
        data = hitl.dumps(found)
        assert not [each for each in (b"sk-trace", b"b-1", b"h-1") if each in data]


def test_count(capsys: pytest.CaptureFixture[str]) -> None:
    """Every recorded state of every release stands in the laws above; none is skipped."""
    counted = Counter(corpus.load(name)[KEY] for name in NAMES)
    with capsys.disabled():
        sys.stdout.write(
            f"\nJavaScript: read, written, up and down: {len(NAMES)} states of "
            f"{len(counted)} labels\nfrom Python: {len(FROM_PYTHON)} states\n"
        )
    assert (len(NAMES), len(NEWEST), len(FROM_PYTHON)) == (182, 50, 50)
