"""A durable run on one release: `python -m tests.matrix.durable`, in the release's environment.

Two calls, one approved and one rejected, then an agent used as a tool that asks inside; each is
paused, decided and resumed on a SQLite store by agents built anew. Prints what happened as JSON.
"""

# ruff: noqa: T201  (the report is printed)

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from typing import Any

from agents import Agent, function_tool, set_tracing_disabled

import hitl
from hitl.runtime.scripted import ScriptedModel, call, message

RAN: list[str] = []


@function_tool(needs_approval=True)
def pay(order: int) -> dict[str, int]:
    """Pay an order back."""
    RAN.append(f"pay {order}")
    return {"order": order}


def clerk(*script: Any) -> Agent[Any]:  # noqa: ANN401
    """An agent that pays."""
    return Agent(name="clerk", model=ScriptedModel(*script), tools=[pay])


def boss(own: list[Any], inner: list[Any]) -> Agent[Any]:
    """An agent that has one that pays as a tool."""
    tool = clerk(*inner).as_tool("ask_clerk", "asks the clerk")
    return Agent(name="boss", model=ScriptedModel(*own), tools=[tool])


async def play(store: Any) -> list[Any]:  # noqa: ANN401
    """What happened, step by step."""
    two = [call("pay", "c1", {"order": 1}), call("pay", "c2", {"order": 2})]
    run = await hitl.run(clerk(two), "go", store=store, run_id="two")
    told: list[Any] = [run.status, [each.call for each in run.interruptions]]
    await store.decide("two", "c1", hitl.approve(by="ana"))
    await store.decide("two", "c2", hitl.reject(message="no"))
    for _ in range(2):
        run = await hitl.resume(clerk([message("done")]), "two", store=store)
        told += [run.status, run.final_output]
    asked = [call("ask_clerk", "o1", {"input": "pay 3"})]
    inner = [[call("pay", "i1", {"order": 3})]]
    run = await hitl.run(boss([asked], inner), "go", store=store, run_id="nested")
    told += [run.status, [each.call for each in run.interruptions]]
    await store.decide("nested", "o1/i1", hitl.approve(by="ana"))
    agent = boss([[message("end")]], [[message("paid")]])
    run = await hitl.resume(agent, "nested", store=store)
    return [*told, run.status, run.final_output, RAN]


async def main() -> None:
    """Play, and say what happened."""
    set_tracing_disabled(disabled=True)
    with tempfile.TemporaryDirectory() as room:
        async with hitl.connect(f"sqlite:///{room}/runs.db") as store:
            print(json.dumps(await play(store)))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
