"""Schema 1.21: agents of one name are told apart without the state of their hooks."""

from hitl.revision import Revision

REVISION = Revision(
    version="1.21",
    parent=None,
    summary="the identity of agents that share a name no longer depends on hook instances",
    source="openai-agents 0.24.0, agents/run_state.py",
)
