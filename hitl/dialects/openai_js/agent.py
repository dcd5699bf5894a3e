"""References to agents: a name, and what tells agents of one name apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.dialect import is_texts

if TYPE_CHECKING:
    from hitl.document import JSONObject, JSONValue
    from hitl.model import Agent


def reference(given: JSONValue) -> tuple[str, str | None] | None:
    """Read a reference: name and identity; None if it is not in the SDK's form."""
    if not isinstance(given, dict) or not is_texts((given.get("name"),)):
        return None
    own = given.get("identity")
    return str(given["name"]), str(own) if is_texts((own,)) else None


def written(agent: Agent) -> JSONObject:
    """Give a reference as the SDK writes it."""
    found: JSONObject = {"name": agent.name}
    return found if agent.identity is None else {**found, "identity": agent.identity}


def identity(agent: Agent) -> str:
    """Give the name the SDK keeps an agent's records under."""
    return agent.identity or agent.name
