"""Run state → the Python SDK's RunState JSON, newest version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen

from hitl.dialect import json_type
from hitl.dialects.openai_python import approvals, boundary, degrade, ledger, usage, wire
from hitl.dialects.openai_python.ledger import Calls
from hitl.dialects.openai_python.load import indexes
from hitl.dialects.openai_python.room import Room
from hitl.document import JSONObject, resolve
from hitl.errors import HitlError, InvalidDocument
from hitl.model import CallState, Item, Ledger, positions, referred
from hitl.model.decide import nested_runs, own_calls, verify
from hitl.model.inside import asked_inside
from hitl.revision import Loss, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from hitl.document import JSONValue
    from hitl.model import Agent, Call, Guardrail, Processed, Response, RunState, Spans, Usage

_CONTEXT = "a value of the app context is not JSON; the SDK gets what JSON can say of it"
_NO_MAPPING = "the app context is no mapping, as the SDK wants it; it must be given again"
_OUTPUT = "a structured output is not JSON; the SDK gets text, the model sees the same as before"
_CARRIED = "a value is not JSON; the SDK gets what JSON can say of it"
_NO_AGENT = "a decision on a function call names no agent; the SDK has no place for it"
_AUDIT = "who decided, when and why has no place in the SDK's state"
_HAVING = "what the server has is worked out again by the SDK"
_DOUBT = "a request that the server may have received would be sent again"
_AGENTS = {"agent": "agent", "source_agent": "source", "target_agent": "target"}


@frozen
class Dumped:
    """A document and what it could not hold.

    Attributes:
        document: the newest version's JSON.
        losses: what is missing or changed.
    """

    document: JSONObject
    losses: tuple[Loss, ...]


def dump(state: RunState, dialect: str, version: str, *, path: str = "") -> Dumped:
    """Write `state` as the SDK's JSON.

    Args:
        state: what to write; its decisions are recorded as the SDK records them.
        dialect: under which name the SDK's own extras are kept.
        version: the label.
        path: where the document will stand, for a run inside another.

    Raises:
        ArgumentsChanged: a decided call is not the one that was decided.
    """
    if not path:
        verify(state)
    return _Dumper(state, dialect, version, path, Room()).dump()


class _Dumper:
    """Writes one run; runs inside are written by dumpers of their own."""

    def __init__(self, state: RunState, dialect: str, version: str, path: str, room: Room) -> None:
        self.state = state
        self.room = room
        self.dialect = dialect
        self.version = version
        self.path = path
        self.losses: list[Loss] = []
        self.calls = Calls()
        self._tagged = True  # False while an entry without tags is read
        self.agents = [
            self._reference(agent, f"/agents/{i}") for i, agent in enumerate(state.agents)
        ]
        self.extras = state.extras.get(dialect, {})
        self.foreign = dialect not in state.extras
        self.another = state.origin.dialect != dialect
        self._items: dict[int, JSONObject] = {}
        self._raws: dict[int, JSONValue] = {}
        self._responses: dict[int, JSONObject] = {}
        self._guardrails: dict[int, JSONValue] = {}
        self._sizes: list[int] = []
        room.give(state.log.chunks)

    def dump(self) -> Dumped:
        self._read_log()
        state = self.state
        rest = dict(wire.DEFAULTS) if self.foreign else self._extra("document")
        document = {**rest, wire.VERSION_KEY: self.version}
        self._put(document, "current_turn", state.turn.current)
        if not self.extras.get("no_max_turns"):  # the SDK does not read a state without the key
            document["max_turns"] = None
        self._put(document, "max_turns", state.turn.max)
        if state.current_agent is not None:
            document["current_agent"] = self._agent(state.current_agent, "/current_agent")
        self._put(document, "original_input", self._input())
        self._put(document, "pending_input", self._listed(state.staged, self._raws))
        self._put(document, "model_responses", self._listed(state.responded, self._responses))
        if state.last_response is not None:
            document["last_model_response"] = self._copy(self._responses, state.last_response)
        self._put(document, "generated_items", self._listed(state.generated, self._items))
        self._put(document, "session_items", self._listed(state.session, self._items))
        for key, stage in wire.GUARDRAILS.items():
            self._put(document, key, self._listed(state.guardrails.get(stage), self._guardrails))
        self._heads(document)
        self._put(document, "context", self._context())
        self._put(document, "current_step", self._step())
        self._put(document, "last_processed_response", self._processed())
        if "indexes" in self.extras or self.foreign:
            document["generated_session_item_indexes"] = indexes(state.generated, state.session)
        for pointer, secret in state.secrets.items():
            _reinsert(document, pointer, self._plain(secret, pointer))
        return Dumped(document, tuple(self.losses))

    def _read_log(self) -> None:
        """Decode each entry of the log once."""
        notes: dict[int, Item] = {}
        here = referred(self.state)
        for position, (record, size) in enumerate(self.state.log.sized()):
            self.room.take(size, f"{self.path}/items/{position}")
            self._sizes.append(size)
            self._tagged = self.state.log.tagged(position)
            if record.item is not None:
                notes[position] = record.item
                self._raws[position] = self._plain(
                    record.item.raw, f"/items/{position}/item/raw", "warn"
                )
                self._items[position] = self._item(record.item, position)
            elif record.response is not None:
                if position in here:
                    here.update(record.response.output)
                self._responses[position] = self._response(record.response, position)
            elif record.guardrail is not None:
                self._guardrails[position] = self._guardrail(record.guardrail, position)
        self._tagged = True
        for position, item in notes.items():
            if position in here:
                self.calls.note(item)
        inside = asked_inside(run for _, run in nested_runs(self.state))
        self.calls.leave_out(self.state.agents, inside)

    def _item(self, item: Item, position: int) -> JSONObject:
        raw, at = self._raws[position], f"/items/{position}/item"
        if item.kind == "opaque":
            return raw  # type: ignore[return-value] # kept whole, whatever it is
        written: JSONObject = {"type": wire.TYPE_OF.get(item.kind, item.kind), "raw_item": raw}
        for key, name in _AGENTS.items():
            agent = getattr(item, name)
            if agent is not None:
                written[key] = self._agent(agent, f"{at}/{name}")
        if item.has_output:
            written["output"] = self._output(item.output, f"{at}/output")
        for key, (name, _) in wire.PLAIN_FIELDS.items():
            if (value := getattr(item, name)) is not None:
                written[key] = self._plain(value, f"{at}/{name}")
        if item.tool_key is not None:
            names = dict(zip(("kind", "namespace", "name"), item.tool_key, strict=True))
            written["tool_lookup_key"] = {k: v for k, v in names.items() if v is not None}
        if item.bare_alias:
            written["allow_bare_name_alias"] = True
        return {**written, **self._object(item.extra, f"{at}/extra")}

    def _response(self, response: Response, position: int) -> JSONObject:
        at = f"/items/{position}/response"
        if len(set(response.output)) < len(response.output):
            message = "expected each log position once, found one twice"
            raise InvalidDocument(message, path=f"{self.path}{at}/output")
        self._sizes[position] += sum(self._sizes[p] for p in response.output if 0 <= p < position)
        written: JSONObject = {
            "usage": None
            if response.usage is None
            else self._usage(response.usage, (), f"{at}/usage"),
            "output": [self._entry(self._raws, each) for each in response.output],
            "response_id": response.id,
            "request_id": response.request_id,
        }
        kept = {key: value for key, value in written.items() if key not in response.absent}
        return {**kept, **self._object(response.extra, f"{at}/extra")}

    def _guardrail(self, guardrail: Guardrail, position: int) -> JSONValue:
        return self._output(guardrail.result, f"/items/{position}/guardrail/result")

    def _usage(self, given: Usage, usages: Iterable[JSONValue], at: str) -> JSONObject:
        written: JSONObject = {}
        for name in (*wire.USAGE_COUNTS, *wire.USAGE_DETAILS):
            self._put(written, name, self._plain(getattr(given, name), f"{at}/{name}"))
        if self.another:  # the first releases of JavaScript's write none
            written = {**{name: [] for name in wire.USAGE_DETAILS}, **written}
        if given.entries is not None:
            entries = usage.unfold(given.entries, tuple(usages))
            written["request_usage_entries"] = self._plain(entries, f"{at}/entries")
        return {**written, **self._object(given.extra, f"{at}/extra")}

    def _input(self) -> JSONValue:
        given = self.state.input
        return given if isinstance(given, str) else self._listed(given, self._raws)

    def _heads(self, document: JSONObject) -> None:
        """Write the sections that are one value."""
        state = self.state
        conversation = state.conversation
        if conversation is not None:
            self._put(document, "conversation_id", conversation.id)
            self._put(document, "previous_response_id", conversation.previous_response_id)
            self._put(document, "auto_previous_response_id", conversation.auto)
            if conversation.acknowledged:
                self._lose("info", _HAVING)(f"{self.path}/conversation/acknowledged")
            if conversation.mode == "conversation" and conversation.sent is not None:
                self._lose("warn", _DOUBT)(f"{self.path}/conversation/sent")
        found = boundary.of_another(state) if self.another else state.current_response
        current = self._plain(found, "/current_response")
        self._put(document, "current_response_generated_item_ownership", current)
        self._put(document, "tool_use_tracker", self._plain(state.tool_use, "/tool_use"))
        self._put(document, "current_turn_persisted_item_count", state.persisted)
        self._put(document, "pending_session_write", self._session_write())
        self._put(document, "reasoning_item_id_policy", state.reasoning_item_id_policy)
        self._put(document, "terminal_unrecoverable", state.terminal)
        self._put(document, "trace", self._plain(state.trace, "/trace"))
        self._put(document, "sandbox", self._plain(state.sandbox, "/sandbox"))

    def _session_write(self) -> JSONValue:
        given = self.state.session_write
        if given is None:
            return None
        rest = self._object(given.get("rest"), "/session_write/rest")
        if "items" not in given:
            return rest
        return {**rest, "items": self._listed(given["items"], self._raws)}

    def _context(self) -> JSONValue:
        state = self.state
        grants, states = self._decided()
        if state.context is None and state.usage is None and not grants and states is None:
            return None
        signed = ledger.digests(self.extras, f"{self.path}/extras/{self.dialect}")
        written = self._extra("context")
        if state.usage is not None:
            responses = [self._entry(self._responses, p) for p in positions(state.responded or ())]
            usages = [each.get("usage") for each in responses if isinstance(each, dict)]
            written["usage"] = self._usage(state.usage, usages, "/usage")
        for index, grant in enumerate(grants):
            if grant.subject == "function" and grant.agent is None:
                self._lose("error", _NO_AGENT)(f"{self.path}/grants/{index}")
        at = "/grants"
        places = approvals.write(
            grants, lambda agent: self._agent(agent, at), lambda extra: self._object(extra, at)
        )
        unsaid = "approvals" in written or self.extras.get("no_approvals")
        if not places["approvals"] and unsaid:
            del places["approvals"]
        written |= places
        if states is not None:
            odd = self._extra("odd_invocations")
            written["tool_invocations"] = ledger.write(states, self.calls, signed) | odd
        if state.context is not None:
            self._write_context(written)
        return written

    def _write_context(self, written: JSONObject) -> None:
        context = self.state.context
        if context is None:
            return
        if context.has_data:
            at = f"{self.path}/context/data"
            written["context"] = degrade.plain(context.data, at, self._lose("warn", _CONTEXT))
        self._put(written, "context_meta", self._plain(context.meta, "/context/meta"))
        if (context.meta or {}).get("serialized_via") == "hitl":
            self._write_held(written)
        if context.tool_input is not None:
            written["tool_input"] = self._plain(context.tool_input, "/context/tool_input", "warn")

    def _write_held(self, written: JSONObject) -> None:
        """Write a context that hitl held: the SDK refuses a state whose context is no mapping."""
        meta = self._sound(written["context_meta"])
        if isinstance(written.get("context"), dict):
            written["context_meta"] = {**meta, "serialized_via": "context_serializer"}
            return
        self._lose("warn", _NO_MAPPING)(f"{self.path}/context/data")
        written["context"] = {}
        written["context_meta"] = {**meta, "serialized_via": "omitted", "omitted": True}

    def _decided(self) -> tuple[tuple[Any, ...], Ledger | None]:
        """Record the decisions taken with hitl where the SDK looks for them."""
        state = self.state
        states = state.ledger
        calls = own_calls(state) if state.decisions else {}
        decisions = (*state.decisions, *approvals.turned(state))
        verdicts = [(each, calls[each.call_id]) for each in decisions]
        own = self.dialect in state.extras
        grants = state.grants if own else approvals.adopted(state.grants)
        grants = approvals.all_decided(grants, verdicts)
        for decision in decisions:
            states = states or Ledger()
            done = self.calls.done()
            if decision.call_id not in states.open and decision.call_id not in done:
                waiting = {decision.call_id: CallState(executed=False, completed=False)}
                states = Ledger(open={**states.open, **waiting}, unlisted=states.unlisted)
            if decision.by or decision.at or decision.reason:
                self._lose("info", _AUDIT)(f"{self.path}/decisions/{decision.call_id}")
        return grants, states

    def _step(self) -> JSONValue:
        step = self.state.step
        if step is None:
            return None
        extra = self._object(step.extra, "/step/extra")
        if step.kind == "unknown":
            return extra
        if step.kind == "run_again":
            return {"type": "next_step_run_again", **extra}
        data: JSONObject = {}
        self._put(data, "interruptions", self._listed(step.interruptions, self._items))
        self._put(data, "response_accepted", step.response_accepted)
        self._put(data, "llm_end_hooks_started", step.llm_end_hooks_started)
        data |= self._sound(extra.pop("data", {}))
        return {"type": "next_step_interruption", "data": data, **extra}

    def _processed(self) -> JSONValue:
        processed = self.state.processed
        if processed is None:
            return None
        written: JSONObject = {}
        self._put(written, "new_items", self._listed(processed.new_items, self._items))
        self._put(written, "tools_used", processed.tools_used)
        self._groups(written, processed)
        self._put(written, "interruptions", self._listed(processed.interruptions, self._items))
        self._put(
            written,
            "mcp_tool_bindings",
            self._plain(processed.mcp_bindings, "/processed/mcp_bindings"),
        )
        self._put(written, "tool_output_guardrail_result_start", processed.guardrail_start)
        return {**written, **self._object(processed.extra, "/processed/extra")}

    def _groups(self, written: JSONObject, processed: Processed) -> None:
        for key, tool_key, group in wire.GROUPS:
            calls = [call for call in processed.calls if call.group == group]
            if calls or processed.groups is None or key in processed.groups:
                at = f"{self.path}/last_processed_response/{key}"
                written[key] = [
                    self._call(call, tool_key, f"{at}/{index}") for index, call in enumerate(calls)
                ]

    def _call(self, call: Call, tool_key: str, path: str) -> JSONObject:
        raw = self._copy(self._raws, call.item)
        extra = self._object(call.extra, path[len(self.path) :])
        if call.group == "hosted_mcp":
            request = {"raw_item": raw, **self._sound(extra.pop("request_item", {}))}
            written: JSONObject = {"request_item": request}
        else:
            written = {"tool_call": raw}
        self._put(written, tool_key, self._plain(call.tool, f"{path[len(self.path) :]}/{tool_key}"))
        if call.run is not None:
            at = f"{path}/agent_run_state"
            self.room.repeat(call.run, self.state, at)
            inside = _Dumper(call.run, self.dialect, self.version, at, self.room).dump()
            written["agent_run_state"] = inside.document
            self.losses += inside.losses
        return {**written, **extra}

    def _listed(self, packed: Spans | None, entries: dict[int, Any]) -> list[JSONValue] | None:
        if packed is None:
            return None
        return [self._copy(entries, position) for position in positions(packed)]

    def _copy(self, entries: dict[int, Any], position: int) -> Any:  # noqa: ANN401 - an entry
        """Give an entry that will stand in the document, as often as it is asked for."""
        entry = self._entry(entries, position)
        self.room.take(self._sizes[position], f"{self.path}/items/{position}")
        return entry

    def _entry(self, entries: dict[int, Any], position: int) -> Any:  # noqa: ANN401 - an entry
        if position not in entries:
            message = "expected the position of another kind of entry"
            raise InvalidDocument(message, path=f"{self.path}/items/{position}")
        return entries[position]

    def _agent(self, position: int, at: str) -> JSONObject:
        if not 0 <= position < len(self.agents):
            message = f"expected an agent below {len(self.agents)}, found another"
            raise InvalidDocument(message, path=self.path + at)
        return self.agents[position]

    def _object(self, value: JSONValue, at: str) -> JSONObject:
        """Give what hitl does not know of an object, to be put back into it."""
        return self._sound(self._plain(value or {}, at))

    def _sound(self, found: JSONValue) -> JSONObject:
        if not isinstance(found, dict):
            raise InvalidDocument(f"expected object, got {json_type(found)}", path=self.path)
        return found

    def _extra(self, name: str) -> JSONObject:
        """Give one of the SDK's own extras."""
        found, at = self.extras.get(name, {}), f"/extras/{self.dialect}/{name}"
        if not isinstance(found, dict):
            path = f"{self.path}{at}"
            raise InvalidDocument(f"expected object, got {json_type(found)}", path=path)
        return self._object(found, at)

    def _output(self, value: JSONValue, path: str) -> JSONValue:
        if not self._tagged:
            return value
        return degrade.plain(value, self.path + path, self._lose("info", _OUTPUT))

    def _plain(self, value: Any, at: str, severity: Severity = "info") -> Any:  # noqa: ANN401 - JSON
        """Give a tagged value as JSON has it; `at` is its place in this run."""
        if not self._tagged:
            return value
        return degrade.plain(value, self.path + at, self._lose(severity, _CARRIED))

    def _lose(self, severity: Severity, reason: str) -> Callable[[str], None]:
        def report(path: str) -> None:
            self.losses.append(Loss(path=path, severity=severity, reason=reason))

        return report

    def _reference(self, agent: Agent, at: str) -> JSONObject:
        written: JSONObject = {"name": agent.name}
        if agent.identity is not None:
            written["identity"] = agent.identity
        return {**written, **self._object(agent.extra, f"{at}/extra")}

    @staticmethod
    def _put(target: JSONObject, key: str, value: JSONValue) -> None:
        if value is not None:
            target[key] = value


def _reinsert(document: JSONObject, pointer: str, secret: JSONValue) -> None:
    """Put a secret back, if the object it stood in is still there."""
    holder, _, key = pointer.rpartition("/")
    try:
        target = resolve(document, holder)
    except HitlError:
        return
    if isinstance(target, dict):
        target[key] = secret
