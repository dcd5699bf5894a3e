"""A process of its own that is told things: `python -m tests.conversation.talker FOLDER PLACE`.

Store, session, server and effects are files of the folder. When the tool runs first, the run is
told something; the first time it is at a place such as `after said` the process is killed.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agents import Agent, RunConfig, SQLiteSession, function_tool

import hitl
from tests.conversation.api import Api, ApiModel, script
from tests.conversation.child import LEASE_S, RUN, Killable
from tests.conversation.life import Reached
from tests.conversation.server import called, replied

if TYPE_CHECKING:
    from tests.conversation.life import Life

ANSWERS = ([called("call_1", "look")], [called("call_2", "look")], [replied("msg_1")])


def server(folder: Path) -> Api:
    """The server, as it is now."""
    return Api.at(folder / "server.json", script(*ANSWERS))


def session(folder: Path) -> SQLiteSession:
    """The session."""
    return SQLiteSession("s", folder / "session.db")


async def work(folder: Path, life: Life) -> hitl.DurableRun:
    """Begin the run, or take it up."""
    streams: list[hitl.DurableStream] = []

    @function_tool
    async def look() -> str:
        effects = folder / "effects"
        if not effects.exists():
            effects.touch()
            await streams[-1].add_input("more")
            life.step("after said")
        return "seen"

    agent = Agent(name="ops", model=ApiModel(server(folder), life), tools=[look])
    async with hitl.connect(f"sqlite:///{folder}/runs.db") as real:
        options: dict[str, Any] = {
            "store": Reached(real, life),
            "session": session(folder),
            "run_config": RunConfig(tracing_disabled=True),
            "lease_s": LEASE_S,
        }
        streams.append(hitl.run_streamed(agent, "go", run_id=RUN, **options))
        async for _ in streams[-1].stream_events():
            pass
        if streams[-1].run.result is None:
            streams.append(hitl.resume_streamed(agent, RUN, **options))
            async for _ in streams[-1].stream_events():
                pass
        return streams[-1].run


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), Killable(sys.argv[2])))
