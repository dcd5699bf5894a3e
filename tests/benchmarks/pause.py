"""A pause of a long run in a store: `python -m tests.benchmarks.pause [TURNS ...]`.

A run goes on: before each model call it is captured and saved, then a turn ends in a pause. That
pause is measured: one new turn is captured from the SDK's state in hand and saved to SQLite (FULL);
then a person's verdict is recorded. Ratios to the SDK's `to_string` and `from_string` of the same
run. Exits with 1 below a gate.

CPU time of a whole process, collections of garbage included. Each length has a process of its own,
so that no run pays for the heap of another. They take turns, round by round, so that what disturbs
the machine disturbs all alike.
"""

from __future__ import annotations

import asyncio
import math
import multiprocessing
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

from agents import RunState, set_tracing_disabled

import hitl
from hitl import transfer
from hitl.runtime.recorder import Recorder
from hitl.store import NewRequest, Save
from tests.benchmarks import workload

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from hitl.store import Claim, Store

ROUNDS = 60
SDK_EVERY = 20  # rounds; the SDK needs seconds for what we compare with
LEASE_S = 600.0
FLAT = 1.5  # CPU at the longest run against the shortest
CHEAPER = 1000  # than `to_string`, at the longest run
MOST_BYTES = 16 * 1024


class Cost(NamedTuple):
    """What one round costs; seconds of CPU, bytes. The SDK is not measured in each."""

    pause_s: float
    decide_s: float
    bound_bytes: int
    wal_bytes: int
    sdk_save_s: float | None = None
    sdk_load_s: float | None = None


class Course:
    """A run in a store, and the one that records it."""

    def __init__(self, store: Store, claim: Claim, run: workload.Workload, wal: Path) -> None:
        self.store = store
        self.claim = claim
        self.run = run
        self.wal = wal
        self.recorder = Recorder()
        self.stored = 0

    @classmethod
    async def begin(cls, store: Store, turns: int, wal: Path) -> Course:
        """Begin a run that has played `turns` turns, captured before each model call.

        A run that is captured wholly at its end has a tidier log than one that grew.
        """
        claim = await store.create(f"run_{uuid4()}", b"{}", worker="bench", lease_s=LEASE_S)
        course = cls(store, claim, workload.Workload(1), wal)
        while course.run.turns < turns:
            course.run.answer()
            course.recorder.capture(course.run.state())
            course.run.turn()
        await course.round()
        return course

    async def round(self) -> Cost:
        """Save the run as before a model call, then let one turn end in a pause."""
        self.run.answer()
        await self._save("save", self.run.state())
        self.run.turn()
        live = self.run.state()
        size = self.wal.stat().st_size
        start = time.process_time()
        saved = await self._save("pause", live)
        pause_s = time.process_time() - start
        bound = (
            len(saved.head) + sum(map(len, saved.new)) + sum(len(r.body) for r in saved.requests)
        )
        wal = max(0, self.wal.stat().st_size - size)
        start = time.process_time()
        (waiting,) = await self.store.waiting(run_id=self.claim.run_id)
        await self.store.decide(self.claim.run_id, waiting.call, hitl.approve(by="bench"))
        decide_s = time.process_time() - start
        self.claim = await self.store.claim(self.claim.run_id, worker="bench", lease_s=LEASE_S)
        return Cost(pause_s, decide_s, bound, wal)

    async def _save(self, event: Any, live: Any) -> Save:
        state = self.recorder.capture(live)
        head, every = transfer.pack(state)
        requests = _requests(state) if event == "pause" else ()
        new = every[self.stored :]
        save = Save(event=event, head=head, base=self.stored, new=new, requests=requests)
        await self.store.save(self.claim, save)
        self.stored += len(new)
        return save

    async def with_sdk(self, cost: Cost) -> Cost:
        """Add what the SDK needs for the run as it is now."""
        live = self.run.state()
        start = time.process_time()
        text = live.to_string()
        saved = time.process_time() - start
        start = time.process_time()
        await RunState.from_string(workload.agent(), text)
        return cost._replace(sdk_save_s=saved, sdk_load_s=time.process_time() - start)


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


async def play(turns: int, room: str, pipe: Connection) -> None:
    """Play a round whenever asked to; `turns` is in the middle of what is played."""
    path = Path(room) / f"{turns}.db"
    first = max(turns - ROUNDS // 2, turns // 2)
    async with hitl.connect(f"sqlite:///{path}") as store:
        course = None
        while (sdk := pipe.recv()) is not None:
            if course is None or course.run.turns > 2 * turns - first:
                course = await Course.begin(store, first, path.with_name(f"{path.name}-wal"))
            cost = await course.round()
            pipe.send(await course.with_sdk(cost) if sdk else cost)


def _process(turns: int, room: str, pipe: Connection) -> None:
    set_tracing_disabled(disabled=True)
    asyncio.run(play(turns, room, pipe))


def measure(turns: list[int]) -> dict[int, list[Cost]]:
    """Play all rounds of all lengths."""
    context = multiprocessing.get_context("spawn")
    pipes = {}
    with tempfile.TemporaryDirectory() as room:
        for each in turns:
            pipes[each], theirs = context.Pipe()
            context.Process(target=_process, args=(each, room, theirs), daemon=True).start()
        costs: dict[int, list[Cost]] = {each: [] for each in turns}
        for index in range(ROUNDS):
            for each, pipe in pipes.items():
                pipe.send(index % SDK_EVERY == SDK_EVERY // 2)
                costs[each].append(pipe.recv())
        for pipe in pipes.values():
            pipe.send(None)
        for process in multiprocessing.active_children():
            process.join()
    return costs


class Figure(NamedTuple):
    """One figure, its gate, and whether it holds."""

    name: str
    value: str
    good: bool


def figures(costs: dict[int, list[Cost]]) -> list[Figure]:
    """Give what the gates are about."""
    pause = {turns: _median(costs[turns], "pause_s") for turns in costs}
    first, last = min(costs), max(costs)
    growth = pause[last] / pause[first]
    cheaper = _median(costs[last], "sdk_save_s") / pause[last]
    most = max(cost.bound_bytes for each in costs.values() for cost in each)
    return [
        Figure(
            f"pause at {last} against {first} turns", f"{growth:.2f} (gate {FLAT})", growth <= FLAT
        ),
        Figure(
            f"pause at {last} turns against to_string",
            f"{cheaper:.0f} x cheaper (gate {CHEAPER})",
            cheaper >= CHEAPER,
        ),
        Figure("bytes bound in a pause", f"{most} (gate {MOST_BYTES})", most <= MOST_BYTES),
    ]


def _median(costs: list[Cost], name: str) -> float:
    return statistics.median(value for cost in costs if (value := getattr(cost, name)) is not None)


def exponent(costs: dict[int, list[Cost]]) -> float:
    """Give the slope from the shortest to the longest run, both as logarithms."""
    first, last = min(costs), max(costs)
    rise = _median(costs[last], "pause_s") / _median(costs[first], "pause_s")
    return math.log(rise) / math.log(last / first)


def main() -> int:
    """Print the figures; give the exit code."""
    costs = measure([int(word) for word in sys.argv[1:]] or [10, 100, 1000])
    print(f"{ROUNDS} rounds, CPU time of the process, medians (and means: collections are rare)")
    for turns, each in costs.items():
        pause, decide = _median(each, "pause_s"), _median(each, "decide_s")
        mean = statistics.mean(cost.pause_s for cost in each)
        least = min(cost.pause_s for cost in each)
        print(
            f"{turns:5} turns: pause {pause * 1000:6.2f} ms "
            f"(mean {mean * 1000:.2f}, least {least * 1000:.2f}), "
            f"{_median(each, 'sdk_save_s') / pause:6.0f} x cheaper than to_string; "
            f"{_median(each, 'bound_bytes'):6.0f} bytes bound, "
            f"WAL grew {max(cost.wal_bytes for cost in each)}; "
            f"list and decide {decide * 1000:5.2f} ms, "
            f"{_median(each, 'sdk_load_s') / decide:6.0f} x cheaper than from_string"
        )
    found = figures(costs)
    for name, value, good in found:
        print(f"{name}: {value}  {'ok' if good else 'BELOW THE GATE'}")
    print(f"exponent {exponent(costs):.3f} (goal 0.05)")
    return 0 if all(each.good for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
