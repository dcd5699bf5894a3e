"""Many lists, one log: copies of an item in the SDK's lists are found to be one entry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from attrs import evolve

from hitl import document, values
from hitl.dialect import is_texts
from hitl.dialects.openai_js import content, usage, wire
from hitl.dialects.openai_js import raw as protocol
from hitl.dialects.openai_js.agent import reference
from hitl.errors import DocumentError, InvalidDocument
from hitl.model import Agent, Guardrail, Item, Record, Response, spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hitl.codec import Codec
    from hitl.document import JSONValue
    from hitl.model import Spans, Stage

_SORTED = msgspec.json.Encoder(order="sorted")
_BUILT_IN = {"shell_call": "shell", "apply_patch_call": "apply_patch"}
_Mark: TypeAlias = tuple[object, ...]

# An approval is for people, and staged input is an occurrence of its own, whatever it says.
_ITSELF = frozenset({"approval", "opaque", "input"})


class History:
    """Builds the log of one run, and the table of its agents.

    What an item says beyond the model is not kept here: the whole document is compared with what
    would be written of the run, and the difference kept; see `kept`.

    Attributes:
        agents: the agents named so far.
        chunks: the entries, encoded.
    """

    def __init__(self, codec: Codec, *, plain: bool) -> None:
        """Start a log that `codec` encodes; `plain` documents need no tags."""
        self.agents: list[Agent] = []
        self.chunks: list[bytes] = []
        self.plain = plain
        self.tag: Callable[[Any], Any] = (lambda value: value) if plain else values.encode
        self._encode = codec.log.encode
        self._items: dict[_Mark, list[int]] = {}
        self._raws: dict[bytes, list[int]] = {}
        self._own_raw: set[int] = set()
        self._agent_at: dict[tuple[str, str | None], int] = {}

    def items(self, given: JSONValue, path: str) -> Spans:
        """Give the positions of a list of run items; each occurrence has its own."""
        used: set[int] = set()
        listed = given if isinstance(given, list) else []
        return spans(self._place(each, used, f"{path}/{i}") for i, each in enumerate(listed))

    def raws(self, given: JSONValue, kind: str, path: str, apart: Iterable[int] = ()) -> list[int]:
        """Give the positions of a list of bare raw items, none of them `apart`."""
        used = set(apart)
        listed = given if isinstance(given, list) else []
        return [self.raw(each, kind, f"{path}/{i}", used) for i, each in enumerate(listed)]

    def raw(self, given: JSONValue, kind: str, path: str, used: set[int] | None = None) -> int:
        """Give the position of a bare raw item; it becomes an entry of `kind` if new."""
        used = set() if used is None else used
        refuse_unreadable(given, path)
        found = protocol.made(given) if kind == "output" else protocol.read(given)
        mark = _bytes(found)
        position = next((p for p in self._raws.get(mark, ()) if p not in used), None)
        if position is None:
            item = Item(kind=kind, raw=self.tag(found))  # type: ignore[arg-type]
            position = self._append(Record(item=item))
            self._raws.setdefault(mark, []).append(position)
        used.add(position)
        return position

    def response(self, given: JSONValue, path: str) -> int:
        """Append a model response."""
        if not isinstance(given, dict):
            raise InvalidDocument("expected object", path=path)
        cost = given.get("usage")
        response = Response(
            id=text(given.get("responseId")),
            request_id=text(given.get("requestId")),
            usage=usage.read(cost, self.tag, f"{path}/usage") if isinstance(cost, dict) else None,
            output=tuple(self.raws(given.get("output"), "output", f"{path}/output")),
        )
        return self._append(Record(response=response))

    def guardrail(self, given: JSONValue, stage: Stage) -> int:
        """Append a guardrail result."""
        return self._append(Record(guardrail=Guardrail(stage=stage, result=self.tag(given))))

    def agent(self, given: JSONValue) -> int | None:
        """Give the position of an agent reference in the table; None if it is not one."""
        found = reference(given)
        if found is None:
            return None
        if found not in self._agent_at:
            self._agent_at[found] = len(self.agents)
            self.agents.append(Agent(name=found[0], identity=found[1]))
        return self._agent_at[found]

    def _place(self, given: JSONValue, used: set[int], path: str) -> int:
        item = self._item(given, path)
        mark = _mark(item)
        position = next((p for p in self._items.get(mark, ()) if p not in used), None)
        if position is None:
            raw = _bytes(item.raw)
            position = self._append(Record(item=self._stored(item, raw)))
            self._items.setdefault(mark, []).append(position)
            if item.kind not in _ITSELF:
                self._raws.setdefault(raw, []).append(position)
        used.add(position)
        return position

    def _stored(self, item: Item, raw: bytes) -> Item:
        """Give an item as the log keeps it: a request points at its call, a text at its value."""
        if item.kind == "approval":
            call = next((p for p in self._raws.get(raw, ()) if p in self._own_raw), None)
            if call is not None:
                return evolve(item, raw=None, call=call)
        tagged = evolve(
            item,
            raw=self.tag(item.raw),
            output=self.tag(item.output),
            custom_data=self.tag(item.custom_data),
        )
        return tagged.folded(plain=self.plain)

    def _item(self, given: JSONValue, path: str) -> Item:
        if not isinstance(given, dict):
            return Item(kind="opaque", raw=given)
        kind = wire.KIND_OF.get(str(given.get("type")))
        raw = given.get("rawItem")
        if kind is None or not isinstance(raw, dict):
            return Item(kind="opaque", raw=given)
        refuse_unreadable(raw, f"{path}/rawItem")
        found = protocol.made(raw)
        if kind == "tool_call" and isinstance(found, dict):
            kind = wire.HOSTED_KINDS.get(str(found.get("type")), kind)
        source = self.agent(given.get("sourceAgent"))
        agent = self.agent(given.get("agent"))
        data = given.get("customData")
        return Item(
            kind=kind,
            raw=found,
            agent=source if agent is None else agent,
            source=source,
            target=self.agent(given.get("targetAgent")),
            has_output=kind == "tool_output" and "output" in given,
            output=content.read_value(given.get("output")) if kind == "tool_output" else None,
            custom_data=data if isinstance(data, dict) else None,
            tool_name=text(given.get("toolName")) or _tool_name(kind, found),
            tool_key=_key(given.get("functionToolStateKey"), kind, found),
            input_id=text(given.get("inputId")),
        )

    def _append(self, record: Record) -> int:
        item = record.item
        if item is not None and item.call is None and item.text is None:
            self._own_raw.add(len(self.chunks))
        self.chunks.append(self._encode(record))
        return len(self.chunks) - 1


def text(value: JSONValue) -> str | None:
    """Give a text that the model can hold; anything else stays in the difference."""
    return value if isinstance(value, str) and is_texts((value,)) else None


def refuse_unreadable(raw: JSONValue, path: str) -> None:
    """Refuse arguments that no runner can pass on before anyone is asked."""
    given = raw.get("arguments") if isinstance(raw, dict) else None
    if isinstance(given, str) and not is_texts((given,)):
        raise InvalidDocument("expected text, found a lone surrogate", path=f"{path}/arguments")


def _tool_name(kind: str, raw: JSONValue) -> str | None:
    """Give the name of the tool of a call: the SDK notes it on requests for approval only."""
    if kind != "tool_call" or not isinstance(raw, dict):
        return None
    if raw.get("type") == "function_call":
        return text(raw.get("name"))
    return _BUILT_IN.get(str(raw.get("type")))


def _key(given: JSONValue, kind: str, raw: JSONValue) -> tuple[str, str | None, str] | None:
    """Read a tool key; a request for approval of a function always has one."""
    try:
        found = document.parse(given.encode()) if isinstance(given, str) else None
    except (DocumentError, UnicodeEncodeError):
        found = None
    match found:
        case ["bare" | "deferred_top_level" as category, str(name)]:
            return (category, None, name)
        case ["namespaced", str(space), str(name)]:
            return ("namespaced", space, name)
        case _:
            pass
    match raw if kind == "approval" else None:
        case {"type": "function_call", "name": str(name), **rest} if not rest.get("namespace"):
            return ("bare", None, name) if is_texts((name,)) else None
        case _:
            pass
    return None


def _mark(item: Item) -> _Mark:
    """Give what copies of one item share."""
    own = (item.kind, item.agent, item.source, item.target, item.tool_name, item.tool_key)
    said = [item.raw, item.output, item.has_output, item.custom_data, item.input_id]
    return (*own, _bytes(said))


def _bytes(value: JSONValue) -> bytes:
    """Give bytes that only equal values share, types included, key order aside."""
    try:
        return _SORTED.encode(value)
    except UnicodeEncodeError:  # a lone surrogate
        return document.encode_lenient(value)
