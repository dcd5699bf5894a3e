"""What will happen to a run: what its model says, and what befalls its processes."""

from __future__ import annotations

from typing import Literal

import attrs
from agents import ModelSettings
from agents.retry import ModelRetrySettings, retry_policies

from tests.conversation.api import Fault

Mode = Literal["local", "session", "conversation", "chain", "auto"]
Outcome = Literal["waiting", "finished", "killed", "failed", "doubt", "limit"]


@attrs.frozen(kw_only=True)
class Plan:
    """What the model will do, and how the run is run.

    Attributes:
        turns: the tools it calls, turn by turn; after the last it says goodbye.
        mode: who keeps the history at first; `auto` is a chain that begins with the run.
        gate: see `hitl.run`.
        max_turns: the limit it is started with.
    """

    turns: tuple[tuple[str, ...], ...]
    mode: Mode
    gate: str = "approval"
    max_turns: int = 10


@attrs.frozen(kw_only=True)
class Trouble:
    """What befalls one process.

    Attributes:
        faults: of its requests, in order; None for none.
        inside: whether these are requests of the agent that is a tool.
        killed_at: the step at which it is killed; None for never.
        streamed: whether it reads events and asks models to stream.
        retries: whether the SDK asks again when a request fails.
        late: whether somebody says `LATE` while the first of its tools runs.
    """

    faults: tuple[Fault | None, ...] = ()
    inside: bool = False
    killed_at: int | None = None
    streamed: bool = True
    retries: bool = False
    late: bool = False

    @property
    def settings(self) -> ModelSettings:
        """How the SDK is told to ask again, at once."""
        if not self.retries:
            return ModelSettings(retry=ModelRetrySettings(max_retries=0))
        again = retry_policies.network_error()
        return ModelSettings(
            retry=ModelRetrySettings(max_retries=1, backoff={"initial_delay": 0.0}, policy=again)
        )


LATE = "late"

CALM = Trouble()
