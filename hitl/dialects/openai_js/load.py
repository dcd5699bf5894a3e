"""The JavaScript SDK's RunState JSON → run state; exact, repairs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from hitl import document as json_document
from hitl.dialect import json_type
from hitl.dialects.openai_js import (
    approvals,
    guardrail,
    ledger,
    persisted,
    shape,
    shared,
    tool,
    usage,
    wire,
)
from hitl.dialects.openai_js.agent import identity
from hitl.dialects.openai_js.history import History, text
from hitl.errors import InvalidDocument
from hitl.model import (
    MOST_TURNS,
    Call,
    Context,
    Conversation,
    ItemLog,
    Processed,
    RunState,
    Step,
    Turn,
    positions,
    spans,
)

if TYPE_CHECKING:
    from hitl.codec import Codec
    from hitl.document import JSONObject, JSONValue
    from hitl.model import Origin, Spans
    from hitl.model.step import Group


def load(
    document: JSONObject, codec: Codec, origin: Origin, *, plain: bool, path: str = ""
) -> RunState:
    """Read a document of the newest version, without what only this dialect can say.

    Args:
        document: the parsed document.
        codec: what encodes the log.
        origin: where the document comes from.
        plain: whether the document surely holds nothing that needs a tag.
        path: where the document stands, for a run inside another.

    Raises:
        InvalidDocument: a value does not fit its place.
    """
    return _Loader(document, codec, origin, plain=plain, path=path).load()


class _Loader:
    """Reads one document; runs inside are read by loaders of their own."""

    def __init__(
        self, document: JSONObject, codec: Codec, origin: Origin, *, plain: bool, path: str
    ) -> None:
        self.given = document
        self.codec = codec
        self.origin = origin
        self.plain = plain
        self.path = path
        self.history = History(codec, plain=plain)
        self.tag = self.history.tag

    def load(self) -> RunState:
        given, history = self.given, self.history
        current = self._current_agent()
        generated = history.items(self._list("generatedItems"), f"{self.path}/generatedItems")
        processed = self._processed()
        step = self._step()
        input_ = self._input()
        # What is said again is another occurrence.
        said = () if isinstance(input_, str) else positions(input_)
        at = f"{self.path}/pendingInput"
        staged = history.raws(given.get("pendingInput"), "input", at, apart=said)
        responses = [
            history.response(each, f"{self.path}/modelResponses/{i}")
            for i, each in enumerate(self._list("modelResponses"))
        ]
        guardrails = {
            stage: spans(history.guardrail(guardrail.read(each), stage) for each in found)
            for key, stage in wire.GUARDRAILS.items()
            if isinstance(found := given.get(key), list)
        }
        context = self._object("context")
        state = RunState(
            origin=self.origin,
            log=ItemLog(history.chunks, self.codec.log),
            turn=self._turn(),
            current_agent=current,
            input=input_,
            staged=spans(staged),
            generated=generated,
            session=generated,
            responded=spans(responses),
            last_response=responses[-1] if responses and "lastModelResponse" in given else None,
            step=step,
            processed=processed,
            current_response=self._ownership(),
            usage=self._usage(context),
            context=self._context(context),
            conversation=Conversation(
                id=text(given.get("conversationId")),
                previous_response_id=text(given.get("previousResponseId")),
                auto=False,
            ),
            guardrails=guardrails,
            tool_use=self._tagged("toolUseTracker"),
            trace=self._trace(),
            sandbox=self._tagged("sandbox"),
            reasoning_item_id_policy=text(given.get("reasoningItemIdPolicy")),
            session_write=self._session_write(),
        )
        state = evolve(state, agents=tuple(history.agents))
        state = evolve(state, processed=self._interrupted(state))
        state = shared.placed(state, approvals.read(context), self._owner)
        state = evolve(state, agents=tuple(history.agents))
        state = evolve(state, persisted=persisted.read(state, given))
        return evolve(state, ledger=ledger.read(state))

    def _object(self, key: str) -> JSONObject:
        found = self.given.get(key)
        return found if isinstance(found, dict) else {}

    def _list(self, key: str) -> list[JSONValue]:
        found = self.given.get(key, [])
        if not isinstance(found, list):
            at = f"{self.path}/{key}"
            raise InvalidDocument(f"expected array, got {json_type(found)}", path=at)
        return found

    def _tagged(self, key: str) -> JSONObject | None:
        found = self.given.get(key)
        return self.tag(found) if isinstance(found, dict) else None

    def _trace(self) -> JSONObject | None:
        """Give the trace; the SDK writes one without a name of its own when it does not trace."""
        found = self._tagged("trace")
        return None if found is not None and found.get("id") == wire.NO_TRACE else found

    def _current_agent(self) -> int:
        found = self.history.agent(self.given.get("currentAgent"))
        if found is None:
            raise InvalidDocument("expected an agent with a name", path=f"{self.path}/currentAgent")
        return found

    def _turn(self) -> Turn:
        current, most = self.given.get(wire.TURN_KEY), self.given.get("maxTurns")
        at = f"{self.path}/{wire.TURN_KEY}"
        if type(current) is not int or not 0 <= current <= MOST_TURNS:
            raise InvalidDocument(f"expected a turn up to {MOST_TURNS}", path=at)
        if most is not None and (type(most) is not int or not 0 <= most <= MOST_TURNS):
            message = f"expected a turn up to {MOST_TURNS}"
            raise InvalidDocument(message, path=f"{self.path}/maxTurns")
        return Turn(current=current, max=most)

    def _input(self) -> str | Spans:
        given = self.given.get("originalInput")
        at = f"{self.path}/originalInput"
        if isinstance(given, str):
            if text(given) is None:
                raise InvalidDocument("expected text, found a lone surrogate", path=at)
            return given
        if not isinstance(given, list):
            raise InvalidDocument(f"expected string or array, got {json_type(given)}", path=at)
        return spans(self.history.raws(given, "input", at))

    def _step(self) -> Step | None:
        given = self.given.get("currentStep")
        if not isinstance(given, dict):
            return None
        if given.get("type") == "next_step_run_again":
            return Step(kind="run_again")
        data = given.get("data")
        if given.get("type") != "next_step_interruption" or not isinstance(data, dict):
            return Step(kind="unknown")
        at = f"{self.path}/currentStep/data/interruptions"
        accepted = data.get("responseAccepted")
        return Step(
            kind="interruption",
            interruptions=self.history.items(data.get("interruptions"), at),
            response_accepted=accepted if isinstance(accepted, bool) else None,
        )

    def _processed(self) -> Processed | None:
        given = self.given.get("lastProcessedResponse")
        if not isinstance(given, dict):
            return None
        at = f"{self.path}/lastProcessedResponse"
        new_items = self.history.items(given.get("newItems"), f"{at}/newItems")
        used = given.get("toolsUsed")
        calls: list[Call] = []
        bindings: JSONObject = {}
        for key, tool_key, group in wire.GROUPS:
            found = given.get(key)
            for index, each in enumerate(found if isinstance(found, list) else []):
                call = self._call(each, tool_key, group, f"{at}/{key}/{index}", bindings)
                calls.append(call)
        own = self._object("currentResponseGeneratedItemOwnership")
        start = own.get("toolOutputGuardrailResultStartIndex")
        return Processed(
            new_items=new_items,
            tools_used=[t for each in used if (t := text(each)) is not None]
            if isinstance(used, list)
            else None,
            calls=tuple(calls),
            interruptions=None,
            mcp_bindings=bindings,
            guardrail_start=start if type(start) is int else None,
        )

    def _call(
        self,
        given: JSONValue,
        tool_key: str,
        group: Group,
        path: str,
        bindings: JSONObject,
    ) -> Call:
        found: Any = given if isinstance(given, dict) else {}
        holder, raw_key = found, "toolCall"
        if group == "hosted_mcp":
            holder, raw_key = found.get("requestItem"), "rawItem"
        raw = holder.get(raw_key) if isinstance(holder, dict) else None
        if not isinstance(raw, dict):
            raise InvalidDocument("expected object, got nothing", path=f"{path}/{raw_key}")
        run = None
        if group == "function":
            run = self._inside(raw)
            bound = found.get("mcpToolBinding")
            if isinstance(bound, dict) and isinstance(raw.get("callId"), str):
                names = ("serverName", "toolName", "serverIndex")
                bindings[raw["callId"]] = [bound.get(name) for name in names]
        return Call(
            group=group,
            item=self.history.raw(raw, "output", f"{path}/{raw_key}"),
            tool=self.tag(tool.read(group, found.get(tool_key), raw)),
            target=self.history.agent(found.get("targetAgent")) if group == "handoff" else None,
            run=run,
        )

    def _inside(self, call: JSONObject) -> RunState | None:
        """Give the paused run inside a call of an agent used as a tool."""
        found = inside(self.given, call)
        if found is None:
            return None
        key, inner = found
        at = f"{self.path}/{shape.RUNS}/{json_document.escape(key)}"
        return load(inner, self.codec, self.origin, plain=self.plain, path=at)

    def _session_write(self) -> JSONObject | None:
        found = [self.given.get(key) for key in wire.SESSION_WRITES]
        write = next((each for each in found if isinstance(each, dict)), None)
        return None if write is None else {"rest": self.tag(write)}

    def _interrupted(self, state: RunState) -> Processed | None:
        """Give the processed response with the requests of this run that it led to."""
        if state.processed is None:
            return None
        return evolve(state.processed, interruptions=spans(ledger.own_requests(state)))

    def _ownership(self) -> JSONObject | None:
        own = self._object("currentResponseGeneratedItemOwnership")
        start, end = own.get("generatedItemStartIndex"), own.get("generatedItemEndIndexExclusive")
        waiting = own.get("interruptionGeneratedItemIndexes")
        if type(start) is not int or type(end) is not int or not isinstance(waiting, list):
            return None
        return {"start": start, "end": end, "interruptions": waiting}

    def _usage(self, context: JSONObject) -> Any:  # noqa: ANN401 - of the model
        found = context.get("usage")
        at = f"{self.path}/context/usage"
        return usage.read(found, self.tag, at) if isinstance(found, dict) else None

    def _context(self, given: JSONObject) -> Context:
        return Context(
            has_data="context" in given,
            data=self.tag(given.get("context")),
            meta={
                "original_type": "mapping",
                "serialized_via": "mapping",
                "requires_deserializer": False,
                "omitted": False,
            },
            tool_input=self.tag(given.get("toolInput")),
        )

    def _owner(self, owner: str) -> int | None:
        """Give the place of an agent in the table, at its end if it is new."""
        agents = self.history.agents
        known = next((i for i, agent in enumerate(agents) if identity(agent) == owner), None)
        return self.history.agent({"name": owner}) if known is None else known


def inside(document: JSONObject, call: JSONObject) -> tuple[str, JSONObject] | None:
    """Give the paused run inside a call, with the key it is kept under."""
    runs = document.get(shape.RUNS)
    if not isinstance(runs, dict):
        return None
    keys = shape.run_keys(call.get("name"), call.get("namespace"), call.get("callId"))
    for key in runs:
        found = shape.inner(runs[key]) if key in keys else None
        if found is not None:
            return key, found
    return None
