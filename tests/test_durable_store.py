"""T7: a database that does not answer, at each write of a durable run, before and after it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

import hitl
from hitl.errors import AlreadyClaimed, InDoubt, StoreUnavailable
from tests.agents.disturbed import SHAPES
from tests.agents.durably import QUIET as CONFIG
from tests.agents.log import Log
from tests.agents.model import plain
from tests.agents.session import MemorySession

if TYPE_CHECKING:
    from collections.abc import Callable

    from hitl.store import Store

RUN = "run_1"
WRITES = ("save", "start", "finish", "claim", "release")


class Failing:
    """A store that is away once, at the n-th call of one method: before it, or just after."""

    def __init__(self, store: Store, method: str, number: int, *, after: bool) -> None:
        self._store, self._method, self._after = store, method, after
        self.left = number

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._store, name)
        if name != self._method:
            return method

        async def failing(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
            self.left -= 1
            if self.left == 0 and not self._after:
                raise StoreUnavailable("the database is away")
            result = await method(*args, **kwargs)
            if self.left == 0:
                raise StoreUnavailable("the database is away")
            return result

        return failing


async def _play(shape: str, store: Any, real: Store) -> tuple[Log, MemorySession, object]:  # noqa: ANN401
    log, session = Log(), MemorySession("s")
    shared: Any = {
        "store": store,
        "session": session,
        "run_config": CONFIG,
        "lease_s": 0.05,
    }
    for _ in range(60):
        agent = SHAPES[shape](log)
        try:
            run = await hitl.run(agent, "go", run_id=RUN, **shared)
            if run.result is None:
                run = await hitl.resume(agent, RUN, **shared)
        except StoreUnavailable:
            continue
        except AlreadyClaimed:
            await asyncio.sleep(0.02)
            continue
        except InDoubt as exc:
            for call in exc.calls:
                ran = call.rpartition("/")[2] in {each.call_id for each in log.tool_runs}
                result = b"paid" if ran else None
                await real.settle(RUN, call, "happened" if ran else "rerun", result=result)
            continue
        if run.status == "finished":
            return log, session, run.final_output
        for request in await real.waiting(run_id=RUN):
            await real.decide(RUN, request.call, hitl.approve(by="ana"))
    raise AssertionError(await real.run(RUN))


async def _once(shape: str, method: str, number: int, *, after: bool) -> tuple[Any, ...]:
    async with hitl.connect("memory:") as real:
        store = Failing(real, method, number, after=after)
        return (*await _play(shape, store, real), store.left)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("shape", ["plain", "asked"])
def test_away_once(shape: str, method: str, *, after: bool) -> None:
    """T7: whichever write fails, the run ends as if none had, each approved call once."""
    expected = asyncio.run(_once(shape, "nothing", 1, after=False))
    for number in range(1, 9):
        log, session, _, left = asyncio.run(_once(shape, method, number, after=after))
        if left > 0:
            break
        paid = [each.call_id for each in log.tool_runs if each.tool == "pay"]
        assert sorted(paid) == ["call_1", "call_2"], number
        kinds = [(each.get("type"), each.get("call_id")) for each in plain(session.items)]
        wanted = [(each.get("type"), each.get("call_id")) for each in plain(expected[1].items)]
        assert kinds == wanted, number
