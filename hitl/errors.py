"""Every exception hitl raises; the class says whose fault it is.

```
HitlError
├── DocumentError            the bytes handed in are at fault
│   ├── MalformedDocument    not JSON or MessagePack, cut off, bad UTF-8, a duplicate key
│   ├── LimitExceeded        larger, deeper or with more nodes than allowed
│   ├── InvalidDocument      parses, but a value does not fit its place
│   ├── UnknownDialect       no dialect, or more than one, claims the document
│   └── UnsupportedVersion   a version this dialect does not read or write
├── ValueRefused             an app value that no document can hold as it is
├── LossError                the target dialect or version cannot hold the state
├── UnknownRepair            no repair has that name
├── DecisionError            the person, or the code speaking for them, is at fault
│   ├── UnknownCall          no call of that name waits in this run
│   ├── AmbiguousCall        more than one call answers to that name
│   ├── AlreadyDecided       the call has a decision already
│   ├── ArgumentsChanged     the call is not the one that was decided
│   └── NotApproved          the call may not run: it waits for a verdict, or was rejected
├── InputRefused             the run cannot take input as it is now
├── RestoreError             the agent handed in cannot go on with this state
│   ├── RunFinished          nothing is left to run
│   ├── OlderRelease         an older release of the SDK wrote the state
│   ├── Relabelled           the document says what its version cannot
│   ├── StepUnknown          the document does not say whether anything is left to run
│   ├── AgentMismatch        an agent is missing, renamed or cannot be told apart
│   ├── ToolMismatch         a tool is missing, renamed or changed
│   ├── ContextMismatch      the app context cannot be rebuilt
│   └── SessionMismatch      the session is missing, or is not the run's
├── CaptureError             the SDK object handed in cannot be captured
├── StoreError               the store says no
│   ├── UnknownRun           no run, or no checkpoint, of that name
│   ├── RunExists            a run of that id was started before
│   ├── AlreadyClaimed       another worker has the run
│   ├── NotClaimable         nothing can be done with the run as it is
│   ├── Superseded           the claim is stale: another worker has taken the run since
│   ├── InDoubt              a call was cut between its start and its result
│   ├── StoreCorrupt         what is stored is not what was written
│   └── StoreUnavailable     the database cannot do it now: busy, full, gone
├── ConversationError        the conversation with the model server cannot go on as asked
│   ├── ConversationMismatch the ids handed in contradict each other, or the run
│   └── ReceiptUnknown       a request was cut after it was sent: nobody knows if it arrived
├── UnsupportedRelease       the installed SDK lacks what hitl relies on
└── RevisionError            a version chain is wrong: a fault of hitl or of a plugin
```

Messages say what was expected and what was found, never the payload: it may hold secrets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence


InputRefusal: TypeAlias = Literal[
    "ended",  # nothing will ask the model again, or the state does not say so
    "no_turn",  # the turn limit leaves no model call to deliver it
    "accepted",  # a response was taken and is not worked on yet
    "may_end",  # the output of a call that waits may end the run
    "no_input",  # a call, or the answer to one: nobody says that
    "not_begun",  # the run has no checkpoint to add it to
    "leaving",  # the run is about to rest, or has not begun
]


class HitlError(Exception):
    """Base of every exception hitl raises.

    Attributes:
        code: stable name of the kind of error, for programs.
        path: JSON Pointer to the value at fault; None when no single value is.
        hint: the next step for the reader; None when there is none.
    """

    code: ClassVar[str] = "hitl"

    def __init__(self, message: str, *, path: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.hint = hint

    def __str__(self) -> str:
        """Give the message, then the place, then the next step."""
        place = "" if self.path is None else f" - at {self.path or 'the top'}"
        hint = "" if self.hint is None else f" ({self.hint})"
        return f"{self.message}{place}{hint}"


class DocumentError(HitlError):
    """The bytes handed in are at fault."""

    code = "document"


class MalformedDocument(DocumentError):
    """Not JSON or MessagePack: cut off, bad UTF-8, a duplicate key."""

    code = "malformed"


class LimitExceeded(DocumentError):
    """Larger, deeper or with more nodes than the limits allow."""

    code = "limit"


class InvalidDocument(DocumentError):
    """The document parses, but a value does not fit its place."""

    code = "invalid"


class UnknownDialect(DocumentError):
    """No dialect, or more than one, claims the document."""

    code = "unknown-dialect"


class UnsupportedVersion(DocumentError):
    """A version that this dialect does not read or write."""

    code = "unsupported-version"


class ValueRefused(HitlError):
    """An app value that no document can hold as it is; register its type."""

    code = "value"


class LossError(HitlError):
    """The target dialect or version cannot hold the state.

    Attributes:
        losses: what cannot cross, each with its JSON Pointer and severity.
    """

    code = "loss"

    def __init__(
        self, message: str, *, losses: Sequence[object] = (), hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.losses = tuple(losses)


class UnknownRepair(HitlError):
    """No repair has that name."""

    code = "unknown-repair"


class DecisionError(HitlError):
    """The decision cannot be taken as asked."""

    code = "decision"


class UnknownCall(DecisionError):
    """No call of that name waits in this run."""

    code = "unknown-call"


class AmbiguousCall(DecisionError):
    """More than one waiting call answers to that name; say `outer/inner`."""

    code = "ambiguous-call"


class AlreadyDecided(DecisionError):
    """The call has a decision already; the first one wins.

    Attributes:
        by: who decided; None when not recorded.
        at: when, in ISO 8601; None when not recorded.
        approved: the verdict that stands; None when not known here.
    """

    code = "already-decided"

    def __init__(
        self,
        message: str,
        *,
        by: str | None = None,
        at: str | None = None,
        approved: bool | None = None,
        path: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, path=path, hint=hint)
        self.by = by
        self.at = at
        self.approved = approved


class ArgumentsChanged(DecisionError):
    """The call is not the one that was decided: its bytes differ."""

    code = "arguments-changed"


class NotApproved(DecisionError):
    """The call may not run: people were asked, and did not say yes."""

    code = "not-approved"


class InputRefused(HitlError):
    """The run cannot take input as it is now; nothing was changed.

    Attributes:
        reason: why, for programs.
    """

    code = "input-refused"

    def __init__(
        self,
        message: str,
        *,
        reason: InputRefusal,
        path: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, path=path, hint=hint)
        self.reason = reason


class RestoreError(HitlError):
    """The agent handed in cannot go on with this state; nothing was run."""

    code = "restore"


class RunFinished(RestoreError):
    """The run has come to its end; nothing is left to run."""

    code = "finished"


class OlderRelease(RestoreError):
    """An older release of the SDK wrote the state, and left out what nothing can bring back."""

    code = "older-release"


class Relabelled(RestoreError):
    """The document says what its version cannot: its label is not the writer's."""

    code = "relabelled"


class StepUnknown(RestoreError):
    """The document does not say whether anything is left to run."""

    code = "step-unknown"


class AgentMismatch(RestoreError):
    """An agent of the run is missing, renamed or cannot be told apart."""

    code = "agent-mismatch"


class ToolMismatch(RestoreError):
    """A tool of the run is missing, renamed or changed."""

    code = "tool-mismatch"


class ContextMismatch(RestoreError):
    """The app context cannot be rebuilt from the document."""

    code = "context-mismatch"


class SessionMismatch(RestoreError):
    """The session of the run was not handed in, or another one was."""

    code = "session-mismatch"


class CaptureError(HitlError):
    """The SDK object handed in cannot be captured."""

    code = "capture"


class StoreError(HitlError):
    """A store says no; nothing was changed."""

    code = "store"


class UnknownRun(StoreError):
    """No run, or no checkpoint, of that name."""

    code = "unknown-run"


class RunExists(StoreError):
    """A run of that id was started before.

    Attributes:
        same: whether with the same input.
    """

    code = "run-exists"

    def __init__(self, message: str, *, same: bool, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.same = same


class AlreadyClaimed(StoreError):
    """Another worker has the run.

    Attributes:
        worker: who.
        until: until when its lease runs, in ISO 8601 by the store's clock.
    """

    code = "already-claimed"

    def __init__(
        self,
        message: str,
        *,
        worker: str | None = None,
        until: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.worker = worker
        self.until = until


class NotClaimable(StoreError):
    """Nothing can be done with the run as it is: it has ended, or waits for a verdict."""

    code = "not-claimable"


class Superseded(StoreError):
    """The claim is stale: another worker has taken the run since, or it is gone."""

    code = "superseded"


class InDoubt(StoreError):
    """A call was cut between its start and its result: nobody knows whether it happened.

    Attributes:
        calls: the names of such calls.
    """

    code = "in-doubt"

    def __init__(self, message: str, *, calls: Sequence[str] = (), hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.calls = tuple(calls)


class StoreCorrupt(StoreError):
    """What is stored is not what was written."""

    code = "store-corrupt"


class StoreUnavailable(StoreError):
    """The database cannot do it now: busy, full, unreachable, read-only."""

    code = "store-unavailable"


class ConversationError(HitlError):
    """The conversation with the model server cannot go on as asked."""

    code = "conversation"


class ConversationMismatch(ConversationError):
    """The ids handed in contradict each other, or the run."""

    code = "conversation-mismatch"


class ReceiptUnknown(ConversationError):
    """A request to a server conversation was cut after it was sent: it may have arrived."""

    code = "receipt-unknown"


class UnsupportedRelease(HitlError):
    """The installed SDK lacks something hitl relies on, or reads nothing hitl writes."""

    code = "unsupported-release"


class RevisionError(HitlError):
    """A version chain is wrong: a fork, a gap, two heads."""

    code = "revision"
