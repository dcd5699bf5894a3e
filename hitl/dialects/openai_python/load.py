"""The Python SDK's RunState JSON → run state; exact, repairs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from hitl.dialect import Fields, json_type
from hitl.dialects.openai_python import approvals, ledger, usage, wire
from hitl.dialects.openai_python.history import After, History, same
from hitl.errors import InvalidDocument
from hitl.model import (
    MOST_TURNS,
    Call,
    Context,
    Conversation,
    ItemLog,
    Origin,
    Processed,
    RunState,
    Step,
    Turn,
    positions,
    spans,
)
from hitl.model.inside import asked_inside

if TYPE_CHECKING:
    from hitl.codec import Codec
    from hitl.document import JSONObject, JSONValue
    from hitl.model import Spans, Usage
    from hitl.model.step import Group


def load(
    document: JSONValue, codec: Codec, origin: Origin, *, plain: bool, path: str = ""
) -> RunState:
    """Read a document of the newest version.

    Args:
        document: the parsed document.
        codec: what encodes the log.
        origin: where the document comes from.
        plain: whether the document surely holds nothing that needs a tag.
        path: where the document stands, for a run inside another.

    Raises:
        InvalidDocument: a value does not fit its place.
    """
    return Loader(document, codec, origin, plain=plain, path=path).load()


class Loader:
    """Reads one document; runs inside are read by loaders of their own.

    Attributes:
        history: the log as it grows.
    """

    def __init__(
        self,
        document: JSONValue,
        codec: Codec,
        origin: Origin,
        *,
        plain: bool,
        path: str = "",
        after: After | None = None,
    ) -> None:
        """Read `document`; see `load`. `after` is what the log holds already."""
        self.top = Fields(document, path)
        self.codec = codec
        self.origin = origin
        self.plain = plain
        self.history = History(codec, plain=plain, after=after)
        self.tag = self.history.tag
        self.extras: dict[str, JSONValue] = {}
        self.secrets: dict[str, JSONValue] = {}

    def load(self) -> RunState:
        """Give the run state; of a log that goes on, with the new entries only."""
        top, history = self.top, self.history
        del top.rest[wire.VERSION_KEY]
        session = self._items("session_items")
        generated = self._items("generated_items")
        processed = self._processed()
        step = self._step()
        input_ = self._input()
        # What is said again is another occurrence.
        staged = self._raws("pending_input", apart=input_)
        responses = self._responses()
        runs = [call.run for call in (processed.calls if processed else ()) if call.run]
        history.calls.leave_out(history.agents, asked_inside(runs))
        context, usage, grants, states = self._context()
        guardrails = {
            stage: spans(history.guardrail(each, stage) for each in given)
            for key, stage in wire.GUARDRAILS.items()
            if (given := top.take(key, list)) is not None
        }
        self._derive_indexes(generated, session)
        state = {
            "origin": self.origin,
            "turn": self._turn(),
            "current_agent": self._current_agent(),
            "input": input_,
            "staged": staged,
            "generated": generated,
            "session": session,
            "responded": None if responses is None else spans(responses),
            "last_response": self._last_response(responses),
            "step": step,
            "processed": processed,
            "current_response": self._tagged("current_response_generated_item_ownership"),
            "grants": grants,
            "ledger": states,
            "usage": usage,
            "context": context,
            "conversation": self._conversation(),
            "guardrails": guardrails,
            "tool_use": self._tagged("tool_use_tracker"),
            "persisted": top.take_if("current_turn_persisted_item_count", int),
            "session_write": self._session_write(),
            "reasoning_item_id_policy": top.take_if("reasoning_item_id_policy", str),
            "terminal": top.take("terminal_unrecoverable", bool),
            "trace": self._trace(),
            "sandbox": self._tagged("sandbox"),
        }
        self.extras["document"] = self.tag(top.rest)
        return RunState(
            **state,
            log=ItemLog(history.chunks, self.codec.log),
            agents=tuple(history.agents),
            extras={self.origin.dialect: {k: v for k, v in self.extras.items() if v}},
            secrets=self.secrets,
        )

    def _items(self, key: str) -> Spans | None:
        given = self.top.take(key, list)
        return None if given is None else self.history.listed(given, key, self.top.at(key))

    def _raws(self, key: str, apart: Spans | str | None = None) -> Spans | None:
        given = self.top.take(key, list)
        if given is None:
            return None
        others = set(self.history.taken(key))
        if apart is not None and not isinstance(apart, str):
            others.update(positions(apart))
        return spans(self.history.raws(given, "input", self.top.at(key), others))

    def _tagged(self, key: str) -> JSONObject | None:
        given = self.top.take(key, dict)
        return None if given is None else self.tag(given)

    def _turn(self) -> Turn:
        """Read the turn counter; what a native document could not say is refused here already."""
        current, most = self.top.take("current_turn", int), self.top.take("max_turns", int)
        if current is None:
            raise InvalidDocument("expected integer, got nothing", path=self.top.at("current_turn"))
        if not 0 <= current <= MOST_TURNS:
            message = f"expected a turn up to {MOST_TURNS}"
            raise InvalidDocument(message, path=self.top.at("current_turn"))
        if most is not None and most < 0:
            message = "expected a number of turns, found less"
            raise InvalidDocument(message, path=self.top.at("max_turns"))
        self.extras["no_max_turns"] = "max_turns" not in self.top.given
        return Turn(current=current, max=most)

    def _current_agent(self) -> int:
        key = "current_agent"
        agent = self.history.agent(self.top, key)
        if agent is None:
            found = json_type(self.top.given.get(key))
            raise InvalidDocument(
                f"expected an agent with a name, got {found}", path=self.top.at(key)
            )
        return agent

    def _input(self) -> str | Spans:
        key = "original_input"
        given = self.top.given.get(key)
        if isinstance(given, str):
            return self.top.take(key, str) or ""
        if given is None:
            raise InvalidDocument("expected string or array, got nothing", path=self.top.at(key))
        return self._raws(key) or ()

    def _responses(self) -> list[int] | None:
        key = "model_responses"
        given = self.top.take(key, list)
        if given is None:
            return None
        at = self.top.at(key)
        return [self.history.response(each, f"{at}/{index}") for index, each in enumerate(given)]

    def _last_response(self, responses: list[int] | None) -> int | None:
        key = "last_model_response"
        given = self.top.take(key, dict)
        if given is None:
            return None
        all_ = self.top.given.get("model_responses")
        if responses and isinstance(all_, list) and same(all_[-1], given):
            return responses[-1]
        return self.history.response(given, self.top.at(key))

    def _step(self) -> Step | None:
        key = "current_step"
        given = self.top.take(key, dict)
        if given is None:
            return None
        fields = Fields(given, self.top.at(key))
        kind = fields.take_if("type", str)
        if kind == "next_step_run_again":
            return Step(kind="run_again", extra=self.tag(fields.rest) or None)
        waits = fields.take("data", dict) if kind == "next_step_interruption" else None
        if waits is None:
            return Step(kind="unknown", extra=self.tag(given))
        data = Fields(waits, fields.at("data"))
        waiting = data.take("interruptions", list)
        at = data.at("interruptions")
        accepted = data.take("response_accepted", bool)
        hooks = data.take("llm_end_hooks_started", bool)
        rest = fields.rest | ({"data": data.rest} if data.rest else {})
        return Step(
            kind="interruption",
            interruptions=None if waiting is None else self.history.items(waiting, at),
            response_accepted=accepted,
            llm_end_hooks_started=hooks,
            extra=self.tag(rest) or None,
        )

    def _processed(self) -> Processed | None:
        key = "last_processed_response"
        given = self.top.take(key, dict)
        if given is None:
            return None
        fields = Fields(given, self.top.at(key))
        new = fields.take("new_items", list)
        waiting = fields.take("interruptions", list)
        new_items = None if new is None else self.history.items(new, fields.at("new_items"))
        at = fields.at("interruptions")
        interruptions = None if waiting is None else self.history.items(waiting, at)
        calls, groups = self._calls(fields)
        return Processed(
            new_items=new_items,
            tools_used=fields.take_texts("tools_used"),
            calls=calls,
            interruptions=interruptions,
            mcp_bindings=self.tag(fields.take("mcp_tool_bindings", dict)),
            guardrail_start=fields.take("tool_output_guardrail_result_start", int),
            groups=groups,
            extra=self.tag(fields.rest) or None,
        )

    def _calls(self, fields: Fields) -> tuple[tuple[Call, ...], tuple[str, ...]]:
        calls: list[Call] = []
        groups: list[str] = []
        for key, tool_key, group in wire.GROUPS:
            given = fields.take(key, list)
            if given is None:
                continue
            at = fields.at(key)
            read = [self._call(e, tool_key, group, f"{at}/{i}") for i, e in enumerate(given)]
            groups.append(key)
            calls += read
        return tuple(calls), tuple(groups)

    def _call(self, given: JSONValue, tool_key: str, group: Group, path: str) -> Call:
        fields = Fields(given, path)
        holder, raw_key = fields, "tool_call"
        if group == "hosted_mcp":
            holder = Fields(fields.take("request_item", dict) or {}, fields.at("request_item"))
            raw_key = "raw_item"
        raw = holder.take(raw_key, dict)
        if raw is None:
            raise InvalidDocument("expected object, got nothing", path=holder.at(raw_key))
        tool = fields.take(tool_key, dict)
        run = fields.take("agent_run_state", dict)
        rest = fields.rest | (
            {"request_item": holder.rest} if holder is not fields and holder.rest else {}
        )
        return Call(
            group=group,
            item=self.history.raw(raw, "output", holder.at(raw_key)),
            tool=None
            if tool is None
            else self.tag(self._without_secrets(tool, fields.at(tool_key))),
            run=None if run is None else self._inside(run, fields.at("agent_run_state")),
            extra=self.tag(rest) or None,
        )

    def _inside(self, document: JSONValue, path: str) -> RunState:
        return load(document, self.codec, self.origin, plain=self.plain, path=path)

    def _without_secrets(self, tool: JSONObject, path: str) -> JSONObject:
        config = tool.get("tool_config")
        if not isinstance(config, dict) or not set(config) & set(wire.SECRET_TOOL_CONFIG):
            return tool
        at = f"{path}/tool_config"[len(self.top.path) :]
        for key in wire.SECRET_TOOL_CONFIG:
            if key in config:
                self.secrets[f"{at}/{key}"] = self.tag(config[key])
        left = {k: v for k, v in config.items() if k not in wire.SECRET_TOOL_CONFIG}
        return {**tool, "tool_config": left}

    def _context(self) -> tuple[Any, ...]:
        given = self.top.take("context", dict)
        if given is None:
            return None, None, (), None
        fields = Fields(given, self.top.at("context"))
        given_usage = fields.take("usage", dict)
        grants = approvals.read(fields, self.history)
        invocations = fields.take("tool_invocations", dict)
        states = None
        if invocations is not None:
            states, signed, odd = ledger.read(invocations, self.history.calls)
            self.extras["signed"] = signed
            self.extras["odd_invocations"] = self.tag(odd)
        context = Context(
            has_data="context" in given,
            data=self.tag(fields.rest.pop("context", None)),
            meta=self.tag(fields.take_if("context_meta", dict)),
            tool_input=self.tag(fields.rest.pop("tool_input", None)),
        )
        self.extras["context"] = self.tag(fields.rest)
        self.extras["no_approvals"] = "approvals" not in given
        read = None if given_usage is None else self._usage(given_usage, fields.at("usage"))
        return context, read, grants, states

    def _usage(self, given: JSONObject, path: str) -> Usage:
        read = self.history.usage(given, path)
        if not read.entries:
            return read
        responses = self.top.given.get("model_responses")
        usages = [each.get("usage") for each in responses or () if isinstance(each, dict)]
        return evolve(read, entries=usage.fold(read.entries, usages))

    def _conversation(self) -> Conversation:
        return Conversation(
            id=self.top.take("conversation_id", str),
            previous_response_id=self.top.take("previous_response_id", str),
            auto=self.top.take("auto_previous_response_id", bool),
        )

    def _session_write(self) -> JSONObject | None:
        given = self.top.take("pending_session_write", dict)
        if given is None:
            return None
        items = given.get("items")
        if not isinstance(items, list):
            return {"rest": self.tag(given)}
        at = f"{self.top.at('pending_session_write')}/items"
        packed = spans(self.history.raws(items, "input", at))
        rest = {key: value for key, value in given.items() if key != "items"}
        return {"items": [list(each) for each in packed], "rest": self.tag(rest)}

    def _trace(self) -> JSONObject | None:
        given = self.top.take("trace", dict)
        if given is None:
            return None
        if "tracing_api_key" in given:
            self.secrets["/trace/tracing_api_key"] = self.tag(given["tracing_api_key"])
            given = {key: value for key, value in given.items() if key != "tracing_api_key"}
        return self.tag(given)

    def _derive_indexes(self, generated: Spans | None, session: Spans | None) -> None:
        """Drop the map from generated to session items where the positions already say it."""
        key = "generated_session_item_indexes"
        given = self.top.take_if(key, list)
        if given is None:
            return
        if same(given, indexes(generated, session)):
            self.extras["indexes"] = True
        else:
            self.top.rest[key] = given


def indexes(generated: Spans | None, session: Spans | None) -> list[JSONValue]:
    """Give, for each generated item, its index among the session items; None if it has none."""
    at = {position: index for index, position in enumerate(positions(session or ()))}
    return [at.get(position) for position in positions(generated or ())]
