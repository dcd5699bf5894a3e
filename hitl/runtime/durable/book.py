"""What the store has of a claimed run, and how it gets there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve, field, mutable

from hitl.errors import HitlError
from hitl.model import RunState, staging
from hitl.runtime.durable.gate import Gate, Halt
from hitl.runtime.durable.late import Late
from hitl.runtime.durable.packed import Note, pack
from hitl.runtime.durable.request import Requests
from hitl.runtime.durable.said import Said
from hitl.runtime.durable.session import Memory
from hitl.store import Save

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.store import NewRequest, Run, Stop


@mutable(kw_only=True, eq=False)
class Book:
    """The checkpoints of one claim.

    Attributes:
        gate: the store, and the right to write to it.
        requests, memory: whose rows a checkpoint makes needless.
        late: what a checkpoint takes along.
        said: where that is until then.
        length: how long the log is, as it is stored.
        note: what belongs to the run beside its state.
        state: the newest checkpoint; None before the first.
    """

    gate: Gate
    requests: Requests
    memory: Memory
    late: Late = field(init=False)
    said: Said = field(init=False)
    length: int = 0
    note: Note = field(factory=Note)
    state: RunState | None = None
    _untouched: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self.said = Said(gate=self.gate)
        self.late = Late(self.said)

    async def save(
        self,
        event: Any,  # noqa: ANN401 - see `Save`
        state: RunState,
        *,
        requests: tuple[NewRequest, ...] = (),
        reason: Stop | None = None,
        note: str | None = None,
        forget: Sequence[str] = (),
    ) -> Run:
        """Write a checkpoint; see `Save`."""
        await self.said.written()
        rows = [*self.said.rows]
        known = evolve(self.note, late=self.late.held, left=self.requests.talk.left)
        packed = pack(state, known, self.length)
        covered = self.requests.covered(state)
        save = Save(
            event=event,
            head=packed.head,
            base=packed.base,
            new=packed.new,
            requests=requests,
            forget=tuple(dict.fromkeys((*covered, *self.memory.marks, *rows, *forget))),
            reason=reason,
            note=note,
        )
        try:
            run = await self.gate.store.save(self.gate.claim, save)
        except HitlError as exc:
            raise Halt(exc) from exc
        self.requests.saved(save.forget)
        self.memory.saved(covered)
        self.said.forget(rows)
        self.length, self.state = packed.entries, state
        self.late.stored()
        return run

    async def rest(
        self, reason: Stop, note: str | None = None, forget: Sequence[str] = ()
    ) -> Run | None:
        """Let the run go as its newest checkpoint is, with the input that was added since.

        Returns:
            Its row; None where it is let go already, or taken by another.
        """
        if self.gate.lost is not None or self._untouched:
            return None
        await self.memory.give_up(forget)
        await self.said.written()
        state = self._with_late(forget)
        if state is not None:
            # No worker stopped with the newest checkpoint: what this one wrote elsewhere is late.
            self.note = evolve(self.note, cut=True)
            return await self.save("stop", state, reason=reason, note=note, forget=forget)
        claim = self.gate.claim
        return await self.gate.store.release(claim, reason=reason, note=note, forget=forget)

    def _with_late(self, forget: Sequence[str]) -> RunState | None:
        """Give the newest checkpoint with what was added since; None when it holds all.

        Where a request is out, or answered, without what was added, it is no part of that; nor
        where the run may end first. Before the first checkpoint rows hold it.
        """
        left = self.late.left
        if not left or self.state is None:
            return None
        if self.requests.under_way(forget) or staging.refusal(self.state) is not None:
            self.late.keep(left, waits=True)
            return self.state
        self.late.keep((), waits=False)
        return staging.stage(self.state, left)

    async def leave(self) -> None:
        """Let a run go on which nothing was done."""
        if self.gate.lost is None:
            await self.gate.store.release(self.gate.claim)
            self._untouched = True
