"""What a cut changes: nothing. X-9."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai

from tests.rules.rule import rule
from tests.rules.stage import MSG, look, pay, refused, turn

if TYPE_CHECKING:
    from tests.rules.stage import Stage


@rule("X-9")
async def free(stage: Stage) -> None:
    """A cut uses no turn, runs no tool again, stores nothing again and sends nothing again."""
    stage.answers([look("call_1"), pay("call_2")], [look("call_3")], [MSG])
    await stage.run(max_turns=3)
    await stage.approve("call_2")
    stage.fails("refused", None, "limited", "refused")
    await refused(openai.APIConnectionError, stage.resume())  # after the approved call ran
    await refused(openai.RateLimitError, stage.resume())  # after a whole turn
    held = stage.held
    await refused(openai.APIConnectionError, stage.resume())
    assert stage.held == held
    run = await stage.resume()
    assert (run.status, turn(run)) == ("finished", 3)
    assert stage.ran == ["call_1", "call_2", "call_3"]
    calls = ["call_1?", "call_2?", "call_1!", "call_2!", "call_3?", "call_3!"]
    stage.once("go", *calls, "msg_1")
