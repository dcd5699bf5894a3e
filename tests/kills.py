"""T1 and T2: `kill -9` at random points of durable runs on the real SDK, counted.

    python -m tests.kills --kills 2000

This process imports the SDK and then only forks: no loop and no thread is ever started in it. Each
child works on a run until it ends or the child is killed, by itself at a chosen step or by its
parent at a chosen time; the next child takes the run up. A tool's effect is a line in a file.

`--unguarded` is the control: the same tool and the same kills, with a state that is stored at the
pause and resumed by openai-agents alone.
"""

# ruff: noqa: ANN401, S311, T201  (any of the SDK's options; no secrets; figures are printed)

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from agents import RunConfig, Runner, SQLiteSession

import hitl
from hitl.conversation import reconcile
from hitl.errors import AlreadyClaimed, InDoubt, StoreError
from hitl.lifecycle import ended
from tests.agents.disturbed import SHAPES
from tests.agents.log import Log

if TYPE_CHECKING:
    from collections.abc import Callable

    from hitl.store import Store

RUN = "run_1"
LEASE_S = 0.1
_MOST_POINTS = {True: 70, False: 8}  # guarded or not, a whole run has about as many
_MOST_CHILDREN = 60
_DONE, _TOO_LONG = 0, 4
_WRONG = ("lost", "started twice", "entries stored twice", "entries missing")
CONFIG = RunConfig(tracing_disabled=True)


class Killer:
    """Counts steps and ends the process at one of them."""

    def __init__(self, at: int | None) -> None:
        self.left = at

    def step(self, mark: Path | None = None) -> None:
        """Be at a step; `mark` is left behind by a process that ends here."""
        if self.left is None:
            return
        self.left -= 1
        if self.left == 0:
            if mark is not None:
                mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)


class Stepping:
    """A store that is a step before and after each of its methods."""

    def __init__(self, store: Store, killer: Killer) -> None:
        self._store, self._killer = store, killer

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._store, name)

        async def stepping(*args: Any, **kwargs: Any) -> Any:
            self._killer.step()
            result = await method(*args, **kwargs)
            self._killer.step()
            return result

        return stepping


@attrs.frozen(kw_only=True)
class Plan:
    """One run to be killed at.

    Attributes:
        folder: where its files are.
        shape: which agents.
        gate, streamed: how it is run.
        session: whether it has one.
    """

    folder: Path
    shape: str
    gate: str
    streamed: bool
    session: bool

    @property
    def effects(self) -> list[str]:
        """What the tool did, call by call."""
        path = self.folder / "effects"
        return path.read_text().split() if path.exists() else []


class _Effects(Log):
    """A log whose tool runs are lines of a file: one write each, so a kill cuts none."""

    def __init__(self, plan: Plan, killer: Killer) -> None:
        super().__init__()
        self._plan, self._killer = plan, killer

    def ran(self, tool: str, arguments: object, call_id: str | None = None) -> None:
        del arguments
        if tool != "pay":
            return
        mark = self._plan.folder / f"cut-{call_id}"
        self._killer.step(mark)
        with (self._plan.folder / "effects").open("ab", buffering=0) as file:
            file.write(f"{call_id}\n".encode())
        self._killer.step(mark)


async def work(plan: Plan, killer: Killer) -> int:
    """Work on a run until it ends."""
    async with hitl.connect(f"sqlite:///{plan.folder}/runs.db") as real:
        store: Any = Stepping(real, killer)
        log = _Effects(plan, killer)
        for _ in range(20):
            agent = SHAPES[plan.shape](log)
            try:
                run = await _go(plan, store, agent)
            except AlreadyClaimed:
                await asyncio.sleep(LEASE_S / 2)
                continue
            except InDoubt as exc:
                await _settle(plan, store, exc)
                continue
            if ended(run.status):
                return _check(plan, run)
            if run.status == "running":  # started before, by a child that is dead
                await asyncio.sleep(LEASE_S / 2)
                await _take_up(plan, store, agent)
            for request in await store.waiting(run_id=RUN):
                await store.decide(RUN, request.call, hitl.approve(by="ana"))
    return _TOO_LONG


async def _go(plan: Plan, store: Any, agent: Any) -> hitl.DurableRun:
    memory = SQLiteSession("s", plan.folder / "session.db") if plan.session else None
    options = {
        "run_config": CONFIG,
        "session": memory,
        "lease_s": LEASE_S,
        "gate": plan.gate,
        "store": store,
    }
    run = await _either(plan, hitl.run, hitl.run_streamed, agent, "go", run_id=RUN, **options)
    if ended(run.status) or run.result is not None:
        return run
    return await _either(plan, hitl.resume, hitl.resume_streamed, agent, RUN, **options)


async def _take_up(plan: Plan, store: Any, agent: Any) -> None:
    with contextlib.suppress(AlreadyClaimed, InDoubt):
        await _go(plan, store, agent)


async def _either(
    plan: Plan, whole: Any, streamed: Any, *args: Any, **options: Any
) -> hitl.DurableRun:
    if not plan.streamed:
        return await whole(*args, **options)
    stream = streamed(*args, **options)
    async for _ in stream.stream_events():
        pass
    return stream.run


async def _settle(plan: Plan, store: Any, doubt: InDoubt) -> None:
    """Say what became of calls in doubt, as a person who looks at the effects would."""
    for call in doubt.calls:
        call_id = call.rpartition("/")[2]
        (plan.folder / f"doubt-{call_id}").touch()
        happened = call_id in plan.effects
        result = b'{"value":"paid"}' if happened else None
        with contextlib.suppress(StoreError):
            await store.settle(RUN, call, "happened" if happened else "rerun", result=result)


def _check(plan: Plan, run: hitl.DurableRun) -> int:
    (plan.folder / "final").write_text(str(run.final_output))
    if run.state is not None:
        (plan.folder / "ended").write_bytes(hitl.dumps(run.state))
    return _DONE


async def unguarded(plan: Plan, killer: Killer) -> int:
    """Work on a run with openai-agents alone, from the state stored at its last pause."""
    log, stored = _Effects(plan, killer), plan.folder / "state.json"
    for _ in range(20):
        agent = SHAPES[plan.shape](log)
        if not stored.exists():
            result = await Runner.run(agent, "go", run_config=CONFIG)
        else:
            state = hitl.loads(stored.read_bytes())
            for waiting in state.interruptions:
                state = state.approve(waiting.call)
            live = await hitl.restore(agent, state)
            result = await Runner.run(agent, live, run_config=CONFIG)
        killer.step()
        if not result.interruptions:
            (plan.folder / "final").write_text(str(result.final_output))
            return _DONE
        partial = plan.folder / "state.part"
        partial.write_bytes(hitl.dumps(hitl.capture(result)))
        partial.rename(stored)
    return _TOO_LONG


def child(plan: Plan, how: Any, at: int | None) -> int:
    """Fork; the child works and never comes back. Gives its process id."""
    pid = os.fork()
    if pid:
        return pid
    code = 9
    try:
        with (plan.folder / "err").open("ab") as file:
            os.dup2(file.fileno(), 2)
        code = asyncio.run(how(plan, Killer(at)))
    except BaseException:  # noqa: BLE001 - the child must not go on as its parent
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def one_run(plan: Plan, rng: random.Random, tally: Counter[str], *, guarded: bool) -> None:
    """Play a run, with kills, to its end."""
    for number in range(_MOST_CHILDREN):
        spared = number > _MOST_CHILDREN // 2
        timed = not spared and rng.random() < 0.25
        at = None if spared or timed else rng.randint(1, _MOST_POINTS[guarded])
        pid = child(plan, work if guarded else unguarded, at)
        if timed:
            time.sleep(rng.random() * 0.25)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            tally["kills"] += 1
            continue
        code = os.WEXITSTATUS(status)
        if code == _DONE:
            _count(plan, tally)
            return
        tally[f"code {code}"] += 1
        sys.stderr.write((plan.folder / "err").read_text()[-3000:])
        break
    tally["lost"] += 1


def _count(plan: Plan, tally: Counter[str]) -> None:
    times = Counter(plan.effects)
    tally["runs"] += 1
    tally["calls"] += len(times)
    tally["lost"] += sum(times[call] == 0 for call in ("call_1", "call_2"))
    tally["started twice"] += sum(count > 1 for count in times.values())
    cut, doubted = (_marked(plan, what) for what in ("cut", "doubt"))
    tally["cut in the tool"] += len(cut)
    tally["in doubt"] += len(doubted)
    tally["cut, not in doubt"] += len(cut - doubted)
    final = (plan.folder / "final").read_text()
    tally["lost"] += not all(call in final for call in ("call_1", "call_2"))
    if plan.session:
        tally["sessions"] += 1
        tally["entries stored twice"] += _twice(plan)
        tally["entries missing"] += _missing(plan)


def _marked(plan: Plan, what: str) -> set[str]:
    return {path.name.partition("-")[2] for path in plan.folder.glob(f"{what}-*")}


def _twice(plan: Plan) -> int:
    marks = Counter(
        (item.get("type"), item.get("call_id") or item.get("id") or item.get("content"))
        for item in _held(plan)
    )
    return sum(count - 1 for count in marks.values())


def _missing(plan: Plan) -> int:
    given = [{"role": "user", "content": "go"}]
    state = hitl.loads((plan.folder / "ended").read_bytes())
    found = reconcile(state, _held(plan), given=given)
    return len(found.append) + len(found.trimmed)


def _held(plan: Plan) -> list[Any]:
    import sqlite3

    with contextlib.closing(sqlite3.connect(plan.folder / "session.db")) as base:
        rows = base.execute("select message_data from agent_messages").fetchall()
    return [json.loads(row[0]) for row in rows]


def soak(kills: int, seed: int, *, guarded: bool = True) -> Counter[str]:
    """Play runs until there were so many kills."""
    rng, tally = random.Random(seed), Counter[str]()
    tally.update(dict.fromkeys(("kills", "lost", "started twice", "in doubt"), 0))
    base = Path(tempfile.mkdtemp(prefix="hitl-kills-"))
    while tally["kills"] < kills and tally["lost"] < 20:
        folder = Path(tempfile.mkdtemp(dir=base))
        plan = Plan(
            folder=folder,
            shape=rng.choice(sorted(SHAPES)),
            gate=rng.choice(["approval", "all"]),
            streamed=rng.random() < 0.5,
            session=guarded and rng.random() < 0.5,
        )
        before = sum(tally[each] for each in _WRONG)
        one_run(plan, rng, tally, guarded=guarded)
        if sum(tally[each] for each in _WRONG) == before:
            shutil.rmtree(folder)
        elif guarded:
            print(plan, file=sys.stderr)
    with contextlib.suppress(OSError):
        base.rmdir()
    return tally


def main() -> None:
    """Print the figures as one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--unguarded", action="store_true")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    print(json.dumps(soak(given.kills, given.seed, guarded=not given.unguarded)))


if __name__ == "__main__":
    main()
