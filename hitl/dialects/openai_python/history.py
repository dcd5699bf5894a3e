"""Many lists, one log: the SDK's copies of an item are found to be one entry, or kept apart.

The SDK writes an item up to ten times. A copy that says the same as an entry of the log, types
included and key order aside, becomes a position; a copy that differs becomes an entry of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec
from attrs import evolve, frozen

from hitl import document, values
from hitl.dialect import Fields, is_texts
from hitl.dialects.openai_python import wire
from hitl.dialects.openai_python.ledger import Calls
from hitl.errors import InvalidDocument
from hitl.model import Agent, Guardrail, Item, Record, Response, Usage, spans

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hitl.codec import Codec
    from hitl.document import JSONObject, JSONValue
    from hitl.model import Spans, Stage

_SORTED = msgspec.json.Encoder(order="sorted")
_REFERENCE = frozenset({"name", "identity"})
_Hint: TypeAlias = tuple[Any, ...]

# An approval is for people, and staged input is an occurrence of its own, whatever it says.
_ITSELF = frozenset({"approval", "opaque", "input"})


@frozen(kw_only=True)
class After:
    """What a log holds already, when a document says only what came after it.

    Attributes:
        base: how many entries it holds.
        agents: the table of agents so far.
        history: what built its last part; copies of entries from there are found again.
        taken: positions that stand earlier in a list, or in the input, by the list's key: an item
            of the document is another occurrence.
    """

    base: int
    agents: tuple[Agent, ...]
    history: History
    taken: Mapping[str, frozenset[int]]


class History:
    """Builds the log of one run, and the table of its agents.

    Attributes:
        agents: the agents named so far.
        calls: what the ledger is computed from.
        chunks: the entries, encoded; of a log that goes on, only the new ones.
    """

    def __init__(self, codec: Codec, *, plain: bool, after: After | None = None) -> None:
        """Start a log that `codec` encodes; `plain` documents need no tags."""
        self.agents: list[Agent] = []
        self.calls = Calls()
        self.chunks: list[bytes] = []
        self._plain = plain
        self.tag: Callable[[Any], Any] = (lambda value: value) if plain else values.encode
        self._encode = codec.log.encode
        self._copies: dict[_Hint, list[tuple[int, JSONValue]]] = {}
        self._agent_at: dict[object, int] = {}
        self._with_raw: set[int] = set()
        self._after = after
        self._base = 0
        if after is not None:
            self._base = after.base
            self.agents = list(after.agents)
            self._agent_at = {_mark(agent): place for place, agent in enumerate(after.agents)}

    @property
    def placed(self) -> frozenset[int]:
        """The positions that something was found at, or put."""
        return frozenset(position for each in self._copies.values() for position, _ in each)

    def remember(self, before: History, wanted: frozenset[int]) -> None:
        """Take over what `before` knew of the entries `wanted` that were not met again."""
        wanted -= self.placed
        for hint, each in before._copies.items():
            kept = [(position, copy) for position, copy in each if position in wanted]
            if kept:
                self._copies.setdefault(hint, []).extend(kept)
        self._with_raw |= before._with_raw & wanted

    def moved(self, moves: Mapping[int, int]) -> None:
        """Note that entries have moved; those that `moves` does not name are forgotten."""
        moved = (
            (hint, [(moves[position], copy) for position, copy in each if position in moves])
            for hint, each in self._copies.items()
        )
        self._copies = {hint: each for hint, each in moved if each}
        self._with_raw = {moves[position] for position in self._with_raw if position in moves}

    def listed(self, given: list[JSONValue], key: str, path: str) -> Spans:
        """Give the positions of one of the run's own lists, of which earlier parts may be known."""
        return self.items(given, path, self.taken(key))

    def taken(self, key: str) -> frozenset[int]:
        """Give the positions that a list cannot name, because they stand elsewhere."""
        return self._after.taken.get(key, frozenset()) if self._after is not None else frozenset()

    def items(self, given: list[JSONValue], path: str, taken: Iterable[int] = ()) -> Spans:
        """Give the positions of a list of run items; each occurrence has its own."""
        used = set(taken)
        return spans(
            self._place(_item_hint(each), each, used, self._item, f"{path}/{index}")
            for index, each in enumerate(given)
        )

    def raws(
        self, given: list[JSONValue], kind: str, path: str, apart: Iterable[int] = ()
    ) -> tuple[int, ...]:
        """Give the positions of a list of bare Responses items, none of them `apart`."""
        used = set(apart)
        return tuple(
            self.raw(each, kind, f"{path}/{index}", used) for index, each in enumerate(given)
        )

    def raw(self, given: JSONValue, kind: str, path: str, used: set[int] | None = None) -> int:
        """Give the position of a bare Responses item; it becomes an entry of `kind` if new."""

        def new(raw: JSONValue, path: str) -> Item:
            self._refuse_unreadable(raw, path)
            return Item(kind=kind, raw=self.tag(raw))  # type: ignore[arg-type]

        return self._place(_raw_hint(given), given, set() if used is None else used, new, path)

    def response(self, given: JSONValue, path: str) -> int:
        """Append a model response."""
        fields = Fields(given, path)
        usage = fields.take("usage", dict)
        output = fields.take("output", list)
        response = Response(
            id=fields.take("response_id", str),
            request_id=fields.take("request_id", str),
            usage=None if usage is None else self.usage(usage, fields.at("usage")),
            output=self.raws(output or [], "output", fields.at("output")),
            absent=tuple(
                key for key in wire.RESPONSE if key not in fields.given or _odd(fields, key)
            ),
            extra=self.tag({k: v for k, v in fields.rest.items() if not _said(fields, k)}) or None,
        )
        return self._append(Record(response=response))

    def guardrail(self, given: JSONValue, stage: Stage) -> int:
        """Append a guardrail result."""
        return self._append(Record(guardrail=Guardrail(stage=stage, result=self.tag(given))))

    def usage(self, given: JSONValue, path: str) -> Usage:
        """Read one usage object."""
        fields = Fields(given, path)
        counts = {name: fields.take(name, int) for name in wire.USAGE_COUNTS}
        details = {name: self.tag(fields.take_if(name, list)) for name in wire.USAGE_DETAILS}
        return Usage(
            **counts,
            **details,
            entries=self.tag(_take_objects(fields, "request_usage_entries")),
            extra=self.tag(fields.rest) or None,
        )

    def agent(self, fields: Fields, key: str) -> int | None:
        """Take an agent reference; one that is not in the usual form is left over."""
        given = fields.given.get(key)
        if not isinstance(given, dict) or not is_texts((given.get("name"),)):
            return None
        del fields.rest[key]
        return self.agent_of(given)

    def agent_of(self, given: JSONObject) -> int:
        """Give the position of an agent reference in the table."""
        usual = given.keys() <= _REFERENCE and all(type(each) is str for each in given.values())
        mark = (given["name"], given.get("identity")) if usual else document.canonical(given)
        if mark not in self._agent_at:
            fields = Fields(given, "")
            agent = Agent(
                name=fields.take("name", str) or "",
                identity=fields.take_if("identity", str),
                extra=self.tag(fields.rest) or None,
            )
            self._agent_at[mark] = len(self.agents)
            self.agents.append(agent)
        return self._agent_at[mark]

    def _place(
        self,
        hint: _Hint,
        given: JSONValue,
        used: set[int],
        new: Callable[[JSONValue, str], Item],
        path: str,
    ) -> int:
        found = _found(self._copies, hint, given, used)
        if found is not None:
            used.add(found)
            return found
        item = new(given, path)
        position = self._again(hint, given, used)
        if position is None:
            position = self._append(Record(item=self._linked(item).folded(plain=self._plain)))
        self._copies.setdefault(hint, []).append((position, given))
        if hint[0] == "item" and isinstance(given, dict) and item.kind not in _ITSELF:
            raw = given.get("raw_item")
            self._copies.setdefault(_raw_hint(raw), []).append((position, raw))
        self.calls.note(item)
        used.add(position)
        return position

    def _again(self, hint: _Hint, given: JSONValue, used: set[int]) -> int | None:
        """Find an entry that the log holds already."""
        if self._after is None:
            return None
        old = self._after.history
        position = _found(old._copies, hint, given, used)  # noqa: SLF001 - of our own
        if position in old._with_raw:  # noqa: SLF001
            self._with_raw.add(position)
        return position

    def _item(self, given: JSONValue, path: str) -> Item:
        kind = wire.KIND_OF.get(str(given.get("type"))) if isinstance(given, dict) else None
        if kind is None or not isinstance(given, dict) or "raw_item" not in given:
            return Item(kind="opaque", raw=self.tag(given))
        fields = Fields({key: value for key, value in given.items() if key != "type"}, path)
        raw = fields.rest.pop("raw_item")
        self._refuse_unreadable(raw, fields.at("raw_item"))
        has_output = "output" in given and kind == "tool_output"
        plain = {
            mine: fields.take_if(theirs, of) for theirs, (mine, of) in wire.PLAIN_FIELDS.items()
        }
        plain |= {name: self.tag(plain[name]) for name in ("origin", "custom_data")}
        return Item(
            kind=kind,
            raw=self.tag(raw),
            agent=self.agent(fields, "agent"),
            source=self.agent(fields, "source_agent"),
            target=self.agent(fields, "target_agent"),
            has_output=has_output,
            output=self.tag(fields.rest.pop("output")) if has_output else None,
            tool_key=_lookup_key(fields),
            bare_alias=_true(fields, "allow_bare_name_alias"),
            **plain,
            extra=self.tag(fields.rest) or None,
        )

    def _linked(self, item: Item) -> Item:
        """Let an approval point at its call, where both carry the same raw item."""
        if item.kind != "approval":
            return item
        for position, copy in self._copies.get(_raw_hint(item.raw), ()):
            if same(copy, item.raw) and position in self._with_raw:
                return evolve(item, raw=None, call=position)
        return item

    def _append(self, record: Record) -> int:
        item = record.item
        position = self._base + len(self.chunks)
        if item is not None and item.call is None and item.raw is not None and item.text is None:
            self._with_raw.add(position)
        self.chunks.append(self._encode(record))
        return position

    def _refuse_unreadable(self, raw: JSONValue, path: str) -> None:
        """Tool arguments that no runner can pass on are refused before anyone is asked."""
        if not isinstance(raw, dict):
            return
        key = "input" if raw.get("type") == "custom_tool_call" else "arguments"
        if isinstance(raw.get(key), str) and not is_texts((raw[key],)):
            raise InvalidDocument("expected text, found a lone surrogate", path=f"{path}/{key}")


def _mark(agent: Agent) -> object:
    """Give what tells a reference to an agent from others; see `History.agent_of`."""
    if agent.extra is None:
        return agent.name, agent.identity
    own = {"name": agent.name, "identity": agent.identity}
    said = {key: each for key, each in own.items() if each is not None}
    return document.canonical(said | {key: values.decode(x) for key, x in agent.extra.items()})


def _found(
    copies: dict[_Hint, list[tuple[int, JSONValue]]],
    hint: _Hint,
    given: JSONValue,
    used: set[int],
) -> int | None:
    for position, copy in copies.get(hint, ()):
        if position not in used and same(copy, given):
            return position
    return None


def same(one: JSONValue, other: JSONValue) -> bool:
    """Tell whether two copies say the same, types included, key order aside."""
    if one is other:
        return True
    if one != other:
        return False
    try:
        return _SORTED.encode(one) == _SORTED.encode(other)
    except UnicodeEncodeError:  # a lone surrogate
        return document.equal(one, other)


def _take_objects(fields: Fields, key: str) -> list[JSONValue] | None:
    """Take a list of objects; a list of anything else is left over."""
    given = fields.take(key, list)
    if given is not None and not all(isinstance(each, dict) for each in given):
        fields.rest[key] = given
        return None
    return given


def _odd(fields: Fields, key: str) -> bool:
    """Tell a null where the model has no None."""
    return key == "output" and key in fields.rest


def _said(fields: Fields, key: str) -> bool:
    """Tell a null that the model's None says."""
    return key in wire.RESPONSE and fields.given[key] is None and not _odd(fields, key)


def _item_hint(given: JSONValue) -> _Hint:
    if not isinstance(given, dict):
        return ("item",)
    return ("item", str(given.get("type")), *_raw_hint(given.get("raw_item")))


def _raw_hint(raw: JSONValue) -> _Hint:
    """Give what copies of one item share; only entries of one hint are compared."""
    if not isinstance(raw, dict):
        return ("raw",)
    get = raw.get
    return ("raw", str(get("type")), str(get("id")), str(get("call_id")))


def _lookup_key(fields: Fields) -> tuple[str, str | None, str] | None:
    match fields.given.get("tool_lookup_key"):
        case {"kind": "bare" | "deferred_top_level" as kind, "name": str(name), **rest} if not rest:
            found: tuple[str, str | None, str] = (str(kind), None, name)
        case {"kind": "namespaced", "namespace": str(space), "name": str(name), **rest} if not rest:
            found = ("namespaced", space, name)
        case _:
            return None
    if not is_texts(part for part in found if part is not None):
        return None
    del fields.rest["tool_lookup_key"]
    return found


def _true(fields: Fields, key: str) -> bool:
    if fields.given.get(key) is not True:
        return False
    del fields.rest[key]
    return True
