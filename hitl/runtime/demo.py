"""The whole cycle on a scripted model: one process pauses, a second decides, a third resumes.

Run as `python -m hitl.runtime.demo STEP FOLDER`; `run` starts the three.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hitl.errors import HitlError
from hitl.runtime.door import capture, restore
from hitl.transfer import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Callable

    from agents import Agent

    from hitl.document import JSONObject

STATE = "state.json"
EFFECTS = "effects.txt"
QUOTE = {"order": 7, "amount": Decimal(20), "paid_at": datetime(2026, 1, 31, 12, tzinfo=UTC)}
DECIDER = "ana"
STEP_TIMEOUT_S = 120


def run(echo: Callable[[str], None]) -> JSONObject:
    """Run the cycle in three processes.

    Args:
        echo: told, line by line, what happens.

    Returns:
        The facts that were checked.

    Raises:
        HitlError: a step failed, or a fact is not as promised.
    """
    with tempfile.TemporaryDirectory(prefix="hitl-demo-") as folder:
        facts: JSONObject = {}
        for step, what in _STEPS.items():
            echo(f"{step}: {what}")
            told = _process(step, folder)
            for fact, value in told.items():
                echo(f"    {fact.replace('_', ' ')}: {value}")
            facts |= told
        for fact, expected in _PROMISED.items():
            if facts.get(fact) != expected:
                raise HitlError(f"expected {fact} to be {expected}, found {facts.get(fact)}")
    echo("proved: the tool ran once, its quote kept type and value, the turn counter went on")
    return facts


_STEPS = {
    "pause": "a process runs an agent until a call needs a person",
    "decide": "another process, which never loads the agent or its SDK, approves the call",
    "resume": "a third process goes on with the run",
}

_PROMISED: JSONObject = {
    "waiting": "refund",
    "ran_before_approval": 0,
    "agents_sdk_loaded": False,
    "ran_after_approval": 1,
    "quote_is_equal": True,
    "turn_at_pause": 2,
    "turn_at_end": 3,
    "answer": "Refunded 20 for order 7.",
}


def _process(step: str, folder: str) -> JSONObject:
    command = [sys.executable, "-m", "hitl.runtime.demo", step, folder]
    done = subprocess.run(  # noqa: S603 - our own module, no shell
        command, capture_output=True, text=True, timeout=STEP_TIMEOUT_S, check=False
    )
    if done.returncode != 0:
        raise HitlError(f"the step {step} failed", hint=done.stderr.strip()[-500:])
    told: JSONObject = json.loads(done.stdout.splitlines()[-1])
    return told


def _agent(folder: Path, *script: Any) -> Agent[Any]:  # noqa: ANN401 - output items of a model
    """Build the app's agent: every process that runs it builds it anew."""
    from agents import Agent, function_tool, set_tracing_disabled

    from hitl.runtime.scripted import ScriptedModel

    set_tracing_disabled(disabled=True)

    @function_tool
    def quote(order: int) -> dict[str, Any]:
        """Look up what an order cost."""
        return {**QUOTE, "order": order}

    @function_tool(needs_approval=True)
    def refund(order: int, amount: int) -> str:
        """Pay the money back."""
        with (folder / EFFECTS).open("a") as effects:
            effects.write(f"refund {order} {amount}\n")
        return f"refunded {amount}"

    return Agent(name="support", model=ScriptedModel(*script), tools=[quote, refund])


def _effects(folder: Path) -> int:
    path = folder / EFFECTS
    return len(path.read_text().splitlines()) if path.exists() else 0


async def _pause(folder: Path) -> JSONObject:
    from agents import Runner

    from hitl.runtime.scripted import call

    wanted: JSONObject = {"order": 7, "amount": 20}
    agent = _agent(
        folder, [call("quote", "call_1", {"order": 7})], [call("refund", "call_2", wanted)]
    )
    state = capture(await Runner.run(agent, "Refund order 7"))
    (folder / STATE).write_bytes(dumps(state))
    return {
        "waiting": state.interruptions[0].tool_name,
        "turn_at_pause": state.turn.current,
        "ran_before_approval": _effects(folder),
    }


async def _decide(folder: Path) -> JSONObject:
    path = folder / STATE
    state = loads(path.read_bytes())
    waiting = state.interruptions[0]
    now = datetime.now(UTC).isoformat(timespec="seconds")
    path.write_bytes(dumps(state.approve(waiting.call, by=DECIDER, at=now)))
    return {
        "saw_arguments": waiting.arguments,
        "approved_by": DECIDER,
        "agents_sdk_loaded": "agents" in sys.modules,
    }


async def _resume(folder: Path) -> JSONObject:
    from agents import Runner

    from hitl.runtime.scripted import message

    state = loads((folder / STATE).read_bytes())
    agent = _agent(folder, [message("Refunded 20 for order 7.")])
    result = await Runner.run(agent, await restore(agent, state))
    return {
        "quote_is_equal": state.tool_outputs["call_1"] == QUOTE,
        "ran_after_approval": _effects(folder),
        "turn_at_end": capture(result).turn.current,
        "answer": str(result.final_output),
    }


def main(step: str, folder: str) -> None:
    """Run one step; its facts go to stdout as one line of JSON."""
    steps = {"pause": _pause, "decide": _decide, "resume": _resume}
    sys.stdout.write(json.dumps(asyncio.run(steps[step](Path(folder)))) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
