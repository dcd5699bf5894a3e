"""The schema versions of the Python SDK's RunState, oldest first.

A version that changed the shape is a module `v1_<n>.py` with `REVISION`; being in this folder is
its registration. One that changed nothing a document shows is a line in the table below.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from typing import TYPE_CHECKING

from hitl.dialects.openai_python.shape import SHAPE
from hitl.dialects.openai_python.versions.v1_0 import DEFINITIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hitl.revision import Revision

__all__ = ["DEFINITIONS", "REVISIONS", "collect"]

_MAIN = "openai-agents git main, never released"

# Version, parent, source, what it meant.
_SAME_SHAPE = (
    ("1.3", "1.2", _MAIN, "a trace may be continued"),
    # The details of usage are a dump of the openai package's own model: open in every version.
    ("1.12", "1.11", "openai-agents 0.18.1", "usage details count tokens written to the cache"),
)


def collect(path: Iterable[str], package: str) -> tuple[Revision, ...]:
    """Give the revisions of the modules of a package, in no order."""
    found = (info.name for info in pkgutil.iter_modules(path))
    names = [name for name in found if re.fullmatch(r"v\d+_\d+", name)]
    return tuple(importlib.import_module(f"{package}.{name}").REVISION for name in names)


REVISIONS: tuple[Revision, ...] = (
    *collect(__path__, __name__),
    *(
        SHAPE.revision(version=version, parent=parent, summary=summary, source=source)
        for version, parent, source, summary in _SAME_SHAPE
    ),
)
