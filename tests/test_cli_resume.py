"""`hitl resume`: a stored run goes on from the command line."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import hitl
from hitl.runtime.durable.packed import unpack
from tests.agents.disturbed import SHAPES
from tests.agents.durably import QUIET
from tests.agents.log import Log
from tests.agents.session import MemorySession
from tests.conversation.sessions import told
from tests.test_cli import invoke, said

if TYPE_CHECKING:
    from pathlib import Path

    from agents import Agent

AGENT = "tests.test_cli_resume:agent"
SESSION = MemorySession("s")


def agent() -> Agent:
    """The agent that the command finds."""
    return SHAPES["parallel"](Log())


def _paused(folder: Path, session: MemorySession | None = None) -> str:
    url = f"sqlite:///{folder}/runs.db"

    async def start() -> None:
        async with hitl.connect(url) as store:
            shared: Any = {"store": store, "session": session, "run_config": QUIET}
            await hitl.run(agent(), "go", run_id="r", **shared)

    asyncio.run(start())
    return url


async def session() -> MemorySession:
    """The session that the command finds."""
    return SESSION


def _decide(url: str, call: str) -> None:
    async def decide() -> None:
        async with hitl.connect(url) as store:
            await store.decide("r", call, hitl.approve(by="ana"))

    asyncio.run(decide())


def test_until_the_end(tmp_path: Path) -> None:
    """A run goes on as far as its verdicts reach, then ends; ended, it is shown again."""
    url = _paused(tmp_path)
    options = ("r", "--store", url, "--agent", AGENT)
    assert said("resume", *options)["waiting"] == ["call_1", "call_2"]
    _decide(url, "call_1")
    assert said("resume", *options) == {
        "run": "r",
        "status": "waiting",
        "waiting": ["call_2"],
        "final_output": None,
    }
    _decide(url, "call_2")
    for _ in range(2):
        assert "finished" in invoke("resume", *options).stdout
    assert said("resume", *options)["final_output"].startswith("ops saw")


def test_refused(tmp_path: Path) -> None:
    """A run that is not there is refused; an agent that is not there is wrong usage."""
    url = _paused(tmp_path)
    error = said("resume", "x", "--store", url, "--agent", AGENT, code=1)["error"]
    assert error["code"] == "unknown-run"
    for spec in ("agent", "tests.nowhere:agent", "tests.test_cli_resume:nothing"):
        invoke("resume", "r", "--store", url, "--agent", spec, code=2)


def test_in_its_session(tmp_path: Path) -> None:
    """The session of the run is named too; without it the run is refused, and waits on."""
    SESSION.items.clear()
    url = _paused(tmp_path, SESSION)
    options = ("r", "--store", url, "--agent", AGENT)
    _decide(url, "call_1")
    assert said("resume", *options, code=1)["error"]["code"] == "session-mismatch"
    memory = ("--session", "tests.test_cli_resume:session")
    assert said("resume", *options, *memory)["waiting"] == ["call_2"]
    _decide(url, "call_2")
    assert said("resume", *options, "--allow-other-session")["status"] == "finished"
    assert len(told(SESSION.items)) == 4
    SESSION.items.append(SESSION.items[1])
    assert said("resume", *options, *memory, "--repair-session")["status"] == "finished"
    held = told(SESSION.items)
    assert held[:4] == ["u:go", "call_1", "call_2", "call_1=paid 1"]
    assert held[4] == "call_2=paid 2"
    assert len(held) == 6
    invoke("resume", *options, "--session", "nowhere", code=2)


def test_turn_limit(tmp_path: Path) -> None:
    """R-15: a limit is raised to a number of turns, or to none."""
    url = f"sqlite:///{tmp_path}/runs.db"

    async def start() -> None:
        async with hitl.connect(url) as store:
            await hitl.run(agent(), "go", store=store, run_id="r", run_config=QUIET, max_turns=1)

    def limit() -> int | None:
        async def load() -> int | None:
            async with hitl.connect(url) as store:
                return unpack(await store.load("r"))[0].turn.max

        return asyncio.run(load())

    asyncio.run(start())
    options = ("r", "--store", url, "--agent", AGENT)
    _decide(url, "call_1")
    said("resume", *options)
    assert limit() == 1
    said("resume", *options, "--force", "--max-turns", "3")
    assert limit() == 3
    said("resume", *options, "--force", "--no-turn-limit")
    assert limit() is None
