"""One approved call in a session, on plain openai-agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents import Agent, RunConfig, Runner, RunState, function_tool

import hitl
from hitl.conversation import reconcile
from tests.agents.session import MemorySession
from tests.conversation.model import ServerModel
from tests.conversation.server import Server, called, replied

if TYPE_CHECKING:
    from hitl.conversation import SessionPlan
    from tests.conversation.server import Raw

CONFIG = RunConfig(tracing_disabled=True)


class Stage:
    """An agent whose tool waits for approval, and a session.

    Attributes:
        ran: how often the tool ran.
    """

    def __init__(self, *answers: list[Raw]) -> None:
        script = answers or ([called("call_1")], [replied("msg_1")], [replied("msg_2")])
        self.model = ServerModel(Server(), *script)
        self.session = MemorySession("s")
        self.ran = 0

        @function_tool(needs_approval=True)
        def tool() -> str:
            self.ran += 1
            return "done"

        self.agent: Agent[Any] = Agent(name="ops", model=self.model, tools=[tool])

    async def paused(self, session: Any = None) -> str:  # noqa: ANN401 - any session
        """Run until the call waits; give the state as text, the call approved."""
        result = await self.play("go", session or self.session)
        state = result.to_state()
        state.approve(state.get_interruptions()[0])
        return str(state.to_string())

    async def play(self, given_: Any, session: Any) -> Any:  # noqa: ANN401
        """Run with a session."""
        return await Runner.run(self.agent, given_, run_config=CONFIG, session=session)

    async def resumed(self, text: str, session: Any) -> str:  # noqa: ANN401
        """Go on from the text, as another process does; give the state after it."""
        result = await self.play(await RunState.from_string(self.agent, text), session)
        return str(result.to_state().to_string())

    def plan(self, text: str) -> SessionPlan:
        """Compare the session with a state."""
        return reconcile(hitl.loads(text), self.session.items)  # type: ignore[arg-type]
