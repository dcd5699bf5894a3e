"""A run that Node paused and Python finishes: `examples/node/pause.mjs` wrote the state.

`python -m examples.take_over paused.json` shows what waits, asks for each call, and goes on. The
JavaScript SDK writes its own format; `hitl.loads` tells it by its shape and reads every version.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from agents import Runner, set_tracing_disabled

import hitl
from examples.support import agent
from hitl.cli.display import safe_display


def decided(state: hitl.RunState) -> hitl.RunState:
    """Ask for each call, without the agent's code."""
    for waiting in state.interruptions:
        asks = safe_display(waiting.arguments or "")
        said = input(f"{waiting.agent} wants {waiting.tool_name}: {asks} (yes/no) ")
        if said == "yes":
            state = state.approve(waiting.call, by="ana")
        else:
            state = state.reject(waiting.call, message="not today", by="ana")
    return state


async def finish(state: hitl.RunState) -> str:
    """Go on; agents and tools are looked for before anything runs."""
    root = agent()
    live = await hitl.restore(root, state)
    return str((await Runner.run(root, live)).final_output)


def main(path: str) -> None:
    """Take one run over."""
    set_tracing_disabled(disabled=True)
    state = hitl.loads(Path(path).read_bytes())
    print(asyncio.run(finish(decided(state))))


if __name__ == "__main__":
    main(sys.argv[1])
