"""What a recorded state needs to resume: agents, session, and which calls were decided."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import attrs
from agents import Agent

from tests.agents import corpus
from tests.agents.log import Log
from tests.agents.session import MemorySession


class Cast(Protocol):
    """Builds the agents of a scenario, which note what they do in `log`."""

    def __call__(self, log: Log) -> Agent[Any]:
        """The root agent, fresh."""
        ...


@attrs.frozen(kw_only=True)
class Stage:
    """Everything one resume needs, made fresh: nothing is shared between two stages."""

    agent: Agent[Any]
    log: Log
    session: MemorySession | None
    options: Mapping[str, Any]
    decided: frozenset[str]


@attrs.frozen(kw_only=True)
class Scenario:
    """How to resume one recorded state.

    Attributes:
        cast: builds the root agent.
        decided: ids of the calls that were approved or rejected before the state was written.
        session_id: None for a run without a session.
        history: corpus name of the session's items at the pause; None for an empty session.
        options: keyword arguments of `Runner.run` on resume.
        finished: the run was over when the state was written; the SDK asks the model again.
        refusal: class name of the SDK's error for a state it cannot resume; None when it can.
    """

    cast: Cast
    decided: frozenset[str] = frozenset()
    session_id: str | None = None
    history: str | None = None
    options: Mapping[str, Any] = attrs.field(factory=dict)
    finished: bool = False
    refusal: str | None = None

    def stage(self) -> Stage:
        """A fresh agent graph, log and session."""
        log = Log()
        return Stage(
            agent=self.cast(log),
            log=log,
            session=self._session(),
            options=dict(self.options),
            decided=self.decided,
        )

    def _session(self) -> MemorySession | None:
        if self.session_id is None:
            return None
        items = [] if self.history is None else corpus.load(self.history)
        return MemorySession(self.session_id, items)
