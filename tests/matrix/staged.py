"""Staged input and turns on one release: `python -m tests.matrix.staged`, in its environment.

In each mode, streamed and not: two calls wait; input is staged, a model call fails after it was
handed over, more is said while a tool runs, and the turn limit is met and raised. Prints what the
server was told, and the turns, as JSON.
"""

# ruff: noqa: T201  (the report is printed)

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from typing import Any

from agents import MaxTurnsExceeded, set_tracing_disabled

import hitl
from tests.conversation.durable import MODES, Stage, TurnedDown, short, waiting
from tests.conversation.server import called, replied


async def quiet(_call_id: str) -> None:
    """Say nothing."""


async def play(store: Any, mode: str, *, streamed: bool) -> list[Any]:  # noqa: ANN401
    """What happened, step by step."""
    answers = ([called("1"), called("2")], [called("3")], [replied("end")])
    stage = Stage(store, mode, *answers, streamed=streamed)

    async def say(call_id: str) -> None:
        if stage.stream is not None:
            stage.stream.add_input(f"while {call_id}")

    await stage.step(max_turns=2)
    await stage.add("one")
    await stage.approve("1")
    told: list[Any] = [waiting((await stage.step()).state)]  # type: ignore[arg-type]
    await stage.add("one")
    await stage.approve("2")
    stage.model.busy, stage.in_tool = 1, say
    try:
        await stage.step()
    except TurnedDown:
        told.append((await stage.stored()).turn.current)
    told.append((await stage.step()).status)
    stage.in_tool = quiet
    await stage.approve("3")
    try:
        await stage.step()
    except MaxTurnsExceeded:
        told.append((await stage.stored()).turn.current)
    run = await stage.step(max_turns=None)
    told += [run.status, stage.told, stage.ran]
    told.append(short(stage.session.items) == stage.told if mode == "session" else None)
    return told


async def main() -> None:
    """Play each mode, and say what happened."""
    set_tracing_disabled(disabled=True)
    told = {}
    for mode in MODES:
        for streamed in (False, True):
            with tempfile.TemporaryDirectory() as room:
                async with hitl.connect(f"sqlite:///{room}/runs.db") as store:
                    name = f"{mode}, {'streamed' if streamed else 'plain'}"
                    told[name] = await play(store, mode, streamed=streamed)
    print(json.dumps(told))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
