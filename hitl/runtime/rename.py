"""An app renamed an agent or a tool while the run waited: the state follows, history does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from hitl.dialects.openai_python import fingerprint
from hitl.errors import ToolMismatch
from hitl.model import Item
from hitl.model.rename import parted, widened
from hitl.model.rename import rename as renamed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hitl.model import Grant, RunState


def rename(state: RunState, agents: Mapping[str, str], tools: Mapping[str, str]) -> RunState:
    """Give the state under the names the app uses now; see `hitl.model.rename`.

    Raises:
        ToolMismatch: a decision for good on one tool would cover a call of another.
    """
    changed = renamed(state, agents, tools, _rescope)
    for place in widened(state, changed) if tools else ():
        message = "a decision for good on one tool would cover a call of another that waits"
        raise ToolMismatch(message, path=place, hint="give the tools names that differ")
    return changed


def _rescope(grant: Grant, key: str) -> str | None:
    """Give what a sticky decision covers under the new name, if it covered its tool."""
    kinds = {_scope(grant.key or "", kind): kind for kind in fingerprint.CALLS}
    kind = kinds.get(grant.scope)
    return grant.scope if kind is None else _scope(key, kind)


def _scope(key: str, kind: str) -> str | None:
    """Compute what a sticky decision on a tool covers, as the SDK does."""
    prefix, mark, name = parted(key)
    item = Item(kind="tool_call", raw={"type": kind, "name": name})
    if kind == "function_call":
        keys = {"": ("bare", None, name), ".": ("namespaced", prefix, name)}
        item = evolve(item, tool_key=keys.get(mark, (prefix, None, name)))
    return fingerprint.approval_scope(item)
