"""What a session is given: R-3, R-11, R-12, R-17, R-18."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents import RunConfig

from tests.conversation.server import replied, said
from tests.rules.rule import rule
from tests.rules.stage import MSG, look, pay

if TYPE_CHECKING:
    from tests.rules.stage import Stage

_NONE = "the run has no session"
_KEPT = "the server keeps the history: a session beside it is refused by the SDK"
_NOTHING = "nothing was marked or stored: each request carries everything"


@rule("R-3", plain=_NONE, conversation=_KEPT, chain=_KEPT)
async def history(stage: Stage) -> None:
    """A resumed run merges and saves its input no second time: each entry is stored once."""
    assert stage.session is not None
    stage.session.holds(said("before"), replied("msg_0"))
    merged: list[int] = []

    def merge(held: list[Any], new: list[Any]) -> list[Any]:
        merged.append(len(held))
        return [*held, *new]

    config = RunConfig(tracing_disabled=True, session_input_callback=merge)
    stage.options["run_config"] = config
    stage.answers([pay("call_1"), look("call_2")], [pay("call_3")], [MSG])
    await stage.run()
    await stage.finish()
    assert merged == [2]
    whole = ["call_1?", "call_2?", "call_2!", "call_1!", "call_3?", "call_3!", "msg_1"]
    stage.once("before", "msg_0", "go", *whole)


@rule("R-11", plain=_NONE, conversation=_KEPT, chain=_KEPT)
async def persisted(stage: Stage) -> None:
    """What a pause has stored is counted: a resume appends what came since, a new turn all."""
    assert stage.session is not None
    stage.answers([pay("call_1"), look("call_2"), pay("call_3")], [pay("call_4")], [MSG])
    await stage.run()
    paused = ["go", "call_1?", "call_2?", "call_3?", "call_2!"]
    assert stage.held == paused
    await stage.approve("call_3")
    await stage.resume()
    assert stage.held == [*paused, "call_3!"]
    await stage.approve("call_1")
    await stage.resume()
    assert stage.held == [*paused, "call_3!", "call_1!", "call_4?"]
    await stage.finish()
    appended = [each for batch in stage.session.batches for each in batch]
    assert appended == stage.held  # nothing was ever taken back
    stage.once(*paused, "call_3!", "call_1!", "call_4?", "call_4!", "msg_1")


@rule("R-12", plain=_NONE, conversation=_KEPT, chain=_KEPT)
async def nothing_new(stage: Stage) -> None:
    """Where all is stored nothing is appended; what comes after that is."""
    assert stage.session is not None
    await stage.run()
    before = len(stage.session.batches)
    for _ in range(2):
        await stage.resume(force=True)
    assert len(stage.session.batches) == before
    await stage.finish()
    assert len(stage.session.batches) > before
    assert all(stage.session.batches)
    stage.once("go", "call_1?", "call_1!", "msg_1")


@rule("R-17", plain=_NONE, conversation=_KEPT, chain=_KEPT)
async def new_alone(stage: Stage) -> None:
    """Before a model call only the input of this run is saved: nothing goes back to a session."""
    assert stage.session is not None
    stage.session.holds(said("before"), replied("msg_0"))
    stage.answers([look("call_1")], [pay("call_2")], [MSG])
    await stage.run([said("go"), said("on")])
    assert stage.session.batches[0] == ["go", "on"]
    await stage.finish()
    appended = [each for batch in stage.session.batches for each in batch]
    assert appended == ["go", "on", "call_1?", "call_1!", "call_2?", "call_2!", "msg_1"]
    stage.once("before", "msg_0", *appended)


@rule("R-18", plain=_NOTHING)
async def locked(stage: Stage) -> None:
    """A request that a lock refused goes out again with exactly its items; a session keeps once."""
    stage.fails("locked", None, "locked")
    await stage.run()
    if stage.session is not None:
        stage.session.holds(said("somebody else"))  # of another run: it is not ours to take
    await stage.finish()
    assert [each.fault for each in stage.api.exchanges] == ["locked", None, "locked", None]
    first, second, third, fourth = [each.parameters for each in stage.api.exchanges]
    assert (first, third) == (second, fourth)
    if stage.session is None:
        stage.once("go", "call_1?", "call_1!", "msg_1")
    else:
        assert stage.held == ["go", "call_1?", "somebody else", "call_1!", "msg_1"]
