"""The schema versions of the Python SDK's RunState, oldest first."""

from hitl.dialects.openai_python.versions import v1_21

REVISIONS = (v1_21.REVISION,)
