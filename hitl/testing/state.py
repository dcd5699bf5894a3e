"""Run states to draw, and the documents they make."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

from attrs import evolve
from hypothesis import strategies as st

from hitl import transfer
from hitl.model import (
    STAGES,
    TEXT_INPUT,
    Agent,
    Call,
    CallState,
    Context,
    Conversation,
    Decision,
    Grant,
    Guardrail,
    Item,
    ItemLog,
    Ledger,
    Origin,
    Processed,
    Record,
    Response,
    RunState,
    Step,
    Tool,
    Turn,
    Usage,
    arguments_sha256,
    spans,
)
from hitl.model.agent import ToolUse
from hitl.model.approval import tool_label
from hitl.testing.value import json_values, tagged_objects, tagged_values, texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import DrawFn, SearchStrategy

    from hitl.document import JSONObject

_HISTORY = ("message", "reasoning", "tool_call", "tool_output", "handoff_output", "compaction")
_MAX_ITEMS = 4
_MAX_DEPTH = 2


def run_states() -> SearchStrategy[RunState]:
    """Paused runs with every section of the model, nested runs and decided calls included."""
    return _states(_MAX_DEPTH)


def documents(dialect: str) -> SearchStrategy[JSONObject]:
    """Documents of the newest version of a dialect.

    Args:
        dialect: its name, such as `native`.
    """
    return run_states().map(
        lambda state: json.loads(transfer.dumps(state, dialect=dialect, allow_loss=True))
    )


def _maybe(strategy: SearchStrategy[Any]) -> SearchStrategy[Any]:
    return st.none() | strategy


@st.composite
def _states(draw: DrawFn, depth: int) -> RunState:
    agents = tuple(draw(st.lists(_agents(), min_size=1, max_size=3)))
    log = _Log(draw, len(agents), f"{depth}_")
    log.fill()
    processed = draw(_maybe(st.just(None))) if depth == 0 else log.processed(depth)
    state = RunState(
        origin=Origin(
            dialect=transfer.NATIVE, version=transfer.dialects()[transfer.NATIVE].chain.newest
        ),
        log=ItemLog([log.codec.encode(record) for record in log.records], log.codec),
        turn=Turn(current=draw(st.integers(0, 20)), max=draw(_maybe(st.integers(1, 20)))),
        agents=agents,
        current_agent=draw(st.integers(0, len(agents) - 1)),
        input=draw(texts() | st.just(spans(log.some("input")))),
        staged=draw(_maybe(st.just(spans(log.some("input"))))),
        generated=spans(log.some(*_HISTORY)),
        session=spans(log.all(*_HISTORY)),
        responded=spans(log.responses),
        last_response=log.responses[-1] if log.responses else None,
        step=Step(kind="interruption", interruptions=spans(log.waiting)),
        processed=processed,
        grants=tuple(draw(st.lists(_grants(len(agents)), max_size=2))),
        ledger=draw(_maybe(st.just(Ledger(open=dict.fromkeys(log.waiting_ids(), _OPEN))))),
        usage=draw(_maybe(_usages(len(log.responses)))),
        context=draw(_maybe(_contexts())),
        conversation=draw(_maybe(_conversations(log.some(*_HISTORY), log.some(*_HISTORY)))),
        guardrails={stage: spans(at) for stage, at in log.guardrails.items()},
        tool_use=draw(_maybe(tagged_objects())),
        persisted=draw(_maybe(st.integers(0, 9))),
        terminal=draw(_maybe(st.booleans())),
        trace=draw(_maybe(tagged_objects())),
        sandbox=draw(_maybe(tagged_objects())),
    )
    return evolve(state, decisions=tuple(log.decisions(agents)))


_OPEN = CallState(executed=False, completed=False)


class _Log:
    """Draws a log whose positions make sense."""

    def __init__(self, draw: DrawFn, agents: int, prefix: str) -> None:
        self.draw = draw
        self.agents = agents
        self.prefix = prefix  # of call ids: a run inside has its own
        self.codec = transfer.codecs()["json"].log
        self.records: list[Record] = []
        self.responses: list[int] = []
        self.waiting: list[int] = []
        self.guardrails: dict[Any, list[int]] = {}

    def fill(self) -> None:
        for kind in self.draw(st.lists(st.sampled_from(_HISTORY), max_size=_MAX_ITEMS)):
            self.add(self.draw(_items(kind, self.agents, f"{self.prefix}{len(self.records)}")))
        for _ in range(self.draw(st.integers(0, 2))):
            self.add(self.draw(_items("input", self.agents, f"{self.prefix}{len(self.records)}")))
        for _ in range(self.draw(st.integers(0, 2))):
            call = self.add(
                self.draw(_items("tool_call", self.agents, f"{self.prefix}{len(self.records)}"))
            )
            self.waiting.append(self.add(_approval(self.records[call], call)))
        for _ in range(self.draw(st.integers(0, 2))):
            output = tuple(self.some("tool_call", "message"))
            response = Response(
                id=self.draw(_maybe(texts())), usage=Usage(requests=1), output=output
            )
            self.responses.append(self._append(Record(response=response)))
        for stage in self.draw(st.lists(st.sampled_from(STAGES), max_size=2, unique=True)):
            result = Guardrail(stage=stage, result=self.draw(tagged_values()))
            self.guardrails[stage] = [self._append(Record(guardrail=result))]

    def add(self, item: Item) -> int:
        return self._append(Record(item=item.folded()))

    def _append(self, record: Record) -> int:
        self.records.append(record)
        return len(self.records) - 1

    def all(self, *kinds: str) -> list[int]:
        return [at for at, each in enumerate(self.records) if each.item and each.item.kind in kinds]

    def some(self, *kinds: str) -> list[int]:
        return [at for at in self.all(*kinds) if self.draw(st.booleans())]

    def call_of(self, waiting: int) -> Item:
        approval = self.records[waiting].item
        call = None if approval is None or approval.call is None else self.records[approval.call]
        if call is None or call.item is None:  # pragma: no cover - `fill` put it there
            raise LookupError(waiting)
        return call.item

    def owner_of(self, waiting: int, agents: Sequence[Agent]) -> str | None:
        approval = self.records[waiting].item
        if approval is None or approval.agent is None:
            return None
        entry = agents[approval.agent]
        return entry.identity or entry.name

    def waiting_ids(self) -> Sequence[str]:
        return [self.call_of(at).call_id or "" for at in self.waiting]

    def decisions(self, agents: Sequence[Agent]) -> list[Decision]:
        return [
            self.draw(_decisions(self.call_of(at), self.owner_of(at, agents)))
            for at in self.waiting
            if self.draw(st.booleans())
        ]

    def processed(self, depth: int) -> Processed | None:
        if not self.waiting or self.draw(st.booleans()):
            return None
        inside = self.draw(_maybe(_states(depth - 1)))
        calls = tuple(
            Call(
                group="function",
                item=self.waiting[index] - 1,
                tool=self.draw(_maybe(tagged_objects())),
                run=inside if index == 0 else None,
            )
            for index in range(len(self.waiting))
        )
        return Processed(
            new_items=spans(self.some("tool_call")),
            tools_used=self.draw(st.lists(texts(), max_size=2)),
            calls=calls,
            interruptions=spans(self.waiting),
        )


def _approval(call: Record, position: int) -> Item:
    # The SDK's approvals always name an agent; a decision on one without has no place there.
    agent = (call.item.agent if call.item is not None else None) or 0
    return Item(kind="approval", call=position, agent=agent, tool_name="refund")


def _agents() -> SearchStrategy[Agent]:
    tools = st.builds(Tool, name=texts(), kind=st.just("function"), approval=st.just("always"))
    return st.builds(
        Agent,
        name=texts(),
        identity=_maybe(texts()),
        tools=_maybe(st.lists(tools, max_size=2).map(tuple)),
        tool_use_behavior=_maybe(st.sampled_from(get_args(ToolUse))),
        stop_at_tool_names=st.lists(texts(), max_size=2).map(tuple),
        extra=_maybe(tagged_objects().filter(bool)),
    )


@st.composite
def _items(draw: DrawFn, kind: Any, agents: int, name: str) -> Item:  # noqa: ANN401 - a Kind
    raw: JSONObject = {"type": kind}
    if kind == "tool_call":
        arguments = draw(json_values().map(json.dumps) | texts())
        call_id = f"call_{name}"
        raw = {
            "type": "function_call",
            "call_id": call_id,
            "name": "refund",
            "arguments": arguments,
        }
    output = draw(tagged_values())
    if kind == "tool_output":
        visible = draw(texts() | st.just(str(output)))
        raw = {"type": "function_call_output", "call_id": f"made_{name}", "output": visible}
    has_output = kind == "tool_output" and draw(st.booleans())
    return Item(
        kind=kind,
        raw=raw,
        agent=None if kind == "input" else draw(_maybe(st.integers(0, agents - 1))),
        output=output if has_output else None,
        has_output=has_output,
        tool_name=draw(_maybe(texts())) if kind == "tool_output" else None,
        custom_data=draw(_maybe(tagged_objects())) if kind == "tool_output" else None,
    )


def _decisions(item: Item, agent: str | None) -> SearchStrategy[Decision]:
    return st.builds(
        Decision,
        call_id=st.just(item.call_id or ""),
        tool=st.just(tool_label(item)),
        agent=st.just(agent),
        approved=st.booleans(),
        always=st.booleans(),
        message=_maybe(texts()),
        by=_maybe(texts()),
        reason=_maybe(texts()),
        arguments_sha256=st.just(arguments_sha256(item.raw)),
    )


def _grants(agents: int) -> SearchStrategy[Grant]:
    verdicts = st.booleans() | st.lists(texts(), max_size=2)
    return st.builds(
        Grant,
        subject=st.just("function"),
        agent=st.integers(0, agents - 1),
        key=texts(),
        approved=verdicts,
        rejected=verdicts,
        messages=_maybe(st.dictionaries(texts(), texts(), min_size=1, max_size=2)),
        sticky_message=_maybe(texts()),
    )


def _usages(responses: int) -> SearchStrategy[Usage]:
    counts = st.integers(0, 10**6)
    folded = st.just([[0, responses]] if responses else [])
    return st.builds(
        Usage,
        requests=counts,
        input_tokens=counts,
        output_tokens=counts,
        total_tokens=counts,
        input_tokens_details=_maybe(st.lists(tagged_objects(), max_size=2)),
        entries=_maybe(folded | st.lists(tagged_objects(), max_size=2)),
    )


def _contexts() -> SearchStrategy[Context]:
    return tagged_values().map(lambda data: Context(data=data, has_data=True))


def _conversations(having: list[int], sent: list[int]) -> SearchStrategy[Conversation]:
    return st.builds(
        Conversation,
        id=_maybe(texts()),
        previous_response_id=_maybe(texts()),
        auto=_maybe(st.booleans()),
        acknowledged=_maybe(st.just(spans(having)) | st.just(spans([TEXT_INPUT, *having]))),
        sent=_maybe(st.just(spans(sent))),
    )
