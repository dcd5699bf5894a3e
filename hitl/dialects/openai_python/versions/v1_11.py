"""Schema 1.11: data of the app beside a tool's output."""

from hitl.dialects.openai_python.shape import SHAPE
from hitl.revision import Added
from hitl.schema import OBJECT

ADDED = (
    Added(
        place="Item",
        key="custom_data",
        schema=OBJECT,
        severity="info",
        reason="the app's own data beside an output is forgotten; the model never saw it",
    ),
)

REVISION = SHAPE.revision(
    version="1.11",
    parent="1.10",
    summary="custom data on outputs",
    source="openai-agents 0.17.6, agents/run_state.py",
    added=ADDED,
)
