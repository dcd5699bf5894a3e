"""What is said to a run that goes on, in rows of its own until a checkpoint holds it.

A checkpoint is written where the SDK is between two steps; a row at once, so that a process that
dies in between has lost nothing that it said was stored.
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import field, mutable

from hitl import document
from hitl.errors import HitlError, StoreUnavailable
from hitl.runtime.durable.gate import Gate, Halt
from hitl.runtime.durable.turn import SAID

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hitl.document import JSONValue
    from hitl.store import Effect

log = logging.getLogger("hitl")


@mutable(kw_only=True, eq=False)
class Said:
    """The rows of one claim.

    Attributes:
        gate: who may write them.
        rows: their names, and those that workers before left; of no use behind a checkpoint.
    """

    gate: Gate
    rows: list[str] = field(factory=list)
    _count: int = field(default=0, init=False)
    _last: asyncio.Task[None] | None = field(default=None, init=False)
    _unsure: bool = field(default=False, init=False)

    def write(self, items: Sequence[JSONValue]) -> asyncio.Future[None]:
        """Begin to write items, behind what is being written; done when they are stored."""
        self._count += 1
        name = f"{SAID}{self.gate.claim.generation}.{self._count}"
        stored = asyncio.get_running_loop().create_future()
        self._last = self.gate.keep(self._write(name, document.encode([*items]), self._last))
        self._last.add_done_callback(partial(_tell, stored))
        return stored

    async def _write(self, name: str, data: bytes, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        try:
            await self.gate.mark(name, "input", data)
        except StoreUnavailable:
            self._unsure = True
            raise
        self.rows.append(name)

    async def written(self) -> None:
        """Wait for all that is being written, and learn which rows there are where that failed."""
        while self._last is not None and not self._last.done():
            await asyncio.wait([self._last])
        if not self._unsure:
            return
        try:
            stored = await self.gate.store.load(self.gate.claim.run_id)
        except HitlError as exc:
            raise Halt(exc) from exc
        self.rows, self._unsure = rows_of(stored.effects), False

    def forget(self, rows: Iterable[str]) -> None:
        """Take it that a checkpoint holds what is in these rows, and that they are gone."""
        gone = set(rows)
        self.rows = [each for each in self.rows if each not in gone]


def _tell(stored: asyncio.Future[None], task: asyncio.Task[None]) -> None:
    """Tell whoever waits whether items are stored; nobody need wait."""
    error = None if task.cancelled() else task.exception()
    if error is not None:
        log.warning("added input is in this process alone until a checkpoint: %s", error)
    if stored.done():  # whoever waited does so no more
        return
    if task.cancelled():
        stored.cancel()
    elif error is None:
        stored.set_result(None)
    else:
        stored.set_exception(error)
        stored.exception()  # it is logged: nobody need ask for it


def rows_of(effects: Iterable[Effect]) -> list[str]:
    """Give the names of the rows among effects; of one that was cut nobody was told."""
    ended = (each for each in effects if each.state in {"finished", "rerun"})
    return [each.call for each in ended if each.call.startswith(SAID)]


def items_of(effects: Iterable[Effect]) -> tuple[JSONValue, ...]:
    """Give what was said and is in no checkpoint, tagged, in order."""
    rows = (each.result for each in effects if each.call.startswith(SAID) and each.result)
    said: list[Any] = [document.parse(each) for each in rows]
    return tuple(item for items in said for item in items)
