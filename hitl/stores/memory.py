"""Runs in memory, for tests and demos: `memory:`. They end with the object that holds them."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Self, TypeVar

from hitl.gate.desk import Desk
from hitl.gate.row import Asked, Kept, Logged, Record
from hitl.lifecycle import waits

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from types import TracebackType

    from hitl.gate.row import Rows
    from hitl.lifecycle import Status
    from hitl.store import Checkpoint, Cipher, Claim, Request, Run

T = TypeVar("T")
K = TypeVar("K")
V = TypeVar("V")


class MemoryStore(Desk):
    """A store that lives as long as the object; safe between threads, not between processes.

    Args:
        clock: gives seconds since 1970.
    """

    SCHEMES = ("memory",)

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._lock = threading.Lock()
        self._rows = _Tables(clock)

    @classmethod
    def connect(cls, url: str, *, cipher: Cipher | None, timeout_s: float) -> Self:
        """Make an empty one; there is nothing to seal and nobody to wait for."""
        del url, cipher, timeout_s
        return cls()

    async def write(
        self, work: Callable[[Rows], T], *, back: Callable[[Rows, T], object] | None = None
    ) -> T:
        """Run `work`; nothing in here waits, so nobody can be cancelled meanwhile."""
        del back
        with self._lock:
            try:
                return work(self._rows)
            except Kept as kept:
                error = kept.error
            except BaseException:
                self._rows.roll_back()
                raise
            finally:
                self._rows.undo.clear()
        raise error

    async def wipe(self) -> None:
        """Do nothing: what is deleted is gone."""

    async def read(self, work: Callable[[Rows], T]) -> T:
        """Run `work`."""
        return await self.write(work)

    async def __aenter__(self) -> Self:
        """Give the store."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Do nothing: the runs stay as long as the object."""


STORE = MemoryStore


class _Tables:
    """The rows, in dicts that keep the order of insertion; every write notes how to undo it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._latest = 0.0
        self.undo: list[Callable[[], object]] = []
        self._runs: dict[str, Record] = {}
        self._kickoffs: dict[str, bytes] = {}
        self._logs: dict[str, list[bytes]] = {}
        self._checkpoints: dict[tuple[str, int], Checkpoint] = {}
        self._asked: dict[tuple[str, str], Asked] = {}
        self._effects: dict[tuple[str, str], Logged] = {}

    def now(self) -> float:
        """Give the time; it does not go back when somebody sets the clock."""
        self._latest = max(self._latest, self._clock())
        return self._latest

    def roll_back(self) -> None:
        """Undo what was written, the last first."""
        for step in reversed(self.undo):
            step()

    def _put(self, table: dict[K, V], key: K, value: V) -> None:
        if key in table:
            old = table[key]
            self.undo.append(lambda: table.__setitem__(key, old))
        else:
            self.undo.append(lambda: table.pop(key))
        table[key] = value

    def _drop(self, table: dict[K, V], doomed: Callable[[K], bool]) -> None:
        before = dict(table)
        kept = {key: value for key, value in before.items() if not doomed(key)}
        self._replace(table, kept)
        self.undo.append(lambda: self._replace(table, before))

    @staticmethod
    def _replace(table: dict[K, V], rows: dict[K, V]) -> None:
        table.clear()
        table.update(rows)

    def record(self, run_id: str) -> Record | None:
        return self._runs.get(run_id)

    def add_record(self, record: Record, kickoff: bytes) -> None:
        self._put(self._runs, record.run.run_id, record)
        self._put(self._kickoffs, record.run.run_id, kickoff)
        self._put(self._logs, record.run.run_id, [])

    def put_record(self, record: Record) -> None:
        self._put(self._runs, record.run.run_id, record)

    def remove(self, run_id: str) -> None:
        self._drop(self._runs, lambda key: key == run_id)
        self._drop(self._kickoffs, lambda key: key == run_id)
        self._drop(self._logs, lambda key: key == run_id)
        self._drop(self._checkpoints, lambda key: key[0] == run_id)
        self._drop(self._asked, lambda key: key[0] == run_id)
        self._drop(self._effects, lambda key: key[0] == run_id)

    def records(
        self, status: Collection[Status] | None, after: str | None, limit: int
    ) -> Sequence[Run]:
        found = [record.run for record in self._runs.values()]
        if after is not None:
            found = found[1 + [run.run_id for run in found].index(after) :]
        return [run for run in found if status is None or run.status in status][:limit]

    def untouched(self, status: Collection[Status], before: float, limit: int) -> Sequence[str]:
        runs = (record.run for record in self._runs.values())
        old = [run.run_id for run in runs if run.status in status and run.updated_at <= before]
        return old[:limit]

    def kickoff(self, run_id: str) -> bytes:
        return self._kickoffs[run_id]

    def add_checkpoint(self, claim: Claim, checkpoint: Checkpoint, new: Sequence[bytes]) -> None:
        run_id = claim.run_id
        log = self._logs[run_id]
        length = len(log)
        self.undo.append(lambda: log.__delitem__(slice(length, None)))
        log.extend(new)
        self._put(self._checkpoints, (run_id, checkpoint.number), checkpoint)

    def checkpoint(self, run_id: str, number: int) -> Checkpoint | None:
        return self._checkpoints.get((run_id, number))

    def entries(self, run_id: str, checkpoint: int) -> tuple[bytes, ...]:
        return tuple(self._logs[run_id][: self._checkpoints[run_id, checkpoint].entries])

    def asked(self, run_id: str, call: str) -> Asked | None:
        return self._asked.get((run_id, call))

    def all_asked(self, run_id: str) -> Sequence[Asked]:
        mine = [each for (run, _), each in self._asked.items() if run == run_id]
        return sorted(mine, key=lambda each: (each.pause, each.position))

    def open_asked(self, run_id: str) -> Sequence[Asked]:
        return [each for (run, _), each in self._asked.items() if run == run_id and each.open]

    def add_asked(self, asked: Asked) -> None:
        self._put(self._asked, (asked.request.run_id, asked.request.call), asked)

    put_asked = add_asked

    def due(self, now: float) -> Sequence[Asked]:
        timed = [
            (each.request.expires_at, number, each)
            for number, each in enumerate(self._asked.values())
            if each.open and each.request.expires_at is not None and each.request.expires_at <= now
        ]
        return [each for _, _, each in sorted(timed, key=lambda row: row[:2])]

    def waiting(self, run_id: str | None, limit: int) -> Sequence[Request]:
        return [
            each.request
            for each in self._asked.values()
            if each.open
            and run_id in {None, each.request.run_id}
            and waits(self._runs[each.request.run_id].run.status)
        ][:limit]

    def effect(self, run_id: str, call: str) -> Logged | None:
        return self._effects.get((run_id, call))

    def effects(self, run_id: str) -> Sequence[Logged]:
        return [each for (run, _), each in self._effects.items() if run == run_id]

    def unsettled(self, run_id: str) -> Sequence[Logged]:
        open_states = {"started", "in_doubt"}
        return [each for each in self.effects(run_id) if each.effect.state in open_states]

    def add_effect(self, logged: Logged) -> None:
        self._put(self._effects, (logged.run_id, logged.effect.call), logged)

    put_effect = add_effect

    def remove_effect(self, run_id: str, call: str) -> None:
        self._drop(self._effects, lambda key: key == (run_id, call))
