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


@attrs.frozen
class Trap:
    """One thing that a state must say.

    Attributes:
        number: as in the list of traps.
        case: the run; its state is written by the other SDK.
        without: takes what must be said out of the state.
        then: what the SDK says then; where it says nothing, what can be seen of the run against
            the run at home.
        target: the SDK that goes on.
        home: whether that SDK wrote the state too: what hitl refuses to carry.
    """

    number: int
    case: Case
    without: Callable[[Document], None]
    then: str | Callable[[Seen, Seen], bool]
    target: Language = "js"
    home: bool = False

    @property
    def name(self) -> str:
        """What is missing."""
        return self.without.__name__.strip("_")

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


def _no_guardrails(run: Document) -> None:
    del run["initialInputGuardrailsCompleted"]


def _no_guardrails_inside(run: Document) -> None:
    for key, text in run["pendingAgentToolRuns"].items():
        inner = json.loads(text)
        _no_guardrails(inner)
        run["pendingAgentToolRuns"][key] = json.dumps(inner)


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


_PLAIN, _TURNS, _NESTED = Case("plain"), Case("multi_turn"), Case("nested")
_HANDOFF = Case("handoff_pending")
_APPROVED = Case("plain", "approve", decided=True)
_ALWAYS = Case("plain", "always", decided=True)
_UNDECIDED = Case("plain", "leave")
TRAPS = (
    Trap(1, _PLAIN, _no_bindings, "missing or different MCP recipient binding"),
    Trap(2, _PLAIN, _no_guardrails, "completion of initial input guardrails is unverified"),
    Trap(2, _NESTED, _no_guardrails_inside, _inner_tool_lost),
    Trap(3, _PLAIN, _only_in_the_step, _more_requests),
    Trap(4, _PLAIN, _answered_request, "invalid boundary"),
    Trap(5, Case("multi_session"), _persisted_this_turn, _twice_in_session),
    Trap(6, _NESTED, _nothing_inside, _more_requests),
    Trap(7, _TURNS, _named_by_id, "conflicts with completed tool invocation evidence"),
    Trap(7, _TURNS, _no_status, '"status"'),
    Trap(7, _TURNS, _plain_number, "do not match the generated item history"),
    Trap(8, _HANDOFF, _python_name, "transfer_to_mailer not found", home=True),
    Trap(9, _HANDOFF, _no_target, "missing its required target agent identity", home=True),
    Trap(10, _PLAIN, _another_order, "invalid boundary"),
    Trap(11, Case("reasoning"), _no_id, _item_lost, target="python"),
    Trap(12, _APPROVED, _no_step, _more_requests, target="python"),
    Trap(13, _ALWAYS, _no_scope, _asks_again, target="python"),
    Trap(13, _APPROVED, _no_ledger, _asks_again, target="python"),
    Trap(14, _APPROVED, _begun, "but its output was not committed", target="python"),
    Trap(14, _APPROVED, _done, "does not match a restored tool call and output", target="python"),
    Trap(15, _APPROVED, _by_tool_name, _asks_again),
    Trap(16, _UNDECIDED, _legacy_approval, _runs_undecided),
    Trap(17, _PLAIN, _no_trace, "ZodError"),
    Trap(18, Case("shell"), _no_tool_name, "without a canonical invocation identity"),
    Trap(19, _TURNS, _shown_again, _another_input),
    Trap(20, _TURNS, _old_label, "does not support structured tool output"),
)
