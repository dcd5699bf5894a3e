"""One call of one tool with any arguments, in both languages: paused and approved, or gone on with.

Each function takes many at once; a state is the SDK's own text, a run is what its tool got.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agents import Agent, RunState
from agents.exceptions import UserError

from tests.agents import tools
from tests.agents.cycle import go
from tests.agents.log import Log
from tests.agents.model import ScriptedModel, call
from tests.node import room

if TYPE_CHECKING:
    from collections.abc import Sequence

_ANYTHING = "{}"


def _agent(log: Log, arguments: str) -> Agent[Any]:
    tool = tools.function(log, "send_email", {}, str, needs_approval=True, strict=False)
    model = ScriptedModel("Mailer", [[call("send_email", arguments, "call_1")], None], log)
    return Agent(name="Mailer", instructions="You are Mailer.", model=model, tools=[tool])


async def _paused(arguments: str) -> str | None:
    try:
        result = await go(_agent(Log(), arguments), "go")
    except UnicodeEncodeError:  # the SDK cannot digest such a call
        return None
    state = result.to_state()
    state.approve(result.interruptions[0])
    return state.to_string()


async def _resumed(text: str) -> list[Any]:
    log = Log()
    agent = _agent(log, _ANYTHING)
    try:
        await go(agent, await RunState.from_string(agent, text))
    except UserError:  # raised by the tool itself, over what it cannot parse
        pass
    except Exception as exc:  # noqa: BLE001  (whatever the SDK raises is its outcome)
        return [type(exc)]
    return [each.arguments for each in log.tool_runs]


def paused_in_python(texts: Sequence[str]) -> list[str | None]:
    """States with an approved call of these arguments; None where the SDK itself fails."""
    return [asyncio.run(_paused(each)) for each in texts]


def resumed_in_python(states: Sequence[str]) -> list[list[Any]]:
    """What the tool got, run by run; the error when the SDK failed."""
    return [asyncio.run(_resumed(each)) for each in states]


def paused_in_node(texts: Sequence[str]) -> list[str]:
    """States with an approved call of these arguments."""
    seen = _in_node([{"kind": "pause", "verdict": "approve", "said": each} for each in texts])
    return [each["state"] for each in seen]


def resumed_in_node(states: Sequence[str]) -> list[list[Any]]:
    """What the tool got, run by run; the error when the SDK failed."""
    seen = _in_node([{"kind": "resume", "state": each, "said": _ANYTHING} for each in states])
    return [
        [each["error"]] if each["error"] else [run["arguments"] for run in each["tool_runs"]]
        for each in seen
    ]


def _in_node(jobs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    asked = [
        {"definition": "spelled", "given": "go", "call": call("send_email", job["said"], "call_1")}
        for job in jobs
    ]
    outcomes = room.work([job | each for job, each in zip(jobs, asked, strict=True)])
    wrong = [each["thrown"] for each in outcomes if "thrown" in each]
    if wrong:
        raise room.NodeError(*wrong[0])
    return [each["value"] for each in outcomes]
