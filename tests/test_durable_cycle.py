"""Laws 7 and 8: a run in a store does what it does within the SDK, and nothing more.

Each run is played twice: on live objects of one process, and in a store with new agents at every
pause. Model requests, tool runs, pauses, turns, output, usage and session are compared.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from tests.agents import SCENARIOS
from tests.agents.cycle import NO, YES, Seen, Verdict, within_the_sdk
from tests.agents.durably import durably
from tests.test_cycle import HITL, KINDS, STAT, STREAMED, delete, deleter, ran

if TYPE_CHECKING:
    from tests.agents.cycle import Round
    from tests.agents.scenario import Cast

GATES = pytest.mark.parametrize("gate", ["approval", "all"])


def play(cast: Cast, *rounds: Round, gate: str, **options: Any) -> Seen:  # noqa: ANN401
    """Play a run both ways, and give what was seen once it is the same."""
    expected = asyncio.run(within_the_sdk(cast, rounds, **options))
    actual = asyncio.run(durably(cast, rounds, gate=gate, **options))
    for field in attrs.fields(Seen):
        assert getattr(actual, field.name) == getattr(expected, field.name), field.name
    return actual


@GATES
@STREAMED
class TestDecisions:
    def test_one_by_one(self, *, streamed: bool, gate: str) -> None:
        """R-7, R-8: some verdicts are enough; what is decided runs once, the rest waits once."""
        cast = deleter([delete(1), delete(2), delete(3), STAT])
        rounds = {"call_2": YES}, {"call_1": YES, "call_3": NO}
        seen = play(cast, *rounds, streamed=streamed, gate=gate)
        assert ran(seen) == ["call_s", "call_2", "call_1"]

    def test_forced_without_a_decision(self, *, streamed: bool, gate: str) -> None:
        """Claimed by force without a verdict, a run asks again, calls no model, takes no turn."""
        cast = deleter([delete(1)])
        seen = play(cast, {}, {"call_1": YES}, streamed=streamed, gate=gate)
        assert (len(seen.requests), seen.turns, ran(seen)) == (2, (1, 1, 2), ["call_1"])

    def test_always(self, *, streamed: bool, gate: str) -> None:
        """R-20: a sticky verdict covers later calls of the tool; nobody is asked again."""
        cast = deleter([delete(1)], [delete(2)], [delete(3)])
        seen = play(cast, {"call_1": Verdict(always=True)}, streamed=streamed, gate=gate)
        assert (seen.waiting, ran(seen)) == ((("call_1",),), ["call_1", "call_2", "call_3"])

    def test_never(self, *, streamed: bool, gate: str) -> None:
        """R-22: a sticky no speaks for later calls too, in its own words."""
        never = Verdict(approved=False, always=True, message="never")
        cast = deleter([delete(1)], [delete(2)])
        assert ran(play(cast, {"call_1": never}, streamed=streamed, gate=gate)) == []

    def test_limit_holds_over_pauses(self, *, streamed: bool, gate: str) -> None:
        """R-2, R-15: no number of pauses gives a turn back."""
        cast = deleter([delete(1)], [delete(2)], [delete(3)], [delete(4)])
        rounds = [{f"call_{n}": YES} for n in (1, 2, 3)]
        seen = play(cast, *rounds, streamed=streamed, gate=gate, max_turns=3)
        assert seen.error is not None
        assert (seen.error[0], ran(seen)[-1]) == ("MaxTurnsExceeded", "call_3")


@GATES
@STREAMED
class TestNested:
    def test_deep(self, *, streamed: bool, gate: str) -> None:
        """R-16: an agent in an agent in an agent; calls inside go by the way to them."""
        cast = SCENARIOS[HITL + "turns_nested_deep"].cast
        rounds = (
            {"call_m/call_i/call_1": YES, "call_m/call_9": NO},
            {"call_m/call_i/call_2": YES},
            {"call_m/call_i/call_3": YES},
        )
        seen = play(cast, *rounds, streamed=streamed, gate=gate)
        assert ran(seen) == ["call_s", "call_1", "call_2", "call_3"]

    def test_agent_that_asks_first(self, *, streamed: bool, gate: str) -> None:
        """R-16: the outer call is approved, then the call inside it."""
        cast = SCENARIOS[HITL + "turns_nested_structured"].cast
        rounds = {"call_q": YES}, {"call_q/call_1": YES}
        assert ran(play(cast, *rounds, streamed=streamed, gate=gate)) == ["call_1"]


@GATES
@STREAMED
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_call(name: str, *, streamed: bool, gate: str) -> None:
    """R-5, R-6: shell, patch, custom, computer, hosted and local MCP calls run once, when told."""
    seen = play(SCENARIOS[HITL + name].cast, *KINDS[name], streamed=streamed, gate=gate)
    assert seen.final_output
    marks = [(each.tool, str(each.arguments), each.call_id) for each in seen.tool_runs]
    assert len(marks) == len(set(marks))


@GATES
@STREAMED
@pytest.mark.parametrize("mode", ["conversation_id", "previous_response_id"])
def test_server_keeps_the_history(mode: str, *, streamed: bool, gate: str) -> None:
    """R-9: what the server has is not sent again; outputs it never got are, once."""
    cast = deleter([STAT, delete(1), delete(2)], [delete(3)])
    rounds = {"call_2": YES}, {"call_1": NO}, {"call_3": YES}
    options: dict[str, Any] = {"session": None, mode: "server_1"}
    seen = play(cast, *rounds, streamed=streamed, gate=gate, **options)
    sent = [[each.get("call_id") for each in request.input] for request in seen.requests]  # type: ignore[attr-defined]
    assert sent == [[None], ["call_s", "call_2", "call_1"], ["call_3"]]
