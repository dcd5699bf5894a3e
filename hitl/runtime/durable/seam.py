"""The runs inside agents used as tools: `Runner` hands them to us, and only them.

`Agent.as_tool` keeps its agent in a closure and starts it through the SDK's default runner, with
hooks of its own. So the default runner is ours; outside the tools of a durable run it does nothing.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hitl.runtime.durable import private, session
from hitl.runtime.durable.calls import ANSWERS, APART, INSIDE
from hitl.runtime.durable.hooks import Hooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.runtime.durable.calls import Inside


class Seam(private.AgentRunner):
    """The default runner, around the one there was."""

    def __init__(self, runner: private.AgentRunner) -> None:
        """Stand before `runner`."""
        self._runner = runner

    async def run(self, starting_agent: Any, input: Any, **options: Any) -> Any:  # noqa: A002, ANN401
        """Run; with the gate before the tools of an agent that is a tool itself."""
        with _entered(starting_agent, input, options) as (inside, agent):
            result = await self._runner.run(agent, input, **options)
            if inside is not None:
                inside.result = result
            return result

    def run_sync(self, starting_agent: Any, input: Any, **options: Any) -> Any:  # noqa: A002, ANN401
        """Run; no agent used as a tool comes this way."""
        with _apart():
            return self._runner.run_sync(starting_agent, input, **options)

    def run_streamed(self, starting_agent: Any, input: Any, **options: Any) -> Any:  # noqa: A002, ANN401
        """Run; see `run`."""
        with _entered(starting_agent, input, options) as (inside, agent):
            result = self._runner.run_streamed(agent, input, **options)
            if inside is not None:
                inside.result = result
            return result


@contextmanager
def _entered(
    agent: Any,  # noqa: ANN401 - of the SDK
    given: object,
    options: dict[str, Any],
) -> Iterator[tuple[Inside | None, Any]]:
    """Give the scope this run is the run of, and the agent to run; edits `options`."""
    if isinstance(options.get("hooks"), Hooks):  # the durable run itself
        yield None, agent
        return
    inside = INSIDE.get()
    if inside is None or inside.agent is not agent:
        with _apart():
            yield None, agent
        return
    # What runs in there is no run of this scope: a tool may start runs of its own.
    mark = INSIDE.set(None)
    answers = ANSWERS.set([private.responses_of(given)])
    try:
        graph, tools = inside.graph, inside.tools
        options["hooks"] = Hooks(tools, graph, options.get("hooks"), tools.gate.still)
        options["session"] = session.guarded(options.get("session"), tools.gate)
        yield inside, graph.copy(agent)
    finally:
        ANSWERS.reset(answers)
        INSIDE.reset(mark)


@contextmanager
def _apart() -> Iterator[None]:
    """Let a run be the app's own, which a tool or a guardrail started.

    Its tool may hand it the run config of the durable run, and so models that have a guard.
    """
    mark = APART.set(True)
    try:
        yield
    finally:
        APART.reset(mark)


def install() -> None:
    """Be the default runner, around whichever there is."""
    runner = private.default_runner()
    if not isinstance(runner, Seam):
        private.set_default_runner(Seam(runner))
