"""Deciding without the agent: what is written down is what the SDK itself would have written."""

from __future__ import annotations

import asyncio
import copy
import json
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from agents import RunState as SdkState
from agents.exceptions import UserError

import hitl
from hitl import document
from hitl.errors import (
    AlreadyDecided,
    AmbiguousCall,
    ArgumentsChanged,
    DecisionError,
    UnknownCall,
    ValueRefused,
)
from tests.agents import SCENARIOS, corpus
from tests.agents.oracle import LiveState, call_id_of

if TYPE_CHECKING:
    from agents import ToolApprovalItem

    from hitl import RunState
    from hitl.document import Change

SDK = "openai-agents-python"
PARALLEL = "cross/py-0.24.0/parallel"
NESTED = "cross/py-0.24.0/nested"
# Two runs of one agent wait with one call id. The SDK cannot tell them apart; the full names can.
TWINS = "openai-agents-python/hitl/turns_nested_twins"


def recorded(name: str) -> RunState:
    """A recorded state."""
    return hitl.loads(corpus.read(name))


WAITING = [name for name in corpus.names() if recorded(name).interruptions]


@attrs.frozen
class Verdict:
    """One way to decide a call, for hitl and for the SDK."""

    approved: bool
    always: bool = False
    message: str | None = None

    def hitl(self, state: RunState, call: str) -> RunState:
        """Decide with hitl."""
        if self.approved:
            return state.approve(call, always=self.always)
        return state.reject(call, always=self.always, message=self.message)

    def sdk(self, state: LiveState, item: ToolApprovalItem) -> None:
        """Decide with the SDK."""
        if self.approved:
            state.approve(item, always_approve=self.always)
        else:
            state.reject(item, always_reject=self.always, rejection_message=self.message)


VERDICTS = [
    Verdict(approved=True),
    Verdict(approved=True, always=True),
    Verdict(approved=False),
    Verdict(approved=False, always=True),
    Verdict(approved=False, message="not today"),
    Verdict(approved=False, always=True, message="never"),
]


def written(state: RunState) -> Any:  # noqa: ANN401 - JSON
    """What the SDK would be handed."""
    return json.loads(hitl.dumps(state, dialect=SDK))


def live(name: str) -> LiveState:
    """The state as the SDK itself loads it."""
    agent = SCENARIOS[name].stage().agent
    return asyncio.run(SdkState.from_json(agent, corpus.load(name)))


def shown(changes: tuple[Change, ...]) -> set[tuple[str, str, str, str]]:
    """Changes in a form that tells 1 from True."""
    return {(each.path, each.kind, repr(each.before), repr(each.after)) for each in changes}


def takes_back(change: tuple[str, str, str, str]) -> bool:
    """Whether a change removes what was said of single calls, as the SDK's sticky verdicts do."""
    path, kind, before, _ = change
    return "approvals/" in path and (kind == "removed" or before.startswith("['"))


class TestAsTheSdk:
    """Every interruption of every recorded state, each verdict, against the SDK's own methods."""

    @pytest.mark.filterwarnings("ignore::UserWarning")
    @pytest.mark.parametrize("name", WAITING)
    def test_writes_the_same(self, name: str) -> None:
        """The document changes as the SDK's does; but a sticky verdict takes nothing back."""
        given, state = corpus.load(name), recorded(name)
        compared = 0
        for index, each in enumerate(state.interruptions):
            for verdict in VERDICTS if each.decision is None else ():
                theirs = live(name)
                before = copy.deepcopy(theirs.to_json())
                if name == TWINS:
                    with pytest.raises(UserError):
                        verdict.sdk(theirs, theirs.get_interruptions()[index])
                    continue
                verdict.sdk(theirs, theirs.get_interruptions()[index])
                expected = shown(document.diff(before, theirs.to_json()))
                ours = shown(document.diff(given, written(verdict.hitl(state, each.call))))
                assert ours <= expected
                assert ours == expected or verdict.always
                assert all(takes_back(change) for change in expected - ours)
                compared += 1
        assert compared or name == TWINS or all(each.decision for each in state.interruptions)

    @pytest.mark.parametrize("name", WAITING)
    def test_names_the_same_calls(self, name: str) -> None:
        """The calls that wait are the SDK's, in its order, by the same agents."""
        theirs = [(call_id_of(item), item.agent.name) for item in live(name).get_interruptions()]
        assert [(i.call_id, i.agent) for i in recorded(name).interruptions] == theirs

    @pytest.mark.parametrize("name", WAITING)
    def test_reads_the_same_verdicts(self, name: str) -> None:
        """What was decided before is told as the SDK's own context tells it."""
        theirs = live(name)
        for item, ours in zip(
            theirs.get_interruptions(), recorded(name).interruptions, strict=True
        ):
            if not ours.outer:
                context: Any = theirs._context
                status = context.get_approval_status(
                    item.tool_name, call_id_of(item), existing_pending=item
                )
                assert (None if ours.decision is None else ours.decision.approved) == status

    def test_enough(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Nothing is skipped: the comparisons are counted."""
        waiting = [i for name in WAITING for i in recorded(name).interruptions]
        open_ = sum(each.decision is None for each in waiting) * len(VERDICTS)
        with capsys.disabled():
            print(f"\ndecisions compared with the SDK's: {open_} in {len(WAITING)} states")  # noqa: T201
        assert open_ > 900


class TestVerbs:
    def test_new_state(self) -> None:
        """A state never changes; deciding gives a new one."""
        state = recorded(PARALLEL)
        decided = state.approve("call_1")
        assert state.decisions == ()
        assert [each.call_id for each in decided.decisions] == ["call_1"]

    def test_who_when_why(self) -> None:
        """They travel in native documents, and are reported as lost where there is no place."""
        state = recorded(PARALLEL).approve("call_1", by="ana", at="2025-01-01T00:00Z", reason="ok")
        back = hitl.loads(hitl.dumps(state))
        decision = back.interruptions[0].decision
        assert decision is not None
        assert (decision.by, decision.at, decision.reason) == ("ana", "2025-01-01T00:00Z", "ok")
        losses = hitl.convert(back, dialect=SDK).losses
        assert [(each.path, each.severity) for each in losses] == [("/decisions/call_1", "info")]

    def test_partial(self) -> None:
        """One of two calls is decided; the other waits on."""
        waiting = recorded(PARALLEL).reject("call_2", message="no").interruptions
        assert [each.decision and each.decision.approved for each in waiting] == [None, False, None]

    def test_sticky(self) -> None:
        """A sticky verdict answers for the other calls of the same tool of the same agent."""
        waiting = recorded(PARALLEL).approve("call_1", always=True).interruptions
        decided = {each.tool_name: each.decision is not None for each in waiting}
        assert [each.tool_name for each in waiting].count(waiting[0].tool_name) == 2
        assert decided == {
            each.tool_name: each.tool_name == waiting[0].tool_name for each in waiting
        }

    def test_bound_to_the_arguments(self) -> None:
        """A decision carries the digest of the bytes that were shown."""
        state = recorded(PARALLEL)
        decision = state.approve("call_1").decisions[0]
        assert decision.arguments_sha256 == state.interruptions[0].arguments_sha256

    def test_nested(self) -> None:
        """A call inside an agent tool is named `outer/inner`, and its own id is enough."""
        (waiting,) = recorded(NESTED).interruptions
        assert waiting.call == f"{waiting.outer[0]}/{waiting.call_id}"
        by_name = recorded(NESTED).approve(waiting.call)
        assert by_name == recorded(NESTED).approve(waiting.call_id)
        assert by_name.decisions == ()
        assert by_name.interruptions[0].decision is not None

    def test_nested_through_documents(self) -> None:
        """The decision stands in the inner run, in every document."""
        (waiting,) = recorded(NESTED).interruptions
        decided = recorded(NESTED).approve(waiting.call)
        for back in (hitl.loads(hitl.dumps(decided)), hitl.loads(written(decided))):
            again = back.interruptions[0].decision
            assert again is not None
            assert again.approved


class TestRefused:
    @pytest.mark.parametrize("call", ["call_9", "", "call_1/call_2", "/call_1"])
    def test_unknown(self, call: str) -> None:
        """Only a call that waits can be decided."""
        with pytest.raises(
            UnknownCall, match=r"^expected the name of a call that waits, found none of that name$"
        ):
            recorded(PARALLEL).approve(call)

    def test_already(self) -> None:
        """The first decision stands; the second is told whose it was."""
        state = recorded(PARALLEL).approve("call_1", by="ana", at="noon")
        with pytest.raises(AlreadyDecided, match=r"^call was approved by ana at noon; the first"):
            state.reject("call_1")

    def test_already_in_the_document(self) -> None:
        """So does one that the SDK wrote down."""
        with pytest.raises(AlreadyDecided, match=r"^call was approved; the first decision stands$"):
            recorded(f"{PARALLEL}.approve1").reject("call_1")

    def test_ambiguous(self) -> None:
        """Two outer calls with the same inner id: the full name says which."""
        state = _two_outer_calls()
        with pytest.raises(AmbiguousCall, match=r"^2 waiting calls have that name") as caught:
            state.approve("in")
        assert caught.value.hint == "say one of one/in, two/in"
        decided = state.approve("two/in")
        assert [bool(each.decision) for each in decided.interruptions] == [False, True]

    def test_ambiguous_for_the_sdk(self) -> None:
        """Where the SDK cannot tell two calls apart, the id alone is not taken either."""
        state = recorded(TWINS)
        with pytest.raises(AmbiguousCall):
            state.approve(state.interruptions[0].call_id)

    @pytest.mark.parametrize("value", ["\ud800", 7, b"ana"])
    @pytest.mark.parametrize("name", ["by", "at", "reason", "message"])
    def test_no_text(self, name: str, value: object) -> None:
        """What no document can hold is refused before it is part of a decision."""
        with pytest.raises(ValueRefused, match=rf"^expected text for {name}, found "):
            recorded(PARALLEL).reject("call_1", **{name: value})  # type: ignore[arg-type]

    def test_without_an_id(self) -> None:
        """A call without an id cannot be told from another."""
        given = corpus.load(PARALLEL)
        del given["current_step"]["data"]["interruptions"][0]["raw_item"]["call_id"]
        state = hitl.loads(given)
        with pytest.raises(DecisionError, match=r"^expected a call with an id, found one without$"):
            state.approve("")


def _two_outer_calls() -> RunState:
    """The nested state with its outer call twice, the paused run in both."""
    given = corpus.load(NESTED)
    processed, step = given["last_processed_response"], given["current_step"]["data"]
    text = json.dumps(processed["functions"][0])
    outer = processed["functions"][0]["tool_call"]["call_id"]
    inner = step["interruptions"][0]["raw_item"]["call_id"]
    processed["functions"] = [
        json.loads(text.replace(f'"{outer}"', f'"{name}"').replace(f'"{inner}"', '"in"'))
        for name in ("one", "two")
    ]
    item = json.loads(json.dumps(step["interruptions"][0]).replace(f'"{inner}"', '"in"'))
    step["interruptions"] = [item, copy.deepcopy(item)]
    return hitl.loads(given)


class TestWhose:
    @pytest.mark.parametrize("own_first", [False, True])
    def test_own_call_like_one_inside(self, *, own_first: bool) -> None:
        """A decision of the outer run is on its own call, even if a run inside has one like it."""
        given = corpus.load(NESTED)
        (inner,) = given["current_step"]["data"]["interruptions"]
        own = copy.deepcopy(inner) | {"agent": given["current_agent"]}
        waiting = [own, inner] if own_first else [inner, own]
        given["current_step"]["data"]["interruptions"] = waiting
        state = hitl.loads(given)
        assert [bool(each.outer) for each in state.interruptions] == [not own_first, own_first]
        decided = written(state.approve(inner["raw_item"]["call_id"]))
        (record,) = decided["context"]["function_tool_approvals"]
        assert record["agent"] == given["current_agent"] != inner["agent"]


class TestArgumentsChanged:
    """What was decided is what runs: law 8, rule 3."""

    def changed(self) -> bytes:
        """A native document whose decided call has other arguments."""
        data = hitl.dumps(recorded(PARALLEL).approve("call_1"))
        native = json.loads(data)
        for entry in native["items"]:
            raw = entry.get("item", {}).get("raw")
            if isinstance(raw, dict) and raw.get("call_id") == "call_1" and "arguments" in raw:
                raw["arguments"] = raw["arguments"].replace("}", " }")
        return json.dumps(native).encode()

    def test_not_written(self) -> None:
        """The SDK is never handed a decision with other arguments than were decided."""
        state = hitl.loads(self.changed())
        with pytest.raises(ArgumentsChanged, match=r"^the call is not the one that was decided"):
            hitl.dumps(state, dialect=SDK)

    def test_listed(self) -> None:
        """`check` lists it."""
        problems = hitl.check(self.changed()).problems
        assert [type(each) for each in problems] == [ArgumentsChanged]

    def test_a_decision_on_nothing(self) -> None:
        """A decision that names no waiting call is not passed on."""
        native = json.loads(hitl.dumps(recorded(PARALLEL).approve("call_1")))
        native["decisions"][0]["call_id"] = "call_9"
        with pytest.raises(UnknownCall, match=r"^a decision names a call that does not wait"):
            hitl.dumps(hitl.loads(native), dialect=SDK)
