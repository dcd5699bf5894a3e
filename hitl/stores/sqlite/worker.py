"""One thread that does what may block, so that the event loop does not."""

from __future__ import annotations

import asyncio
import logging
import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from hitl.errors import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

_log = logging.getLogger("hitl.store")


class Worker:
    """A thread and the order of what it does."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._process = 0

    def start(self) -> None:
        """Begin."""
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hitl-store")
        self._process = os.getpid()

    def stop(self) -> None:
        """Let the thread end; nothing is left for it to do."""
        pool, self._pool = self._pool, None
        if pool is not None and self._process == os.getpid():
            pool.shutdown(wait=False)

    async def call(self, work: Callable[[], T], back: Callable[[T], object] | None = None) -> T:
        """Run `work` in the thread.

        Cancelled before it began, it never does. Cancelled after, it is waited for; then `back`
        gets what it gave, in the thread, and only then the cancellation goes on.

        Raises:
            StoreUnavailable: not started, or started in the process this one was forked from.
        """
        if self._pool is None or self._process != os.getpid():
            raise StoreUnavailable("the store is not open in this process", hint="async with store")
        job = self._pool.submit(work)
        try:
            return await asyncio.shield(asyncio.wrap_future(job))
        except asyncio.CancelledError:
            if not job.cancel():
                await _settled(self._pool.submit(_give_back, job, back))
            raise


def _give_back(job: Future[T], back: Callable[[T], object] | None) -> None:
    """Undo what a caller asked for who is gone; runs behind the job, in the same thread."""
    error = job.exception()
    if error is not None:
        _log.debug("a cancelled call of a store failed: %s", type(error).__name__)
    elif back is not None:
        try:
            back(job.result())
        except StoreError as exc:
            _log.warning("a cancelled call of a store could not be taken back: %s", exc.code)


async def _settled(job: Future[None]) -> None:
    """Wait for a job, whatever happens to the task."""
    waiter = asyncio.ensure_future(asyncio.wrap_future(job))
    while not waiter.done():
        try:
            await asyncio.shield(waiter)
        except asyncio.CancelledError:
            continue
