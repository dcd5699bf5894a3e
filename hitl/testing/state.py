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
from hitl.testing.raw import function_call, raws
from hitl.testing.taste import Taste, counted, maybe
from hitl.testing.value import tagged_objects, texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hypothesis.strategies import DrawFn, SearchStrategy

    from hitl.document import JSONObject
    from hitl.model.step import Group

_HISTORY = ("message", "reasoning", "tool_call", "tool_output", "handoff_output", "compaction")
_LISTED = (*_HISTORY, "mcp_approval_request", "approval")
_MAX_ITEMS = 4
_MAX_DEPTH = 2


def run_states(*, portable: bool = False) -> SearchStrategy[RunState]:
    """Paused runs with every section of the model, nested runs and decided calls included.

    Args:
        portable: as SDKs write them, without what is only of the one that wrote it: what another
            SDK can take over.
    """
    return _states(_MAX_DEPTH, Taste(portable))


def documents(dialect: str) -> SearchStrategy[JSONObject]:
    """Documents of the newest version of a dialect.

    Args:
        dialect: its name, such as `native`.
    """
    return run_states().map(
        lambda state: json.loads(transfer.dumps(state, dialect=dialect, allow_loss=True))
    )


@st.composite
def _states(draw: DrawFn, depth: int, taste: Taste) -> RunState:
    agents = tuple(draw(taste.several(_agents(taste), lambda each: each.name, least=1)))
    log = _Log(draw, len(agents), f"{depth}_", taste)
    log.fill()
    processed = None if depth == 0 else log.processed(depth)
    generated = log.all(*_LISTED) if taste.portable else log.some(*_HISTORY)
    ledger = st.just(log.ledger(processed))
    state = RunState(
        origin=Origin(
            dialect=transfer.NATIVE, version=transfer.dialects()[transfer.NATIVE].chain.newest
        ),
        log=ItemLog([log.codec.encode(record) for record in log.records], log.codec),
        turn=Turn(current=draw(st.integers(0, 20)), max=draw(maybe(st.integers(1, 20)))),
        agents=agents,
        current_agent=draw(st.integers(0, len(agents) - 1)),
        input=draw(texts() | st.just(spans(log.some("input")))),
        staged=draw(maybe(st.just(spans(log.some("input"))))),
        generated=spans(generated),
        session=spans(generated if taste.portable else log.all(*_HISTORY)),
        responded=spans(log.responses),
        last_response=log.responses[-1] if log.responses else None,
        step=Step(kind="interruption", interruptions=spans(log.waiting)),
        processed=processed,
        grants=tuple(
            draw(taste.several(_grants(len(agents), taste), lambda each: (each.agent, each.key)))
        ),
        ledger=draw(ledger if taste.portable else maybe(ledger)),
        usage=draw(taste.usages(len(log.responses))),
        context=draw(taste.contexts() if taste.portable else maybe(taste.contexts())),
        conversation=draw(maybe(_conversations(log.some(*_HISTORY), log.some(*_HISTORY)))),
        guardrails={stage: spans(at) for stage, at in log.guardrails.items()},
        tool_use=draw(taste.objects() if taste.portable else maybe(taste.objects())),
        persisted=draw(maybe(st.integers(0, 0 if taste.portable else 9))),
        terminal=draw(taste.own(st.booleans())),
        trace=draw(taste.traces()),
        sandbox=draw(taste.own(tagged_objects())),
    )
    if taste.portable:  # an agent that is named nowhere else is in no document
        state = evolve(
            state,
            grants=tuple(evolve(each, agent=state.current_agent) for each in state.grants[:1]),
        )
    return evolve(state, decisions=tuple(log.decisions(agents)))


class _Log:
    """Draws a log whose positions make sense."""

    def __init__(self, draw: DrawFn, agents: int, prefix: str, taste: Taste) -> None:
        self.draw = draw
        self.taste = taste
        self.agents = agents
        self.prefix = prefix  # of call ids: a run inside has its own
        self.codec = transfer.codecs()["json"].log
        self.records: list[Record] = []
        self.responses: list[int] = []
        self.waiting: list[int] = []
        self.guardrails: dict[Any, list[int]] = {}

    def fill(self) -> None:
        for kind in self.draw(st.lists(st.sampled_from(_HISTORY), max_size=_MAX_ITEMS)):
            name = f"{self.prefix}{len(self.records)}"
            if kind == "tool_output" and (self.taste.portable or self.draw(st.booleans())):
                call = self.draw(function_call(f"made_{name}"))
                self.add(Item(kind="tool_call", raw=call, agent=0))
            self.add(self.draw(_items(kind, self.agents, name, self.taste)))
        for _ in range(self.draw(st.integers(0, 2))):
            self.add(
                self.draw(
                    _items("input", self.agents, f"{self.prefix}{len(self.records)}", self.taste)
                )
            )
        for _ in range(self.draw(st.integers(0, 2))):
            call = self.add(
                self.draw(
                    _items(
                        "tool_call", self.agents, f"{self.prefix}{len(self.records)}", self.taste
                    )
                )
            )
            self.waiting.append(self.add(_approval(self.records[call], call)))
        for _ in range(self.draw(st.integers(0, 2))):
            output = tuple(self.some("tool_call", "message"))
            response = Response(id=self.draw(maybe(texts())), usage=self.spent(), output=output)
            self.responses.append(self._append(Record(response=response)))
        for stage in self.draw(st.lists(st.sampled_from(STAGES), max_size=2, unique=True)):
            result = Guardrail(stage=stage, result=self.draw(self.taste.values()))
            self.guardrails[stage] = [self._append(Record(guardrail=result))]

    def spent(self) -> Usage:
        return self.draw(counted(0)) if self.taste.portable else Usage(requests=1)

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
        if approval is None or call is None or call.item is None:  # pragma: no cover
            raise LookupError(waiting)
        return evolve(call.item, tool_name=approval.tool_name)

    def group_of(self, waiting: int) -> Group:
        raw: Any = self.call_of(waiting).raw
        return _GROUPS[raw["type"]]

    def _holds_run(self, waiting: int) -> bool:
        return waiting == self.waiting[0] and self.group_of(waiting) == "function"

    def owner_of(self, waiting: int, agents: Sequence[Agent]) -> str | None:
        approval = self.records[waiting].item
        if approval is None or approval.agent is None:
            return None
        entry = agents[approval.agent]
        return entry.identity or entry.name

    def ledger(self, processed: Processed | None) -> Ledger:
        begun = {each.item for each in (processed.calls if processed else ()) if each.run}
        return Ledger(
            open={
                self.call_of(at).call_id or "": CallState(executed=at - 1 in begun, completed=False)
                for at in self.waiting
            }
        )

    def decisions(self, agents: Sequence[Agent]) -> list[Decision]:
        return [
            self.draw(_decisions(self.call_of(at), self.owner_of(at, agents)))
            for at in self.waiting
            if self.draw(st.booleans())
        ]

    def processed(self, depth: int) -> Processed | None:
        if not self.waiting or self.draw(st.booleans()):
            return None
        inside = self.draw(maybe(_states(depth - 1, self.taste)))
        calls = tuple(
            Call(
                group=self.group_of(at),
                item=at - 1,
                tool=self.draw(self.taste.own(tagged_objects())),
                run=inside if self._holds_run(at) else None,
            )
            for at in self.waiting
        )
        return Processed(
            new_items=spans(self.some("tool_call")),
            tools_used=self.draw(st.lists(texts(), max_size=2)),
            calls=calls,
            interruptions=spans(self.waiting),
        )


_GROUPS: dict[str, Group] = {
    "function_call": "function",
    "shell_call": "shell",
    "apply_patch_call": "apply_patch",
    "computer_call": "computer",
    "mcp_approval_request": "hosted_mcp",
}
_NAMES = {"shell_call": "shell", "apply_patch_call": "apply_patch", "computer_call": "computer"}


def _approval(call: Record, position: int) -> Item:
    # The SDK's approvals always name an agent; a decision on one without has no place there.
    agent = (call.item.agent if call.item is not None else None) or 0
    raw: Any = call.item.raw if call.item is not None else {}
    name = raw.get("name", _NAMES.get(raw["type"]))
    key = _key(raw) if raw["type"] == "function_call" else None
    return Item(kind="approval", call=position, agent=agent, tool_name=name, tool_key=key)


def _key(raw: Any) -> tuple[str, str | None, str]:  # noqa: ANN401 - JSON
    """Give the key of the function tool that a call is for, as the SDK writes it."""
    name, space = raw["name"], raw.get("namespace")
    if space is None:
        return ("bare", None, name)
    return ("deferred_top_level", None, name) if space == name else ("namespaced", space, name)


def _agents(taste: Taste) -> SearchStrategy[Agent]:
    tools = st.builds(Tool, name=texts(), kind=st.just("function"), approval=st.just("always"))
    return st.builds(
        Agent,
        name=texts(),
        identity=taste.own(texts()),
        tools=maybe(st.lists(tools, max_size=2).map(tuple)),
        tool_use_behavior=maybe(st.sampled_from(get_args(ToolUse))),
        stop_at_tool_names=st.lists(texts(), max_size=2).map(tuple),
        extra=taste.own(tagged_objects().filter(bool)),
    )


@st.composite
def _items(draw: DrawFn, kind: Any, agents: int, name: str, taste: Taste) -> Item:  # noqa: ANN401 - a Kind
    raw = draw(raws(kind, name, odd=not taste.portable))
    output = draw(taste.values())
    agent = st.integers(0, agents - 1)
    of_handoff = kind == "handoff_output"
    has_output = kind == "tool_output" and (taste.portable or draw(st.booleans()))
    owner = draw(agent if taste.portable else maybe(agent))
    hosted = raw.get("type") == "mcp_approval_request"
    return Item(
        kind="mcp_approval_request" if hosted else kind,
        raw=raw,
        agent=None if kind == "input" else owner,
        source=(owner if taste.portable else draw(agent)) if of_handoff else None,
        target=draw(agent) if of_handoff else None,
        output=output if has_output else None,
        has_output=has_output,
        tool_name=draw(taste.own(texts())) if kind == "tool_output" else None,
        custom_data=draw(maybe(taste.objects())) if kind == "tool_output" else None,
    )


def _decisions(item: Item, agent: str | None) -> SearchStrategy[Decision]:
    return st.builds(
        Decision,
        call_id=st.just(item.call_id or ""),
        tool=st.just(tool_label(item)),
        agent=st.just(agent),
        approved=st.booleans(),
        always=st.booleans(),
        message=maybe(texts()),
        by=maybe(texts()),
        reason=maybe(texts()),
        arguments_sha256=st.just(arguments_sha256(item.raw)),
    )


def _grants(agents: int, taste: Taste) -> SearchStrategy[Grant]:
    verdicts = st.booleans() | st.lists(texts(), max_size=2, unique=True)
    grants = st.builds(
        Grant,
        subject=st.just("function"),
        agent=st.integers(0, agents - 1),
        key=texts(),
        approved=verdicts,
        rejected=verdicts,
        messages=maybe(st.dictionaries(texts(), texts(), min_size=1, max_size=2)),
        sticky_message=maybe(texts()),
    )
    # One that grants and refuses nothing is of no SDK, and of no use in another one.
    said = grants.filter(lambda each: bool(each.approved or each.rejected))
    return said if taste.portable else grants


def _conversations(having: list[int], sent: list[int]) -> SearchStrategy[Conversation]:
    return st.builds(
        Conversation,
        id=maybe(texts()),
        previous_response_id=maybe(texts()),
        auto=maybe(st.booleans()),
        acknowledged=maybe(st.just(spans(having)) | st.just(spans([TEXT_INPUT, *having]))),
        sent=maybe(st.just(spans(sent))),
    )
