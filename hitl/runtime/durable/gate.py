"""Intent before an effect, its result after it, and nothing once the lease is lost."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import field, frozen, mutable

from hitl.errors import HitlError, StoreUnavailable, Superseded
from hitl.runtime.durable.idempotent import KEY
from hitl.runtime.durable.value import dump_result, load_result
from hitl.runtime.durable.verdict import Bound
from hitl.store import Claim, Store, digest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine
    from types import TracebackType
    from typing import Self

    from hitl.store import Effect

log = logging.getLogger("hitl")

T = TypeVar("T")

_BEATS = 3  # renewals within one lease
_TRIES, _PAUSE_S = 5, 0.2  # a result is worth waiting for a busy database


class Halt(BaseException):
    """Stops the SDK before an effect; it never leaves a durable run.

    The SDK turns exceptions of a tool into text for the model, so this is none.

    Attributes:
        error: what the caller of the durable run is told.
    """

    def __init__(self, error: HitlError) -> None:
        super().__init__(error.message)
        self.error = error


@frozen(kw_only=True)
class Wanted:
    """A call that is about to run.

    Attributes:
        call: its name.
        tool, arguments_sha256: what it runs.
        idempotent: whether its tool may be run again by itself.
        cuttable: whether the SDK may cut the tool while it runs, because it has a time limit.
    """

    call: str
    tool: str
    arguments_sha256: str
    idempotent: bool = False
    cuttable: bool = False


@mutable(kw_only=True, eq=False)
class Gate:
    """What a claimed run may do.

    Attributes:
        store: where its rows are.
        claim: the right to write them.
        lease_s: for how long it is renewed.
        everything: whether calls that nobody is asked about pass the gate too.
        approved: the calls a person, or a verdict that covers them, said yes to.
        asking: calls whose tool wanted a person, as it says itself.
        lost: why nothing may be done any more; None while it may.
        on_lost: told at once when that happens.
        ran: what was started since the last checkpoint.
    """

    store: Store
    claim: Claim
    lease_s: float
    everything: bool = False
    approved: Mapping[str, Bound] = field(factory=dict)
    asking: set[str] = field(factory=set)
    lost: HitlError | None = None
    on_lost: Callable[[], None] = lambda: None
    ran: set[str] = field(factory=set)
    _running: set[asyncio.Task[Any]] = field(factory=set, init=False)
    _open: dict[str, str] = field(factory=dict, init=False)
    _stopping: bool = field(default=False, init=False)
    _heart: asyncio.Task[None] | None = field(default=None, init=False)

    async def __aenter__(self) -> Self:
        """Keep the lease alive from now on."""
        self._heart = asyncio.create_task(self._beat())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the lease be."""
        if self._heart is not None:
            self._heart.cancel()
            await asyncio.gather(self._heart, return_exceptions=True)

    async def _beat(self) -> None:
        until = time.monotonic() + self.lease_s
        while True:
            await asyncio.sleep(self.lease_s / _BEATS)
            asked = time.monotonic()
            try:
                self.claim = await self.store.renew(self.claim, lease_s=self.lease_s)
                until = asked + self.lease_s
            except StoreUnavailable as exc:
                if time.monotonic() > until:
                    self._lose(exc)
                    return
            except HitlError as exc:
                self._lose(exc)
                return

    def _lose(self, error: HitlError) -> None:
        log.warning("run %s: the lease is lost: %s", self.claim.run_id, error.message)
        self.lost = error
        self.on_lost()

    @property
    def started(self) -> frozenset[str]:
        """The calls that have an intent and no result."""
        return frozenset(self._open)

    def check(self) -> None:
        """Stop the SDK when nothing may be done any more."""
        if self.lost is not None:
            raise Halt(self.lost)

    async def still(self) -> None:
        """Ask the store whether the claim holds; before a model call that writes no checkpoint."""
        self.check()
        try:
            self.claim = await self.store.renew(self.claim, lease_s=self.lease_s)
        except Superseded as exc:
            raise Halt(exc) from exc
        except StoreUnavailable:  # the lease is alive; the next write will tell
            log.warning("run %s: the store does not answer", self.claim.run_id)

    def gates(self, call: str, *, asks: bool, scope: bool) -> bool:
        """Tell whether a call passes the gate; `scope`: it is one of an agent used as a tool."""
        everything = self.everything and not scope
        return asks or everything or call in self.approved or call in self.asking

    async def run(self, wanted: Wanted, execute: Callable[[], Awaitable[object]]) -> object:
        """Run a tool once in the life of the run; a recorded result is given instead.

        Cancelled, the tool goes on: its result is recorded all the same.
        """
        if wanted.cuttable:
            return await self._once(wanted, execute)
        return await asyncio.shield(self.keep(self._once(wanted, execute)))

    async def _once(self, wanted: Wanted, execute: Callable[[], Awaitable[object]]) -> object:
        effect = await self.enter(wanted)
        if effect.state == "finished":
            return self.result(effect)
        token = KEY.set(effect.key)
        try:
            result = await execute()
        finally:
            KEY.reset(token)
        await self.leave(wanted.call, result)
        return result

    def result(self, effect: Effect) -> object:
        """Give what was recorded of a call."""
        return load_result(effect.result)

    def keep(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Start work that is waited for before the run is let go, whoever cancels what."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def enter(self, wanted: Wanted) -> Effect:
        """Write the intent of a call; `finished` with its result when it ran before."""
        task = self.keep(self._enter(wanted))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            # The row may be written all the same; its tool is surely not entered.
            self.keep(self._unenter(task, wanted.call))
            raise

    async def _unenter(self, entering: asyncio.Task[Effect], call: str) -> None:
        await asyncio.wait([entering])
        await self.undo(call)

    async def _enter(self, wanted: Wanted) -> Effect:
        self.check()
        call = wanted.call
        try:
            effect = await self.store.start(
                self.claim,
                call,
                tool=wanted.tool,
                arguments_sha256=wanted.arguments_sha256,
                idempotent=wanted.idempotent,
            )
        except HitlError as exc:
            raise Halt(exc) from exc
        if effect.state != "finished":
            self._open[call] = wanted.tool
            self.ran.add(call)
            if self._stopping or self.lost is not None:
                await self.undo(call)
                raise Halt(self.lost or Superseded("the run was stopped before the tool was"))
            log.info("run %s: call %s of %s starts", self.claim.run_id, call, wanted.tool)
        return effect

    async def mark(self, name: str, kind: str, data: bytes) -> None:
        """Write a row that is no call: what it says counts until a checkpoint says it.

        Raises:
            Superseded: another has the run.
            StoreUnavailable: it may be written or not.
        """
        sha256 = digest(name.encode())  # not of what is said: a digest is stored in clear
        await self.store.start(
            self.claim, name, tool=kind, arguments_sha256=sha256, idempotent=True
        )
        await self.store.finish(self.claim, name, data)

    async def leave(self, call: str, result: object) -> None:
        """Record what a call gave."""
        await self.record(call, dump_result(result))

    async def record(self, call: str, data: bytes) -> None:
        """Record what a call gave, written by whoever reads it again."""
        for attempt in range(_TRIES):
            try:
                await self.store.finish(self.claim, call, data)
                break
            except StoreUnavailable as exc:
                if attempt == _TRIES - 1:
                    raise Halt(exc) from exc
                await asyncio.sleep(_PAUSE_S * 2**attempt)
            except HitlError as exc:
                log.warning("run %s: call %s ran, its result is refused", self.claim.run_id, call)
                raise Halt(exc) from exc
        self._open.pop(call, None)

    def give_back(self, call: str) -> asyncio.Task[None]:
        """Begin to take an intent back; what a lost store keeps of it, the next claim settles."""
        return self.keep(self._given_back(call))

    async def _given_back(self, call: str) -> None:
        try:
            await self.undo(call)
        except HitlError as exc:
            log.warning("run %s: %s was not taken back: %s", self.claim.run_id, call, exc.message)

    async def undo(self, call: str) -> None:
        """Take an intent back: its tool was surely not entered, or guards its own effects."""
        if self._open.pop(call, None) is not None:
            await self.store.undo(self.claim, call)

    async def told(self, call: str, result: object) -> None:
        """Record what the model is told of a call that the SDK cut and answered itself."""
        if call in self._open:
            await self.leave(call, result)

    def reopen(self) -> None:
        """Let tools start again, after `settle`."""
        self._stopping = False

    async def settle(self) -> None:
        """Let no tool start any more, and wait for those that run."""
        self._stopping = True
        while self._running:
            await asyncio.wait(set(self._running))
