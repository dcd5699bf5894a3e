"""A state of this SDK on its way to another: what its document says beyond the run state.

All that no field of the run state holds is kept as a difference, see `kept`. Whatever stands there
and has no rule here is a loss that stops: nothing is left behind without a word.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import frozen

from hitl import values
from hitl.border import rejected
from hitl.dialects.openai_js import fingerprint, kept
from hitl.dialects.openai_js.shape import RUNS, run_keys
from hitl.document import escape
from hitl.model import count
from hitl.model.open import answered
from hitl.revision import Loss, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.document import JSONValue
    from hitl.model import Call, RunState

_WRITE = "a session write is unsettled; let the SDK that began it finish it"
_RESUME = "resume it once in the SDK that wrote it, up to the next pause"
_UNKNOWN = "the other SDK has no place for this"
_LOST_RUN = "a paused run belongs to no call; the agent in it would start from the beginning"
_UNBOUND = "which MCP server a call is for is not said; it can be rejected, and never runs"
_REJECT = "reject the call, or resume it in the SDK that wrote it"
_MISSING = "a tool that was called was not there, and the model was not told yet"
_NOT_FOUND = "/lastProcessedResponse/functionToolsNotFound"
_BINDING = re.compile(r"/lastProcessedResponse/functions/(?P<index>\d{1,9})/mcpToolBinding")
_TOOLS = "functions|handoffs|computerActions|shellActions|applyPatchActions|mcpApprovalRequests"


@frozen
class _Rule:
    """What losing the values of some places does.

    Attributes:
        where: pattern of the place; a group named `at` is the place to report.
        severity: None where another place of the run state says the same.
        reason: one sentence.
        hint: the next step.
    """

    where: re.Pattern[str]
    severity: Severity | None
    reason: str = ""
    hint: str | None = None


def _rule(
    where: str, severity: Severity | None, reason: str = "", hint: str | None = None
) -> _Rule:
    return _Rule(re.compile(where), severity, reason, hint)


_RULES = (
    _rule(
        rf"(?P<at>/lastProcessedResponse/(?:{_TOOLS})/\d+/[a-z]+(?:Tool|Patch)?)(?:/.*)?",
        "info",
        "what a tool is comes from the agent that goes on",
    ),
    _rule("/pendingAgentToolRunAliases.*", None),
    _rule("(?P<at>/lastModelResponse).*", "info", "a copy of the last response says otherwise"),
    _rule(
        ".*/(?:input|output)TokensDetails",
        "info",
        "the details of each request are one sum in the other SDK",
    ),
    _rule(".*/endpoint", "info", "the other SDK does not note which endpoint was asked"),
    _rule("/modelResponses/\\d+/providerData", "info", "the other SDK keeps nothing beside output"),
    _rule(_NOT_FOUND, "info", _MISSING),
    _rule(".*/executionStatus", "info", "the other SDK does not note that a tool was executed"),
    _rule(
        "/currentTurnSession(?:InputItems|WriteCompactedItemCount)",
        "info",
        "the other SDK finds what its session was given",
    ),
    _rule("/trace(?:/.*)?", "info", "a run that is not traced keeps nothing of its trace"),
    _rule("/currentAgentSpan", "info", "an open span ends where it began"),
    _rule(
        "/initialInputGuardrailsCompleted",
        "error",
        "the input guardrails have not passed; the other SDK would not run them again",
        _RESUME,
    ),
    _rule(
        "/currentStep/data/localProcessingStarted",
        "error",
        "tools of an accepted response may have run; they would run again",
        "start the run anew",
    ),
    _rule(
        "/ambiguousToolInvocationCallIds",
        "error",
        "a call id stands for two calls; the other SDK would take one for the other",
        "start the run anew",
    ),
    _rule(
        "/(?:completedToolInvocation\\w+|context/approvalInvocations(?:/.*)?)",
        "info",
        "the records of what was called are computed anew for the other SDK",
    ),
    _rule(
        "/context/(?:legacyFunctionApprovals|approvals|functionApprovals|hostedMcpApprovals).*",
        "warn",
        "a decision is not bound to its call; it is not used, and the run asks again",
    ),
    _rule("/pendingLegacyCompactionSessionItems", "error", _WRITE, _RESUME),
    _rule("/currentTurn(?:Deferred|Blocked|ExecutedWith)\\w+", "error", _WRITE, _RESUME),
)


def losses(state: RunState, dialect: str, path: str = "") -> Iterator[Loss]:
    """Give what a state of `dialect`, and the runs inside it, would leave behind."""
    found: dict[Loss, None] = {}
    for part in _parts(state, dialect):
        for loss in _lost(state, str(part["at"]), part["now"], path):
            found.setdefault(loss)
    yield from found
    for call in state.processed.calls if state.processed else ():
        if call.run is not None:
            yield from losses(call.run, dialect, f"{path}/{RUNS}/{_key(state, call, dialect)}")


def _parts(state: RunState, dialect: str) -> Iterator[dict[str, Any]]:
    found: Any = values.decode(state.extras.get(dialect, {}).get("kept", []))
    # Else it is something that hitl would have said, and the writer did not.
    parts = [part for part in kept.parts(found, f"/extras/{dialect}/kept") if part["now"]]
    last = f"/modelResponses/{count(state.responded or ()) - 1}"
    said = [(part["at"].removeprefix(last), part["now"]) for part in parts]
    for part in parts:
        copied = part["at"].removeprefix("/lastModelResponse")
        if copied == part["at"] or (copied, part["now"]) not in said:
            yield part


def _lost(state: RunState, at: str, now: list[JSONValue], path: str) -> Iterator[Loss]:
    if bound := _BINDING.fullmatch(at):
        yield from _unbound(state, int(bound["index"]), now, path + at)
        return
    if at.startswith(f"/{RUNS}/"):
        if not any(at in _places(state, call) for call in _with_runs(state)):
            yield Loss(path=path + at, severity="error", reason=_LOST_RUN)
        return
    if at == _NOT_FOUND and not _told(state, now[0]):
        yield Loss(path=path + at, severity="error", reason=_MISSING, hint=_RESUME)
        return
    rule, place = _rule_for(at)
    if rule is None:
        yield Loss(path=path + at, severity="warn", reason=_UNKNOWN)
    elif rule.severity is not None and now[0] not in (None, []):
        yield Loss(path=path + place, severity=rule.severity, reason=rule.reason, hint=rule.hint)


def _rule_for(at: str) -> tuple[_Rule | None, str]:
    for rule in _RULES:
        if found := rule.where.fullmatch(at):
            return rule, found.groupdict().get("at") or at
    return None, at


def _unbound(state: RunState, index: int, now: list[JSONValue], path: str) -> Iterator[Loss]:
    """Name a call whose MCP server is not known, unless it was rejected."""
    calls = state.processed.calls if state.processed else ()
    functions = [call for call in calls if call.group == "function"]
    known = functions[index : index + 1]
    done = any(rejected(state, state.log.item(call.item).call_id) for call in known)
    yield Loss(
        path=path,
        severity="info" if done else "error",
        reason=_UNBOUND if now == ["unknown"] else _UNKNOWN,
        hint=None if done else _REJECT,
    )


def _told(state: RunState, missing: JSONValue) -> bool:
    """Tell whether the model was told of each tool that was not there."""
    told = answered(state)
    for each in missing if isinstance(missing, list) else [None]:
        match each:
            case {"toolCall": {"callId": str(call_id)}} if call_id in told:
                pass
            case _:
                return False
    return True


def _with_runs(state: RunState) -> list[Call]:
    calls = state.processed.calls if state.processed else ()
    return [call for call in calls if call.run is not None]


def _places(state: RunState, call: Call) -> set[str]:
    """Give the places where a document may keep the run inside a call."""
    item = state.log.item(call.item)
    raw = item.raw if isinstance(item.raw, dict) else {}
    keys = run_keys(raw.get("name"), raw.get("namespace"), item.call_id)
    return {f"/{RUNS}/{escape(key)}" for key in keys}


def _key(state: RunState, call: Call, dialect: str) -> str:
    """Give the key a run inside stands under; older releases used the plain name of the tool."""
    item = state.log.item(call.item)
    places = _places(state, call)
    for part in _parts(state, dialect):
        if part["at"] in places:
            return str(part["at"].removeprefix(f"/{RUNS}/"))
    key = fingerprint.lookup_key(item) or ("bare", None, "")
    return escape(f"{fingerprint.state_key(key)}:{item.call_id}")
