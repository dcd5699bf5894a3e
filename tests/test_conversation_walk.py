"""Random talks with a scripted server: each item once and in order, or in doubt (law 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from attrs import evolve
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as walk

from hitl.conversation import LOCAL, Place, Tracker, prime, receipt, record
from hitl.errors import ReceiptUnknown
from hitl.model import positions
from tests.conversation.run import Run
from tests.conversation.server import Server, called, done, replied, said

if TYPE_CHECKING:
    from tests.conversation.server import Raw

TEXTS = st.sampled_from(["go on", "go on", "stop"])  # mostly the same text again
TRUST = st.sampled_from(["listing", "person"])


class Talk(RuleBasedStateMachine):
    """A run with a model server: it is cut, moved and taken up elsewhere at any point.

    Attributes:
        accepted: whether the place the run is at has answered it: only then do old states say so.
        changed: whether anything has happened since the run was last taken up elsewhere.
        lost: the answer to a request in doubt that arrived; None when it did not.
    """

    seen: ClassVar[dict[str, int]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.server = Server()
        self.run = Run()
        self.tracker = Tracker()
        self.number = 0
        self.changed = False
        self.moves = 0
        self.accepted = False
        self.lost: list[Raw] | None = None

    def _count(self, what: str) -> None:
        self.seen[what] = self.seen.get(what, 0) + 1

    @initialize(
        kind=st.sampled_from(["conversation", "conversation", "conversation", "chain", "local"])
    )
    def begin(self, kind: str) -> None:
        """A run begins with what the user says."""
        place = {"conversation": Place(conversation_id="conv_0"), "chain": Place(auto=True)}
        self.say("go on")
        self.tracker = prime(self.run.state(), place.get(kind, LOCAL))

    def _new(self) -> int:
        self.number += 1
        return self.number

    @precondition(lambda self: not self.tracker.doubt)
    @rule(text=TEXTS)
    def say(self, text: str) -> None:
        """The user says something, often the same again (R-44)."""
        item = said(text)
        self.tracker = self.tracker.add([item], self.run.add([item], "input"))
        self.changed = True

    @precondition(lambda self: not self.tracker.doubt)
    @rule(data=st.data(), text=TEXTS)
    def work(self, data: Any, text: str) -> None:  # noqa: ANN401 - hypothesis has no name for it
        """A tool that was called is done."""
        waiting = self._open()
        if waiting:
            self._done(data.draw(st.sampled_from(sorted(waiting))), text)

    def _done(self, call: str, text: str) -> None:
        item = done(call, text)
        self.tracker = self.tracker.add([item], self.run.add([item]))

    def _open(self) -> set[str]:
        items = self.run.raw(self.run.told)
        answered = {each["call_id"] for each in items if each["type"] == "function_call_output"}
        return {each["call_id"] for each in items if "arguments" in each} - answered

    def _output(self, calls: int) -> list[Raw]:
        reply = [replied(f"msg_{self._new()}")] if calls != 1 else []
        return [*reply, *(called(f"call_{self._new()}") for _ in range(calls))]

    @precondition(lambda self: not self.tracker.doubt)
    @rule(
        calls=st.integers(0, 3),
        fate=st.sampled_from(
            ["answered", "answered", "nameless", "refused", "cut before", "cut after", "no answer"]
        ),
        killed=st.booleans(),
    )
    def ask(self, calls: int, fate: str, *, killed: bool) -> None:
        """A request: answered, refused, or cut before or after the server had it."""
        request = self.tracker.prepare()
        assert not request.held
        if request.unanswered:
            assert set(request.unanswered) == self._open()
            for call in request.unanswered:
                self._done(call, "done")
            request = self.tracker.prepare()
        assert not request.unanswered
        if self.tracker.mode == "local":
            assert request.input == self.run.raw(self.run.told)
        self.tracker = self.tracker.sent(request)
        saved = record(self.run.state(), self.tracker)
        output = self._output(calls) if fate != "no answer" else []
        self._count(
            fate if self.tracker.mode == "conversation" else f"{fate} ({self.tracker.mode})"
        )
        self.changed = True
        if fate == "refused":
            self.tracker = self.tracker.rewind()
            assert self.tracker.prepare() == request
            return
        response_id: str | None = None
        if fate != "cut before":
            response_id = self.server.create(request.parameters, output)
        if fate in {"answered", "nameless"}:
            self._take(None if fate == "nameless" else response_id, output)
            return
        arrived = response_id is not None and (request.items or output)
        self.lost = output if arrived else None
        again = self.run.state(saved.conversation)
        self.tracker = prime(again) if killed else self.tracker.cut()
        if self.tracker.mode != "conversation":  # what arrived is a branch that nobody follows
            self.lost = None
            assert self.tracker.prepare() == request

    def _take(self, response_id: str | None, output: list[Raw]) -> None:
        names = self.run.respond(response_id, output)
        self.tracker = self.tracker.accepted(response_id, output, names)
        self.accepted = True

    @precondition(lambda self: self.tracker.doubt)
    @rule(trust=TRUST)
    def settle(self, trust: str) -> None:
        """The doubt is settled by a listing, where that tells, or else by a person."""
        self._count(f"settled by {trust}")
        arrived, output = self.lost is not None, self.lost or []
        if trust == "listing":
            listing = self.server.conversations.get(self.tracker.conversation_id or "", [])
            try:
                found = receipt(self.tracker, listing)
            except ReceiptUnknown:
                self._count("listing does not tell")
                assert self.tracker.anchor is None
            else:
                assert (found.received, list(found.output)) == (arrived, output)
        names = self.run.respond(None, output) if output else []
        self.tracker = self.tracker.settle(received=arrived, output=output, names=names)
        self.accepted = self.accepted and (bool(output) or not arrived)
        self.lost = None

    @precondition(lambda self: self.changed)
    @rule()
    def elsewhere(self) -> None:
        """Another process takes the run up from its stored state (R-1)."""
        self._count("elsewhere")
        before, self.changed = self.tracker, False
        self.tracker = prime(record(self.run.state(), before))
        names = [each.name for each in before.pending]
        assert [each.name for each in self.tracker.pending] == names
        assert self.tracker.open == before.open

    @precondition(lambda self: self.changed and self.accepted and not self.tracker.doubt)
    @rule()
    def old_evidence(self) -> None:
        """The state comes from a writer that did not say what the server has."""
        self._count("old evidence")
        self.changed = False
        kept = evolve(self.tracker.stored(), acknowledged=None, sent=None)
        self.tracker = prime(self.run.state(kept))

    @precondition(lambda self: self.moves < 2 and self.changed)
    @rule(data=st.data())
    def move(self, data: Any) -> None:  # noqa: ANN401 - hypothesis has no name for it
        """The run goes on in another place: all it needs to know goes with it."""
        places = [LOCAL, Place(auto=True), Place(conversation_id=f"conv_{self._new()}")]
        if self.tracker.mode != "conversation":
            own = [each.id for each in self.run.state().responses if each.id is not None]
            places += [Place(previous_response_id=each) for each in own]
        place = data.draw(st.sampled_from(places))
        self._count(f"moved from {self.tracker.mode}")
        self.moves += 1
        self.tracker = prime(record(self.run.state(), self.tracker), place)
        self.accepted = self.tracker.mode == "response_chain" and self.accepted
        self.lost = None

    @invariant()
    def nothing_is_lost(self) -> None:
        """What the server has and what waits are the history, in order, each once."""
        having = list(positions(self.tracker.acknowledged))
        assert having + [each.name for each in self.tracker.pending] == self.run.told

    @invariant()
    def nothing_is_there_twice(self) -> None:
        """The place holds exactly what it is known to have, in order; or is in doubt."""
        tracker, having = self.tracker, self.run.raw(positions(self.tracker.acknowledged))
        if tracker.mode == "local":
            assert having == []
        elif tracker.mode == "response_chain":
            assert self.server.responses.get(tracker.previous_response_id or "", []) == having
        elif not tracker.doubt:
            assert self.server.conversations.get(tracker.conversation_id or "", []) == having

    def teardown(self) -> None:
        """To the end: with the doubt settled and all calls answered, the server has everything."""
        if self.tracker.doubt:
            self.settle(trust="person")
        for call in sorted(self._open()):
            self._done(call, "done")
        self.ask(0, "answered", killed=False)
        self.nothing_is_lost()
        self.nothing_is_there_twice()
        assert self.tracker.mode == "local" or not self.tracker.pending
        self.seen["sequences"] = self.seen.get("sequences", 0) + 1


def play(count: int) -> None:
    """Play so many talks."""
    Talk.seen.clear()
    walk(
        Talk,
        settings=settings(
            max_examples=count,
            stateful_step_count=30,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )
    print(" | ".join(f"{what}: {n:,}" for what, n in sorted(Talk.seen.items())))  # noqa: T201


def test_talks() -> None:
    """Law 7, R-1, R-18, R-44, R-50: 500 talks, each item received once and in order, or doubt."""
    play(500)
    assert Talk.seen["sequences"] >= 500
    assert min(Talk.seen.values()) > 10, Talk.seen


@pytest.mark.soak
def test_many_talks() -> None:
    """The same with 10,000 talks."""
    play(10_000)
