"""Processes that share a database, forked; what they report comes back over pipes."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import sys
import traceback
from typing import TYPE_CHECKING, BinaryIO

from attrs import define

import hitl
from hitl.store import NewRequest, Save, digest

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from hitl.store import Store

SHA256 = digest(b"{}")


@define
class Child:
    """A process.

    Attributes:
        pid: its id.
        said: what it writes; ends when it ends.
    """

    pid: int
    said: BinaryIO

    def report(self) -> object:
        """Wait for what it reports."""
        with self.said:
            found = pickle.load(self.said)  # noqa: S301 - our own child wrote it
        assert os.waitpid(self.pid, 0)[1] == 0
        return found

    def kill(self) -> None:
        """End it as a crash does, wherever it is."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.said.close()


def fork(work: Callable[[], Coroutine[None, None, object]]) -> Child:
    """Run `work` in a loop of a process of its own; what it gives is reported."""
    read, write = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write)
        return Child(pid, os.fdopen(read, "rb"))
    code = 1
    try:
        os.close(read)
        with os.fdopen(write, "wb") as back:
            pickle.dump(asyncio.run(work()), back)
        code = 0
    except BaseException:  # noqa: BLE001 - a child must not run the tests of its parent
        traceback.print_exc(file=sys.stderr)
    finally:
        os._exit(code)


async def approved(store: Store, run_id: str, call: str = "call") -> None:
    """Make a run that is ready to go on."""
    claim = await store.create(run_id, b"kickoff", worker="maker", lease_s=60)
    ask = NewRequest(call=call, tool="pay", agent=None, arguments_sha256=SHA256, body=b"{}")
    await store.save(claim, Save(event="pause", head=b"paused", base=0, requests=[ask]))
    await store.decide(run_id, call, hitl.approve(by="ana"))
