"""Schema 1.8: the key under which the model server caches the prompt."""

from hitl.dialects.openai_python.shape import SHAPE
from hitl.revision import Added
from hitl.schema import TEXT_OR_NULL

ADDED = (
    Added(
        place="Run",
        key="generated_prompt_cache_key",
        schema=TEXT_OR_NULL,
        severity="info",
        reason="the prompt cache starts over",
    ),
)

REVISION = SHAPE.revision(
    version="1.8",
    parent="1.7",
    summary="the prompt cache key is kept",
    source="openai-agents git main, never released",
    added=ADDED,
)
