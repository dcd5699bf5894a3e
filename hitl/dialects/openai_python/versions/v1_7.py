"""Schema 1.7: agents that share a name, and sandboxes."""

from hitl.dialects.openai_python.shape import SHAPE
from hitl.model import RunState
from hitl.revision import Added, Mend
from hitl.schema import OBJECT, TEXT

ADDED = (
    Added(
        place="Agent",
        key="identity",
        schema=TEXT,
        severity="error",
        reason="agents that share a name cannot be told apart; another one could run the call",
    ),
    Added(
        place="Run",
        key="sandbox",
        schema=OBJECT,
        severity="error",
        reason="the sandbox is forgotten; tools would run in another one",
    ),
)

# Which agents share a name is known only where they are at hand.
MENDS: tuple[Mend[RunState], ...] = (
    Mend(name="agent-identity", reason="agents that share a name must be told apart"),
)

REVISION = SHAPE.revision(
    version="1.7",
    parent="1.6",
    summary="identities of agents that share a name; sandboxes",
    source="openai-agents git main, never released",
    added=ADDED,
    mends=MENDS,
)
