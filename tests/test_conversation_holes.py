"""What plain openai-agents sends when a run is resumed, and what the tracker says instead.

Each test shows a hole of the SDK on the SDK itself, so that a release that closes one is noticed.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from agents import Agent, RunConfig, Runner, RunState, function_tool

import hitl
from hitl.conversation import LOCAL, Place, prime
from tests.conversation.model import ServerModel
from tests.conversation.server import Refused, Server, called, replied

if TYPE_CHECKING:
    from hitl.conversation import Tracker
    from tests.conversation.server import Raw

CONFIG = RunConfig(tracing_disabled=True)
STREAMED = pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
EVERYTHING = ["go", "call_1", "call_1"]


class Stage:
    """An agent, its tool and the server it talks to.

    Attributes:
        ran: how often the tool ran.
    """

    def __init__(self, *answers: list[Raw], fails: int = 0) -> None:
        script = answers or ([called("call_1")], [replied("msg_1")], [replied("msg_2")])
        self.server = Server()
        self.model = ServerModel(self.server, *script, fails=fails)
        self.ran = 0

        @function_tool(needs_approval=True)
        def tool() -> str:
            self.ran += 1
            return "done"

        self.agent: Agent[Any] = Agent(name="ops", model=self.model, tools=[tool])

    async def play(self, given: Any, *, streamed: bool, **options: Any) -> Any:  # noqa: ANN401
        """Run, and give the result; a streamed run that fails raises as the other does."""
        if not streamed:
            return await Runner.run(self.agent, given, run_config=CONFIG, **options)
        result = Runner.run_streamed(self.agent, given, run_config=CONFIG, **options)
        async for _ in result.stream_events():
            pass
        return result

    async def paused(self, **options: Any) -> str:  # noqa: ANN401
        """Run until the call waits; give the state as text, the call approved."""
        result = await self.play("go", streamed=False, **options)
        state = result.to_state()
        state.approve(state.get_interruptions()[0])
        return str(state.to_string())

    async def resumed(self, text: str, *, streamed: bool, **options: Any) -> Any:  # noqa: ANN401
        """Go on from the text, as another process does."""
        state = await RunState.from_string(self.agent, text)
        return await self.play(state, streamed=streamed, **options)


def carried(request: Raw) -> list[Any]:
    """What a request carried, in short."""
    return [each.get("call_id") or each["content"] for each in request["input"]]


def told(tracker: Tracker) -> list[Any]:
    """What our request would carry, once the tool is done."""
    output = {"type": "function_call_output", "call_id": "call_1", "output": "done"}
    return carried(tracker.add([output]).prepare().parameters)


@STREAMED
def test_first_request_failed(*, streamed: bool) -> None:
    """§3.1 (1), R-50: the SDK asks again with an empty input; the user's message is lost."""

    async def play() -> tuple[str, list[Any]]:
        stage = Stage([replied("msg_1")], fails=1)
        result = Runner.run_streamed(stage.agent, "go", run_config=CONFIG, conversation_id="c")
        with pytest.raises(ConnectionError):
            async for _ in result.stream_events():
                pass
        text = result.to_state().to_string()
        await stage.resumed(text, streamed=streamed)
        return text, [carried(each) for each in stage.model.requests]

    text, requests = asyncio.run(play())
    assert requests == [["go"], []]
    assert carried(prime(hitl.loads(text)).prepare().parameters) == ["go"]


MOVES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "§3.1 (2): local to a conversation": ({}, {"conversation_id": "other"}),
    "§3.1 (3): to another conversation": ({"conversation_id": "c"}, {"conversation_id": "other"}),
}


@STREAMED
@pytest.mark.parametrize("name", MOVES)
def test_moved_to_a_conversation(name: str, *, streamed: bool) -> None:
    """§3.1 (2, 3): the SDK sends the output alone to a server that never saw the call."""
    start, move = MOVES[name]

    async def play() -> tuple[str, list[Any]]:
        stage = Stage()
        text = await stage.paused(**start)
        with pytest.raises(Refused, match="No tool call found"):
            await stage.resumed(text, streamed=streamed, **move)
        return text, carried(stage.model.requests[-1])

    text, sent = asyncio.run(play())
    assert sent == ["call_1"]
    talk = prime(hitl.loads(text), Place(**move))
    assert talk.prepare().conversation_id == "other"
    assert told(talk) == EVERYTHING


@STREAMED
def test_explicit_response(*, streamed: bool) -> None:
    """§3.1 (4): the SDK replaces an explicit response id by the newest; here it wins."""

    async def play() -> tuple[str, Raw]:
        script = [called("call_0")], [called("call_1")], [replied("msg_1")]
        stage = Stage(*script)
        text = await stage.paused(auto_previous_response_id=True)
        result = await stage.resumed(text, streamed=False)
        state = result.to_state()
        state.approve(state.get_interruptions()[0])
        await stage.resumed(state.to_string(), streamed=streamed, previous_response_id="resp_0")
        return state.to_string(), stage.model.requests[-1]

    text, sent = asyncio.run(play())
    assert sent["previous_response_id"] == "resp_1"
    talk = prime(hitl.loads(text), Place(previous_response_id="resp_0"))
    assert talk.prepare().previous_response_id == "resp_0"
    assert told(talk) == ["call_0", "call_1", "call_1"]


@STREAMED
def test_detached(*, streamed: bool) -> None:
    """§3.1 (5): the SDK cannot take a run from a conversation back to a local history."""

    async def play() -> tuple[str, Raw]:
        stage = Stage()
        text = await stage.paused(conversation_id="c")
        await stage.resumed(text, streamed=streamed, conversation_id=None)
        return text, stage.model.requests[-1]

    text, sent = asyncio.run(play())
    assert sent["conversation"] == "c"
    talk = prime(hitl.loads(text), LOCAL)
    assert talk.prepare().conversation_id is None
    assert told(talk) == EVERYTHING


@STREAMED
def test_resumed_twice(*, streamed: bool) -> None:
    """§3.1 (6): one state resumed twice runs the tool twice, and sends its output twice.

    What was acknowledged is in our state after the first time: nothing of it is sent again.
    """

    async def play() -> tuple[Stage, str, str]:
        stage = Stage()
        text = await stage.paused(conversation_id="c")
        result = await stage.resumed(text, streamed=streamed)
        with pytest.raises(Refused, match="No tool call found"):
            await stage.resumed(text, streamed=streamed)
        return stage, text, result.to_state().to_string()

    stage, text, after = asyncio.run(play())
    assert stage.ran == 2
    assert [carried(each) for each in stage.model.requests] == [["go"], ["call_1"], ["call_1"]]
    assert told(prime(hitl.loads(text))) == ["call_1"]
    assert not prime(hitl.loads(after)).pending


@STREAMED
def test_chain_resumed_twice(*, streamed: bool) -> None:
    """§3.1 (6): on a chain the server takes the same output twice: two branches."""

    async def play() -> Stage:
        stage = Stage()
        text = await stage.paused(auto_previous_response_id=True)
        for _ in range(2):
            await stage.resumed(text, streamed=streamed)
        return stage

    stage = asyncio.run(play())
    first, second = stage.model.requests[1:]
    assert (first, stage.ran) == (second, 2)
    assert first["previous_response_id"] == "resp_0"
