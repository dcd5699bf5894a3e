"""Who works on a run, by name."""

from __future__ import annotations

import os
import socket
import uuid


def own_name() -> str:
    """Give a name for this worker: who, for people, and unlike any other."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
