"""What a tracker costs over a run: `python -m tests.benchmarks.conversation [ITEMS]`.

A server conversation of up to ITEMS items (10,000): each turn is a call, its output and a text of
the user, often the same again. Ours gets log positions as names, with gaps where the log has other
entries. Prints the cost of the whole run and its exponent beside the SDK's own tracker, and exits
with 1 above the gate. CPU time of one process; each size is measured in turn, round by round, and
its least counts.
"""

from __future__ import annotations

import math
import sys
import time
from functools import partial
from typing import TYPE_CHECKING

from agents import Agent, ModelResponse, Usage
from agents.items import MessageOutputItem, RunItem, ToolCallItem, ToolCallOutputItem
from agents.run_internal.oai_conversation import OpenAIServerConversationTracker
from openai.types.responses import ResponseFunctionToolCall

from hitl.conversation import Tracker, prime
from tests.conversation.run import Run
from tests.conversation.server import called, done, said

if TYPE_CHECKING:
    from collections.abc import Callable

    from hitl import RunState

GATE = 1.1
ROUNDS = 9
TURN_ITEMS = 3
ENOUGH_S = 20.0  # the SDK's tracker gets no larger run once one took so long


def ours(items: int) -> None:
    """Talk to a server conversation with our tracker."""
    talk = Tracker(conversation_id="c").add([said("go on")])
    name = 1
    for turn in range(items // TURN_ITEMS):
        call = f"call_{turn}"
        talk = talk.sent(talk.prepare())
        talk = talk.accepted(f"resp_{turn}", [called(call)], [name])
        talk = talk.add([done(call), said("go on")], [name + 2, name + 3])
        name += 4


def sdk(items: int) -> None:
    """Talk to a server conversation with the SDK's tracker, as its run loop does."""
    agent = Agent(name="bench")
    talk = OpenAIServerConversationTracker(conversation_id="c")
    told: list[RunItem] = []
    for turn in range(items // TURN_ITEMS):
        request = talk.prepare_input("go on", told)
        talk.mark_input_as_sent(request)
        talk.mark_input_as_accepted(request)
        raw = ResponseFunctionToolCall.model_validate(called(f"call_{turn}"))
        talk.track_server_items(
            ModelResponse(output=[raw], usage=Usage(), response_id=f"resp_{turn}")
        )
        told.append(ToolCallItem(agent=agent, raw_item=raw))
        output: dict[str, object] = done(f"call_{turn}")
        told.append(ToolCallOutputItem(agent=agent, raw_item=output, output="done"))
        told.append(MessageOutputItem(agent=agent, raw_item=said("go on")))  # type: ignore[arg-type]


def taken_up(items: int) -> Callable[[], object]:
    """Give what takes a stored run up, once."""
    run = Run()
    run.add([said("go on")], "input")
    for turn in range(items // TURN_ITEMS):
        run.respond(f"resp_{turn}", [called(f"call_{turn}")])
        run.add([done(f"call_{turn}"), said("go on")])
    state: RunState = run.state(Tracker(conversation_id="c").stored())
    return lambda: prime(state)


def cost_s(do: Callable[[], object]) -> float:
    """Give the CPU time something takes, in seconds."""
    start = time.thread_time()
    do()
    return time.thread_time() - start


def least_s(work: dict[int, Callable[[], object]], rounds: int = ROUNDS) -> dict[int, float]:
    """Give the least CPU time of each size; what disturbs the machine disturbs all sizes alike."""
    found = dict.fromkeys(work, math.inf)
    for _ in range(rounds):
        for size, do in work.items():
            found[size] = min(found[size], cost_s(do))
    return found


def exponent(costs: dict[int, float]) -> float:
    """Give the slope of the line through sizes and costs, both as logarithms."""
    points = [(math.log(size), math.log(cost)) for size, cost in costs.items()]
    mid_x = sum(x for x, _ in points) / len(points)
    mid_y = sum(y for _, y in points) / len(points)
    rise = sum((x - mid_x) * (y - mid_y) for x, y in points)
    return rise / sum((x - mid_x) ** 2 for x, _ in points)


def main() -> int:
    """Print the figures; give the exit code."""
    most = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    sizes = [most // 16, most // 8, most // 4, most // 2, most]
    found = {
        "hitl, a run": least_s({size: partial(ours, size) for size in sizes}),
        "hitl, taken up": least_s({size: taken_up(size) for size in sizes}),
    }
    theirs: dict[int, float] = {}
    for size in sizes:
        if max(theirs.values(), default=0.0) < ENOUGH_S / 5:  # twice the items: four times and more
            theirs[size] = cost_s(partial(sdk, size))
    found["SDK, a run"] = theirs
    print(f"{'items':>16} " + " ".join(f"{size:>10,}" for size in sizes) + "   exponent")
    for name, costs in found.items():
        told = (f"{costs[size]:8.3f} s" if size in costs else f"{'-':>10}" for size in sizes)
        print(f"{name:>16} " + " ".join(told) + f"   {exponent(costs):.2f}")
    ok = all(exponent(found[name]) <= GATE for name in ("hitl, a run", "hitl, taken up"))
    print(f"gate {GATE}: {'ok' if ok else 'ABOVE THE GATE'}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
