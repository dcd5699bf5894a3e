"""Each repair by itself: what it needs, what it does, and where it does nothing."""

# ruff: noqa: ANN401  (documents are any)

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from agents import Agent, handoff
from mcp.types import Tool

import hitl
from hitl.dialects.openai_python import DIALECT
from hitl.errors import AgentMismatch, LossError, RestoreError, ToolMismatch
from tests.agents import SCENARIOS, Log, Outcome, ScriptedModel, call, corpus, tools
from tests.agents.cycle import go
from tests.agents.oracle import resume, resume_native
from tests.test_resume import GOES_ON

if TYPE_CHECKING:
    from hitl import RunState
    from hitl.document import JSONObject

SDK = "openai-agents-python"
CHAIN = DIALECT.chain
DELETE = call("delete_file", {"path": "/x"}, "call_d")
AGAIN = call("delete_file", {"path": "/y"}, "call_e")


def old(name: str) -> RunState:
    """A recorded older state."""
    return hitl.loads(corpus.read(f"{SDK}/{name}"))


def mended(state: RunState, *names: str) -> RunState:
    """The state as the newest release needs it."""
    return DIALECT.repair(state, CHAIN.newest, names).state


def needs(state: RunState) -> set[str]:
    """The names of the repairs it needs."""
    return {each.name for each in DIALECT.repair(state, CHAIN.newest).repairs}


def changed(name: str, change: Any) -> RunState:
    """A recorded older state, as somebody's run could also have been."""
    document = corpus.load(f"{SDK}/{name}")
    change(document)
    return hitl.loads(json.dumps(document))


def written(state: RunState, *repairs: str, **options: Any) -> JSONObject:
    """The newest release's document."""
    document: JSONObject = json.loads(hitl.dumps(state, dialect=SDK, repairs=repairs, **options))
    return document


def ops(log: Log, *, steps: Any = ((DELETE,), (AGAIN,), None), **options: Any) -> Agent[Any]:
    """An agent that deletes twice."""
    options.setdefault("tools", [tools.delete_file(log), tools.stat_file(log)])
    return Agent(name="ops", model=ScriptedModel("ops", steps, log), **options)


class TestStickyOwner:
    def later(self, *repairs: str) -> tuple[list[str | None], int]:
        """What runs of two calls of one tool, in two turns, and how many wait at the end."""
        log = Log()
        agent = ops(log)

        async def play() -> Any:
            live = await hitl.restore(agent, old("0.19.0/always"), repairs=repairs)
            return await go(agent, live)

        result = asyncio.run(play())
        return [each.call_id for each in log.tool_runs], len(result.interruptions)

    def test_asked_for(self) -> None:
        """By name, the decision holds for later calls of the tool of that agent."""
        assert self.later("sticky-owner") == (["call_d", "call_e"], 0)

    def test_not_asked_for(self) -> None:
        """Without, nothing runs that nobody decided anew."""
        assert self.later() == ([], 1)

    def test_two_callers(self) -> None:
        """A tool that two agents called: nothing tells whose the decision is."""

        def another(document: JSONObject) -> None:
            item = json.loads(json.dumps(document["session_items"][2]))
            item["raw_item"] |= {"call_id": "call_z", "id": "fc_z"}
            item["agent"] = {"name": "other"}
            document["session_items"].insert(0, item)

        state = changed("0.19.0/always", another)
        found = DIALECT.repair(state, CHAIN.newest, ["sticky-owner"])
        assert "sticky-owner" not in {each.name for each in found.repairs}
        assert [each.severity for each in found.losses] == ["warn"]
        assert "whose" in found.losses[0].reason
        assert {grant.subject for grant in found.state.grants} == {"tool"}

    def test_of_a_tool_of_another_name(self) -> None:
        """A decision on a tool that nobody called is nobody's."""

        def other(document: JSONObject) -> None:
            context = document["context"]
            context["approvals"] = {"wire": context["approvals"]["delete_file"]}

        state = changed("0.20.0/always", other)
        assert mended(state, "sticky-owner").grants == state.grants

    def test_scope(self) -> None:
        """A recorded scope that is not the tool's is not overwritten."""

        def other(document: JSONObject) -> None:
            document["context"]["approvals"]["delete_file"]["sticky_scope"] = "0" * 64

        state = changed("0.20.0/always", other)
        assert mended(state, "sticky-owner").grants == state.grants

    def test_built_in(self) -> None:
        """A decision for good on a built-in tool has no owner in any release: nothing is lost."""

        def shell(document: JSONObject) -> None:
            record = {"approved": True, "rejected": [], "sticky_scope": "0" * 64}
            document["context"]["approvals"] = {"shell": record}

        assert DIALECT.repair(changed("0.20.0/plain", shell), CHAIN.newest).losses == ()

    def test_says_so(self) -> None:
        """Converting stops over what would ask again, unless the repair is named, or allowed."""
        with pytest.raises(LossError) as caught:
            written(old("0.19.0/always"))
        assert [loss.path for loss in caught.value.losses] == [  # type: ignore[attr-defined]
            "/context/approvals/delete_file"
        ]
        unused = written(old("0.19.0/always"), allow_loss=True)["context"]
        assert "function_tool_approvals" not in unused
        used = written(old("0.19.0/always"), "sticky-owner")["context"]
        newest = corpus.load(f"{SDK}/0.24.0/always")["context"]
        assert used["function_tool_approvals"] == newest["function_tool_approvals"]
        assert used["tool_invocations"] == newest["tool_invocations"]

    def test_inside(self) -> None:
        """A decision for good kept outside goes in to the only run that calls the tool."""

        def always(document: JSONObject) -> None:
            document["context"]["approvals"] = {"delete_file": {"approved": True, "rejected": []}}

        state = changed("0.19.0/nested", always)
        calls = mended(state, "sticky-owner").processed
        assert calls is not None
        inner = next(each.run for each in calls.calls if each.run is not None)
        assert [(grant.subject, grant.sticky) for grant in inner.grants] == [("function", True)]


class TestInside:
    @pytest.mark.parametrize("release", ["0.9.1", "0.12.1", "0.19.0"])
    def test_shown_as_decided(self, release: str) -> None:
        """What older releases kept outside is the verdict of the call inside."""
        waiting = old(f"{release}/nested_approved").interruptions
        assert [(each.call, each.decision and each.decision.approved) for each in waiting] == [
            ("call_out/call_in", True)
        ]
        with pytest.raises(hitl.errors.AlreadyDecided):
            old(f"{release}/nested_approved").reject("call_in")

    def test_not_from_a_release_with_a_ledger(self) -> None:
        """From the ledger on, a decision outside says nothing of a call inside."""

        def outside(document: JSONObject) -> None:
            record = {"approved": ["call_in"], "rejected": []}
            document["context"]["approvals"] = {"delete_file": record}

        state = changed("0.20.0/nested", outside)
        assert [each.decision for each in state.interruptions] == [None]

    def test_as_newest(self) -> None:
        """Moved in, the decision stands where the newest release looks for it."""
        ours = written(old("0.19.0/nested_approved"))
        newest = corpus.load(f"{SDK}/0.24.0/nested_approved")
        for document in (ours, newest):
            document["inner"] = document["last_processed_response"]["functions"][0]
        key = "function_tool_approvals"
        inside = [each["inner"]["agent_run_state"]["context"] for each in (ours, newest)]
        assert inside[0][key] == inside[1][key]
        assert inside[0]["tool_invocations"] == inside[1]["tool_invocations"]
        assert ours["context"]["approvals"] == {}
        outside = [each["context"]["tool_invocations"] for each in (ours, newest)]
        assert outside[0] == outside[1]


class TestExact:
    @pytest.mark.parametrize(
        ("release", "stem"),
        [
            (release, stem)
            for release in ("0.8.0", "0.14.0", "0.19.0", "0.20.0", "0.22.3")
            for stem in ("plain", "approved", "rejected", "hosted_mcp", "native")
            if (release, stem) != ("0.8.0", "rejected")  # it did not keep the words
        ],
    )
    def test_as_newest(self, release: str, stem: str) -> None:
        """Repaired, a state holds the decisions, ledger and boundary that 0.24.0 writes."""
        ours, newest = written(old(f"{release}/{stem}")), corpus.load(f"{SDK}/0.24.0/{stem}")
        for key in ("approvals", "function_tool_approvals", "hosted_mcp_approvals"):
            assert ours["context"].get(key) == newest["context"].get(key), key
        for key in (
            "current_response_generated_item_ownership",
            "generated_session_item_indexes",
        ):
            assert ours.get(key) == newest.get(key), key
        mine, theirs = (each["context"]["tool_invocations"] for each in (ours, newest))
        assert {key: mine[key] for key in theirs} == theirs

    def test_nothing_else_changes(self) -> None:
        """At its own label, and in native form, an old state is written as it was."""
        recorded = corpus.load(f"{SDK}/0.19.0/approved")
        state = old("0.19.0/approved")
        same = json.loads(hitl.dumps(state, dialect=SDK, version="1.13", repairs=["sticky-owner"]))
        assert same == recorded
        again = hitl.loads(hitl.dumps(state, repairs=["sticky-owner"]))
        assert (again.grants, again.ledger) == (state.grants, None)
        assert json.loads(hitl.dumps(again, dialect=SDK, version="1.13")) == recorded

    def test_listed(self) -> None:
        """The check lists what would be done, by default on the way to the newest version."""
        names = [each.name for each in hitl.check(corpus.read(f"{SDK}/0.19.0/approved")).repairs]
        assert names == ["ask-again", "call-ledger", "response-ownership", "decision-owner"]
        opt_in = [
            each.name
            for each in hitl.check(corpus.read(f"{SDK}/0.19.0/always")).repairs
            if each.opt_in
        ]
        assert opt_in == ["sticky-owner"]
        assert hitl.check(corpus.read(f"{SDK}/0.24.0/always")).repairs == ()
        down = hitl.check(corpus.read(f"{SDK}/0.19.0/always"), dialect=SDK, version="1.10")
        assert down.repairs == ()


def server(log: Log, name: str = "srv", tool: str = "mtool") -> tools.LocalMcp:
    """A server with one tool that asks first."""
    listed = Tool(name=tool, description="d", input_schema={"type": "object", "properties": {}})
    return tools.LocalMcp(log, name, listed, lambda _: "ok", require_approval="always")


class TestMcpBinding:
    STEPS = ((call("mtool", {}, "call_m"),), None)

    def refused(self, release: str, agent: Agent[Any], log: Log, match: str) -> None:
        """Restoring is refused, and nothing ran."""
        state = old(f"{release}/local_mcp").approve("call_m")
        with pytest.raises(ToolMismatch, match=match):
            asyncio.run(hitl.restore(agent, state))
        assert (log.requests, log.tool_runs) == ([], [])

    def test_another_server(self) -> None:
        """A writer that noted the server is believed."""
        log = Log()
        agent = ops(log, steps=self.STEPS, tools=[], mcp_servers=[server(log, "evil")])
        self.refused("0.19.0", agent, log, "another place")

    @pytest.mark.parametrize("release", ["0.8.0", "0.12.1"])
    def test_no_note(self, release: str) -> None:
        """Where nothing is noted, the only server that has the tool is taken."""
        log = Log()
        agent = ops(log, steps=self.STEPS, tools=[], mcp_servers=[server(log)])

        async def play() -> Any:
            state = old(f"{release}/local_mcp").approve("call_m")
            return await go(agent, await hitl.restore(agent, state))

        assert asyncio.run(play()).final_output
        assert [each.tool for each in log.tool_runs] == ["mtool"]

    def test_local_now(self) -> None:
        """A tool of a server that has become a function of the agent is another tool."""
        log = Log()
        own = tools.function(log, "mtool", {}, lambda _: "ok", needs_approval=True, strict=False)
        agent = ops(log, steps=self.STEPS, tools=[own])
        state = old("0.19.0/local_mcp").approve("call_m")
        with pytest.raises(ToolMismatch, match="another place"):
            asyncio.run(hitl.restore(agent, state, allow_changed=True))
        assert not log.tool_runs

    def test_two_tools(self) -> None:
        """Two tools of that name: which was meant cannot be told."""
        log = Log()
        own = tools.function(log, "mtool", {}, lambda _: "ok", needs_approval=True, strict=False)
        other = call("ntool", {}, "call_n")
        agent = ops(log, steps=self.STEPS, tools=[own], mcp_servers=[server(log)])

        def two(document: JSONObject) -> None:
            functions = document["last_processed_response"]["functions"]
            functions.append(json.loads(json.dumps(functions[0]).replace("mtool", "ntool")))
            functions[1]["tool_call"] |= {"call_id": other["call_id"]}

        log2 = Log()
        agent.mcp_servers.append(server(log2, "more", "ntool"))
        state = changed("0.8.0/local_mcp", two)
        with pytest.raises(ToolMismatch, match="more than one tool"):
            asyncio.run(hitl.restore(agent, state, allow_changed=True))
        assert not log.tool_runs

    def test_left_to_restore(self) -> None:
        """A document cannot find the server; converting says so."""
        with pytest.raises(LossError, match="1 value"):
            written(old("0.19.0/local_mcp"))


class TestTwins:
    def test_refused(self) -> None:
        """Before 1.7 a state does not say which of two agents of one name it is paused in."""

        def twins(log: Log) -> Agent[Any]:
            first = ops(log, instructions="first")
            second = ops(log, instructions="second")
            hands = [
                handoff(first, tool_name_override="a"),
                handoff(second, tool_name_override="b"),
            ]
            return Agent(name="boss", model=ScriptedModel("boss", [None], log), handoffs=[*hands])

        log = Log()
        with pytest.raises(AgentMismatch, match="several agents"):
            asyncio.run(hitl.restore(twins(log), old("0.12.1/plain")))
        assert not log.requests


RELEASED = [revision.version for revision in CHAIN.revisions if "never" not in revision.source][:-1]
# Which of these write what the newest release compares, and older releases leave out.
FEW = (
    f"{SDK}/feature/h_handoff_trace_guardrails",
    f"{SDK}/hitl/kinds_hosted_mcp",
    f"{SDK}/hitl/kinds_computer",
    f"{SDK}/hitl/kinds_local_shell",
    "cross/py-0.24.0/guardrails",
    "cross/py-0.24.0/local_done",
    "cross/py-0.24.0/parallel",
    "cross/py-0.24.0/shell.always",
)


_CALLED = ("apply_patch", "hosted_mcp", "nested", "parallel", "shell")
# The model is told what was said with a rejection; releases before 1.6 did not keep it.
WORDS = {
    "rejected",
    "a_plain.rejected",
    "kinds_tool_search_sticky",
    "turns_partly_decided",
    "turns_sticky_reject",
    *(f"{tool}.{no}" for tool in _CALLED for no in ("reject1", "rejectalways")),
}


def nameless(value: Any) -> None:
    """Take the names of tools off calls, as releases before 0.14.7 wrote them."""
    if isinstance(value, dict):
        if value.get("type") == "tool_call_item":
            value.pop("tool_name", None)
        for each in value.values():
            nameless(each)
    elif isinstance(value, list):
        for each in value:
            nameless(each)


def rolled(name: str, version: str) -> JSONObject | None:
    """A newest state as an older release would have written it; None where it cannot."""
    state = hitl.loads(corpus.read(name))
    try:
        data = hitl.dumps(state, dialect=SDK, version=version, allow_loss=True)
    except LossError:
        return None
    document: JSONObject = json.loads(data)
    if version in RELEASED[: RELEASED.index("1.9")]:
        nameless(document)
    return document


class TestRoundTrip:
    """A newest state, written for an older release, resumes as if it had never been there."""

    def same(self, name: str, version: str) -> bool:
        """The two runs are equal; False where the older release could not say enough."""
        document = rolled(name, version)
        if document is None:
            return False
        state = hitl.loads(json.dumps(document))

        async def restore(stage: Any) -> Any:
            return await hitl.restore(stage.agent, state, repairs=["sticky-owner"])

        try:
            ours = asyncio.run(resume(SCENARIOS[name], restore))
        except (RestoreError, hitl.errors.ContextMismatch):
            return False
        native = asyncio.run(resume_native(SCENARIOS[name], corpus.load(name)))
        for field in attrs.fields(Outcome):
            if field.name not in {"restored", "document", "requests"}:
                assert getattr(ours, field.name) == getattr(native, field.name), field.name
        inputs = [[each.input for each in run.requests] for run in (ours, native)]
        assert inputs[0] == inputs[1]
        return True

    @pytest.mark.parametrize("version", ["1.6", "1.13", "1.16"])
    @pytest.mark.parametrize("name", FEW)
    def test_few(self, name: str, version: str) -> None:
        """Guardrails, hosted tools that decide themselves, built-in tools that ran before."""
        assert self.same(name, version)

    @pytest.mark.matrix
    @pytest.mark.parametrize("version", RELEASED)
    def test_every(self, version: str, capsys: pytest.CaptureFixture[str]) -> None:
        """Every newest state at every released label: equal, or refused before anything runs."""
        aside = {"kinds_hosted_mcp_sticky"}  # two servers have the tool: it asks again
        if RELEASED.index(version) < RELEASED.index("1.6"):
            aside |= WORDS
        names = [name for name in GOES_ON if name.rpartition("/")[2] not in aside]
        equal = sum(self.same(name, version) for name in names)
        with capsys.disabled():
            sys.stdout.write(f"\n{version}: {equal} of {len(names)} equal, the rest refused")
        assert equal > len(names) / 2
