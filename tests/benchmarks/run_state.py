"""Run states against the SDK's own: `python -m tests.benchmarks.run_state [TURNS]`.

Prints each ratio with its gate and exits with 1 below one. CPU time of one process, rounds
interleaved, medians.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from agents import RunState, set_tracing_disabled

import hitl
from hitl.document import Limits
from tests.benchmarks import workload

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 3
LIMITS = Limits(size_bytes=2**30, nodes=10**8)  # an SDK state of 5,000 turns is 170 MB
IMPORT_MS = 100


class Figure(NamedTuple):
    """One ratio, what it must reach at least, and what was measured for it."""

    name: str
    ratio: float
    gate: float


def measure(turns: int) -> list[Figure]:
    """Compare hitl with the SDK on a run of `turns` turns."""
    sdk = workload.state(turns)
    text = sdk.to_string()
    state = hitl.capture(sdk)
    data = hitl.dumps(state)
    raw = text.encode()
    agent = workload.agent()
    loop = asyncio.new_event_loop()

    def read_sdk() -> None:
        loop.run_until_complete(RunState.from_string(agent, text))

    costs = _medians(
        {
            "to_string": sdk.to_string,
            "from_string": read_sdk,
            "dumps": lambda: hitl.dumps(state),
            "loads": lambda: hitl.loads(data, limits=LIMITS),
            "loads sdk": lambda: hitl.loads(raw, limits=LIMITS),
        }
    )
    loop.close()
    for name, cost_s in costs.items():
        print(f"{name:12} {cost_s * 1000:9.1f} ms")
    print(f"{'document':12} {len(data) / 2**20:9.1f} MiB, the SDK's {len(raw) / 2**20:.1f} MiB")
    return [
        Figure("dumps of a captured state, cold", costs["to_string"] / costs["dumps"], 50),
        Figure("loads of native bytes, full scan", costs["from_string"] / costs["loads"], 5),
        Figure("loads of the SDK's JSON", costs["from_string"] / costs["loads sdk"], 1.5),
        Figure("document size", len(raw) / len(data), 5),
    ]


def import_ms() -> float:
    """Give the median time `import hitl` adds to a process, interpreter start left out."""
    code = "import time; t = time.perf_counter(); import hitl; print(time.perf_counter() - t)"
    command = [sys.executable, "-c", code]
    runs = (subprocess.run(command, capture_output=True, text=True, check=True) for _ in range(5))
    return statistics.median(float(run.stdout) for run in runs) * 1000


def _medians(work: dict[str, Callable[[], Any]]) -> dict[str, float]:
    costs: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(ROUNDS):
        for name, do in work.items():
            start = time.thread_time()
            do()
            costs[name].append(time.thread_time() - start)
    return {name: statistics.median(each) for name, each in costs.items()}


def main() -> int:
    """Print the figures; give the exit code."""
    set_tracing_disabled(disabled=True)
    turns = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    print(f"{turns} turns, median of {ROUNDS} rounds, CPU time")
    failed = 0
    for name, ratio, gate in measure(turns):
        verdict = "ok" if ratio >= gate else "BELOW THE GATE"
        failed += ratio < gate
        print(f"{name:34} {ratio:8.1f} x  (gate {gate})  {verdict}")
    spent = import_ms()
    failed += spent > IMPORT_MS
    print(f"{'import hitl':34} {spent:8.1f} ms (gate {IMPORT_MS})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
