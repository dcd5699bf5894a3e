"""Law 3: a run that leaves the SDK at every pause ends like one that never did."""

# ruff: noqa: ANN401  (`options` are those of Runner.run)

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from agents import Agent

from tests.agents import SCENARIOS, ScriptedModel, call, tools
from tests.agents.cycle import NO, YES, Seen, Verdict, through_documents, within_the_sdk

if TYPE_CHECKING:
    from tests.agents.cycle import Round
    from tests.agents.log import Log
    from tests.agents.model import Step
    from tests.agents.scenario import Cast

HITL = "openai-agents-python/hitl/"
STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["run", "streamed"])


def delete(number: int) -> dict[str, object]:
    """A call that waits."""
    return call("delete_file", {"path": f"/{number}"}, f"call_{number}")


STAT = call("stat_file", {"path": "/x"}, "call_s")


def deleter(*steps: Step) -> Cast:
    """An agent that deletes, when allowed, and looks, without asking."""

    def cast(log: Log) -> Agent[Any]:
        model = ScriptedModel("ops", [*steps, None], log)
        return Agent(name="ops", model=model, tools=[tools.delete_file(log), tools.stat_file(log)])

    return cast


def play(cast: Cast, *rounds: Round, **options: Any) -> Seen:
    """Play a run both ways, and give what was seen once it is the same."""
    expected = asyncio.run(within_the_sdk(cast, rounds, **options))
    actual = asyncio.run(through_documents(cast, rounds, **options))
    for field in attrs.fields(Seen):
        assert getattr(actual, field.name) == getattr(expected, field.name), field.name
    return actual


def ran(seen: Seen) -> list[str | None]:
    """The ids of the calls that ran, in order."""
    return [each.call_id for each in seen.tool_runs]


@STREAMED
class TestDecisions:
    def test_one_by_one(self, *, streamed: bool) -> None:
        """R-7, R-8: what is decided runs once, what is not waits once, over two resumes."""
        cast = deleter([delete(1), delete(2), delete(3), STAT])
        rounds = {"call_2": YES}, {"call_1": YES, "call_3": NO}
        seen = play(cast, *rounds, streamed=streamed)
        assert seen.waiting == (("call_1", "call_2", "call_3"), ("call_1", "call_3"))
        assert ran(seen) == ["call_s", "call_2", "call_1"]
        assert (len(seen.requests), seen.turns) == (2, (1, 1, 2))

    def test_none(self, *, streamed: bool) -> None:
        """A resume without a decision asks again, calls no model and takes no turn."""
        seen = play(deleter([delete(1)]), {}, {"call_1": YES}, streamed=streamed)
        assert seen.waiting == (("call_1",), ("call_1",))
        assert (len(seen.requests), seen.turns, ran(seen)) == (2, (1, 1, 2), ["call_1"])

    def test_once_is_once(self, *, streamed: bool) -> None:
        """R-20: an approved call says nothing about the next one of its tool."""
        cast = deleter([delete(1)], [delete(2)])
        seen = play(cast, {"call_1": YES}, {"call_2": YES}, streamed=streamed)
        assert seen.waiting == (("call_1",), ("call_2",))
        assert (ran(seen), seen.turns) == (["call_1", "call_2"], (1, 2, 3))

    def test_always(self, *, streamed: bool) -> None:
        """R-20: a sticky decision covers later calls of the tool; nobody is asked again."""
        cast = deleter([delete(1)], [delete(2)], [delete(3)])
        seen = play(cast, {"call_1": Verdict(always=True)}, streamed=streamed)
        assert seen.waiting == (("call_1",),)
        assert ran(seen) == ["call_1", "call_2", "call_3"]

    def test_never(self, *, streamed: bool) -> None:
        """R-20, R-22: a sticky rejection speaks for later calls too, in its own words."""
        never = Verdict(approved=False, always=True, message="never")
        seen = play(deleter([delete(1)], [delete(2)]), {"call_1": never}, streamed=streamed)
        assert (ran(seen), len(seen.waiting)) == ([], 1)
        assert seen.final_output == 'ops saw {"call_1": "never", "call_2": "never"}'

    def test_exact_beats_sticky(self, *, streamed: bool) -> None:
        """R-23: a verdict on one call wins over the sticky one of its tool."""
        cast = deleter([delete(1), delete(2)], [delete(3)])
        rounds = {"call_1": Verdict(always=True), "call_2": NO}
        seen = play(cast, rounds, streamed=streamed)
        assert (ran(seen), len(seen.waiting)) == (["call_1", "call_3"], 1)

    @pytest.mark.parametrize("message", [None, "", "use the test account — é"])
    def test_reject(self, message: str | None, *, streamed: bool) -> None:
        """R-22: the model is told exactly the person's words; without any, the SDK's."""
        verdict = Verdict(approved=False, message=message)
        seen = play(
            deleter([delete(1), delete(2)]), {"call_1": verdict}, {"call_2": YES}, streamed=streamed
        )
        outputs = [each for each in seen.requests[-1].input if "output" in each]  # type: ignore[operator]
        told = outputs[0]["output"]  # type: ignore[index]
        assert told == message if message is not None else "not approved" in str(told)
        assert ran(seen) == ["call_2"]


NEVER, ALWAYS = Verdict(approved=False, always=True), Verdict(always=True)


@pytest.mark.parametrize(
    ("verdicts", "runs"),
    [
        ({"call_2": NO, "call_1": ALWAYS}, ["call_1", "call_3"]),
        ({"call_2": YES, "call_1": NEVER}, ["call_2"]),
        ({"call_1": NEVER, "call_2": ALWAYS}, ["call_2", "call_3"]),
        ({"call_1": ALWAYS, "call_2": NEVER}, ["call_1"]),
    ],
)
def test_a_sticky_decision_takes_nothing_back(verdicts: Round, runs: list[str]) -> None:
    """R-23: what was said of one call stands; the SDK forgets it when a sticky verdict follows."""
    cast = deleter([delete(1), delete(2)], [delete(3)])
    assert ran(asyncio.run(through_documents(cast, [verdicts]))) == runs


@STREAMED
class TestTurns:
    def test_counter_goes_on(self, *, streamed: bool) -> None:
        """R-2: three pauses, and the counter says how often the model was asked."""
        cast = deleter([STAT], [delete(1)], [delete(2)], [delete(3)])
        rounds = [{f"call_{n}": YES} for n in (1, 2, 3)]
        seen = play(cast, *rounds, streamed=streamed)
        assert (seen.turns, len(seen.requests)) == ((2, 3, 4, 5), 5)

    def test_one_from_the_limit(self, *, streamed: bool) -> None:
        """R-15: with one turn left the run ends as it should."""
        cast = deleter([STAT], [delete(1)])
        seen = play(cast, {"call_1": YES}, streamed=streamed, max_turns=3)
        assert (seen.error, seen.turns) == (None, (2, 3))

    def test_limit_holds_over_pauses(self, *, streamed: bool) -> None:
        """R-2, R-15: no number of pauses gives a turn back."""
        cast = deleter([delete(1)], [delete(2)], [delete(3)], [delete(4)])
        rounds = [{f"call_{n}": YES} for n in (1, 2, 3, 4)]
        seen = play(cast, *rounds, streamed=streamed, max_turns=3)
        assert seen.error is not None
        assert seen.error[0] == "MaxTurnsExceeded"
        assert (len(seen.requests), ran(seen)) == (3, ["call_1", "call_2", "call_3"])

    def test_limit_of_the_state_wins(self, *, streamed: bool) -> None:
        """R-15: the runner's default of ten turns does not replace a lower stored limit."""
        cast = deleter([delete(1)], [STAT])
        seen = play(cast, {"call_1": YES}, streamed=streamed, max_turns=1)
        assert seen.error is not None
        assert seen.error[0] == "MaxTurnsExceeded"
        assert len(seen.requests) == 1


@STREAMED
class TestNested:
    def test_deep(self, *, streamed: bool) -> None:
        """R-16: an agent in an agent in an agent; calls inside go by the way to them."""
        cast = SCENARIOS[HITL + "turns_nested_deep"].cast
        rounds = (
            {"call_m/call_i/call_1": YES, "call_m/call_9": NO},
            {"call_m/call_i/call_2": YES},
            {"call_m/call_i/call_3": YES},
        )
        seen = play(cast, *rounds, streamed=streamed)
        assert ran(seen) == ["call_s", "call_1", "call_2", "call_3"]
        assert str(seen.final_output).startswith("outer saw")
        assert seen.turns[-1] == 2

    def test_sticky_inside(self, *, streamed: bool) -> None:
        """R-16, R-20: a sticky yes inside holds inside, and nowhere else."""
        cast = SCENARIOS[HITL + "turns_nested_deep"].cast
        rounds = {"call_m/call_i/call_1": Verdict(always=True)}, {"call_m/call_9": YES}
        seen = play(cast, *rounds, streamed=streamed)
        assert seen.waiting[1:] == (("call_9",),)
        assert str(seen.final_output).startswith("outer saw")

    def test_agent_that_asks_first(self, *, streamed: bool) -> None:
        """R-16: the outer call is approved, then the call inside it."""
        cast = SCENARIOS[HITL + "turns_nested_structured"].cast
        rounds = {"call_q": YES}, {"call_q/call_1": YES}
        seen = play(cast, *rounds, streamed=streamed)
        assert (seen.waiting, ran(seen)) == ((("call_q",), ("call_1",)), ["call_1"])


KINDS: dict[str, tuple[Round, ...]] = {
    "kinds_computer": ({"call_d": YES},),
    "kinds_local_shell": ({"call_d": YES},),
    "kinds_native": (
        {"call_sh1": YES, "call_ap1": NO},
        {"call_ct1": Verdict(always=True)},
        {"call_sh2": Verdict(approved=False, message="no shell"), "call_ap2": YES},
    ),
    "kinds_hosted_mcp": (
        {"mcpr_1": Verdict(always=True)},
        {"mcpr_2": Verdict(approved=False, message="not that")},
        {"mcpr_5": YES},
    ),
    "kinds_local_mcp": ({"call_1": YES, "call_2": NO}, {"call_3": YES}),
    "kinds_tool_search": (
        {"call_ns": Verdict(always=True), "call_deferred": YES},
        {"call_bare": NO},
    ),
}


@STREAMED
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_call(name: str, *, streamed: bool) -> None:
    """R-5, R-6: shell, patch, custom, computer, hosted and local MCP calls run once, when told."""
    seen = play(SCENARIOS[HITL + name].cast, *KINDS[name], streamed=streamed)
    assert seen.final_output
    marks = [(each.tool, str(each.arguments), each.call_id) for each in seen.tool_runs]
    assert len(marks) == len(set(marks))


@STREAMED
@pytest.mark.parametrize("mode", ["conversation_id", "previous_response_id"])
def test_server_keeps_the_history(mode: str, *, streamed: bool) -> None:
    """R-9: what the server has is not sent again; outputs it never got are, once."""
    cast = deleter([STAT, delete(1), delete(2)], [delete(3)])
    rounds = {"call_2": YES}, {"call_1": NO}, {"call_3": YES}
    options: dict[str, Any] = {"session": None, mode: "server_1"}
    seen = play(cast, *rounds, streamed=streamed, **options)
    sent = [[each.get("call_id") for each in request.input] for request in seen.requests]  # type: ignore[attr-defined]
    assert sent == [[None], ["call_s", "call_2", "call_1"], ["call_3"]]


def test_messagepack() -> None:
    """Law 3 holds for either encoding of the native document."""
    cast = deleter([delete(1), STAT], [delete(2)])
    rounds = {"call_1": YES}, {"call_2": NO}
    expected = asyncio.run(within_the_sdk(cast, rounds))
    assert asyncio.run(through_documents(cast, rounds, codec="msgpack")) == expected


def test_each_session_entry_is_stored_once() -> None:
    """R-3, R-11: after four pauses the session has each message, call and output once."""
    cast = deleter([delete(1), STAT, delete(2)], [delete(3)])
    rounds = {"call_2": YES}, {"call_1": YES}, {"call_3": NO}
    seen = play(cast, *rounds)
    marks = [(each.get("type"), each.get("call_id") or each.get("id")) for each in seen.session]  # type: ignore[attr-defined]
    assert len(marks) == len(set(marks)) == 10
