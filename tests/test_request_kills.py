"""`kill -9` around a request to a server conversation: the next process meets the same server."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

import hitl
from hitl.errors import InDoubt
from tests.conversation.child import CONVERSATION, LEASE_S, RUN, server, work
from tests.conversation.life import Life
from tests.conversation.server import short

ROOT = Path(__file__).parents[1]
_KILLED = -9


def killed_at(folder: Path, place: str) -> None:
    """Let a process of its own work on the run until it is killed there."""
    command = [sys.executable, "-m", "tests.conversation.child", str(folder), place]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=60)
    assert done.returncode == _KILLED, done.stderr.decode()
    time.sleep(LEASE_S)


async def finished(folder: Path, *, doubt: bool) -> None:
    """Go on in this process to the end; a listing says what became of the request."""
    async with hitl.connect(f"sqlite:///{folder}/runs.db") as store:
        if doubt:
            with pytest.raises(InDoubt):
                await work(folder, Life())
            listing = server(folder).server.conversations.get(CONVERSATION, [])
            await hitl.reconcile(store, RUN, listing, start=0)
        await work(folder, Life())
        await store.decide(RUN, "call_1", hitl.approve(by="ana"))
        run = await work(folder, Life())
        assert run.status == "finished"


@pytest.mark.parametrize(
    ("place", "arrived", "doubt"),
    [
        ("before request", False, True),
        ("after request", True, True),
        ("after finish", True, False),
    ],
)
def test_killed(tmp_path: Path, place: str, *, arrived: bool, doubt: bool) -> None:
    """Law 7: wherever it is killed, each item is received once, or in doubt until listed."""
    killed_at(tmp_path, place)
    assert [each.arrived for each in server(tmp_path).exchanges] == [True] * arrived
    asyncio.run(finished(tmp_path, doubt=doubt))
    told = [*map(short, server(tmp_path).server.conversations[CONVERSATION])]
    assert told == ["go", "call_1?", "call_1!", "msg_1"]
    assert (tmp_path / "effects").read_text().split() == ["call_1"]
    assert len(server(tmp_path).exchanges) == 2
