"""Folders of implementations: being in the folder is the registration.

Third parties register through the entry point groups `hitl.dialects`, `hitl.codecs`
and `hitl.stores`.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache


@cache
def implementations(folder: str, attribute: str) -> tuple[object, ...]:
    """Give what the modules of `hitl.<folder>` have under `attribute`, then the entry points."""
    from importlib.metadata import entry_points  # noqa: PLC0415 - slow to import, seldom needed

    package = importlib.import_module(f"hitl.{folder}")
    modules = (
        importlib.import_module(info.name)
        for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    )
    found = [getattr(module, attribute) for module in modules if hasattr(module, attribute)]
    found += [entry.load() for entry in entry_points(group=f"hitl.{folder}")]
    return tuple(found)
