"""The versions of the native document, oldest first."""

from hitl.dialects.native.versions import v1_0

REVISIONS = (v1_0.REVISION,)
