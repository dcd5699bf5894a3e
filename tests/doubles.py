"""The double-resume table: one paused run, resumed by two processes.

    python -m tests.doubles

Prints the table of the README. The left side is hitl on SQLite, the right side openai-agents alone:
the same agent, the same tool, a state stored at the pause.
"""

# ruff: noqa: ANN401, T201  (forked work of any kind; the table is printed)

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from agents import Runner

import hitl
from hitl.errors import HitlError
from tests.agents.disturbed import SHAPES
from tests.agents.log import Log
from tests.kills import CONFIG, RUN

if TYPE_CHECKING:
    from collections.abc import Callable

_SHAPE = "parallel"
_CALLS = ("call_1", "call_2")
_TOOL_S = 0.2  # long enough for two processes to be inside
LEASE_S = 0.5


@attrs.frozen(kw_only=True)
class Row:
    """One way to resume twice.

    Attributes:
        name: for people.
        verdicts: what the first and the second process say, yes or no.
        at_once: whether they start together.
        killed: whether the first is killed inside the tool.
        ours: what is said of hitl; `test_doubles` holds it against what was seen.
        loser: what the process that did not run the tool was told.
        theirs: what is said of openai-agents alone.
    """

    name: str
    ours: str = "once"
    loser: str = "`AlreadyDecided`; the run is finished, nothing is run"
    theirs: str = "**twice**"
    verdicts: tuple[bool, bool] = (True, True)
    at_once: bool = False
    killed: bool = False


_CLAIMED = "`AlreadyDecided`; `AlreadyClaimed`: by whom, and until when"
_BOTH = "once, and the model is told yes by one, no by the other"
ROWS = (
    Row(name="one after the other, both approve"),
    Row(name="at once, both approve", at_once=True, loser=_CLAIMED),
    Row(
        name="one after the other, first approves, second rejects",
        verdicts=(True, False),
        theirs=_BOTH,
    ),
    Row(
        name="at once, one approves, one rejects",
        verdicts=(True, False),
        at_once=True,
        ours="as the first verdict says",
        loser=_CLAIMED,
        theirs=_BOTH,
    ),
    Row(
        name="first is killed inside the tool, then the second",
        killed=True,
        loser="`InDoubt`: which call; settle it, then resume",
    ),
)


@attrs.frozen(kw_only=True)
class Seen:
    """What came of a row.

    Attributes:
        times: how often each call's tool ran.
        told: what each process said at its end; None for one that was killed.
    """

    times: Counter[str]
    told: tuple[str | None, str | None]


class _Slow(Log):
    """A log whose tool takes its time, and may be where a process dies."""

    def __init__(self, folder: Path, *, dies: bool) -> None:
        super().__init__()
        self._folder, self._dies = folder, dies

    def ran(self, tool: str, arguments: object, call_id: str | None = None) -> None:
        del tool, arguments
        with (self._folder / "effects").open("ab", buffering=0) as file:
            file.write(f"{call_id}\n".encode())
        time.sleep(_TOOL_S)
        if self._dies:
            os.kill(os.getpid(), signal.SIGKILL)


async def _pause_hitl(folder: Path) -> str:
    async with _store(folder) as store:
        agent = SHAPES[_SHAPE](Log())
        await hitl.run(agent, "go", store=store, run_id=RUN, run_config=CONFIG, lease_s=LEASE_S)
    return ""


async def _resume_hitl(folder: Path, *, yes: bool, dies: bool) -> str:
    said = []
    async with _store(folder) as store:
        verdict = hitl.approve(by="ana") if yes else hitl.reject(by="bo")
        try:
            for call in _CALLS:
                await store.decide(RUN, call, verdict)
        except HitlError as exc:
            said.append(type(exc).__name__)
        agent = SHAPES[_SHAPE](_Slow(folder, dies=dies))
        try:
            run = await hitl.resume(
                agent, RUN, store=store, run_config=CONFIG, lease_s=LEASE_S, worker=str(yes)
            )
            ran = run.result is not None
            said.append(run.status if ran else f"{run.status} before")
        except HitlError as exc:
            said.append(type(exc).__name__)
    return ", ".join(said)


async def _pause_alone(folder: Path) -> str:
    result = await Runner.run(SHAPES[_SHAPE](Log()), "go", run_config=CONFIG)
    (folder / "state.json").write_text(result.to_state().to_string())
    return ""


async def _resume_alone(folder: Path, *, yes: bool, dies: bool) -> str:
    from agents import RunState

    agent = SHAPES[_SHAPE](_Slow(folder, dies=dies))
    state = await RunState.from_string(agent, (folder / "state.json").read_text())
    for item in state.get_interruptions():
        (state.approve if yes else state.reject)(item)
    await Runner.run(agent, state, run_config=CONFIG)
    return "finished"


def _store(folder: Path) -> Any:
    return hitl.connect(f"sqlite:///{folder}/runs.db")


def _fork(folder: Path, number: int, work: Callable[[], Any]) -> int:
    """Run `work` in a child; what it says is left in a file."""
    pid = os.fork()
    if pid:
        return pid
    code = 9
    try:
        (folder / f"said-{number}").write_text(str(asyncio.run(work())))
        code = 0
    except BaseException:  # noqa: BLE001 - the child must not go on as its parent
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def play(row: Row, pause: Any, resume: Any) -> Seen:
    """Pause a run in one process and resume it in two others."""
    folder = Path(tempfile.mkdtemp(prefix="hitl-doubles-"))
    os.waitpid(_fork(folder, 0, lambda: pause(folder)), 0)
    running = []
    for number, yes in enumerate(row.verdicts):
        dies = row.killed and number == 0

        def work(*, yes: bool = yes, dies: bool = dies) -> Any:
            return resume(folder, yes=yes, dies=dies)

        running.append(_fork(folder, number + 1, work))
        if not row.at_once:
            os.waitpid(running.pop(), 0)
            if dies:
                time.sleep(LEASE_S)
    for pid in running:
        os.waitpid(pid, 0)
    effects = folder / "effects"
    said = [folder / f"said-{number}" for number in (1, 2)]
    first, second = (path.read_text() if path.exists() else None for path in said)
    return Seen(
        times=Counter(effects.read_text().split() if effects.exists() else ()),
        told=(first, second),
    )


def guarded(row: Row) -> Seen:
    """Play a row with hitl."""
    return play(row, _pause_hitl, _resume_hitl)


def alone(row: Row) -> Seen:
    """Play a row with openai-agents alone."""
    return play(row, _pause_alone, _resume_alone)


def table() -> str:
    """Give the table as Markdown."""
    lines = [
        (
            "| One approved run, resumed by two processes | with hitl the tool runs "
            "| the other process is told | openai-agents alone runs it |"
        ),
        "| --- | --- | --- | --- |",
    ]
    lines += [f"| {row.name} | {row.ours} | {row.loser} | {row.theirs} |" for row in ROWS]
    return "\n".join(lines)


def main() -> None:
    """Play every row; print them as JSON, then as a table."""
    warnings.simplefilter("ignore")
    results = [(row, guarded(row), alone(row)) for row in ROWS]
    plain = [
        {"row": row.name, "hitl": ours.times, "told": ours.told, "alone": theirs.times}
        for row, ours, theirs in results
    ]
    print(json.dumps(plain))
    print(table())


if __name__ == "__main__":
    main()
