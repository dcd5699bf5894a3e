"""The run state: all that is needed to go on with a run, in no SDK's form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from attrs import field, frozen

from hitl.document import JSONObject, JSONValue
from hitl.errors import InvalidDocument
from hitl.model import decide, staging
from hitl.model.agent import Agent
from hitl.model.approval import Decision, Grant
from hitl.model.context import Context, Conversation
from hitl.model.log import ItemLog
from hitl.model.record import Guardrail, Item, Response, Stage
from hitl.model.span import Spans, count, positions
from hitl.model.step import Ledger, Processed, Step
from hitl.model.usage import Usage
from hitl.revision import Loss

if TYPE_CHECKING:
    from collections.abc import Callable

    from hitl.model.approval import Interruption

T = TypeVar("T")


@frozen(kw_only=True)
class Origin:
    """A format: who writes it, and which version.

    Attributes:
        dialect: the writer.
        version: its label.
    """

    dialect: str
    version: str


MOST_TURNS = 2**31
"""More turns than any run starts."""


@frozen(kw_only=True)
class Turn:
    """The turn counter: model calls started, and how many the run may make (None: no limit)."""

    current: int
    max: int | None = None


class View(Sequence[T]):
    """A read-only sequence over the log; an entry is decoded when it is read."""

    __slots__ = ("_positions", "_read")

    def __init__(self, packed: Spans, read: Callable[[int], T]) -> None:
        """Show the entries at `packed`, each as `read` gives it."""
        self._positions = packed
        self._read = read

    def __len__(self) -> int:
        return count(self._positions)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        left = index + len(self) if index < 0 else index
        if left >= 0:
            for start, stop in self._positions:
                if left < stop - start:
                    return self._read(start + left)
                left -= stop - start
        raise IndexError(index)

    def __iter__(self) -> Iterator[T]:
        return (self._read(position) for position in positions(self._positions))

    def __repr__(self) -> str:
        return f"<{len(self)} entries>"


@frozen(kw_only=True, repr=False)
class RunState:
    """A paused run. Immutable: deciding gives a new state.

    A section that is None was not written by whoever wrote the document.

    Attributes:
        origin: the format the run was first written in; an SDK's, mostly.
        log: every item, response and guardrail result, each once.
        agents: the agents that took part; other fields name them by position.
        current_agent: position of the agent whose turn it is.
        turn: the turn counter.
        input: the prepared input of the first turn: text, or log positions.
        staged: positions of input that waits for the next model call.
        generated: positions of what the next model input is built from.
        session: positions of the whole history.
        responded: positions of the model responses.
        last_response: position of the last response, where the writer names it.
        step: where the run stopped.
        processed: what of the last response is still to do.
        current_response: span of the last response in `generated`, as the SDK writes it.
        grants: decisions as the writer's SDK recorded them.
        decisions: decisions taken with hitl, in order, with who, when and why.
        ledger: how far each call has come.
        usage: tokens and requests so far, nested runs included.
        context: the app context.
        conversation: who keeps the history.
        guardrails: positions of the guardrail results, by stage.
        tool_use: tools each agent has used, by the agent's identity.
        persisted: how many items of the current turn the session already has.
        session_write: a session append that was not acknowledged, as the SDK writes it.
        reasoning_item_id_policy: whether the ids of reasoning items are sent to the model:
            `preserve` or `omit`; None leaves it to the SDK.
        terminal: whether the SDK marked the run as not resumable.
        trace: the trace the run belongs to, without keys.
        sandbox: the sandbox session, as the SDK writes it.
        extras: what only one dialect can say, by dialect; carried and never interpreted.
        secrets: values that never leave in native form, by JSON Pointer into the document
            they came from.
        missing: what could not be taken along when the run was captured.
        newer: set when the state was read from a newer minor than hitl knows: it is kept
            verbatim and can be written back in that format only.
    """

    origin: Origin
    log: ItemLog
    turn: Turn
    agents: tuple[Agent, ...] = ()
    current_agent: int | None = None
    input: str | Spans | None = None
    staged: Spans | None = None
    generated: Spans | None = None
    session: Spans | None = None
    responded: Spans | None = None
    last_response: int | None = None
    step: Step | None = None
    processed: Processed | None = None
    current_response: JSONObject | None = None
    grants: tuple[Grant, ...] = ()
    decisions: tuple[Decision, ...] = ()
    ledger: Ledger | None = None
    usage: Usage | None = None
    context: Context | None = None
    conversation: Conversation | None = None
    guardrails: Mapping[Stage, Spans] = field(factory=dict)
    tool_use: JSONObject | None = None
    persisted: int | None = None
    session_write: JSONObject | None = None
    reasoning_item_id_policy: str | None = None
    terminal: bool | None = None
    trace: JSONObject | None = None
    sandbox: JSONObject | None = None
    extras: Mapping[str, JSONObject] = field(factory=dict)
    secrets: Mapping[str, JSONValue] = field(factory=dict)
    missing: tuple[Loss, ...] = ()
    newer: Origin | None = None

    @property
    def items(self) -> Sequence[Item]:
        """The whole history, oldest first, decoded when read."""
        packed = self.session if self.session is not None else self.generated
        return View(packed or (), self.log.item)

    @property
    def responses(self) -> Sequence[Response]:
        """The model's responses, oldest first, decoded when read."""
        return View(self.responded or (), self._response)

    def _response(self, position: int) -> Response:
        found = self.log[position].response
        if found is None:
            raise InvalidDocument("expected the position of a response", path=f"/items/{position}")
        return found

    def guardrail_results(self, stage: Stage) -> Sequence[Guardrail]:
        """Give the results of one stage's guardrails, oldest first."""
        packed = self.guardrails.get(stage, ())
        return View(packed, self._guardrail)

    def _guardrail(self, position: int) -> Guardrail:
        found = self.log[position].guardrail
        if found is None:
            message = "expected the position of a guardrail result"
            raise InvalidDocument(message, path=f"/items/{position}")
        return found

    @property
    def tool_outputs(self) -> Mapping[str, object]:
        """Structured outputs by call id, as the tools returned them; the last one of an id."""
        return {item.call_id: item.value for item in self.items if item.has_output and item.call_id}

    @property
    def pending_input(self) -> Sequence[Item]:
        """Input that waits for the next model call, oldest first."""
        return View(self.staged or (), self.log.item)

    @property
    def interruptions(self) -> tuple[Interruption, ...]:
        """The calls that stopped the run, those of nested runs included, with their verdicts."""
        return decide.interruptions(self)

    def approve(
        self,
        call: str,
        *,
        always: bool = False,
        by: str | None = None,
        at: str | None = None,
        reason: str | None = None,
    ) -> Self:
        """Give the state with `call` approved.

        Args:
            call: the call id, or `outer/inner` for a call of a nested run.
            always: approve later calls of the same tool of the same agent too.
            by: who decided.
            at: when, in ISO 8601; None means not recorded.
            reason: why; for the record only.

        Raises:
            UnknownCall: no such call waits.
            AmbiguousCall: more than one call answers to that name.
            AlreadyDecided: the call has a decision.
        """
        return decide.decide(
            self, call, approved=True, always=always, by=by, at=at, reason=reason, message=None
        )

    def reject(
        self,
        call: str,
        *,
        message: str | None = None,
        always: bool = False,
        by: str | None = None,
        at: str | None = None,
        reason: str | None = None,
    ) -> Self:
        """Give the state with `call` rejected.

        Args:
            call: the call id, or `outer/inner` for a call of a nested run.
            message: exactly what the model is told; None leaves it to the SDK.
            always: reject later calls of the same tool of the same agent too.
            by: who decided.
            at: when, in ISO 8601; None means not recorded.
            reason: why; for the record only.

        Raises:
            UnknownCall: no such call waits.
            AmbiguousCall: more than one call answers to that name.
            AlreadyDecided: the call has a decision.
        """
        return decide.decide(
            self, call, approved=False, always=always, by=by, at=at, reason=reason, message=message
        )

    def add_input(self, input: staging.Given) -> Self:  # noqa: A002 - the SDK's name
        """Give the state with more input staged, behind what is staged already.

        It is delivered once, in order, after the outputs of the calls that wait and before the next
        model call; while a call waits undecided it stays staged. Two equal texts are two inputs.

        Whether a call that waits may end the run is known of an agent that was seen at the pause
        (a captured or stored run). Of a state that an SDK wrote it is not: the input is staged, and
        `restore`, which has the agent, refuses it before anything runs.

        Args:
            input: a text, said by the user, or items in the form of OpenAI's Responses API.

        Raises:
            InputRefused: the run has ended, has no turn left, is still to work on a response, or
                may end with the output of a call that waits; or an item is no input.
            ValueRefused: neither text nor items, or a value that JSON cannot say.
        """
        return staging.add(self, input)

    def clear_input(self) -> Self:
        """Give the state with nothing staged."""
        return staging.clear(self)

    def __repr__(self) -> str:
        turn = f"turn {self.turn.current} of {self.turn.max or 'any'}"
        origin = f"{self.origin.dialect}@{self.origin.version}"
        return f"<RunState {origin}, {turn}, {len(self.log)} log entries>"


def referred(state: RunState) -> set[int]:
    """Give the log positions that the run's own lists name.

    The log only grows: an entry that no list names, nor a response among its outputs, belongs to
    what the run was before it went another way.
    """
    step, processed, write = state.step, state.processed, state.session_write
    lists: list[Any] = [
        None if isinstance(state.input, str) else state.input,
        state.staged,
        state.generated,
        state.session,
        state.responded,
        step and step.interruptions,
        processed and processed.new_items,
        processed and processed.interruptions,
        write and write.get("items"),
    ]
    found = {position for packed in lists for position in positions(packed or ())}
    found |= {call.item for call in (processed.calls if processed else ())}
    return found if state.last_response is None else found | {state.last_response}
