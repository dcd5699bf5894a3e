"""What openai-agents gets wrong when a run is resumed, closed by durable runs.

Each test is the twin of one in `test_conversation_holes`, which shows the hole on the SDK alone: a
server that refuses here what it refuses there. The holes of sessions (§3.2) have their twins in
`test_durable_session`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import openai
import pytest

import hitl
from hitl.conversation import LOCAL, Place
from hitl.errors import AlreadyClaimed, InDoubt
from tests.conversation.server import short
from tests.rules.stage import CONVERSATION, MSG, RUN, Stage, pay

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from tests.rules.rule import Mode

STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
EVERYTHING = ["go", "call_1?", "call_1!"]


def played(play: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Play at once."""
    asyncio.run(play())


async def decided(mode: Mode, *, streamed: bool, **options: Any) -> Stage:  # noqa: ANN401
    """A run whose one call waits, and is approved."""
    stage = Stage(mode, streamed=streamed)
    await stage.run(**options)
    await stage.approve("call_1")
    return stage


@STREAMED
@pytest.mark.parametrize("mode", ["conversation", "chain"])
def test_first_request_failed(mode: Mode, *, streamed: bool) -> None:
    """§3.1 (1): the message whose request did not arrive goes out again."""

    @played
    async def play() -> None:
        stage = Stage(mode, streamed=streamed)
        stage.fails("refused")
        with pytest.raises(openai.APIConnectionError):
            await stage.run()
        await stage.resume()
        assert [[*map(short, each.input)] for each in stage.api.exchanges] == [["go"], ["go"]]
        await stage.finish()
        stage.once(*EVERYTHING, "msg_1")


@STREAMED
@pytest.mark.parametrize("arrived", [False, True], ids=["lost", "arrived"])
def test_first_request_cut(*, arrived: bool, streamed: bool) -> None:
    """§3.1 (1): the message of which nobody knows is neither lost nor sent twice."""

    @played
    async def play() -> None:
        stage = Stage("conversation", streamed=streamed)
        stage.fails("timeout" if arrived else "lost")
        with pytest.raises(openai.APITimeoutError):
            await stage.run()
        for _ in range(2):
            with pytest.raises(InDoubt):
                await stage.resume()
        listing = stage.api.server.conversations.get(CONVERSATION, [])
        await hitl.reconcile(stage.store, RUN, listing, start=0)
        await stage.resume()
        await stage.finish()
        stage.once(*EVERYTHING, "msg_1")
        assert stage.arrived == [["go"], ["call_1!"]]


@STREAMED
@pytest.mark.parametrize("mode", ["plain", "conversation", "chain"])
def test_moved_to_a_conversation(mode: Mode, *, streamed: bool) -> None:
    """§3.1 (2, 3): a conversation that knows nothing of the run is told everything."""

    @played
    async def play() -> None:
        stage = await decided(mode, streamed=streamed)
        await stage.resume(place=Place(conversation_id="other"))
        other = stage.api.server.conversations["other"]
        assert [*map(short, other)] == [*EVERYTHING, "msg_1"]


@STREAMED
def test_explicit_response(*, streamed: bool) -> None:
    """§3.1 (4): the response that was named is followed, not the newest."""

    @played
    async def play() -> None:
        stage = Stage("chain", streamed=streamed)
        stage.answers([pay("call_1")], [pay("call_2")], [MSG])
        await stage.run()
        await stage.approve("call_1")
        await stage.resume()
        await stage.approve("call_2")
        first = stage.api.exchanges[0].response_id
        await stage.resume(place=Place(previous_response_id=first))
        assert stage.api.exchanges[-1].parameters["previous_response_id"] == first
        assert stage.arrived[-1] == ["call_1!", "call_2?", "call_2!"]


@STREAMED
@pytest.mark.parametrize("mode", ["conversation", "chain"])
def test_detached(mode: Mode, *, streamed: bool) -> None:
    """§3.1 (5): a run comes back from a server to a history of its own, with all of it."""

    @played
    async def play() -> None:
        stage = await decided(mode, streamed=streamed)
        await stage.resume(place=LOCAL)
        assert stage.api.exchanges[-1].parameters.keys() == {"input"}
        assert stage.arrived[-1] == EVERYTHING


@STREAMED
@pytest.mark.parametrize("mode", ["plain", "session", "conversation", "chain"])
def test_resumed_twice(mode: Mode, *, streamed: bool) -> None:
    """§3.1 (6), §3.2 (1): one pause is resumed once: the other is refused, or told of the end."""

    @played
    async def play() -> None:
        stage = await decided(mode, streamed=streamed)
        ended = await asyncio.gather(stage.resume(), stage.resume(), return_exceptions=True)
        assert sum(isinstance(each, AlreadyClaimed) for each in ended) == 1
        again = await stage.resume()
        assert (again.status, again.result) == ("finished", None)
        assert (stage.ran, len(stage.api.exchanges)) == (["call_1"], 2)
        stage.once(*EVERYTHING, "msg_1")
