"""The two players: the real SDKs, each given the same job and saying the same kind of outcome.

A job names a definition. To `pause` is to run to the first pause, to give verdicts if there are
some, and to write the state; to `resume` is to read one, to give verdicts and to go on, pause by
pause, until nothing waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs
from agents import RunState

from tests.agents.cycle import go
from tests.agents.log import Log
from tests.agents.model import plain
from tests.agents.oracle import call_id_of
from tests.agents.session import MemorySession
from tests.node import definitions, room

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.agents.oracle import LiveState

Verdict: TypeAlias = Literal["leave", "approve", "always", "reject", "told", "never"]
Outcome: TypeAlias = dict[str, Any]
_MOST_PAUSES = 6


@attrs.frozen(kw_only=True)
class Job:
    """What is played.

    Attributes:
        definition: a name of `tests.node.definitions`.
        streamed: whether runs are streamed.
        verdict: what is said to every call that waits.
        exact: call id → what is said to that call instead.
        state: the state to resume, in the player's own form; None to pause.
        session: what the session holds, in the player's own form.
        legs: how many runs at most; None until nothing waits.
    """

    definition: str
    streamed: bool = False
    verdict: Verdict = "leave"
    exact: Mapping[str, Verdict] = attrs.field(factory=dict)
    state: str | None = None
    session: Sequence[Any] = ()
    legs: int | None = None


def in_node(jobs: Sequence[Job], **env: str) -> list[Outcome]:
    """Play jobs on the JavaScript SDK, in one process.

    Raises:
        NodeError: there is no Node or no SDK, or the worker itself failed.
    """
    outcomes = room.work([node_job(job) for job in jobs], **env)
    wrong = [outcome["thrown"] for outcome in outcomes if "thrown" in outcome]
    if wrong:
        raise room.NodeError(f"the worker failed: {wrong[0]}")
    return [outcome["value"] for outcome in outcomes]


def node_job(job: Job) -> dict[str, Any]:
    """A job as the worker reads it."""
    definition = definitions.of(job.definition)
    first = job.state is None
    options = {_camel(key): value for key, value in definition.options.items()}
    return {
        "kind": "pause" if first else "resume",
        "definition": job.definition,
        "given": definition.given_js or definition.given,
        "options": options,
        "staged": definition.staged,
        "streamed": job.streamed or (first and definition.streamed),
        "verdict": job.verdict,
        "exact": job.exact,
        "state": job.state,
        "session": list(job.session) if definition.session else None,
        "legs": job.legs or _MOST_PAUSES,
    }


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(each.title() for each in others)


def in_python(jobs: Sequence[Job]) -> list[Outcome]:
    """Play jobs on the Python SDK, in this process."""
    return [asyncio.run(_Stage(job).play()) for job in jobs]


_VERDICTS: dict[Verdict, Callable[[LiveState, Any], None]] = {
    "leave": lambda _state, _item: None,
    "approve": lambda state, item: state.approve(item),
    "always": lambda state, item: state.approve(item, always_approve=True),
    "reject": lambda state, item: state.reject(item),
    "told": lambda state, item: state.reject(item, rejection_message="not today"),
    "never": lambda state, item: state.reject(item, always_reject=True, rejection_message="never"),
}


class _Stage:
    """Agents, session and notebook of one job."""

    def __init__(self, job: Job) -> None:
        self.job, self.definition = job, definitions.of(job.definition)
        self.log = Log()
        self.agent = definitions.cast(job.definition)(self.log)
        self.session = MemorySession("sess_1", job.session) if self.definition.session else None
        self.stops: list[list[list[Any]]] = []

    async def play(self) -> Outcome:
        if self.job.state is None:
            return await self._pause()
        try:
            return await self._resume(self.job.state)
        except Exception as exc:  # noqa: BLE001  (whatever the SDK raises is its outcome)
            return self._outcome(None, exc)

    async def _go(self, given: Any, *, streamed: bool, **options: Any) -> Any:  # noqa: ANN401  (of Runner)
        return await go(self.agent, given, streamed=streamed, session=self.session, **options)

    async def _pause(self) -> Outcome:
        streamed = self.job.streamed or self.definition.streamed
        result = await self._go(self.definition.given, streamed=streamed, **self.definition.options)
        state = result.to_state()
        self.stops.append(_pending(state))
        if self.definition.staged is not None:
            state.add_input(self.definition.staged)
        self._decide(state)
        return self._outcome(result, None, state)

    async def _resume(self, text: str) -> Outcome:
        state: LiveState = await RunState.from_string(self.agent, text)
        self.stops.append(_pending(state))
        for _ in range(self.job.legs or _MOST_PAUSES):
            decided = self._decide(state)
            result = await self._go(state, streamed=self.job.streamed)
            state = result.to_state()
            if not result.interruptions:
                break
            self.stops.append(_pending(state))
            if not decided:
                break
        return self._outcome(result, None, state)

    def _decide(self, state: LiveState) -> bool:
        """Give verdicts to what waits; say whether there was one."""
        said = [
            (item, self.job.exact.get(str(call_id_of(item)), self.job.verdict))
            for item in state.get_interruptions()
        ]
        for item, word in said:
            _VERDICTS[word](state, item)
        return any(word != "leave" for _, word in said)

    def _outcome(
        self,
        result: Any,  # noqa: ANN401  (RunResult of either kind)
        error: Exception | None,
        state: LiveState | None = None,
    ) -> Outcome:
        items = None if self.session is None else plain(self.session.items)
        return {
            "requests": [_request(each) for each in self.log.requests],
            "tool_runs": [attrs.asdict(each) for each in self.log.tool_runs],
            "stops": self.stops,
            "final_output": None if result is None else plain(result.final_output),
            "last_agent": None if result is None else result.last_agent.name,
            "items": items,
            "session": items,
            "state": None if state is None else state.to_string(),
            "error": None if error is None else [type(error).__name__, str(error)],
        }


def _request(request: Any) -> dict[str, Any]:  # noqa: ANN401  (an attrs class)
    shown = attrs.asdict(request, filter=attrs.filters.exclude("settings"))
    return plain(shown)


def _pending(state: LiveState) -> list[list[Any]]:
    return [
        [item.agent.name, item.name, call_id_of(item), item.arguments]
        for item in state.get_interruptions()
    ]
