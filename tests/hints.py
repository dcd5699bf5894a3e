"""What definitions of `corpus/cross` need beside their states to go over to the other language."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from hitl.revision import Loss

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hitl.errors import LossError

Hints: TypeAlias = "Mapping[str, Any]"
"""Keyword arguments of `hitl.convert`: each a map of names."""

_PYTHON, _JS = "openai-agents-python", "openai-agents-js"
# In both languages the second of the two agents named Worker is `Worker#2`.
_SAME: Hints = {"agent_map": {"Worker#2": "Worker#2"}}

HINTS: Mapping[tuple[str, str], Hints] = {
    ("dup_names", _JS): _SAME,
    ("dup_names", _PYTHON): _SAME,
    ("handoff_pending", _JS): {
        "rename": {"transfer_to_mailer": "transfer_to_Mailer"},
        "handoff_targets": {"transfer_to_mailer": "Mailer"},
    },
    ("handoff_pending", _PYTHON): {"rename": {"transfer_to_Mailer": "transfer_to_mailer"}},
}
"""(definition, dialect of the other side) → the hints; other definitions need none."""


def hints(definition: str, dialect: str) -> Hints:
    """What a definition needs; nothing for most."""
    return HINTS.get((definition, dialect), {})


def stopping(error: LossError) -> list[Loss]:
    """The losses for which nothing goes over."""
    losses = [each for each in error.losses if isinstance(each, Loss)]
    return [each for each in losses if each.severity == "error"]
