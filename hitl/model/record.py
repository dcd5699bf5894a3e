"""The entries of the item log: items, model responses, guardrail results.

The shapes here are what the native document stores. Values an app produced (outputs, custom data,
raw items) are in tagged form, see `hitl.values`; a raw item is the item in the form of OpenAI's
Responses API, whatever the SDK.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

from attrs import asdict, evolve, fields, frozen

from hitl import values
from hitl.document import JSONObject, JSONValue, escape
from hitl.errors import InvalidDocument
from hitl.model.fit import fit
from hitl.model.usage import Usage

Kind = Literal[
    "input",  # what the user, or the app, put in
    "message",
    "reasoning",
    "tool_call",
    "tool_output",
    "handoff_call",
    "handoff_output",
    "approval",
    "tool_search_call",
    "tool_search_output",
    "mcp_list_tools",
    "mcp_approval_request",
    "mcp_approval_response",
    "compaction",
    "output",  # part of a model response that never became an item of the history
    "opaque",  # an item of a kind we do not know, kept whole
]
KINDS: frozenset[str] = frozenset(get_args(Kind))

Text = Literal["value", "str"]
"""How the text the model saw follows from a structured output: it is the value, or `str(value)`."""

Box = Literal["item", "response", "guardrail"]
"""The field of an entry that is set: what the entry is."""
BOXES: tuple[Box, ...] = get_args(Box)

Stage = Literal["input", "output", "tool_input", "tool_output"]
STAGES: tuple[Stage, ...] = get_args(Stage)


@frozen(kw_only=True)
class Item:
    """One entry of the run's history.

    Attributes:
        kind: what it is.
        raw: the item as the model's API knows it; for `opaque`, the whole item.
        agent: position of its agent in the run's table; None when the writer named none.
        call: position of the call an approval is for, where its raw item is the same; the log
            fills `raw` in when the entry is read.
        output: a tool's structured output, tagged; meaningful when `has_output`.
        has_output: whether the writer stored a structured output.
        text: how `raw["output"]` follows from `output` where it was left out of `raw`; the log
            fills it in when the entry is read. None when it does not follow.
        source, target: agents of a handoff, as positions in the table.
        tool_name, tool_namespace, tool_key, bare_alias: which tool a call is for; `tool_key` is
            (kind, namespace, name) with kind `bare`, `namespaced` or `deferred_top_level`.
        origin: where the tool came from (function, MCP server, agent), as the SDK says it.
        description, title: what the tool said of itself.
        custom_data: what the app attached to an output, tagged.
        input_id: name of this occurrence of a staged input.
        extra: fields of the writer that hitl does not know, kept verbatim, tagged.
    """

    kind: Kind
    raw: JSONValue = None
    agent: int | None = None
    call: int | None = None
    output: JSONValue = None
    has_output: bool = False
    text: Text | None = None
    source: int | None = None
    target: int | None = None
    tool_name: str | None = None
    tool_namespace: str | None = None
    tool_key: tuple[str, str | None, str] | None = None
    bare_alias: bool = False
    origin: JSONObject | None = None
    description: str | None = None
    title: str | None = None
    custom_data: JSONObject | None = None
    input_id: str | None = None
    extra: JSONObject | None = None

    @property
    def call_id(self) -> str | None:
        """The id that ties a call, its approval and its output together; None if it has none."""
        if not isinstance(self.raw, dict):
            return None
        for key in _CALL_ID_KEYS.get(str(self.raw.get("type")), ("call_id",)):
            if isinstance(found := self.raw.get(key), str) and found:
                return found
        return None

    @property
    def value(self) -> object:
        """A tool's structured output as the app knows it: bytes are bytes, types are types."""
        return values.decode(self.output)

    @property
    def data(self) -> object:
        """What the app attached to an output, as the app knows it."""
        return values.decode(self.custom_data)

    def expanded(self, *, plain: bool = False) -> Item:
        """Give the item with the model-visible text put back into its raw item.

        Args:
            plain: whether the item surely holds no tag.
        """
        if self.text is None or not isinstance(self.raw, dict):
            return self
        value = self.output if plain else values.decode(self.output)
        return evolve(self, raw={**self.raw, "output": str(value)}, text=None)

    def folded(self, *, plain: bool = False) -> Item:
        """Give the item with the model-visible text left out where it follows from the value.

        Args:
            plain: whether the item surely holds no tag.
        """
        if not self.has_output or not isinstance(self.raw, dict) or "output" not in self.raw:
            return self
        text = _derivation(self.raw["output"], self.output, plain=plain)
        if text is None:
            return self
        rest = {key: value for key, value in self.raw.items() if key != "output"}
        return evolve(self, raw=rest, text=text)


_CALL_ID_KEYS = {
    "mcp_approval_request": ("id",),
    "mcp_approval_response": ("approval_request_id",),
}


def _derivation(visible: JSONValue, output: JSONValue, *, plain: bool) -> Text | None:
    if not isinstance(visible, str):
        return None
    if isinstance(output, str):
        return "value" if visible == output else None
    same = visible == str(output)
    return "str" if same and (plain or values.is_plain(output)) else None


@frozen(kw_only=True)
class Response:
    """One answer of the model.

    Attributes:
        id: the server's name for it; None when the provider has none.
        request_id: the transport's name for the request.
        usage: tokens it cost.
        output: positions of its output items in the log.
        absent: keys the writer left out, where it usually writes them.
        extra: fields of the writer that hitl does not know, kept verbatim, tagged.
    """

    id: str | None = None
    request_id: str | None = None
    usage: Usage | None = None
    output: tuple[int, ...] = ()
    absent: tuple[str, ...] = ()
    extra: JSONObject | None = None


@frozen(kw_only=True)
class Guardrail:
    """The result of one guardrail.

    Attributes:
        stage: what it guarded.
        result: name, outcome and evidence as the SDK writes them, tagged.
    """

    stage: Stage
    result: JSONValue = None


@frozen(kw_only=True)
class Record:
    """One entry of the log: exactly one of its fields is set."""

    item: Item | None = None
    response: Response | None = None
    guardrail: Guardrail | None = None

    def only(self) -> Item | Response | Guardrail:
        """Give the field that is set.

        Raises:
            InvalidDocument: none or several are.
        """
        found = [x for x in (self.item, self.response, self.guardrail) if x is not None]
        if len(found) != 1:
            raise InvalidDocument(f"expected one of item, response, guardrail, found {len(found)}")
        return found[0]


_BOXES = {"item": Item, "response": Response, "guardrail": Guardrail}
_NAMES = {box: frozenset(each.name for each in fields(cls)) for box, cls in _BOXES.items()}
_USAGE = frozenset(each.name for each in fields(Usage))


def read_record(value: JSONValue, *, newer: bool = False) -> Record:
    """Read a parsed log entry.

    Args:
        value: the entry.
        newer: whether a newer minor wrote it: what is unknown is then passed over.

    Raises:
        InvalidDocument: a value does not fit its place, or a field is not of this version.
    """
    record = fit(value, Record)
    record.only()
    unknown = None if newer else _unknown(value)
    if unknown is not None:
        message = "expected only fields of this version, found another"
        raise InvalidDocument(message, path=unknown)
    return record


def _unknown(value: JSONValue) -> str | None:
    """Give the JSON Pointer of a field that no entry has."""
    for box, body in value.items() if isinstance(value, dict) else ():
        if box not in _BOXES:
            return f"/{escape(box)}"
        if not isinstance(body, dict):
            continue
        for name in body.keys() - _NAMES[box]:
            return f"/{box}/{escape(name)}"
        usage = body.get("usage")
        for name in usage.keys() - _USAGE if isinstance(usage, dict) else ():
            return f"/{box}/usage/{escape(name)}"
    return None


def slim(record: Record) -> dict[str, Any]:
    """Give the record as plain data without the fields that hold their default."""
    only = record.only()
    kind = type(only)
    body = {}
    for name, default in _DEFAULTS[kind]:
        value = getattr(only, name)
        if value is not default and value != default:
            body[name] = value
    if kind is Response and "usage" in body:
        body["usage"] = {
            k: v for k, v in asdict(body["usage"], recurse=False).items() if v is not None
        }
    return {kind.__name__.lower(): body}


_DEFAULTS: dict[type, tuple[tuple[str, object], ...]] = {
    cls: tuple((field.name, field.default) for field in fields(cls))
    for cls in (Item, Response, Guardrail)
}
