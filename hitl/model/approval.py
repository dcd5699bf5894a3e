"""Decisions: who said yes or no to which call, and what that covers."""

from __future__ import annotations

import hashlib
from typing import Literal

from attrs import field, frozen

from hitl import document
from hitl.document import JSONObject, JSONValue
from hitl.model.record import Item

Subject = Literal["function", "tool", "hosted_tool", "hosted_request", "hosted_query"]


@frozen(kw_only=True)
class Grant:
    """What the writer's SDK recorded for one tool: exact calls, or a sticky yes or no.

    Attributes:
        subject: what kind of tool the record is for. `function` belongs to an agent; `tool` is a
            built-in tool, or a record of a release that kept no owner; the hosted ones are MCP
            tools the model server runs.
        agent: position of the owner in the run's table.
        key: the tool's key; for hosted tools its name.
        server: label of the hosted MCP server.
        request: id of a hosted MCP request.
        approved, rejected: True or False for all calls, or the ids of single calls.
        messages: what to tell the model, by call id.
        sticky_message: what to tell the model for every rejected call.
        scope: the SDK's digest of what a sticky decision covers.
        extra: fields of the writer that hitl does not know, kept verbatim, tagged.
    """

    subject: Subject
    agent: int | None = None
    key: str | None = None
    server: str | None = None
    request: str | None = None
    approved: bool | list[str] = field(factory=list)
    rejected: bool | list[str] = field(factory=list)
    messages: dict[str, str] | None = None
    sticky_message: str | None = None
    scope: str | None = None
    extra: JSONObject | None = None

    def exact(self, call_id: str) -> bool | None:
        """Give the decision on exactly this call; None when there is none."""
        if isinstance(self.approved, list) and call_id in self.approved:
            return True
        return False if isinstance(self.rejected, list) and call_id in self.rejected else None

    @property
    def sticky(self) -> bool | None:
        """The decision for every call of the tool; None when there is none."""
        if self.approved is True:
            return True
        return False if self.rejected is True else None


@frozen(kw_only=True)
class Decision:
    """One verdict of a person, bound to the exact bytes that will run.

    Attributes:
        call_id: the call; the run it belongs to is the one that holds the decision.
        approved: the verdict.
        always: whether it covers later calls of the same tool of the same agent.
        message: what to tell the model when the call is rejected.
        by, at, reason: who, when (ISO 8601) and why; None when not recorded.
        tool: the tool that was shown; see `tool_label`.
        agent: name, or identity where several share it, of the agent that calls it.
        arguments_sha256: SHA-256, in hex, of what was decided; see `arguments_sha256`. Empty for
            a verdict that an SDK recorded, which says no more than the call's id.
    """

    call_id: str
    approved: bool
    tool: str
    agent: str | None
    always: bool = False
    message: str | None = None
    by: str | None = None
    at: str | None = None
    reason: str | None = None
    arguments_sha256: str


@frozen(kw_only=True)
class Interruption:
    """A tool call that waits for a person.

    Attributes:
        call: its name: the call id, or `outer/inner` inside an agent used as a tool.
        call_id: the id the model gave it.
        outer: ids of the calls of agents used as tools it sits in, outermost first.
        agent: name of the agent that wants to call it.
        tool_name: the tool.
        kind: type of the call in the Responses API, such as `function_call`.
        arguments: the exact string the model sent; None for calls that carry an object.
        raw: the whole call.
        item: the approval request in the log.
        decision: the verdict; None while the call waits.
    """

    call: str
    call_id: str
    agent: str | None
    tool_name: str
    kind: str
    arguments: str | None
    raw: JSONValue
    item: Item
    outer: tuple[str, ...] = ()
    decision: Decision | None = None

    @property
    def arguments_sha256(self) -> str:
        """SHA-256 of what runs if the call is approved."""
        return arguments_sha256(self.raw)


def request_mark(agent: str | None, call_id: str, raw: JSONValue) -> bytes:
    """Give what tells a request from others: who asks, its id and the whole call.

    An id alone does not: a run and one inside it may use the same.
    """
    return document.canonical([agent, call_id, raw])


# Where a call carries the exact string it will run; the others carry an object.
_TEXT = {
    "function_call": "arguments",
    "mcp_approval_request": "arguments",
    "custom_tool_call": "input",
}
_OBJECTS = (
    "action",
    "actions",
    "operation",
    "operations",
    "environment",
    "pending_safety_checks",
)


def call_text(raw: JSONValue) -> str | None:
    """Give the exact string a call carries; None when it carries an object."""
    if not isinstance(raw, dict):
        return None
    text = raw.get(_TEXT.get(str(raw.get("type")), ""))
    return text if isinstance(text, str) else None


def runnable(raw: JSONValue) -> bool:
    """Tell whether a call carries what its type runs: a text, or an object."""
    if not isinstance(raw, dict):
        return False
    return str(raw.get("type")) not in _TEXT or call_text(raw) is not None


def arguments_sha256(raw: JSONValue) -> str:
    """Give the SHA-256, in hex, of what a call will run.

    The exact UTF-8 bytes of the argument string; for calls that carry an object (shell, patch,
    computer), the canonical JSON of that object.
    """
    text = call_text(raw)
    if text is not None:
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    body = {key: raw[key] for key in _OBJECTS if key in raw} if isinstance(raw, dict) else raw
    return document.digest(body)


def tool_label(item: Item) -> str:
    """Give the tool a call names itself: what a person is shown, and what a decision is bound to.

    `name` or `namespace.name`; `server/name` for a hosted MCP tool. Only a call that carries no
    name, as shell and patch calls, goes by what the SDK noted beside it.
    """
    raw = item.raw if isinstance(item.raw, dict) else {}
    name = raw.get("name") or item.tool_name or raw.get("type")
    if raw.get("type") == "mcp_approval_request":
        return f"{raw.get('server_label')}/{name}"
    space = raw.get("namespace")
    return f"{space}.{name}" if space and space != name else str(name)


def one_tool(item: Item) -> bool:
    """Tell whether a call names one tool, and what the SDK noted beside it is that name."""
    raw = item.raw if isinstance(item.raw, dict) else {}
    said = [raw[key] for key in ("name", "namespace", "server_label") if raw.get(key) is not None]
    if not all(isinstance(each, str) for each in said):
        return False
    noted = {item.tool_name, item.tool_key[2] if item.tool_key else None} - {None}
    return raw.get("name") is None or noted <= {raw["name"]}
