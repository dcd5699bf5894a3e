"""What the model server is sent: R-1, R-9, R-14, R-50."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai

from tests.rules.rule import rule
from tests.rules.stage import BEFORE, CONVERSATION, MSG, look, pay, refused

if TYPE_CHECKING:
    from tests.rules.stage import Stage

_WHOLE = "the app keeps the history: every request carries all of it"
_NO_CHAIN = "no request follows a response"


@rule("R-1", plain=_WHOLE, session=_WHOLE)
async def unseen(stage: Stage) -> None:
    """A resumed request carries only what the server has not seen, and says where it goes on."""
    stage.answers([pay("call_1"), pay("call_2")], [pay("call_3")], [MSG])
    await stage.run()
    await stage.approve("call_1", "call_2")
    await stage.resume()
    await stage.finish()
    assert stage.arrived == [["go"], ["call_1!", "call_2!"], ["call_3!"]]
    asked = [each.parameters for each in stage.api.exchanges]
    if stage.mode == "conversation":
        assert [each["conversation"] for each in asked] == [CONVERSATION] * 3
        assert not any("previous_response_id" in each for each in asked)
    else:
        follows = [BEFORE, *(each.response_id for each in stage.api.exchanges[:2])]
        assert [each["previous_response_id"] for each in asked] == follows
    stage.once("go", "call_1?", "call_2?", "call_1!", "call_2!", "call_3?", "call_3!", "msg_1")


@rule("R-9")
async def outputs(stage: Stage) -> None:
    """Outputs of calls that asked nobody go out with those of approved and rejected ones, once."""
    calls = [look("call_a"), pay("call_b"), look("call_c"), pay("call_d")]
    stage.answers(calls, [MSG])
    run = await stage.run()
    assert run.state is not None
    assert set(run.state.tool_outputs) == {"call_a", "call_c"}
    await stage.approve("call_b")
    await stage.reject("call_d")
    await stage.resume()
    assert sorted(stage.ran) == ["call_a", "call_b", "call_c"]
    answers = ["call_a!", "call_c!", "call_b!", "call_d!"]  # in the order they were made
    assert stage.arrived[-1][-4:] == answers
    if stage.keeps:
        assert stage.arrived[-1] == answers
    stage.once("go", "call_a?", "call_b?", "call_c?", "call_d?", *answers, "msg_1")


@rule("R-14", plain=_NO_CHAIN, session=_NO_CHAIN, conversation=_NO_CHAIN)
async def nameless(stage: Stage) -> None:
    """After a response without an id the request follows the newest that has one, and says all."""
    stage.answers([pay("call_1")], [pay("call_2")], [MSG])
    await stage.run()
    await stage.approve("call_1")
    stage.api.nameless = 1
    await stage.resume()
    await stage.approve("call_2")
    await stage.resume()
    first, _, last = stage.api.exchanges
    assert last.parameters["previous_response_id"] == first.response_id
    assert stage.arrived[-1] == ["call_1!", "call_2?", "call_2!"]
    stage.once("go", "call_1?", "call_1!", "call_2?", "call_2!", "msg_1")


@rule("R-50")
async def first(stage: Stage) -> None:
    """With no response in the state a run starts over: its input reaches the model, once."""
    stage.fails("refused", "limited")
    await refused(openai.APIConnectionError, stage.run())
    await refused(openai.RateLimitError, stage.resume())
    run = await stage.resume()
    assert run.status == "waiting"
    assert stage.arrived == [["go"]]
    await stage.finish()
    stage.once("go", "call_1?", "call_1!", "msg_1")
