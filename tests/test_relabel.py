"""A document of a newer release passed off as one of an older: nothing undecided runs.

Older labels hold decisions by call id only: a changed label would free an attacker of the ledger.
What is known of a document is what its writer could write: keys that came later give it away. A
document stripped of all of them is a state of the older release; what then stands in its decisions
is what that release would run, and `ask-again` is how to take none of it.
"""

from __future__ import annotations

import asyncio
import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

import hitl
from hitl.dialects.openai_python import DIALECT, inward
from hitl.dialects.openai_python.nest import on_every
from hitl.dialects.openai_python.shape import SHAPE
from hitl.document import resolve
from hitl.errors import ArgumentsChanged, HitlError, Relabelled
from tests.agents import SCENARIOS, corpus, leave
from tests.agents.oracle import resume

if TYPE_CHECKING:
    from hitl import RunState
    from hitl.document import JSONObject
    from tests.agents import Outcome

CHAIN = DIALECT.chain
KEY = "$schemaVersion"
SDK = "openai-agents-python"
CRIME = "/etc/passwd"
# Nothing is decided in these.
NAMES = [
    f"{SDK}/0.24.0/plain",
    f"{SDK}/0.24.0/nested",
    f"{SDK}/0.24.0/handoff",
    f"{SDK}/0.24.0/hosted_mcp",
    f"{SDK}/0.24.0/conversation_id",
    f"{SDK}/feature/a_plain",
    f"{SDK}/feature/h_handoff_trace_guardrails",
    "cross/py-0.24.0/multi_turn",
    "cross/py-0.24.0/reasoning",
]
OLD = ("1.0", "1.6", "1.13")


def changed(name: str, *, signed: bool = True) -> JSONObject:
    """The document with other arguments in every copy of the waiting calls.

    The ledger is no signature: who changes arguments can compute the new digests, and does.
    """
    document: JSONObject = corpus.load(name)
    waiting = {each.call_id for each in hitl.loads(json.dumps(document)).interruptions}

    _replace(document, waiting)
    if not signed:
        return document
    for _, run in SHAPE.runs(document):
        del run["context"]["tool_invocations"]
    ledgers = on_every(state(document), inward.with_ledger)
    return DIALECT._dumped(ledgers, CHAIN.newest).document


def _replace(value: Any, waiting: set[str]) -> None:  # noqa: ANN401
    if isinstance(value, dict):
        if value.get("call_id", value.get("id")) in waiting and "arguments" in value:
            value["arguments"] = json.dumps({"path": CRIME, "q": CRIME})
        for each in value.values():
            _replace(each, waiting)
    elif isinstance(value, list):
        for each in value:
            _replace(each, waiting)


def approved(document: JSONObject) -> JSONObject:
    """The document with a yes to every waiting call, as older releases kept it."""
    document = copy.deepcopy(document)
    for each in hitl.loads(json.dumps(document)).interruptions:
        record = {"approved": [each.call_id], "rejected": []}
        for _, run in SHAPE.runs(document):
            run["context"].setdefault("approvals", {})[each.tool_name] = record
    return document


def labelled(document: JSONObject, version: str) -> JSONObject:
    """The document under another label, all else as it is."""
    document = copy.deepcopy(document)
    for _, run in SHAPE.runs(document):
        run[KEY] = version
    return document


def later_keys(document: JSONObject, version: str) -> list[str]:
    """What a document says that a version cannot."""
    return list(SHAPE.foreign(document, CHAIN.later(version, CHAIN.newest)))


def state(document: JSONObject) -> RunState:
    """A document, read."""
    return hitl.loads(json.dumps(document))


def run(name: str, document: JSONObject, *repairs: str) -> Outcome:
    """What running it as it is does."""

    async def restore(stage: Any) -> Any:  # noqa: ANN401
        return await hitl.restore(stage.agent, state(document), repairs=repairs)

    return asyncio.run(resume(SCENARIOS[name], restore, decide=leave))


def refused(name: str, document: JSONObject, error: type[HitlError]) -> HitlError:
    """Restoring it is refused, writing it for a newer release too, and nothing ran."""
    stage = SCENARIOS[name].stage()
    with pytest.raises(error) as caught:
        asyncio.run(hitl.restore(stage.agent, state(document), repairs=["sticky-owner"]))
    assert (stage.log.requests, stage.log.tool_runs) == ([], [])
    with pytest.raises(HitlError):
        hitl.dumps(state(document), dialect=SDK, allow_loss=True)
    assert any(
        isinstance(each, error) for each in hitl.check(json.dumps(document), dialect=SDK).problems
    )
    return caught.value


class TestRelabelled:
    @pytest.mark.parametrize("version", OLD)
    @pytest.mark.parametrize("name", NAMES)
    def test_whole(self, name: str, version: str) -> None:
        """The attack of spec/security.md: a new state, an old label, a yes, other arguments."""
        attack = labelled(approved(changed(name)), version)
        refused(name, attack, Relabelled)
        unsigned = labelled(approved(changed(name, signed=False)), version)
        refused(name, unsigned, ArgumentsChanged)

    @pytest.mark.parametrize("version", OLD)
    @pytest.mark.parametrize("name", NAMES)
    def test_one_key_is_left(self, name: str, version: str) -> None:
        """Any single key that the label's releases never wrote gives it away."""
        full = labelled(approved(changed(name)), version)
        keys = [place for place in later_keys(full, version) if "agent_run_state" not in place]
        stripped = labelled(CHAIN.downgrade(approved(changed(name)), version), version)
        tried = set()
        for place in keys:
            holder, _, key = place.rpartition("/")
            if key in tried or not _has(stripped, holder):
                continue
            tried.add(key)
            attack = copy.deepcopy(stripped)
            resolve(attack, holder)[key] = resolve(full, place)  # type: ignore[index, call-overload]
            refused(name, attack, Relabelled)
        assert tried >= {"tool_invocations"}

    @pytest.mark.parametrize("name", NAMES)
    def test_native(self, name: str) -> None:
        """A native document that names an older origin is no way round."""
        document = json.loads(hitl.dumps(state(approved(changed(name)))))
        text = json.dumps(document).replace('"version": "1.21"', '"version": "1.13"')
        assert text != json.dumps(document)
        stage = SCENARIOS[name].stage()
        with pytest.raises(Relabelled):
            asyncio.run(hitl.restore(stage.agent, hitl.loads(text)))
        assert not stage.log.tool_runs


class TestStripped:
    """Without a newer key the document is one that the older release could have written."""

    @pytest.mark.parametrize("name", NAMES)
    def test_is_a_state_of_that_release(self, name: str) -> None:
        """No evidence is left in it: the yes in it is what a person's yes looks like there."""
        attack = labelled(CHAIN.downgrade(approved(changed(name)), "1.13"), "1.13")
        assert later_keys(attack, "1.13") == []
        assert all(each.decision is not None for each in state(attack).interruptions)

    @pytest.mark.parametrize("name", NAMES)
    def test_ask_again_takes_none_of_it(self, name: str) -> None:
        """Who does not trust such documents asks again for every call; nothing runs."""
        attack = labelled(CHAIN.downgrade(approved(changed(name)), "1.13"), "1.13")
        outcome = run(name, attack, "ask-again", "sticky-owner")
        assert (outcome.tool_runs, outcome.requests) == ((), ())
        assert len(outcome.pending) == len(state(attack).interruptions)

    @pytest.mark.parametrize("name", NAMES)
    def test_a_verdict_of_ours_is_bound(self, name: str) -> None:
        """What a person decided with hitl does not follow changed arguments."""
        old = state(labelled(CHAIN.downgrade(corpus.load(name), "1.13"), "1.13"))
        for waiting in old.interruptions:
            old = old.approve(waiting.call, by="ana")
        text = hitl.dumps(old).decode()
        other = json.loads(
            hitl.dumps(state(labelled(CHAIN.downgrade(changed(name), "1.13"), "1.13")))
        )
        forged = json.loads(text) | {"items": other["items"], "runs": _runs(text, other)}
        stage = SCENARIOS[name].stage()
        with pytest.raises(ArgumentsChanged):
            asyncio.run(hitl.restore(stage.agent, hitl.loads(json.dumps(forged))))
        assert not stage.log.tool_runs


class TestLedger:
    """From 1.15 on a ledger binds a decision; what does not match is refused, never signed anew."""

    LABELS = ("1.15", "1.16", "1.17")

    @pytest.mark.parametrize("version", LABELS)
    @pytest.mark.parametrize("name", [f"{SDK}/0.20.0/approved"])
    def test_other_arguments(self, name: str, version: str) -> None:
        """The recorded digest is of other arguments."""
        document = labelled(_crime(corpus.load(name)), version)
        refused_old(name, document)

    @pytest.mark.parametrize("name", [f"{SDK}/0.20.0/approved", f"{SDK}/0.22.3/approved"])
    @pytest.mark.parametrize("whole", [False, True])
    def test_no_record(self, name: str, *, whole: bool) -> None:
        """A yes without a record is no yes: the call asks again."""
        document = _crime(corpus.load(name))
        if whole:
            del document["context"]["tool_invocations"]
        else:
            del document["context"]["tool_invocations"]["call_d"]
        outcome = run_old(name, document)
        assert (outcome.tool_runs, outcome.requests) == ((), ())
        assert len(outcome.pending) == 1

    def test_another_tool(self) -> None:
        """A yes to one tool is none to a call of another that bears the same id."""
        name = f"{SDK}/0.19.0/approved"
        document = corpus.load(name)
        context = document["context"]
        context["approvals"] = {"stat_file": context["approvals"]["delete_file"]}
        outcome = run_old(name, document)
        assert (outcome.tool_runs, len(outcome.pending)) == ((), 1)

    def test_shared_id_inside(self) -> None:
        """A yes by id that two runs inside could mean is given to neither."""
        name = f"{SDK}/0.19.0/nested_approved"
        document = corpus.load(name)
        calls = document["last_processed_response"]["functions"]
        twin = json.loads(json.dumps(calls[0]).replace("call_out", "call_out2"))
        calls.append(twin)
        repaired = DIALECT.repair(state(document), CHAIN.newest).state
        assert repaired.processed is not None
        inside = [each.run for each in repaired.processed.calls if each.run]
        assert len(inside) == 2
        assert all(not any(grant.exact("call_in") for grant in each.grants) for each in inside)


def _has(document: JSONObject, pointer: str) -> bool:
    try:
        resolve(document, pointer)
    except HitlError:
        return False
    return True


def _runs(text: str, other: JSONObject) -> Any:  # noqa: ANN401
    mine = json.loads(text).get("runs", [])
    return [
        run | {"items": theirs["items"]}
        for run, theirs in zip(mine, other.get("runs", []), strict=True)
    ]


def _crime(document: JSONObject) -> JSONObject:
    _replace(document, {"call_d"})
    return document


def run_old(name: str, document: JSONObject) -> Outcome:
    """What running an older state does."""
    return run(_newest(name), document)


def refused_old(name: str, document: JSONObject) -> HitlError:
    """An older state is refused because of its arguments."""
    return refused(_newest(name), document, ArgumentsChanged)


def _newest(name: str) -> str:
    return f"{SDK}/0.24.0/{name.rpartition('/')[2]}"
