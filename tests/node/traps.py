"""The twenty traps: what a state must say, and what the SDK does with one that does not say it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeAlias

import attrs

from tests.node.cases import Case
from tests.node.outcome import Language, Seen

Document: TypeAlias = Any
"""A state, as JSON; edited in place."""


@attrs.frozen(kw_only=True)
class Trap:
    """One thing that a state must say.

    Attributes:
        number: as in the list of traps.
        name: what is missing.
        case: the run; its state is written by the other SDK.
        without: takes what must be said out of the state.
        error: what the SDK says then; None where it says nothing.
        wrong: what can be seen of the run then, against the run at home; for the silent ones.
        target: the SDK that goes on.
        home: whether that SDK wrote the state too: what hitl refuses to carry.
    """

    number: int
    name: str
    case: Case
    without: Callable[[Document], None]
    error: str | None = None
    wrong: Callable[[Seen, Seen], bool] | None = None
    target: Language = "js"
    home: bool = False

    @property
    def source(self) -> Language:
        """The SDK that wrote the state."""
        other: dict[Language, Language] = {"js": "python", "python": "js"}
        return self.target if self.home else other[self.target]


def _functions(run: Document) -> Document:
    return run["lastProcessedResponse"]["functions"]


def _no_bindings(run: Document) -> None:
    for each in _functions(run):
        del each["mcpToolBinding"]


def _inside(change: Callable[[Document], None]) -> Callable[[Document], None]:
    """The same change, in the runs inside."""

    def changed(run: Document) -> None:
        for key, text in run["pendingAgentToolRuns"].items():
            inner = json.loads(text)
            change(inner)
            run["pendingAgentToolRuns"][key] = json.dumps(inner)

    return changed


def _no_guardrails(run: Document) -> None:
    del run["initialInputGuardrailsCompleted"]


def _only_in_the_step(run: Document) -> None:
    del run["generatedItems"][-1], run["currentResponseGeneratedItemOwnership"]


def _answered_request(run: Document) -> None:
    run["generatedItems"].append(run["generatedItems"][-1])
    run["currentResponseGeneratedItemOwnership"]["generatedItemEndIndexExclusive"] += 1


def _persisted_this_turn(run: Document) -> None:
    run["currentTurnPersistedItemCount"] = 1


def _nothing_inside(run: Document) -> None:
    run["pendingAgentToolRuns"], run["pendingAgentToolRunAliases"] = {}, {}


def _results(run: Document) -> Document:
    return [each for each in run["generatedItems"] if each["type"] == "tool_call_output_item"]


def _named_by_id(run: Document) -> None:
    for each in _results(run):
        each["rawItem"]["name"] = each["rawItem"]["callId"]


def _no_status(run: Document) -> None:
    for each in _results(run):
        del each["rawItem"]["status"]


def _plain_number(run: Document) -> None:
    (owned,) = run["completedToolInvocations"]
    text = owned["invocations"]["call_n"]
    owned["invocations"]["call_n"] = text.replace('"\\u0000openai-agents-json:number:42e0"', "42")


def _python_name(run: Document) -> None:
    text = json.dumps(run).replace("transfer_to_Mailer", "transfer_to_mailer")
    run.update(json.loads(text))


def _no_target(run: Document) -> None:
    del run["lastProcessedResponse"]["handoffs"][0]["targetAgent"]


def _another_order(run: Document) -> None:
    (raw,) = run["lastModelResponse"]["output"]
    raw["providerData"] = dict(reversed(raw["providerData"].items()))


def _by_tool_name(run: Document) -> None:
    context = run["context"]
    (owned,) = context.pop("functionApprovals")
    (context["approvals"]["send_email"],) = owned["approvals"].values()


def _legacy_approval(run: Document) -> None:
    verdict = {"approved": True, "rejected": []}
    run["context"]["legacyFunctionApprovals"] = {"send_email": verdict}


def _no_trace(run: Document) -> None:
    del run["trace"]


def _no_tool_name(run: Document) -> None:
    for each in (run["generatedItems"][-1], *run["currentStep"]["data"]["interruptions"]):
        del each["toolName"]


def _shown_again(run: Document) -> None:
    for each in _results(run):
        each["rawItem"]["output"]["text"] = json.dumps(each["output"])


def _old_label(run: Document) -> None:
    run["$schemaVersion"] = "1.17"


def _no_id(run: Document) -> None:
    for each in (*run["generated_items"], *run["session_items"]):
        if each["type"] == "message_output_item":
            del each["raw_item"]["id"]


def _no_step(run: Document) -> None:
    run["current_step"] = None


def _no_scope(run: Document) -> None:
    for each in run["context"]["function_tool_approvals"]:
        del each["decision"]["sticky_scope"]


def _no_ledger(run: Document) -> None:
    run["context"]["tool_invocations"] = {}


def _begun(run: Document) -> None:
    run["context"]["tool_invocations"]["call_1"]["executed"] = True


def _done(run: Document) -> None:
    run["context"]["tool_invocations"]["call_1"] |= {"executed": True, "completed": True}


def _more_requests(home: Seen, there: Seen) -> bool:
    return len(there["requests"]) > len(home["requests"])


def _inner_tool_lost(home: Seen, there: Seen) -> bool:
    return bool(home["tool_runs"]) and not there["tool_runs"]


def _twice_in_session(home: Seen, there: Seen) -> bool:
    return len(there["session"]) > len(home["session"])


def _runs_undecided(home: Seen, there: Seen) -> bool:
    return not home["tool_runs"] and bool(there["tool_runs"])


def _another_input(home: Seen, there: Seen) -> bool:
    return [each["input"] for each in home["requests"]] != [
        each["input"] for each in there["requests"]
    ]


def _item_lost(home: Seen, there: Seen) -> bool:
    return len(there["requests"][0]["input"]) < len(home["requests"][0]["input"])


def _asks_again(home: Seen, there: Seen) -> bool:
    return bool(home["tool_runs"]) and len(there["tool_runs"]) < len(home["tool_runs"])


_BOUND = "missing or different MCP recipient binding"
_GUARDS = "completion of initial input guardrails is unverified"
_APPROVED = Case("plain", "approve", decided=True)
_ALWAYS = Case("plain", "always", decided=True)
_UNDECIDED = Case("plain", "leave")
TRAPS = (
    Trap(number=1, name="bindings", case=Case("plain"), without=_no_bindings, error=_BOUND),
    Trap(number=2, name="guardrails", case=Case("plain"), without=_no_guardrails, error=_GUARDS),
    Trap(
        number=2,
        name="guardrails_inside",
        case=Case("nested"),
        without=_inside(_no_guardrails),
        wrong=_inner_tool_lost,
    ),
    Trap(
        number=3,
        name="only_in_the_step",
        case=Case("plain"),
        without=_only_in_the_step,
        wrong=_more_requests,
    ),
    Trap(
        number=4,
        name="answered_request",
        case=Case("plain"),
        without=_answered_request,
        error="invalid boundary",
    ),
    Trap(
        number=5,
        name="persisted_this_turn",
        case=Case("multi_session"),
        without=_persisted_this_turn,
        wrong=_twice_in_session,
    ),
    Trap(
        number=6,
        name="nothing_inside",
        case=Case("nested"),
        without=_nothing_inside,
        wrong=_more_requests,
    ),
    Trap(
        number=7,
        name="named_by_id",
        case=Case("multi_turn"),
        without=_named_by_id,
        error="conflicts with completed tool invocation evidence",
    ),
    Trap(number=7, name="no_status", case=Case("multi_turn"), without=_no_status, error='"status"'),
    Trap(
        number=7,
        name="plain_number",
        case=Case("multi_turn"),
        without=_plain_number,
        error="do not match the generated item history",
    ),
    Trap(
        number=8,
        name="python_name",
        case=Case("handoff_pending"),
        without=_python_name,
        error="transfer_to_mailer not found",
        home=True,
    ),
    Trap(
        number=9,
        name="no_target",
        case=Case("handoff_pending"),
        without=_no_target,
        error="missing its required target agent identity",
        home=True,
    ),
    Trap(
        number=10,
        name="another_order",
        case=Case("plain"),
        without=_another_order,
        error="invalid boundary",
    ),
    Trap(
        number=11,
        name="no_id",
        case=Case("reasoning"),
        without=_no_id,
        wrong=_item_lost,
        target="python",
    ),
    Trap(
        number=12,
        name="no_step",
        case=_APPROVED,
        without=_no_step,
        wrong=_more_requests,
        target="python",
    ),
    Trap(
        number=13,
        name="no_scope",
        case=_ALWAYS,
        without=_no_scope,
        wrong=_asks_again,
        target="python",
    ),
    Trap(
        number=13,
        name="no_ledger",
        case=_APPROVED,
        without=_no_ledger,
        wrong=_asks_again,
        target="python",
    ),
    Trap(
        number=14,
        name="begun",
        case=_APPROVED,
        without=_begun,
        error="already executed, but its output was not committed",
        target="python",
    ),
    Trap(
        number=14,
        name="done",
        case=_APPROVED,
        without=_done,
        error="does not match a restored tool call and output",
        target="python",
    ),
    Trap(number=15, name="by_tool_name", case=_APPROVED, without=_by_tool_name, wrong=_asks_again),
    Trap(
        number=16,
        name="legacy_approval",
        case=_UNDECIDED,
        without=_legacy_approval,
        wrong=_runs_undecided,
    ),
    Trap(number=17, name="no_trace", case=Case("plain"), without=_no_trace, error="ZodError"),
    Trap(
        number=18,
        name="no_tool_name",
        case=Case("shell"),
        without=_no_tool_name,
        error="without a canonical invocation identity",
    ),
    Trap(
        number=19,
        name="shown_again",
        case=Case("multi_turn"),
        without=_shown_again,
        wrong=_another_input,
    ),
    Trap(
        number=20,
        name="old_label",
        case=Case("multi_turn"),
        without=_old_label,
        error="does not support structured tool output",
    ),
)
