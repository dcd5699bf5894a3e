"""A run in a store, taken up by new agents at every pause; seen as `cycle` sees its runs."""

# ruff: noqa: ANN401  (`options` are those of hitl.run)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents import RunConfig
from agents.exceptions import AgentsException

import hitl
from tests.agents.cycle import _Run
from tests.agents.oracle import call_id_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.store import Store
    from tests.agents.cycle import Round, Seen
    from tests.agents.scenario import Cast

RUN = "run_1"
QUIET = RunConfig(tracing_disabled=True)


class _Durable(_Run):
    """One run in a store, step by step."""

    def __init__(
        self, store: Store, cast: Cast, *, streamed: bool, options: dict[str, Any]
    ) -> None:
        super().__init__(cast, streamed=streamed, options=options)
        self.store = store

    async def step(self, *, first: bool, **options: Any) -> hitl.DurableRun | None:
        agent = self.cast(self.log)
        # What belongs to the run is stored; the rest is given again, as to Runner.run.
        again = {key: value for key, value in self.options.items() if key not in _STORED}
        given = self.options if first else again
        options = {"session": self.session, "run_config": QUIET, **given, **options}
        begin = (hitl.run, hitl.run_streamed) if first else (hitl.resume, hitl.resume_streamed)
        what = "go" if first else RUN
        if first:
            options["run_id"] = RUN
        try:
            if not self.streamed:
                run = await begin[0](agent, what, store=self.store, **options)
            else:
                stream = begin[1](agent, what, store=self.store, **options)
                async for _ in stream.stream_events():
                    pass
                run = stream.run
        except AgentsException as exc:
            self.result, self.error = None, (type(exc).__name__, str(exc))
            return None
        self.result = run.result
        assert run.state is not None
        self.turns.append(run.state.turn.current)
        if run.status != "finished":
            assert self.result is not None
            self.waiting.append(tuple(call_id_of(item) for item in self.result.interruptions))
        return run


_STORED = frozenset({"conversation_id", "previous_response_id", "auto_previous_response_id"})


async def durably(
    cast: Cast,
    rounds: Sequence[Round],
    *,
    store: Store | None = None,
    streamed: bool = False,
    max_turns: int = 10,
    **options: Any,
) -> Seen:
    """Play a run that lives in a store, with verdicts given there."""
    if store is None:
        async with hitl.connect("memory:") as own:
            return await durably(
                cast, rounds, store=own, streamed=streamed, max_turns=max_turns, **options
            )
    play = _Durable(store, cast, streamed=streamed, options=options)
    run = await play.step(first=True, max_turns=max_turns)
    for verdicts in (*rounds, {}):
        if run is None or (not verdicts and run.status == "finished"):
            break
        for call, verdict in verdicts.items():
            said = (
                hitl.approve(by="ana", always=verdict.always)
                if verdict.approved
                else hitl.reject(message=verdict.message, by="ana", always=verdict.always)
            )
            await store.decide(RUN, call, said)
        run = await play.step(first=False, force=not verdicts)
    return play.seen()
