"""The agent of the examples: it refunds orders, and asks a person before each refund.

Without OPENAI_API_KEY a stand-in answers: it reads the conversation it is sent, as a model does, so
any process can go on with a run of any other.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from agents import Agent, function_tool

from hitl.runtime.scripted import ScriptedModel, call, message


@function_tool(needs_approval=True)
def refund(order: int) -> dict[str, Any]:
    """Pay an order back."""
    with Path("refunds.log").open("a", encoding="utf-8") as log:
        log.write(f"{order}\n")
    return {"order": order, "refunded": True}


class StandIn(ScriptedModel):
    """Refunds every order the user names, then says what came of it."""

    def _next(self, given: object) -> tuple[list[Any], str]:
        items: list[Any] = given if isinstance(given, list) else []
        text = given if isinstance(given, str) else str(items[0].get("content", ""))
        outputs = [str(i.get("output")) for i in items if i.get("type") == "function_call_output"]
        if outputs:
            return [message("; ".join(outputs))], "resp_2"
        orders = [int(number) for number in re.findall(r"\d+", text)]
        return [call("refund", f"call_{n}", {"order": n}) for n in orders], "resp_1"


def agent() -> Agent[Any]:
    """Build the agent, the same in every process."""
    model = None if os.environ.get("OPENAI_API_KEY") else StandIn()
    return Agent(
        name="support", instructions="Refund what is asked for.", model=model, tools=[refund]
    )
