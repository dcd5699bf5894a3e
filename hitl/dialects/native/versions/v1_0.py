"""Native 1.0: the first."""

from hitl.revision import Revision

REVISION = Revision(
    version="1.0",
    parent=None,
    summary="one item log, a bounded head, runs inside runs",
    source="hitl 0.1.0",
)
