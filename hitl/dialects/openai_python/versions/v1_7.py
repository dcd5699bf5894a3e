"""Schema 1.7: agents that share a name, and sandboxes."""

from hitl.dialects.openai_python.schema import OBJECT, TEXT
from hitl.dialects.openai_python.shape import revision
from hitl.revision import Added

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

REVISION = revision(
    version="1.7",
    parent="1.6",
    summary="identities of agents that share a name; sandboxes",
    source="openai-agents git main, never released",
    added=ADDED,
)
