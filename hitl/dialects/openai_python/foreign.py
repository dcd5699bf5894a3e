"""A state of another SDK on its way to the Python SDK: what that would fail on once it runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hitl.model import decide
from hitl.revision import Loss

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.model import RunState

_SURROGATE = "the arguments hold half of a surrogate pair; the Python SDK fails on such a call"


def losses(state: RunState) -> Iterator[Loss]:
    """Give the calls that wait and that the Python SDK cannot make."""
    for index, each in enumerate(decide.interruptions(state)):
        if each.arguments is not None and _halved(each.arguments):
            yield Loss(path=f"/step/interruptions/{index}", severity="error", reason=_SURROGATE)


def _halved(arguments: str) -> bool:
    """Tell whether a text, read as JSON, holds half of a surrogate pair."""
    try:
        json.dumps(json.loads(arguments), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False
    return False
