"""Pause, decide, resume on the installed release, and what could be seen of it."""

# ruff: noqa: ANN401  (the SDK's objects, in the shape of whatever release is installed)

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any

from agents import Runner, RunState

import hitl
from hitl.dialects.openai_python import DIALECT
from hitl.errors import HitlError, LossError
from hitl.runtime import release
from tests.matrix.cast import OPTIONS, PARTS, Actor, Log, plain

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from agents import Agent

    from hitl import RunState as State
    from tests.matrix.case import Case

Outcome = dict[str, Any]
_STOPS = 4
_RUNS: Any = Runner
_LIVE: Any = RunState


class Memory:
    """A session in a list: the protocol of every release."""

    session_settings = None

    def __init__(self, items: list[Any]) -> None:
        self.session_id = "h"
        self.items = plain(items)

    async def get_items(self, limit: int | None = None) -> list[Any]:
        """The newest items, oldest first."""
        return plain(self.items if limit is None else self.items[-limit:] if limit else [])

    async def add_items(self, items: list[Any]) -> None:
        """Append."""
        self.items += plain(items)

    async def pop_item(self) -> Any:
        """Take the newest."""
        return self.items.pop() if self.items else None

    async def clear_session(self) -> None:
        """Forget everything."""
        self.items.clear()


class Stage:
    """The agents of a case, before or after the pause, with what they note."""

    def __init__(self, case: Case, *, paused: bool, items: list[Any] | None = None) -> None:
        build, script, before = PARTS[case.scenario]
        self.case = case
        self.log = Log()
        self.agent: Agent[Any] = build(Actor(script(), self.log, before if paused else 0))
        self.memory = Memory(items or []) if case.scenario == "session" else None

    def items(self) -> list[Any] | None:
        """What the session holds; None without a session."""
        return None if self.memory is None else list(self.memory.items)

    async def run(self, given: Any, **options: Any) -> Any:
        """Run the agents."""
        options["session"] = self.memory
        if not self.case.streamed:
            return await _RUNS.run(self.agent, given, **options)
        result = _RUNS.run_streamed(self.agent, given, **options)
        async for _ in result.stream_events():
            pass
        return result


def decide(case: Case, live: Any) -> None:
    """Let the SDK decide what waits."""
    for item in live.get_interruptions():
        match case.verdict:
            case "approve":
                live.approve(item)
            case "always":
                live.approve(item, always_approve=True)
            case "reject":
                live.reject(item)
            case "never":
                live.reject(item, always_reject=True)
            case "told":
                live.reject(item, **words(live))
            case verdict:
                raise LookupError(verdict)


def words(live: Any) -> dict[str, Any]:
    """What the model is told; nothing of one's own in the first releases."""
    known = inspect.signature(live.reject).parameters
    return {"rejection_message": "not today"} if "rejection_message" in known else {}


def decided(case: Case, state: State) -> State:
    """Let hitl decide what waits, without the agents."""
    for waiting in state.interruptions:
        always = case.verdict in {"always", "never"}
        if case.verdict in {"approve", "always"}:
            state = state.approve(waiting.call, by="ana", always=always)
        else:
            message = "not today" if case.verdict == "told" else None
            state = state.reject(waiting.call, message=message, by="ana", always=always)
    return state


async def pause(case: Case) -> tuple[Any, Stage]:
    """Run until somebody is asked; decided already where the case says so."""
    stage = Stage(case, paused=False)
    options = {"context": {"u": 1}, **OPTIONS.get(case.scenario, {})}
    live = (await stage.run("go", **options)).to_state()
    if not live.get_interruptions():
        raise LookupError("nothing waits")
    if case.decided:
        decide(case, live)
    return live, stage


async def go_on(stage: Stage, live: Any) -> Outcome:
    """Run a state to its end; what waits once more is approved."""
    stops: list[Any] = []
    error = output = None
    try:
        for _ in range(_STOPS):
            result = await stage.run(live)
            live = result.to_state()
            waiting = live.get_interruptions()
            if not waiting:
                output = plain(result.final_output)
                break
            stops.append([[item.name, _id(item)] for item in waiting])
            for item in waiting:
                live.approve(item)
    except Exception as exc:  # noqa: BLE001  (whatever the SDK raises is its outcome)
        error = f"{type(exc).__name__}: {exc}"
    written = json.loads(json.dumps(live.to_json(), default=repr))
    usage = written["context"]["usage"]
    return {
        "requests": stage.log.requests,
        "ran": stage.log.ran,
        "stops": stops,
        "output": output,
        "turn": written["current_turn"],
        "usage": [usage[key] for key in ("requests", "input_tokens", "output_tokens")],
        "session": stage.items(),
        "error": error,
    }


def _id(item: Any) -> Any:
    raw = plain(item.raw_item)
    return raw.get("call_id") or raw.get("id")


async def resumed(
    case: Case, items: list[Any] | None, read: Callable[[Agent[Any]], Awaitable[Any]]
) -> Outcome:
    """The outcome of reading a state for fresh agents, and of running it."""
    stage = Stage(case, paused=True, items=items)
    try:
        live = await read(stage.agent)
    except LossError as exc:
        assert not stage.log.requests + stage.log.ran
        losses: Any = exc.losses
        severity = "error" if any(loss.severity == "error" for loss in losses) else "warn"
        reasons = sorted({loss.reason for loss in losses if loss.severity == severity})
        return {"refused": f"LossError {severity}", "why": "; ".join(reasons)}
    except HitlError as exc:
        assert not stage.log.requests + stage.log.ran
        return {"refused": type(exc).__name__, "why": exc.message}
    except Exception as exc:  # noqa: BLE001  (as above)
        return {"refused": type(exc).__name__, "why": str(exc)}
    return await go_on(stage, live)


async def by_sdk(case: Case, text: str, items: list[Any] | None) -> Outcome:
    """The SDK alone reads and resumes."""

    async def read(agent: Agent[Any]) -> Any:
        live = await _LIVE.from_json(agent, json.loads(text))
        if not case.decided:
            decide(case, live)
        return live

    return await resumed(case, items, read)


async def by_hitl(case: Case, text: str, items: list[Any] | None, options: Any) -> Outcome:
    """Hitl reads, decides and restores."""

    async def read(agent: Agent[Any]) -> Any:
        state = hitl.loads(text)
        return await hitl.restore(agent, state if case.decided else decided(case, state), **options)

    return await resumed(case, items, read)


def opt_in(text: str) -> list[str]:
    """The repairs of a state that are done only when asked for by name."""
    found = hitl.check(text, dialect=DIALECT.name).repairs
    return sorted({repair.name for repair in found if repair.opt_in})


async def by_both(case: Case, text: str, items: list[Any] | None, options: Any) -> Outcome:
    """Hitl reads, decides and writes the release's own version; the SDK alone reads that."""

    async def read(agent: Agent[Any]) -> Any:
        state = hitl.loads(text)
        written = hitl.dumps(
            state if case.decided else decided(case, state),
            dialect=DIALECT.name,
            version=release.label(),
            **options,
        )
        return await _LIVE.from_json(agent, json.loads(written))

    return await resumed(case, items, read)
