"""The schema versions of the JavaScript SDK's RunState, oldest first.

A version that changed the shape is a module `v1_<n>.py` with `REVISION`; being in this folder is
its registration. One that changed nothing a document shows is a line in the table below.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import TYPE_CHECKING

from hitl.dialects.openai_js import feature
from hitl.dialects.openai_js.shape import SHAPE
from hitl.dialects.openai_js.versions.v1_0 import DEFINITIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hitl.revision import Revision
    from hitl.shape import Unknown

__all__ = ["DEFINITIONS", "REVISIONS"]

_MAIN = "openai-agents-js git main, never released"

# Version, parent, source, what it meant, and what of it the parent does not know. Raw items and
# what tools say of themselves are open.
_SAME_SHAPE: tuple[tuple[str, str, str, str, tuple[Unknown, ...]], ...] = (
    ("1.3", "1.2", _MAIN, "approvals of computer calls", ()),
    (
        *("1.8", "1.7", "@openai/agents-core 0.6.0"),
        "tool search; several computer actions in a call",
        (feature.tool_search,),
    ),
    (
        *("1.14", "1.13", "@openai/agents-core 0.14.0"),
        "programs that call tools; phases of messages",
        (feature.programs,),
    ),
    (
        *("1.15", "1.14", "@openai/agents-core 0.14.2"),
        "a second form of sandbox sessions",
        (feature.sandbox(1),),
    ),
    (
        *("1.19", "1.18", "@openai/agents-core 0.16.1"),
        "a decision on one call beside one for good; a fourth form of sandbox sessions",
        (feature.both_verdicts, feature.sandbox(3)),
    ),
    ("1.22", "1.21", "@openai/agents-core 0.20.0", "MCP tools that a tool search found", ()),
)


def _collect(path: Iterable[str], package: str) -> tuple[Revision, ...]:
    found = (info.name for info in pkgutil.iter_modules(path))
    names = [name for name in found if re.fullmatch(r"v\d+_\d+", name)]
    return tuple(importlib.import_module(f"{package}.{name}").REVISION for name in names)


REVISIONS: tuple[Revision, ...] = (
    *_collect(__path__, __name__),
    *(
        SHAPE.revision(
            version=version, parent=parent, summary=summary, source=source, unknown=unknown
        )
        for version, parent, source, summary, unknown in _SAME_SHAPE
    ),
)
