"""What a recorded state needs to resume: agents, session, and which calls were decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import attrs
from agents import Agent, Session

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
    """Everything one resume needs, made fresh: nothing is shared between two stages.

    Attributes:
        session: where the items end up.
        memory: what the runner is given: `session`, or a session of the SDK's around it.
    """

    agent: Agent[Any]
    log: Log
    session: MemorySession | None
    memory: Session | None
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
        around: makes the session the runner gets from the one that stores.
        options: keyword arguments of `Runner.run` on resume.
        finished: the run was over when the state was written; the SDK asks the model again.
        refusal: class name of the SDK's error for a state it cannot resume; None when it can.
    """

    cast: Cast
    decided: frozenset[str] = frozenset()
    session_id: str | None = None
    history: str | None = None
    around: Callable[[MemorySession], Session] | None = None
    options: Mapping[str, Any] = attrs.field(factory=dict)
    finished: bool = False
    refusal: str | None = None

    def stage(self, earlier: Sequence[Any] | None = None) -> Stage:
        """A fresh agent graph, log and session.

        Args:
            earlier: what the session holds instead of `history`; only recording needs it.
        """
        log = Log()
        session = None
        if self.session_id is not None:
            session = MemorySession(self.session_id, self._items() if earlier is None else earlier)
        return Stage(
            agent=self.cast(log),
            log=log,
            session=session,
            memory=session if session is None or self.around is None else self.around(session),
            options=dict(self.options),
            decided=self.decided,
        )

    def _items(self) -> list[Any]:
        items: list[Any] = [] if self.history is None else corpus.load(self.history)
        return items
