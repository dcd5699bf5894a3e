"""How openai-agents keeps items in a session: its private names, beside those of `private`.

Read from openai-agents 0.21.1 to 0.24.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents import RunConfig
from agents.run_internal import session_persistence

from hitl.runtime import sdk

if TYPE_CHECKING:
    from hitl.document import JSONObject
    from hitl.runtime.sdk import AnyState

try:
    from agents.run_internal import blocked_output as _blocked
except ImportError:  # the first releases hold nothing back
    _blocked = None  # type: ignore[assignment]

PERSISTENCE = session_persistence
_DEFERS = "_should_defer_interrupted_session_items"


def renames(session: Any) -> bool:  # noqa: ANN401 - any session
    """Tell whether a session gives messages ids of its own, as a server does."""
    return bool(PERSISTENCE._ignore_ids_for_matching(session))  # noqa: SLF001


async def save_items(session: Any, items: list[JSONObject]) -> None:  # noqa: ANN401
    """Append items as the SDK does, in the form in which a session of this kind takes them."""
    given: Any = items
    await PERSISTENCE.save_result_to_session(session, given, [])


def defers(live: AnyState, config: RunConfig | None) -> bool:
    """Tell whether the SDK holds back the response that waits until an output guardrail passed.

    The first releases that durable runs hold on to do not.
    """
    asks = getattr(_blocked, _DEFERS, None)
    return asks is not None and bool(asks(sdk.current_agent(live), config or RunConfig()))


def hold_back(live: AnyState) -> None:
    """Let the SDK hold back the response that waits; its session has nothing of it any more."""
    sdk.persisted_none(live)
