"""How an entry of a session is recognised: by what names it, else by what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl import document
from hitl.conversation.occurrence import answered, asked, parts

if TYPE_CHECKING:
    from hitl.document import JSONObject

_PLACEHOLDER = "__fake_id__"  # openai-agents, for providers that give no ids
_BESIDE = frozenset({"id", "status", "created_by", "type", "annotations", "logprobs", "content"})
_APP = frozenset({"user", "system", "developer"})
_COMPACTED = frozenset({"compaction", "compaction_summary"})


def name_of(raw: JSONObject, *, renamed: bool = False) -> str | None:
    """Give what tells an entry from every other; None when nothing does.

    Args:
        raw: the entry.
        renamed: whether the session gives messages ids of its own: theirs tell nothing then.
    """
    if (call := asked(raw)) is not None:
        return f"call {call}"
    if (call := answered(raw)) is not None:
        return f"answer {call}"
    identity = raw.get("id")
    named = isinstance(identity, str) and identity not in {"", _PLACEHOLDER}
    return f"{raw.get('type')} {identity}" if named and not (renamed and "role" in raw) else None


def content_of(raw: JSONObject) -> str:
    """Give what an entry says, in whichever form it is written and whatever its id."""
    if (call := asked(raw) or answered(raw)) is not None:
        return f"{asked(raw) is None} {call}"
    told = {key: raw[key] for key in raw.keys() - _BESIDE if raw[key] is not None}
    kind = None if "role" in raw else raw.get("type")
    return document.digest({**told, "type": kind, "content": parts(raw.get("content"))})


def is_apps(raw: JSONObject) -> bool:
    """Tell whether an entry begins a turn: a model never says it."""
    return raw.get("role") in _APP


def is_compacted(raw: JSONObject) -> bool:
    """Tell whether an entry stands for others that it has replaced."""
    return raw.get("type") in _COMPACTED


def is_bare_reasoning(raw: JSONObject) -> bool:
    """Tell whether an entry is reasoning without a body: a server that names entries drops it."""
    return raw.get("type") == "reasoning" and not (raw.get("id") or raw.get("encrypted_content"))
