"""A process of its own that begins a run: `python -m tests.conversation.child FOLDER PLACE`.

Store, server and effects are files of the folder. The first time it is at a place such as `before
request` it is killed, as by `kill -9`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from agents import Agent, RunConfig, function_tool
from agents.tool_context import ToolContext  # noqa: TC002  (function_tool reads annotations)

import hitl
from tests.conversation.api import Api, ApiModel, script
from tests.conversation.life import Life, Reached
from tests.conversation.server import called, replied

RUN, CONVERSATION = "run_1", "conv_1"
LEASE_S = 0.2


class Killable(Life):
    """The life of the process itself."""

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def step(self, place: str = "") -> None:
        """Be at a step; the last one nobody survives."""
        if place == self.place:
            os.kill(os.getpid(), signal.SIGKILL)


def server(folder: Path) -> Api:
    """The server, as it is now."""
    return Api.at(folder / "server.json", script([called("call_1", "pay")], [replied("msg_1")]))


async def work(folder: Path, life: Life) -> hitl.DurableRun:
    """Begin the run, or take it up."""

    @function_tool(needs_approval=True)
    def pay(context: ToolContext[Any]) -> str:
        with (folder / "effects").open("a") as file:
            file.write(f"{context.tool_call_id}\n")
        return "paid"

    agent = Agent(name="ops", model=ApiModel(server(folder), life), tools=[pay])
    async with hitl.connect(f"sqlite:///{folder}/runs.db") as real:
        options: dict[str, Any] = {
            "store": Reached(real, life),
            "run_config": RunConfig(tracing_disabled=True),
            "lease_s": LEASE_S,
        }
        run = await hitl.run(agent, "go", run_id=RUN, conversation_id=CONVERSATION, **options)
        return run if run.result is not None else await hitl.resume(agent, RUN, **options)


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), Killable(sys.argv[2])))
