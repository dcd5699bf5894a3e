"""The oracle works: the SDK itself resumes every recorded state, and outcomes can be compared."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from agents import FunctionTool, RunContextWrapper, RunState

from tests.agents import SCENARIOS, Outcome, approve, corpus, leave, reject, resume_native

if TYPE_CHECKING:
    from collections.abc import Iterator

NAMES = corpus.names()


def _outcome(name: str, **options: Any) -> Outcome:  # noqa: ANN401  (of resume_native)
    return asyncio.run(resume_native(SCENARIOS[name], corpus.load(name), **options))


def test_scenarios_cover_the_corpus() -> None:
    """Every recorded state of the newest version has a scenario and every scenario a state."""
    assert set(SCENARIOS) == set(NAMES)


def test_corpus_is_complete() -> None:
    """Nothing recorded gets lost: the states of each writer are counted."""
    folders = [name.rpartition("/")[0] for name in NAMES]
    assert {folder: folders.count(folder) for folder in folders} == {
        "cross/py-0.24.0": 50,
        "openai-agents-python/0.24.0": 18,
        "openai-agents-python/feature": 20,
        "openai-agents-python/hitl": 85,
    }


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_resumes(name: str, *, streamed: bool) -> None:
    """Approved, the SDK ends the run, or refuses it the way the scenario says."""
    outcome = _outcome(name, decide=approve, streamed=streamed)
    assert (outcome.error and outcome.error[0]) == SCENARIOS[name].refusal
    assert outcome.error or (outcome.final_output is not None and not outcome.pending)


@pytest.mark.parametrize("name", NAMES)
def test_is_deterministic(name: str) -> None:
    """Two resumes of one state have equal outcomes, or no comparison means anything."""
    assert _outcome(name, decide=reject) == _outcome(name, decide=reject)


def _waiting(name: str) -> set[str] | None:
    """Ids of the recorded interruptions; None for a state that is not at a plain pause."""
    step = corpus.load(name)["current_step"] or {}
    if step.get("type") != "next_step_interruption" or step["data"]["response_accepted"]:
        return None
    raws = [item["raw_item"] for item in step["data"]["interruptions"]]
    return {raw.get("call_id") or raw["id"] for raw in raws}


@pytest.mark.parametrize("name", [name for name in NAMES if _waiting(name) is not None])
def test_undecided_calls_wait(name: str) -> None:
    """Without a decision, exactly the interruptions that were not decided before are left."""
    scenario, waiting = SCENARIOS[name], _waiting(name)
    outcome = _outcome(name, decide=leave)
    assert waiting is not None
    left = {call[2] for call in outcome.pending}
    assert outcome.error or left == waiting - scenario.decided


def _recorded_tools(value: object) -> Iterator[dict[str, Any]]:
    """The function tools a document describes, nested runs included."""
    if isinstance(value, dict):
        for entry in value.get("functions") or [] if "tools_used" in value else []:
            yield entry["tool"]
        for item in value.values():
            yield from _recorded_tools(item)
    elif isinstance(value, list):
        for item in value:
            yield from _recorded_tools(item)


async def _offered_tools(name: str) -> dict[str | None, tuple[str, object]]:
    """The function tools of the current agent, and of agents behind its tools, after loading."""
    state = await RunState.from_json(SCENARIOS[name].stage().agent, corpus.load(name))
    agent = state._current_agent  # there is no public reader
    assert agent is not None
    tools = await agent.get_all_tools(RunContextWrapper(None))
    return {
        tool.qualified_name: (tool.description, tool.params_json_schema)
        for tool in tools
        if isinstance(tool, FunctionTool)
    }


@pytest.mark.parametrize(
    "name",
    [name for name in NAMES if name != "openai-agents-python/hitl/guards_final_write_failed"],
)
def test_tools_are_the_recorded_ones(name: str) -> None:
    """The agents offer what the paused ones offered: same description, same schema."""
    offered = asyncio.run(_offered_tools(name))
    for tool in _recorded_tools(corpus.load(name)):
        if tool.get("qualifiedName", tool["name"]) in offered:
            assert offered[tool.get("qualifiedName", tool["name"])] == (
                tool["description"],
                tool["paramsJsonSchema"],
            )


def _copies(document: dict[str, Any]) -> dict[object, set[str]]:
    """Every copy of an item's raw JSON, by the call or item it belongs to."""
    items = [*document["generated_items"], *document["session_items"]]
    items += (document["last_processed_response"] or {}).get("new_items", [])
    raws = [item["raw_item"] for item in items if item["type"] != "tool_approval_item"]
    raws += [raw for response in document["model_responses"] for raw in response["output"]]
    copies: dict[object, set[str]] = {}
    for raw in raws:
        part = "output" if str(raw.get("type")).endswith("_output") else "call"
        key = (part, raw.get("call_id") or raw.get("id"))
        copies.setdefault(key, set()).add(json.dumps(raw, sort_keys=True))
    return copies


@pytest.mark.parametrize(
    "stem",
    [
        "handoff_filtered",
        "handoff_filtered_session",
        "made_by",
        "made_by_raw",
        "made_by_raw_reloaded",
        "patch_as_custom",
        "patch_as_function",
    ],
)
def test_copies_differ(stem: str) -> None:
    """These states hold two copies of an item that are not the same JSON."""
    copies = _copies(corpus.load(f"openai-agents-python/hitl/copies_{stem}"))
    assert [key for key, texts in copies.items() if len(texts) > 1]


@pytest.mark.parametrize(
    "stem",
    ["handoff_toolless", "handoff_nested", "handoff_nested_session", "hosted_reloaded"],
)
def test_lists_differ(stem: str) -> None:
    """In these states the model's view and the session's view are not the same list."""
    document = corpus.load(f"openai-agents-python/hitl/copies_{stem}")
    assert document["generated_items"] != document["session_items"]


def _with_context(name: str, value: object) -> Outcome:
    document = corpus.load(name)
    document["context"]["context"] = {"value": value}
    document["context"]["context_meta"]["original_type"] = "mapping"
    return asyncio.run(resume_native(SCENARIOS[name], document))


class TestOutcome:
    NAME = "cross/py-0.24.0/parallel"

    @pytest.mark.parametrize("field", ["requests", "tool_runs", "final_output", "document"])
    def test_sees_a_decision(self, field: str) -> None:
        """Approved and rejected differ in what the model got, what ran, and what came out."""
        approved, rejected = _outcome(self.NAME, decide=approve), _outcome(self.NAME, decide=reject)
        assert getattr(approved, field) != getattr(rejected, field)

    def test_sees_a_lost_turn(self) -> None:
        """A turn given back shows."""
        document = corpus.load(self.NAME)
        document["current_turn"] -= 1
        outcome = asyncio.run(resume_native(SCENARIOS[self.NAME], document))
        assert outcome.turn != _outcome(self.NAME).turn

    def test_keeps_errors(self) -> None:
        """What the SDK raises is part of the outcome."""
        document = corpus.load(self.NAME)
        document["max_turns"] = document["current_turn"]
        outcome = asyncio.run(resume_native(SCENARIOS[self.NAME], document))
        assert outcome.error == ("MaxTurnsExceeded", "Max turns (1) exceeded")

    def test_numbers_made_up_ids(self) -> None:
        """Ids that a run makes up compare equal: here the staged input's."""
        outcome = _outcome("openai-agents-python/feature/i_pending_input")
        assert '"input_id": "made-up-0"' in json.dumps(outcome.document, default=repr)

    def test_keeps_ids_the_state_brought(self) -> None:
        """An id that was in the state is data: here the trace's."""
        name = "openai-agents-python/feature/h_handoff_trace_guardrails"
        assert corpus.load(name)["trace"]["id"] in json.dumps(_outcome(name).restored, default=repr)

    def test_tells_numbers_apart(self) -> None:
        """1, 1.0 and True are three values, though Python finds them equal; NaN is itself."""
        one, real, true = (
            attrs.asdict(_with_context(self.NAME, value), recurse=False)["document"]
            for value in (1, 1.0, True)
        )
        assert one != real != true != one
        nan = _with_context(self.NAME, float("nan"))
        assert nan == _with_context(self.NAME, -float("nan"))

    def test_is_frozen(self) -> None:
        """An outcome is a fact."""
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            _outcome(self.NAME).turn = 7  # type: ignore[misc]
