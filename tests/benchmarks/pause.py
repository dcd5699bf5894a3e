"""A pause of a long run in a store: `python -m tests.benchmarks.pause [TURNS ...]`.

One new turn is captured from the SDK's state in hand and saved to SQLite (FULL); then a person's
verdict is recorded. CPU time of the whole process, medians; ratios to the SDK's `to_string` and
`from_string` of the same run. Exits with 1 below a gate.
"""

from __future__ import annotations

import asyncio
import copy
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

from agents import RunState, set_tracing_disabled

import hitl
from hitl import transfer
from hitl.runtime.recorder import Recorder
from hitl.store import NewRequest, Save
from tests.benchmarks import workload

ROUNDS = 15
LEASE_S = 60.0
FLAT = 1.5  # CPU at the longest run against the shortest
MOST_BYTES = 16 * 1024


class Cost(NamedTuple):
    """What one pause of a run of `turns` turns costs; seconds of CPU, bytes."""

    turns: int
    pause_s: float
    decide_s: float
    sdk_save_s: float
    sdk_load_s: float
    bound_bytes: int
    wal_bytes: int


def after(full: Any, turns: int) -> Any:
    """The state when `turns` turns were done: the same live objects, as in a run that goes on."""
    part = copy.copy(full)
    end = 5 * turns
    part._generated_items = full._generated_items[:end]
    part._session_items = full._session_items[:end]
    part._model_responses = full._model_responses[:turns]
    part._last_processed_response = part._current_step = None
    part._generated_items_last_processed_marker = None
    part._context = copy.copy(full._context)
    part._context.usage = copy.copy(full._context.usage)
    entries = full._context.usage.request_usage_entries
    part._context.usage.request_usage_entries = entries[:turns]
    known = list(full._context._tool_invocations.items())
    part._context._tool_invocations = dict(known[: 2 * turns])
    return part


async def measure(turns: int, room: Path) -> Cost:
    """Pause again and again, each time a run of its own."""
    full = workload.state(turns)
    earlier = [after(full, turns - 2), after(full, turns - 1)]
    pauses, decisions = [], []
    bound = wal = 0
    async with hitl.connect(f"sqlite:///{room / f'{turns}.db'}") as store:
        for index in range(ROUNDS):
            run_id = f"run_{index}"
            recorder = Recorder()
            for each in earlier:  # a whole capture, then one of a turn, as in a run that goes on
                head, entries = transfer.pack(recorder.capture(each))
            claim = await store.create(run_id, b"{}", worker="bench", lease_s=LEASE_S)
            await store.save(claim, Save(event="save", head=head, base=0, new=entries))
            file = room / f"{turns}.db-wal"
            size = file.stat().st_size
            start = time.process_time()
            state = recorder.capture(full)
            head, every = transfer.pack(state)
            new = every[len(entries) :]
            save = Save(
                event="pause", head=head, base=len(entries), new=new, requests=_requests(state)
            )
            await store.save(claim, save)
            pauses.append(time.process_time() - start)
            bound = len(head) + sum(map(len, new)) + sum(len(each.body) for each in save.requests)
            wal = max(0, file.stat().st_size - size)
            start = time.process_time()
            (waiting,) = await store.waiting(run_id=run_id)
            await store.decide(run_id, waiting.call, hitl.approve(by="bench"))
            decisions.append(time.process_time() - start)
    start = time.process_time()
    text = full.to_string()
    saved = time.process_time() - start
    start = time.process_time()
    await RunState.from_string(workload.agent(), text)
    loaded = time.process_time() - start
    pause, decide = statistics.median(pauses), statistics.median(decisions)
    return Cost(turns, pause, decide, saved, loaded, bound, wal)


def _requests(state: hitl.RunState) -> tuple[NewRequest, ...]:
    return tuple(
        NewRequest(
            call=each.call,
            tool=each.tool_name,
            agent=each.agent,
            arguments_sha256=each.arguments_sha256,
            body=(each.arguments or "").encode(),
        )
        for each in state.interruptions
    )


def main() -> int:
    """Print the figures; give the exit code."""
    set_tracing_disabled(disabled=True)
    turns = [int(word) for word in sys.argv[1:]] or [10, 100, 1000]
    with tempfile.TemporaryDirectory() as room:
        costs = [asyncio.run(measure(each, Path(room))) for each in turns]
    print(f"{ROUNDS} rounds, medians of CPU time of the process")
    for cost in costs:
        print(
            f"{cost.turns:5} turns: pause {cost.pause_s * 1000:6.2f} ms, "
            f"{cost.sdk_save_s / cost.pause_s:6.0f} x cheaper than to_string; "
            f"{cost.bound_bytes:6} bytes bound, WAL grew {cost.wal_bytes}; "
            f"list and decide {cost.decide_s * 1000:5.2f} ms, "
            f"{cost.sdk_load_s / cost.decide_s:6.0f} x cheaper than from_string"
        )
    first, last = costs[0], costs[-1]
    growth = last.pause_s / first.pause_s
    most = max(cost.bound_bytes for cost in costs)
    verdicts = {
        f"pause at {last.turns} against {first.turns} turns: {growth:.2f} (gate {FLAT})": growth
        <= FLAT,
        f"bytes bound in a pause: {most} (gate {MOST_BYTES})": most <= MOST_BYTES,
    }
    for said, good in verdicts.items():
        print(f"{said}  {'ok' if good else 'BELOW THE GATE'}")
    return 0 if all(verdicts.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
