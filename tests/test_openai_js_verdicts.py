"""Verdicts in the JavaScript SDK's places: what nobody decided, or somebody refused, never runs.

The SDK keeps decisions with the outermost run, by agent and by call id; its older releases by the
plain name of the tool. Where that would make a verdict one on other calls too, it is kept for its
own calls, or the state is refused.
"""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

import hitl
from hitl import transfer
from hitl.dialects.openai_js import DIALECT
from hitl.dialects.openai_python import DIALECT as PYTHON
from hitl.errors import LossError
from hitl.model import Grant
from hitl.model.grant import joined
from tests.agents import corpus
from tests.hints import stopping

if TYPE_CHECKING:
    from collections.abc import Callable

    from hitl import RunState

Verdicts: TypeAlias = "dict[str, tuple[bool, str | None] | None]"
JS = "cross/js-0.20.0"
LOOKUP, EMAIL = '["bare","lookup"]', '["bare","send_email"]'
FIRST, SECOND = "call_o1/call_r1", "call_o2/call_r2"
YES: dict[str, object] = {"approved": True, "rejected": []}


def converted(
    state: RunState, version: str | None = None, dialect: str = DIALECT.name
) -> transfer.Converted:
    """The state as a document, with every loss that may be allowed."""
    return transfer.convert(state, dialect=dialect, version=version, allow_loss=True)


def context(given: transfer.Converted) -> Any:  # noqa: ANN401  (JSON)
    """Where the SDK keeps decisions."""
    return json.loads(given.data)["context"]


def owned(given: transfer.Converted) -> Any:  # noqa: ANN401  (JSON)
    """The records of function tools, by agent and key."""
    entries = context(given).get("functionApprovals", [])
    return {entry["agentIdentity"]: entry["approvals"] for entry in entries}


def verdicts(state: RunState) -> Verdicts:
    """What is said of each call that waits, and to the model of one that was refused."""
    found: Verdicts = {}
    for each in state.interruptions:
        said = each.decision
        message = None if said is None or said.approved else said.message
        found[each.call] = None if said is None else (said.approved, message)
    return found


def read_back(given: transfer.Converted) -> Verdicts:
    """What a document says of each call that waits."""
    return verdicts(hitl.loads(given.data))


def warned(given: transfer.Converted, word: str) -> list[str]:
    """Where a warning says something."""
    assert all(each.severity == "warn" for each in given.losses if word in each.reason)
    return [each.path for each in given.losses if word in each.reason]


def stopped(
    state: RunState, version: str | None = None, dialect: str = DIALECT.name
) -> list[tuple[str, str]]:
    """For what a state is refused, and what helps."""
    with pytest.raises(LossError) as caught:
        converted(state, version, dialect)
    return [(each.path, each.hint or "") for each in stopping(caught.value)]


def beside(change: Callable[[str], str]) -> RunState:
    """A state of Python: two runs inside, the second of them changed."""
    given = corpus.forgotten(copy.deepcopy(corpus.load("cross/py-0.24.0/nested")))
    response = given["last_processed_response"]
    waiting = given["current_step"]["data"]["interruptions"]
    said = given["model_responses"][0]["output"]
    for found in (given["generated_items"], waiting, response["functions"], said):
        found.extend(json.loads(change(json.dumps(found).replace("call_o1", "call_o2"))))
    given["session_items"] = response["new_items"] = given["generated_items"]
    return hitl.loads(given)


def two_runs() -> RunState:
    """A state of JavaScript: an agent used as a tool twice at once."""
    state = beside(lambda text: text.replace("call_r1", "call_r2"))
    return hitl.loads(converted(state).data)


def one_id() -> RunState:
    """A state of Python: the calls of the two runs have one id."""
    return beside(lambda text: text)


class TestBothForGood:
    """A no for good and a yes for good: each stays what it was on the call it was said of."""

    @pytest.mark.parametrize("name", [f"{JS}/parallel", "cross/py-0.24.0/parallel"])
    @pytest.mark.parametrize("yes_first", [True, False])
    def test_in_one_run(self, name: str, yes_first: bool) -> None:  # noqa: FBT001
        """The later one is for the calls to come; a call that waits keeps what it shows."""
        given = json.loads(corpus.read(name).replace(b"delete_file", b"send_email"))
        if "tool_invocations" in given["context"]:
            given["context"]["tool_invocations"] = {}
        state = hitl.loads(given)
        if yes_first:
            state = state.approve("call_1", always=True).reject("call_2", always=True, message="no")
            record = {"approved": ["call_1", "call_3"], "rejected": True}
        else:
            state = state.reject("call_1", always=True, message="no").approve("call_2", always=True)
            record = {"approved": True, "rejected": ["call_1", "call_3"]}
        made = converted(state)
        written = owned(made)["Planner"][EMAIL]
        assert {key: written[key] for key in record} == record
        assert read_back(made) == verdicts(state)

    @pytest.mark.parametrize("yes_first", [True, False])
    @pytest.mark.parametrize("dialect", sorted(transfer.dialects()))
    @pytest.mark.parametrize("name", [f"{JS}/parallel", "cross/py-0.24.0/parallel"])
    def test_with_a_writing_between(self, name: str, dialect: str, *, yes_first: bool) -> None:
        """The first one is a record of the writer by then: what it said of its calls stays."""
        given = json.loads(corpus.read(name).replace(b"delete_file", b"send_email"))
        if "tool_invocations" in given["context"]:
            given["context"]["tool_invocations"] = {}
        state = hitl.loads(given)
        for call, yes in (("call_1", yes_first), ("call_2", not yes_first)):
            decide = state.approve if yes else state.reject
            state = hitl.loads(converted(decide(call, always=True), dialect=dialect).data)
            if call == "call_1":
                before = verdicts(state)
        assert verdicts(state) == {**before, "call_2": (not yes_first, None)}

    def test_in_two_runs(self) -> None:
        """Neither is for good where the agent's other run could use it."""
        state = two_runs().reject(FIRST, always=True, message="no").approve(SECOND, always=True)
        made = converted(state)
        record = {"approved": ["call_r2"], "rejected": ["call_r1"], "messages": {"call_r1": "no"}}
        assert owned(made) == {"Researcher": {LOOKUP: record}}
        assert warned(made, "other runs") == [
            "/processed/calls/0/run/decisions/call_r1",
            "/processed/calls/1/run/decisions/call_r2",
        ]
        assert read_back(made) == {FIRST: (False, "no"), SECOND: (True, None)}

    def test_the_other_run_is_asked(self) -> None:
        """A yes for good in one run of the agent is none on what waits in another; that is said."""
        state = two_runs().approve(FIRST, always=True)
        with pytest.raises(LossError):
            hitl.dumps(state, dialect=DIALECT.name)
        assert read_back(converted(state)) == {FIRST: (True, None), SECOND: None}

    def test_what_the_sdk_recorded_stays(self) -> None:
        """A record for good that the SDK made is for each run of the agent, whatever is added."""
        given = json.loads(hitl.dumps(two_runs(), dialect=DIALECT.name))
        given["context"]["functionApprovals"] = [
            {"agentIdentity": "Researcher", "approvals": {LOOKUP: YES}}
        ]
        state = hitl.loads(given)
        assert json.loads(hitl.dumps(state, dialect=DIALECT.name)) == given
        made = transfer.convert(state.reject(FIRST), dialect=DIALECT.name)
        assert owned(made)["Researcher"][LOOKUP] == {"approved": True, "rejected": ["call_r1"]}
        assert read_back(made) == {FIRST: (False, None), SECOND: (True, None)}

    def test_what_is_not_used_stays_unused(self) -> None:
        """A verdict without an owner is not given one because another call is decided."""
        given = copy.deepcopy(corpus.load(f"{JS}/parallel"))
        given["context"]["approvals"] = {"send_email": {"approved": ["call_1"], "rejected": []}}
        made = converted(hitl.loads(given).approve("call_2"))
        assert owned(made) == {"Planner": {EMAIL: {"approved": ["call_2"], "rejected": []}}}

    def test_joined(self) -> None:
        """Records that contradict each other make a no for good, whichever is the first."""
        yes = Grant(subject="function", approved=True, rejected=["a"])
        no = Grant(subject="function", approved=["b"], rejected=True, sticky_message="no")
        for one, other in ((yes, no), (no, yes)):
            both = joined(one, other)
            assert (both.approved, both.rejected, both.sticky_message) == (["b"], True, "no")


class TestToolNames:
    """Releases before 1.16 keep decisions by tool name, those before 1.18 hosted ones."""

    def handoff(self, record: object = YES) -> RunState:
        """Triage has a record of its own; a call of Mailer's tool of that name waits."""
        given = copy.deepcopy(corpus.load(f"{JS}/handoff"))
        own = {"agentIdentity": "Triage", "approvals": {EMAIL: record}}
        given["context"]["functionApprovals"] = [own]
        return hitl.loads(given)

    AT = f"/context/functionApprovals/{{}}/approvals/{EMAIL}"

    def test_of_another_agent(self) -> None:
        """What is for good for one agent is not for the call of another."""
        assert converted(self.handoff(), "1.16").losses == ()
        with pytest.raises(LossError):
            hitl.dumps(self.handoff(), dialect=DIALECT.name, version="1.15")
        made = converted(self.handoff(), "1.15")
        assert context(made)["approvals"] == {"send_email": {"approved": [], "rejected": []}}
        assert warned(made, "name of the tool") == [self.AT.format(0)]

    @pytest.mark.parametrize("always", [True, False])
    def test_refused_by_another_agent(self, always: bool) -> None:  # noqa: FBT001
        """A no is not turned into the yes of another agent."""
        made = converted(self.handoff().reject("call_1", always=always, message="no"), "1.13")
        record = {"approved": [], "rejected": ["call_1"], "messages": {"call_1": "no"}}
        assert context(made)["approvals"] == {"send_email": record}
        places = [self.AT.format(index) for index in range(1 + always)]
        assert warned(made, "name of the tool") == places

    def test_refused_for_good_by_another_agent(self) -> None:
        """A no for good of one agent leaves the yes of another on its call."""
        state = self.handoff({"approved": False, "rejected": True, "stickyRejectMessage": "no"})
        made = converted(state.approve("call_1"), "1.13")
        record = {"approved": ["call_1"], "rejected": []}
        assert context(made)["approvals"] == {"send_email": record}

    def test_kept_for_what_it_covered(self) -> None:
        """Its own calls keep the verdict, and what the model is told of it."""
        state = beside(lambda text: text.replace("call_r1", "call_r2").replace("Resea", "Sea"))
        made = converted(state.reject(FIRST, always=True, message="no"), "1.13")
        record = {"approved": [], "rejected": ["call_r1"], "messages": {"call_r1": "no"}}
        assert context(made)["approvals"] == {"lookup": record}
        assert warned(made, "name of the tool") == [
            f"/context/functionApprovals/0/approvals/{LOOKUP}"
        ]

    @pytest.mark.parametrize(
        ("space", "key", "name"),
        [
            ("crm", '["namespaced","crm","send_email"]', "crm.send_email"),
            ("send_email", '["deferred_top_level","send_email"]', "send_email"),
        ],
    )
    def test_of_a_namespace(self, space: str, key: str, name: str) -> None:
        """A tool of a namespace, and one that was found by a search, is told by its own name."""
        text = json.dumps(corpus.load(f"{JS}/handoff"))
        text = text.replace('"name": "send_email"', f'"name": "send_email", "namespace": "{space}"')
        given = json.loads(text.replace(json.dumps(EMAIL), json.dumps(key)))
        record = {"approved": ["call_1"], "rejected": []}
        for agent, expected in (("Mailer", YES), ("Triage", record)):
            own = {"agentIdentity": agent, "approvals": {key: YES}}
            given["context"]["functionApprovals"] = [own]
            state = hitl.loads(given)
            if agent == "Triage":
                assert verdicts(state) == {"call_1": None}
                state = state.approve("call_1")
            else:
                assert verdicts(state) == {"call_1": (True, None)}
            made = converted(state, "1.13")
            assert context(made)["approvals"] == {name: expected}
            assert len(warned(made, "name of the tool")) == (agent == "Triage")

    def test_of_another_server(self) -> None:
        """What is for good for one server is not for the call of another."""
        given = copy.deepcopy(corpus.load(f"{JS}/hosted_mcp"))
        key = '["hosted_mcp","other","search"]'
        given["context"]["hostedMcpApprovals"] = {key: YES}
        state = hitl.loads(given)
        assert converted(state, "1.18").losses == ()
        made = converted(state, "1.17")
        assert context(made)["approvals"] == {"search": {"approved": [], "rejected": []}}
        assert warned(made, "name of the tool") == [f"/context/hostedMcpApprovals/{key}"]

    def test_of_another_kind(self) -> None:
        """A hosted tool's record is not for a function tool of its name."""
        given = copy.deepcopy(corpus.load(f"{JS}/plain"))
        key = '["hosted_mcp","other","send_email"]'
        given["context"]["hostedMcpApprovals"] = {key: YES}
        made = converted(hitl.loads(given), "1.13")
        assert context(made)["approvals"] == {"send_email": {"approved": [], "rejected": []}}
        assert warned(made, "name of the tool") == [f"/context/hostedMcpApprovals/{key}"]

    @pytest.mark.parametrize("name", ["plain", "nested", "hosted_mcp"])
    def test_nobody_else(self, name: str) -> None:
        """Where nobody else calls a tool of the name, what is for good stays for good."""
        state = hitl.loads(corpus.read(f"{JS}/{name}"))
        (waits,) = state.interruptions
        made = transfer.convert(state.approve(waits.call, always=True), dialect=DIALECT.name)
        older = transfer.convert(hitl.loads(made.data), dialect=DIALECT.name, version="1.13")
        assert context(older)["approvals"] == {waits.tool_name: YES}

    def test_an_older_record(self) -> None:
        """What a release recorded for good by name wins there over a no: refused."""
        given = copy.deepcopy(corpus.load("cross/js-older/plain_0.11.8"))
        given["context"]["approvals"] = {"send_email": YES}
        state = hitl.loads(given)
        assert json.loads(hitl.dumps(state, dialect=DIALECT.name, version="1.13")) == given
        hint = "resume it where decisions are kept by agent and by server: version 1.18 or newer"
        assert stopped(state.reject("call_1"), "1.13") == [
            ("/currentStep/data/interruptions/0", hint)
        ]
        assert context(converted(state.approve("call_1"), "1.13"))["approvals"] == {
            "send_email": YES
        }

    def test_beside_an_older_record(self) -> None:
        """What a release recorded by name of one call stays, beside what is decided of another."""
        given = copy.deepcopy(corpus.load("cross/js-older/parallel_0.11.8"))
        given["context"]["approvals"] = {"send_email": {"approved": ["call_1"], "rejected": []}}
        made = converted(hitl.loads(given).approve("call_2", always=True), "1.13")
        record = {"approved": True, "rejected": []}
        assert context(made)["approvals"] == {"send_email": record}
        given["context"]["approvals"] = {"send_email": {"approved": [], "rejected": ["call_1"]}}
        made = converted(hitl.loads(given).approve("call_2", always=True), "1.13")
        record = {"approved": ["call_2"], "rejected": ["call_1"]}
        assert context(made)["approvals"] == {"send_email": record}
        assert warned(made, "name of the tool") == [
            f"/context/functionApprovals/0/approvals/{EMAIL}"
        ]

    def test_one_id(self) -> None:
        """A verdict on a single call is not for the call of another agent with its id."""
        state = self.handoff({"approved": ["call_1"], "rejected": []})
        assert [place for place, _ in stopped(state, "1.13")] == [
            "/currentStep/data/interruptions/0"
        ]
        assert converted(state, "1.16").losses == ()


class TestOneId:
    """Calls of two runs of one agent under one id: a verdict on one is not one on both."""

    PLACES = tuple(f"/processed/calls/{index}/run/step/interruptions/0" for index in (0, 1))
    FIRST, SECOND = "call_o1/call_r1", "call_o2/call_r1"
    ALIKE = "give both calls the same verdict, or resume the run in the SDK that wrote it"
    RESUME = "resume the run in the SDK that wrote it until one of the calls is done"

    @pytest.mark.parametrize("always", [True, False])
    def test_one_of_them(self, always: bool) -> None:  # noqa: FBT001
        """One that nobody decided does not run."""
        for call, place in zip((self.FIRST, self.SECOND), self.PLACES, strict=True):
            state = one_id().approve(call, always=always)
            assert stopped(state) == [(place, self.ALIKE)]

    @pytest.mark.parametrize("message", [None, "no"])
    def test_otherwise(self, message: str | None) -> None:
        """One that was refused does not run, and hears its own words."""
        state = one_id().reject(self.FIRST, message=message).approve(self.SECOND)
        assert stopped(state) == [(self.PLACES[0], self.ALIKE)]
        state = one_id().reject(self.FIRST, message="no").reject(self.SECOND, message="never")
        assert stopped(state) == [(self.PLACES[0], self.ALIKE)]

    def test_alike(self) -> None:
        """Undecided, or with one verdict, they cross, and so does that of the SDK's own record."""
        assert read_back(converted(one_id())) == {self.FIRST: None, self.SECOND: None}
        made = converted(one_id().approve(self.FIRST).approve(self.SECOND))
        assert read_back(made) == {self.FIRST: (True, None), self.SECOND: (True, None)}
        again = transfer.convert(hitl.loads(made.data), dialect=DIALECT.name)
        assert context(again) == context(made)

    def test_other_arguments(self) -> None:
        """The SDK refuses a decided id that stands for two different calls."""
        state = beside(lambda text: text.replace("answer", "other"))
        both = state.approve(self.FIRST).approve(self.SECOND)
        assert stopped(both) == [(self.PLACES[0], self.RESUME)]
        assert read_back(converted(state)) == {self.FIRST: None, self.SECOND: None}

    def test_of_two_agents(self) -> None:
        """The SDK tells calls of two agents apart, whatever their ids."""
        state = beside(lambda text: text.replace("Researcher", "Searcher")).approve(self.FIRST)
        assert read_back(converted(state)) == {self.FIRST: (True, None), self.SECOND: None}

    def test_recorded_by_this_sdk(self) -> None:
        """What the SDK recorded itself is written as it was, though it will refuse it."""
        state = beside(lambda text: text.replace("answer", "other"))
        given = json.loads(converted(state).data)
        record = {"approved": ["call_r1"], "rejected": []}
        own = {"agentIdentity": "Researcher", "approvals": {LOOKUP: record}}
        given["context"]["functionApprovals"] = [own]
        assert json.loads(hitl.dumps(hitl.loads(given), dialect=DIALECT.name)) == given

    def test_of_this_sdk(self) -> None:
        """A state that the SDK itself wrote is decided with hitl under the same law."""
        state = hitl.loads(converted(one_id()).data)
        assert stopped(state.approve(self.SECOND)) == [(self.PLACES[1], self.ALIKE)]
        made = converted(state.reject(self.FIRST).reject(self.SECOND))
        assert read_back(made) == {self.FIRST: (False, None), self.SECOND: (False, None)}

    def test_to_python(self) -> None:
        """The Python SDK takes no verdict on such calls: it stops before anything runs."""
        state = hitl.loads(converted(one_id()).data)
        both = state.approve(self.FIRST).approve(self.SECOND)
        assert stopped(both, dialect=PYTHON.name) == [(self.PLACES[0], self.RESUME)]
        assert read_back(converted(state, dialect=PYTHON.name)) == verdicts(state)


class TestForGoodInside:
    """What is for good for later runs of an agent is for one run inside in the Python SDK."""

    def test_recorded(self) -> None:
        """The run that comes next asks again, and that is said."""
        state = hitl.loads(corpus.read(f"{JS}/nested.always"))
        with pytest.raises(LossError):
            hitl.dumps(state, dialect=PYTHON.name)
        made = converted(state, dialect=PYTHON.name)
        assert warned(made, "later runs") == ["/processed/calls/0/run/grants/0"]

    def test_decided(self) -> None:
        """So it is for what was decided with hitl."""
        state = hitl.loads(corpus.read(f"{JS}/nested")).approve(FIRST, always=True)
        made = converted(state, dialect=PYTHON.name)
        assert warned(made, "later runs") == ["/processed/calls/0/run/decisions/call_r1"]

    def test_by_name(self) -> None:
        """A record by tool name is not used there at all, and that is what is said."""
        given = copy.deepcopy(corpus.load("cross/js-older/nested_0.11.8"))
        given["context"]["approvals"] = {"lookup": YES}
        made = converted(hitl.loads(given), dialect=PYTHON.name)
        assert warned(made, "later runs") == []
        assert warned(made, "has no owner") == ["/context/approvals/lookup"]

    @pytest.mark.parametrize("name", ["nested.approve1", "parallel.always"])
    def test_nothing_else(self, name: str) -> None:
        """A verdict on a single call, and one of the outermost run, say the same there."""
        made = converted(hitl.loads(corpus.read(f"{JS}/{name}")), dialect=PYTHON.name)
        assert warned(made, "later runs") == []
