"""The twenty traps between the SDKs, one test each: what hitl writes does not fall into it.

What the SDKs themselves do in a trap is shown with the real ones in `tests/node/test_traps.py`.
"""

from __future__ import annotations

import ast
import asyncio
import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from agents import RunState

import hitl
from hitl.dialects.openai_js import DIALECT as JS
from hitl.dialects.openai_js.shape import SHAPE
from hitl.dialects.openai_python import DIALECT as PYTHON
from hitl.errors import ArgumentsChanged, LossError
from tests.agents import corpus
from tests.agents.log import Log
from tests.node.definitions import cast

if TYPE_CHECKING:
    from collections.abc import Callable

FROM_PYTHON = "cross/py-0.24.0"
FROM_JS = "cross/js-0.20.0"


def recorded(folder: str, definition: str) -> Any:  # noqa: ANN401  (JSON)
    """What an SDK itself wrote at the pause of a definition."""
    return corpus.load(f"{folder}/{definition}")


def to_js(given: Any, version: str | None = None) -> Any:  # noqa: ANN401  (JSON)
    """A state as the JavaScript SDK reads it."""
    state = hitl.loads(json.dumps(given))
    return json.loads(hitl.dumps(state, dialect=JS.name, version=version, allow_loss=True))


def to_python(given: Any) -> Any:  # noqa: ANN401  (JSON)
    """A state as the Python SDK reads it."""
    state = hitl.loads(json.dumps(given))
    return json.loads(hitl.dumps(state, dialect=PYTHON.name, allow_loss=True))


def refused(convert: Callable[[Any], Any], given: Any) -> dict[str, str]:  # noqa: ANN401  (JSON)
    """Why a state does not cross: pointer → reason, of what stops it."""
    with pytest.raises(LossError) as caught:
        convert(given)
    losses: Any = caught.value.losses
    return {loss.path: loss.reason for loss in losses if loss.severity == "error"}


def without(value: Any, *keys: str) -> Any:  # noqa: ANN401  (JSON)
    """The document without these keys, anywhere."""
    if isinstance(value, list):
        return [without(each, *keys) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: without(each, *keys) for key, each in value.items() if key not in keys}


def waiting(run: dict[str, Any]) -> list[Any]:
    """The requests that a JavaScript state stops at."""
    found: list[Any] = run["currentStep"]["data"]["interruptions"]
    return found


def outputs(run: Any) -> dict[str, Any]:  # noqa: ANN401  (JSON)
    """Call id → item of a tool output of a JavaScript state."""
    items = [each for each in run["generatedItems"] if each["type"] == "tool_call_output_item"]
    return {each["rawItem"]["callId"]: each for each in items}


class TestToJavaScript:
    def test_trap_1_no_mcp_server_is_an_explicit_null(self) -> None:
        """A binding that is left out means *unknown*, and an unknown recipient never runs."""
        (function,) = to_js(recorded(FROM_PYTHON, "plain"))["lastProcessedResponse"]["functions"]
        assert function.get("mcpToolBinding", "left out") is None

    def test_trap_2_guardrails_are_done_in_runs_inside_too(self) -> None:
        """Inside, the SDK turns the missing word into a tool that failed, and finishes."""
        runs = [run for _, run in SHAPE.runs(to_js(recorded(FROM_PYTHON, "nested")))]
        assert [run.get("initialInputGuardrailsCompleted") for run in runs] == [True, True]

    def test_trap_3_a_request_is_in_both_lists(self) -> None:
        """A request that only the step holds makes the model start over."""
        run = to_js(recorded(FROM_PYTHON, "parallel"))
        requests = [each for each in run["generatedItems"] if each in waiting(run)]
        assert requests == waiting(run)
        assert len(requests) == 3

    def test_trap_4_answered_requests_go_and_indexes_move(self) -> None:
        """Python keeps a request that was answered; here it is none of the current response's."""
        given = corpus.load("openai-agents-python/hitl/turns_partly_run")
        items = [each["type"] for each in given["generated_items"]]
        run = to_js(given)
        own = run["currentResponseGeneratedItemOwnership"]
        kinds = [each["type"] for each in run["generatedItems"]]
        assert items.count("tool_approval_item") == len(waiting(run)) + 1
        assert kinds.count("tool_approval_item") == len(waiting(run))
        indexes = own["interruptionGeneratedItemIndexes"]
        assert [run["generatedItems"][index] for index in indexes] == waiting(run)
        assert own["generatedItemEndIndexExclusive"] == len(kinds)

    @pytest.mark.parametrize("definition", ["multi_session", "two_session", "guard_session"])
    def test_trap_5_persisted_items_are_counted_from_the_start(self, definition: str) -> None:
        """Python counts those of the turn without requests, JavaScript all before an index."""
        key, name = "currentTurnPersistedItemCount", "current_turn_persisted_item_count"
        python, js = recorded(FROM_PYTHON, definition), recorded(FROM_JS, definition)
        assert python[name] != js[key]
        assert to_js(python)[key] == js[key]
        assert to_python(js)[name] == python[name]

    def test_trap_6_a_run_inside_is_under_the_key_of_its_tool(self) -> None:
        """Under any other key it is not found, and the sub-agent starts from the beginning."""
        run, theirs = to_js(recorded(FROM_PYTHON, "nested")), recorded(FROM_JS, "nested")
        assert run["pendingAgentToolRuns"].keys() == theirs["pendingAgentToolRuns"].keys()
        assert run["pendingAgentToolRunAliases"] == theirs["pendingAgentToolRunAliases"]

    def test_trap_6_a_call_with_a_run_inside_has_begun_in_python(self) -> None:
        """`executed` says that the outer call does not start again."""
        run = to_python(recorded(FROM_JS, "nested"))
        (call,) = run["context"]["tool_invocations"].values()
        assert (call["executed"], call["completed"]) == (True, False)

    def test_trap_7_a_result_has_the_name_of_its_tool_and_a_status(self) -> None:
        """Python writes neither; both are demanded, and the name is part of the record."""
        found = outputs(to_js(recorded(FROM_PYTHON, "multi_turn")))
        named = {
            key: (each["rawItem"]["name"], each["rawItem"]["status"]) for key, each in found.items()
        }
        assert named == {
            "call_w": ("get_weather", "completed"),
            "call_l": ("get_list", "completed"),
            "call_n": ("get_number", "completed"),
        }

    def test_trap_7_numbers_of_a_record_are_tokens(self) -> None:
        """A plain number in a record is another record, and the state is refused."""
        run = to_js(recorded(FROM_PYTHON, "multi_turn"))
        (owned,) = run["completedToolInvocations"]
        value = json.loads(owned["invocations"]["call_n"])["payload"]["value"]
        assert value == {"n": "\x00openai-agents-json:number:42e0"}

    def test_trap_8_a_pending_handoff_does_not_cross_by_its_default_name(self) -> None:
        """Each SDK spells the default name in its own way; neither finds the other's."""
        assert "handoff" in str(refused(to_js, recorded(FROM_PYTHON, "handoff_pending")))

    def test_trap_9_a_pending_handoff_needs_its_target(self) -> None:
        """Python does not store where a handoff goes; the place of the call is said."""
        reasons = refused(to_js, recorded(FROM_PYTHON, "handoff_pending"))
        assert [path for path, why in reasons.items() if "target" in why] == ["/processed/calls/1"]

    def test_trap_10_two_copies_of_a_response_are_one_text(self) -> None:
        """The SDK compares the last response with the list by text, order of keys included."""
        given = recorded(FROM_PYTHON, "plain")
        last = given["last_model_response"]
        given["last_model_response"] = dict(reversed(list(last.items())))
        run = to_js(given)
        assert json.dumps(run["lastModelResponse"]) == json.dumps(run["modelResponses"][-1])

    def test_trap_10_so_are_those_that_this_sdk_wrote_of_an_older_state(self) -> None:
        """What was said beyond the run state stands in both copies alike."""
        given = corpus.load("cross/js-older/plain_0.16.1")
        for each in (given["lastModelResponse"], given["modelResponses"][-1]):
            each["providerData"] = {"b": 1, "a": {"d": 1, "c": 2}}
        run = to_js(given)
        assert json.dumps(run["lastModelResponse"]) == json.dumps(run["modelResponses"][-1])

    @pytest.mark.parametrize("definition", ["plain", "nested"])
    def test_trap_17_a_run_without_trace_gets_an_empty_one(self, definition: str) -> None:
        """The key is required, and inside it a name and an object."""
        given = without(recorded(FROM_PYTHON, definition), "trace")
        for _, run in SHAPE.runs(to_js(given)):
            trace: Any = run["trace"]
            assert (trace["id"], trace["group_id"], trace["metadata"]) == ("no-op", None, {})
            assert isinstance(trace["workflow_name"], str)

    @pytest.mark.parametrize("definition", ["shell", "apply_patch"])
    def test_trap_18_a_request_for_a_built_in_tool_names_it(self, definition: str) -> None:
        """Without the name the request has no identity."""
        unnamed = without(recorded(FROM_PYTHON, definition), "tool_name", "tool_invocations")
        (request,) = waiting(to_js(unnamed))
        assert request["toolName"] == definition

    def test_trap_19_the_text_the_model_saw_is_never_made_again(self) -> None:
        """Python shows an object as Python does; the other SDK would show it as JSON."""
        output = outputs(to_js(recorded(FROM_PYTHON, "multi_turn")))["call_w"]
        text = output["rawItem"]["output"]["text"]
        assert text.startswith("{'city'")
        assert ast.literal_eval(text) == output["output"]

    def test_trap_20_old_releases_get_outputs_as_text(self) -> None:
        """They refuse an output with structure; the text the model saw stands for it."""
        given = recorded(FROM_PYTHON, "multi_turn")
        kept, old = outputs(to_js(given, "1.18")), outputs(to_js(given, "1.17"))
        assert isinstance(kept["call_w"]["output"], dict)
        assert {key: each["output"] for key, each in old.items()} == {
            key: each["rawItem"]["output"]["text"] for key, each in old.items()
        }


class TestOldDecisions:
    def test_trap_15_a_decision_by_tool_name_goes_to_the_calling_agent(self) -> None:
        """Copied as it is, the SDK does not look at it and asks again."""
        context = to_js(corpus.load("openai-agents-python/0.22.3/approved"))["context"]
        (owned,) = context["functionApprovals"]
        verdict = {"approved": ["call_d"], "rejected": []}
        assert owned == {"agentIdentity": "ops", "approvals": {'["bare","delete_file"]': verdict}}
        assert context["approvals"] == {}
        assert "call_d" in context["approvalInvocations"][0]["invocations"]

    @pytest.mark.parametrize("version", [None, "1.15"])
    def test_trap_15_one_for_good_without_an_owner_is_dropped(self, version: str | None) -> None:
        """The Python SDK itself does not use it any more; no release of this one shall."""
        context = to_js(corpus.load("openai-agents-python/0.22.3/always"), version)["context"]
        assert "functionApprovals" not in context
        assert context["approvals"] == {}

    def test_trap_16_decisions_without_a_record_are_neither_read_nor_moved(self) -> None:
        """`legacyFunctionApprovals` allow a call that nothing binds them to."""
        given = recorded(FROM_JS, "plain")
        verdict = {"send_email": {"approved": True, "rejected": []}}
        given["context"]["legacyFunctionApprovals"] = verdict
        (asked,) = hitl.loads(given).interruptions
        assert asked.decision is None
        assert "function_tool_approvals" not in to_python(given)["context"]
        assert to_python(given)["context"]["approvals"] == {}


class TestToPython:
    @staticmethod
    def _read(definition: str, given: Any) -> Any:  # noqa: ANN401  (JSON)
        """What the real SDK makes of a state it is given."""
        agent = cast(definition)(Log())
        return asyncio.run(RunState.from_json(agent, copy.deepcopy(given)))

    def test_trap_11_items_without_ids_and_annotations_are_kept(self) -> None:
        """The SDK drops a message or reasoning that misses one, and goes on without it."""
        bare = without(recorded(FROM_JS, "reasoning"), "providerData", "id")
        found = to_python(bare)
        read = self._read("reasoning", found)
        assert [each.type for each in read._generated_items] == [
            each["type"] for each in found["generated_items"]
        ]
        (said,) = (each for each in found["generated_items"] if each["type"][0] == "m")
        assert [part["annotations"] for part in said["raw_item"]["content"]] == [[]]

    def test_trap_12_the_step_is_said_or_the_state_does_not_cross(self) -> None:
        """Without a step the SDK starts the run from its input."""
        given = recorded(FROM_JS, "plain")
        assert to_python(given)["current_step"]["type"] == "next_step_interruption"
        del given["currentStep"]
        assert list(refused(to_python, given)) == ["/step"]

    @pytest.mark.parametrize("definition", ["parallel", "shell", "apply_patch", "hosted_mcp"])
    def test_trap_13_a_decision_for_good_says_what_it_covers(self, definition: str) -> None:
        """Without the scope the SDK does not look at the decision."""
        context = to_python(recorded(FROM_JS, f"{definition}.always"))["context"]
        records = [
            *context["approvals"].values(),
            *(each["decision"] for each in context.get("function_tool_approvals", ())),
            *(each["decision"] for each in context.get("hosted_mcp_approvals", ())),
        ]
        sticky = [each for each in records if each["approved"] is True]
        assert [len(each["sticky_scope"]) for each in sticky] == [64]

    def test_trap_13_a_decision_is_bound_to_its_call(self) -> None:
        """A decided call has the record that the SDK itself would have written."""
        mine = to_python(recorded(FROM_JS, "parallel.approve1"))
        theirs = recorded(FROM_PYTHON, "parallel.approve1")
        ledgers = [each["context"]["tool_invocations"] for each in (mine, theirs)]
        assert ledgers[0] == ledgers[1]
        assert ledgers[0]

    def test_trap_13_a_record_of_another_call_is_never_renewed(self) -> None:
        """What the writer recorded is compared before anything is computed anew."""
        given = recorded(FROM_JS, "parallel.approve1")
        text = json.dumps(given["currentStep"]) + json.dumps(given["generatedItems"])
        assert "a@example.com" in text
        for place in ("currentStep", "generatedItems", "lastProcessedResponse"):
            changed = json.dumps(given[place]).replace("a@example.com", "eve@example.com")
            given[place] = json.loads(changed)
        with pytest.raises(ArgumentsChanged):
            to_python(given)

    def test_trap_14_only_calls_with_an_output_are_done(self) -> None:
        """A waiting call that has begun, or one that is done without an output, is refused."""
        found = to_python(recorded(FROM_JS, "multi_turn"))
        states = {
            key: (each["executed"], each["completed"])
            for key, each in found["context"]["tool_invocations"].items()
        }
        assert states == {
            **dict.fromkeys(("call_w", "call_l", "call_n"), (True, True)),
            "call_1": (False, False),
        }

    def test_trap_19_the_text_the_model_saw_stays(self) -> None:
        """JavaScript shows an object as JSON; Python would show it in its own way."""
        items = to_python(recorded(FROM_JS, "multi_turn"))["generated_items"]
        (output,) = (
            each
            for each in items
            if each["raw_item"].get("call_id") == "call_w" and "output" in each
        )
        assert json.loads(output["raw_item"]["output"]) == output["output"]
        assert output["raw_item"]["output"].startswith('{"city":"Oslo"')
