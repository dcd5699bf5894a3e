"""Run state → the JavaScript SDK's RunState JSON, newest version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from hitl import document as json_document
from hitl.dialect import json_type
from hitl.dialects.openai_js import agent as agents
from hitl.dialects.openai_js import (
    approvals,
    content,
    fingerprint,
    guardrail,
    kept,
    ledger,
    persisted,
    shape,
    shared,
    tool,
    usage,
    wire,
)
from hitl.dialects.openai_js import raw as protocol
from hitl.dialects.openai_js.plain import plain
from hitl.errors import InvalidDocument
from hitl.model import Item, Processed, RunState, Usage, positions

if TYPE_CHECKING:
    from hitl.dialects.openai_js.approvals import Owned
    from hitl.document import JSONObject, JSONValue
    from hitl.model import Call, Response, Spans


def dump(state: RunState, dialect: str, version: str) -> JSONObject:
    """Write `state` as the SDK's JSON.

    Args:
        state: what to write; its decisions are recorded as the SDK records them.
        dialect: under which name the SDK's own extras are kept.
        version: the label.

    Raises:
        InvalidDocument: what the state keeps is not in its form.
    """
    return _Dumper(state, dialect, version).dump(records(state, dialect))


def records(state: RunState, dialect: str) -> list[Owned]:
    """Give the approval records of a run and of the runs inside, decisions taken since included."""
    runs = list(shared.neighbours(state))
    if state.origin.dialect != dialect:
        foreign = (shared.narrowed(approvals.records(run), run, others) for _, run, others in runs)
        return shared.gathered([each for found in foreign for each in found])
    # What its own SDK recorded stays as it is; what is decided since is for the run it was said in.
    found = shared.gathered([each for _, run, _ in runs for each in approvals.granted(run)])
    for _, run, others in runs:
        found = approvals.taken(found, run, shared.wider_than(others))
    return found


_CALLED = frozenset({"tool_call", "tool_output"})


@frozen
class _Written:
    """An item of the list of generated items, and what it is written as."""

    position: int
    item: Item
    document: object


class _Dumper:
    """Writes one run; runs inside are written by dumpers of their own."""

    def __init__(self, state: RunState, dialect: str, version: str) -> None:
        self.state = state
        self.dialect = dialect
        self.version = version
        self.extras = state.extras.get(dialect, {})
        self.foreign = state.origin.dialect != dialect
        self.agents = [agents.written(each) for each in state.agents]
        self.names = _names(state)
        self.generated = self._generated()

    def dump(self, found: list[Owned]) -> JSONObject:
        state = self.state
        responses = [self._response(p) for p in positions(state.responded or ())]
        waiting = state.step is not None and state.step.kind == "interruption"
        written: JSONObject = {
            wire.VERSION_KEY: self.version,
            wire.TURN_KEY: state.turn.current,
            "currentAgent": self.agents[state.current_agent or 0],
            "originalInput": state.input
            if isinstance(state.input, str)
            else self._raws(state.input),
            "modelResponses": responses,
            "context": self._context(found),
            "toolUseTracker": self._plain(state.tool_use) or {},
            "maxTurns": state.turn.max,
            "currentAgentSpan": None,
            "noActiveAgentRun": not waiting,
            wire.GUARDRAILS_DONE: True,
            "currentTurnInProgress": waiting,
            "generatedItems": [each.document for each in self.generated],
            "pendingAgentToolRuns": {},
            "pendingAgentToolRunAliases": {},
            persisted.KEY: persisted.write(self._trimmed(), alone=not state.persisted),
            **ledger.completed(state, [each.item for each in self.generated]),
            "ambiguousToolInvocationCallIds": [],
            "trace": self._trace(),
        }
        for key, stage in wire.GUARDRAILS.items():
            packed = positions(state.guardrails.get(stage, ()))
            written[key] = [self._guardrail(position) for position in packed]
        self._optional(written, responses)
        self._insides(written)
        return self._with_kept(written)

    def _generated(self) -> list[_Written]:
        """Give the generated items as the SDK has them: without requests that were answered."""
        state = self.state
        waiting = set(positions((state.step and state.step.interruptions) or ()))
        found = []
        for position in positions(state.generated or ()):
            item = state.log.item(position)
            if item.kind == "approval" and position not in waiting:
                continue
            found.append(_Written(position, self._bare(item), self._item(item)))
        return found

    def _trimmed(self) -> RunState:
        """Give the run with the generated items that are written."""
        packed = tuple((each.position, each.position + 1) for each in self.generated)
        start = self._ownership()
        current = None if start is None else {"start": start["generatedItemStartIndex"]}
        return evolve(self.state, generated=packed, current_response=current)

    def _bare(self, item: Item) -> Item:
        return evolve(item, raw=self._plain(item.raw))

    def _plain(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        """Give a tagged value as JSON has it."""
        return plain(value)

    def _raws(self, packed: Spans | None) -> list[JSONValue]:
        return [self._raw(position) for position in positions(packed or ())]

    def _raw(self, position: int) -> JSONValue:
        return self._protocol(self.state.log.item(position))

    def _protocol(self, item: Item) -> JSONValue:
        raw = self._plain(item.raw)
        if item.kind == "approval":
            return protocol.request(raw)
        return protocol.write(raw, self.names.get(str(item.call_id)))

    def _item(self, item: Item) -> JSONValue:
        if item.kind == "opaque":
            return self._plain(item.raw)
        form = self._protocol(item)
        written: JSONObject = {"type": wire.TYPE_OF.get(item.kind, item.kind), "rawItem": form}
        if item.kind in _CALLED and isinstance(form, dict) and form.get("type") == "unknown":
            # The SDK takes what it does not know as input only: the model is sent the same.
            return {
                **written,
                "type": wire.TYPE_OF["input"],
                "agent": self._agent(item.agent),
                "inputId": f"{item.kind}:{item.call_id}",
            }
        if item.kind == "handoff_output":
            written["sourceAgent"] = self._agent(item.source)
            written["targetAgent"] = self._agent(item.target)
        elif item.agent is not None:
            written["agent"] = self._agent(item.agent)
        if item.kind == "tool_output":
            raw = item.raw if isinstance(item.raw, dict) else {}
            output = item.output if item.has_output else raw.get("output")
            written["output"] = content.write_value(self._plain(output))
            written["executionStatus"] = "executed"
        if item.custom_data is not None:
            written["customData"] = self._plain(item.custom_data)
        if item.input_id is not None:
            written["inputId"] = item.input_id
        if item.kind == "approval":
            raw = item.raw if isinstance(item.raw, dict) else {}
            written["toolName"] = item.tool_name or _tool_name(raw)
            key = fingerprint.lookup_key(item)
            if raw.get("type") == "function_call" and key is not None:
                written["functionToolStateKey"] = fingerprint.state_key(key)
        return written

    def _agent(self, position: int | None) -> JSONValue:
        if position is None or not 0 <= position < len(self.agents):
            raise InvalidDocument(f"expected an agent below {len(self.agents)}", path="/agents")
        return self.agents[position]

    def _response(self, position: int) -> JSONValue:
        response: Response | None = self.state.log[position].response
        if response is None:
            message = "expected the position of a response"
            raise InvalidDocument(message, path=f"/items/{position}")
        written: JSONObject = {
            "usage": self._usage(response.usage or Usage(), ()),
            "output": [self._raw(each) for each in response.output],
        }
        if response.id is not None:
            written["responseId"] = response.id
        if response.request_id is not None:
            written["requestId"] = response.request_id
        return written

    def _usage(self, given: Any, usages: Any) -> JSONObject:  # noqa: ANN401 - of the model
        entries = (
            None if given.entries is None else usage.unfold(self._plain(given.entries), usages)
        )
        details = {name: self._plain(getattr(given, name)) for name in wire.DETAILS.values()}
        return usage.write(evolve(given, **details), entries)

    def _guardrail(self, position: int) -> JSONValue:
        found = self.state.log[position].guardrail
        return guardrail.write(self._plain(found.result if found else None))

    def _context(self, found: list[Owned]) -> JSONObject:
        state = self.state
        responded = [self.state.log[p].response for p in positions(state.responded or ())]
        usages = [each.usage if each else None for each in responded]
        data = self._plain(state.context.data) if state.context else None
        calls = self._calls()
        if self.foreign:
            found = approvals.owned(found, calls)
        written: JSONObject = {
            "usage": self._usage(state.usage or Usage(), usages),
            **approvals.write(found),
            "approvalInvocations": approvals.bindings(found, calls, _decided_for_good(state)),
            "context": data if isinstance(data, dict) else {},
        }
        if state.context is not None and state.context.tool_input is not None:
            written["toolInput"] = self._plain(state.context.tool_input)
        return written

    def _calls(self) -> list[tuple[str, Item]]:
        return [(owner, self._bare(item)) for owner, item in ledger.all_calls(self.state)]

    def _trace(self) -> JSONValue:
        trace = self._plain(self.state.trace)
        if not isinstance(trace, dict):
            trace = {"id": wire.NO_TRACE}
        blank = {"object": "trace", "workflow_name": "Agent workflow", "group_id": None}
        said = {k: v for k, v in trace.items() if v is not None and k in {*blank, "id", "metadata"}}
        return {**blank, "metadata": {}, **said}

    def _optional(self, written: JSONObject, responses: list[JSONValue]) -> None:
        """Write what the SDK leaves out when there is nothing to say."""
        state = self.state
        if state.staged and list(positions(state.staged)):
            written["pendingInput"] = self._raws(state.staged)
        if state.last_response is not None and responses:
            written["lastModelResponse"] = responses[-1]
        if state.step is not None:
            written["currentStep"] = self._step()
        if state.processed is not None:
            written["lastProcessedResponse"] = self._processed(state.processed)
        if state.reasoning_item_id_policy is not None:
            written["reasoningItemIdPolicy"] = state.reasoning_item_id_policy
        own = self._ownership()
        if own is not None:
            written["currentResponseGeneratedItemOwnership"] = own
        conversation = state.conversation
        if conversation is not None and conversation.id is not None:
            written["conversationId"] = conversation.id
        if conversation is not None and conversation.previous_response_id is not None:
            written["previousResponseId"] = conversation.previous_response_id

    def _step(self) -> JSONValue:
        step = self.state.step
        if step is None or step.kind != "interruption":
            return {"type": "next_step_run_again"}
        waiting = [self._item(self.state.log.item(p)) for p in positions(step.interruptions or ())]
        data: JSONObject = {"interruptions": waiting}
        if step.response_accepted:
            data["responseAccepted"] = True
        return {"type": "next_step_interruption", "data": data}

    def _ownership(self) -> JSONObject | None:
        """Give where the items of the last response stand, if that can be proved."""
        state = self.state
        place = {each.position: index for index, each in enumerate(self.generated)}
        new = list(positions((state.processed and state.processed.new_items) or ()))
        waiting = [
            place.get(p, -1) for p in positions((state.step and state.step.interruptions) or ())
        ]
        if not new or not waiting or new[0] not in place:
            return None
        end = place[new[0]] + len(new)
        if waiting != sorted(set(waiting)) or waiting[0] < end:
            return None
        return {
            "generatedItemStartIndex": place[new[0]],
            "generatedItemEndIndexExclusive": len(self.generated),
            "interruptionGeneratedItemIndexes": waiting,
            "toolOutputGuardrailResultStartIndex": self._guardrail_start(),
        }

    def _guardrail_start(self) -> int:
        processed = self.state.processed
        if processed is not None and processed.guardrail_start is not None:
            return processed.guardrail_start
        return len(list(positions(self.state.guardrails.get("tool_output", ()))))

    def _processed(self, processed: Processed) -> JSONObject:
        new = [self._item(self.state.log.item(p)) for p in positions(processed.new_items or ())]
        used = list(processed.tools_used or ())
        if any(call.group == "hosted_mcp" for call in processed.calls) and not used:
            used = ["mcp_approval_request"]
        written: JSONObject = {"newItems": new, "toolsUsed": used, "functionToolsNotFound": []}
        for key, tool_key, group in wire.GROUPS:
            calls = [call for call in processed.calls if call.group == group]
            written[key] = [self._call(call, tool_key, processed) for call in calls]
        return written

    def _call(self, call: Call, tool_key: str, processed: Processed) -> JSONObject:
        raw = self._plain(self.state.log.item(call.item).raw)
        said = self._plain(call.tool)
        said = said if isinstance(said, dict) else {}
        if call.group == "hosted_mcp":
            request = protocol.request(raw)
            if not isinstance(request, dict):
                at = f"/items/{call.item}/item/raw"
                raise InvalidDocument(f"expected object, got {json_type(request)}", path=at)
            return {
                "requestItem": {"rawItem": {k: v for k, v in request.items() if k != "id"}},
                "mcpTool": tool.write_hosted(said, raw),
            }
        written: JSONObject = {
            "toolCall": protocol.write(raw),
            tool_key: tool.write(call.group, said, raw),
        }
        if call.target is not None:
            written["targetAgent"] = self._agent(call.target)
        if call.group == "function":
            binding = (self._plain(processed.mcp_bindings) or {}).get(str(_call_id(raw)))
            bound: JSONValue = "unknown" if tool.unbound(self.state, call) else None
            if isinstance(binding, list):
                names = ("serverName", "toolName", "serverIndex")
                bound = dict(zip(names, binding, strict=False))
            written["mcpToolBinding"] = bound
        return written

    def _insides(self, written: JSONObject) -> None:
        """Write the runs inside, each as text, under the key of its tool and call."""
        runs: JSONObject = {}
        aliases: JSONObject = {}
        for call in self.state.processed.calls if self.state.processed else ():
            if call.run is None:
                continue
            item = self.state.log.item(call.item)
            key = fingerprint.lookup_key(item) or ("bare", None, "")
            canonical = f"{fingerprint.state_key(key)}:{item.call_id}"
            inner = _Dumper(call.run, self.dialect, self.version).dump([])
            runs[canonical] = fingerprint.dumps(inner)
            aliases[f"{key[2]}:{item.call_id}"] = canonical
        written["pendingAgentToolRuns"] = runs
        written["pendingAgentToolRunAliases"] = aliases

    def _with_kept(self, written: JSONObject) -> JSONObject:
        """Put back what the document said beyond the state."""
        if self.dialect not in self.state.extras:
            return written
        own: JSONObject = kept.unshared(written)
        parts = self._plain(self.extras.get("kept", []))
        kept.put_back(own, parts, f"/extras/{self.dialect}/kept")
        last, all_ = own.get("lastModelResponse"), own.get("modelResponses")
        if isinstance(all_, list) and all_ and json_document.equal(last, all_[-1]):
            own["lastModelResponse"] = all_[-1]
        kept.reveal(own, {p: self._plain(v) for p, v in self.state.secrets.items()})
        return own


def with_texts(document: JSONObject, state: RunState, dialect: str) -> JSONObject:
    """Give a document with the runs inside spelled as they were, where they say the same."""
    texts = state.extras.get(dialect, {}).get("texts")
    runs = document.get(shape.RUNS)
    if not isinstance(texts, dict) or not isinstance(runs, dict):
        return document
    spelled = {
        key: texts[key] if key in texts and shape.same_run(texts[key], text) else text
        for key, text in runs.items()
    }
    return {**document, shape.RUNS: spelled}


def _decided_for_good(state: RunState) -> frozenset[str]:
    """Give the ids of calls decided for good with hitl, in a run and the runs inside."""
    found = {each.call_id for each in state.decisions if each.always}
    for call in state.processed.calls if state.processed else ():
        if call.run is not None:
            found |= _decided_for_good(call.run)
    return frozenset(found)


def _names(state: RunState) -> dict[str, str]:
    """Give the names of the tools called, by call id: an output has to name its tool."""
    found: dict[str, str] = {}
    for record in state.log:
        raw = record.item.raw if record.item is not None else None
        if isinstance(raw, dict) and raw.get("type") == "function_call":
            found.setdefault(str(raw.get("call_id")), str(raw.get("name")))
    return found


def _call_id(raw: JSONValue) -> JSONValue:
    return raw.get("call_id") if isinstance(raw, dict) else None


def _tool_name(raw: JSONObject) -> str:
    built_in = {
        "shell_call": "shell",
        "apply_patch_call": "apply_patch",
        "computer_call": "computer",
    }
    return str(raw.get("name") or built_in.get(str(raw.get("type")), raw.get("type")))
