"""What a model server has, by occurrence: nothing twice, nothing lost (law 7)."""

from __future__ import annotations

import doctest
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

import hitl
import hitl.conversation
from hitl import transfer, values
from hitl.conversation import LOCAL, Place, Tracker, history, prime, receipt, record, staged
from hitl.conversation.told import kept
from hitl.errors import (
    ConversationError,
    ConversationMismatch,
    InvalidDocument,
    LossError,
    ReceiptUnknown,
)
from hitl.model import TEXT_INPUT, Conversation, Item, Record, positions, spans
from hitl.model.rebase import rebase
from tests.agents import corpus
from tests.conversation.run import CODEC, Run
from tests.conversation.server import Refused, Server, called, done, replied, said

if TYPE_CHECKING:
    from hitl import RunState
    from hitl.model import Kind

NEVER_SENT: tuple[Kind, ...] = ("output", "opaque", "approval")
CONVERSATION = Conversation(id="conv_1")
CHAIN = Conversation(previous_response_id="resp_0")


def waiting(conversation: Conversation, *, text: str | None = None) -> RunState:
    """Two calls were made; one of them ran before the pause. The writer said no more."""
    run = Run(text=text)
    if text is None:
        run.add([said("go on")], "input")
    run.respond("resp_0", [called("a"), called("b")])
    run.add([done("b")])
    return run.state(conversation)


def sends(tracker: Tracker) -> list[Any]:
    """What the next request carries, in short."""
    return [each.get("call_id") or each["content"] for each in tracker.prepare().input]


def test_docstring() -> None:
    """The examples in the module's docstring run as they stand."""
    assert doctest.testmod(hitl.conversation) == (0, 17)


class TestTracker:
    def test_repeated_text(self) -> None:
        """R-44: two equal texts are two occurrences, and both are delivered, once."""
        talk = Tracker(conversation_id="c").add([said("go on")])
        talk = talk.sent(talk.prepare()).accepted("r", [replied("m")]).add([said("go on")])
        assert sends(talk) == ["go on"]
        talk = talk.sent(talk.prepare()).accepted("r")
        assert not talk.pending
        assert talk.acknowledged == ((0, 3),)  # one range, however long the talk

    @pytest.mark.parametrize("mode", [{"conversation_id": "c"}, {"auto": True}, {}])
    def test_refused(self, mode: dict[str, Any]) -> None:
        """R-18: a request that was refused goes out again: exactly its items."""
        talk = Tracker(**mode).add([said("one"), said("two")])
        request = talk.prepare()
        assert talk.sent(request).rewind().prepare() == request

    def test_in_doubt(self) -> None:
        """Law 7: cut after sending, a server conversation is in doubt, and nothing is sent."""
        talk = Tracker(conversation_id="c").add([said("go on")])
        request = talk.prepare()
        doubt = talk.sent(request).cut()
        for verb in (doubt.prepare, lambda: doubt.sent(request), doubt.rewind):
            with pytest.raises(ReceiptUnknown, match="found one that the server may have"):
                verb()
        assert doubt.settle(received=False).prepare() == request
        assert not doubt.settle(received=True, output=[replied("m")]).pending

    @pytest.mark.parametrize("mode", [{"previous_response_id": "r"}, {}])
    def test_branch(self, mode: dict[str, Any]) -> None:
        """Law 7: cut after sending, a chain goes on from the response before."""
        talk = Tracker(**mode).add([said("go on")])
        request = talk.prepare()
        assert talk.sent(request).cut().prepare() == request

    def test_added_while_under_way(self) -> None:
        """R-42: what comes while a request is under way is not acknowledged with it."""
        talk = Tracker(conversation_id="c").add([said("one")])
        talk = talk.sent(talk.prepare()).add([said("two")]).accepted("r", [replied("m")])
        assert sends(talk) == ["two"]

    def test_filtered(self) -> None:
        """Law 7: what a filter took out of a request was not received, and goes out next."""
        talk = Tracker(conversation_id="c").add([said("one"), said("two")])
        talk = talk.sent(talk.prepare().only({1})).accepted("r")
        assert sends(talk) == ["one"]

    def test_answered_in_two_requests(self) -> None:
        """R-9: a call that one request left open may be answered by the next."""
        talk = Tracker(conversation_id="c").add([said("go on")])
        talk = talk.sent(talk.prepare()).accepted("r", [called("a"), called("b")])
        talk = talk.add([done("b"), done("a")])
        talk = talk.sent(talk.prepare().only({3})).accepted("s")
        assert talk.open == {"a"}
        assert sends(talk) == ["a"]

    def test_second_answer(self) -> None:
        """R-8: a call that has its answer gets no second one, nor a call nobody made a first."""
        talk = Tracker(conversation_id="c").add([said("go on")])
        talk = talk.sent(talk.prepare()).accepted("r", [called("a")])
        talk = talk.add([done("a"), done("a"), done("nobody's")])
        request = talk.prepare()
        assert [each.name for each in request.items] == [2]
        assert [each.name for each in request.held] == [3, 4]

    def test_nameless_response(self) -> None:
        """R-14: a response without an id is not followed; what came since goes out again."""
        talk = Tracker(previous_response_id="r0").add([said("one")])
        talk = talk.sent(talk.prepare()).accepted(None, [called("a")]).add([done("a")])
        request = talk.prepare()
        assert request.previous_response_id == "r0"
        assert sends(talk) == ["one", "a", "a"]

    def test_hosted_approval(self) -> None:
        """R-6: a request of the server for approval waits for its answer as a call does."""
        ask = {"type": "mcp_approval_request", "id": "mcpr_1", "name": "t", "arguments": "{}"}
        talk = Tracker(conversation_id="c").add([said("go on")])
        talk = talk.sent(talk.prepare()).accepted("r", [ask])
        assert talk.prepare().unanswered == ("mcpr_1",)
        yes = {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True}
        assert talk.add([yes]).prepare().unanswered == ()

    def test_unanswered(self) -> None:
        """The calls that wait are named in one order, whatever set they come from."""
        names = tuple(f"call_{number}" for number in range(9))
        talk = Tracker(conversation_id="c", open=frozenset(names))
        assert talk.prepare().unanswered == names

    def test_names(self) -> None:
        """A name that is not given is none that was."""
        talk = Tracker(conversation_id="c").add([said("one")], [10]).add([said("two")])
        assert [each.name for each in talk.pending] == [10, 11]

    def test_place(self) -> None:
        """A request names the place it goes to, and no other."""
        local = Tracker().add([said("go on")]).prepare()
        assert local.parameters == {"input": [said("go on")]}
        talk = Tracker(conversation_id="c").add([said("go on")])
        talk = talk.sent(talk.prepare()).accepted("r")
        assert talk.stored().previous_response_id is None
        both = prime(Run().state(Conversation(id="c", previous_response_id="r"))).prepare()
        assert (both.conversation_id, both.previous_response_id) == ("c", None)

    def test_out_of_turn(self) -> None:
        """A verb out of turn is refused, and so is a request that was made elsewhere."""
        talk = Tracker(conversation_id="c").add([said("go on")])
        request = talk.prepare()
        sent = talk.sent(request)
        for wrong in (
            sent.prepare,
            lambda: sent.sent(request),
            talk.rewind,
            talk.cut,
            lambda: talk.accepted("r"),
            lambda: talk.settle(received=True),
            lambda: receipt(talk, []),
            lambda: Tracker(conversation_id="c").sent(request),
            lambda: evolve(talk, conversation_id="d").sent(request),
            lambda: talk.settle(received=False),
            lambda: talk.add([said("x")], [3, 4]),
            lambda: talk.add([said("x"), said("x")], [3, 3]),
        ):
            with pytest.raises(ConversationError, match="expected"):
                wrong()


class TestReceipt:
    LISTED = ({"type": "message", "role": "user", "id": "msg_9", "status": "completed"},)

    def doubt(self) -> Tracker:
        """The second of two equal texts may have arrived."""
        talk = Tracker(conversation_id="c").add([said("go on")])
        talk = talk.sent(talk.prepare()).accepted("r", [replied("m")]).add([said("go on")])
        return talk.sent(talk.prepare()).cut()

    def listing(self, text: str) -> dict[str, Any]:
        """A text as the server lists it."""
        return {**self.LISTED[0], "content": [{"type": "input_text", "text": text}]}

    def test_arrived(self) -> None:
        """Law 7: listed after what was acknowledged, the request arrived, with its answer."""
        items = [self.listing("go on"), replied("m"), self.listing("go on"), called("a")]
        found = receipt(self.doubt(), items)
        assert (found.received, found.output) == (True, (called("a"),))

    def test_not_arrived(self) -> None:
        """R-44: an equal text before what was acknowledged is another occurrence."""
        found = receipt(self.doubt(), [self.listing("go on"), replied("m")])
        assert not found.received

    @pytest.mark.parametrize(
        "items",
        [
            [said("go on"), replied("m"), said("somebody else")],
            [said("go on")],
            [replied("m"), replied("m"), said("go on")],
        ],
    )
    def test_does_not_tell(self, items: list[Any]) -> None:
        """Law 7: a listing that does not tell settles nothing."""
        with pytest.raises(ReceiptUnknown):
            receipt(self.doubt(), items)

    def test_somebody_elses_output(self) -> None:
        """An output behind the request whose call the response did not make is no part of it."""
        hosted = [{**called("b"), "type": "shell_call"}, {**done("b"), "type": "shell_call_output"}]
        arrived = [self.listing("go on"), replied("m"), said("go on"), *hosted]
        assert receipt(self.doubt(), arrived).output == tuple(hosted)
        with pytest.raises(ReceiptUnknown):
            receipt(self.doubt(), [*arrived, done("c")])

    def test_behind_an_answer_of_nothing(self) -> None:
        """A request without items, answered by none, changes nothing of what is there."""
        talk = Tracker(conversation_id="c").add([said("go on")])
        talk = talk.sent(talk.prepare()).accepted("r", [replied("m")])
        talk = talk.sent(talk.prepare()).accepted("s").add([said("go on")])
        talk = talk.sent(talk.prepare()).cut()
        assert not receipt(talk, [said("go on"), replied("m")]).received

    def test_of_a_stored_run(self) -> None:
        """A state says after which item a request begins."""
        run = Run()
        run.add([said("go on")], "input")
        run.respond("resp_0", [replied("m")])
        run.add([said("go on")], "input")
        talk = prime(run.state(evolve(CONVERSATION, acknowledged=((0, 2),))))
        talk = talk.sent(talk.prepare()).cut()
        listed = [said("go on"), replied("m")]
        assert not receipt(talk, listed).received
        assert receipt(talk, [*listed, said("go on"), called("a")]).received

    def test_half(self) -> None:
        """Law 7: a listing with half of the request does not tell."""
        talk = Tracker(conversation_id="c").add([said("one"), said("two")])
        with pytest.raises(ReceiptUnknown):
            receipt(talk.sent(talk.prepare()).cut(), [said("one")], start=0)

    def test_start(self) -> None:
        """A conversation that was not begun by the run: the app says where the request begins."""
        talk = Tracker(conversation_id="c").add([said("go on")])
        talk = talk.sent(talk.prepare()).cut()
        before = [said("go on"), replied("m")]
        with pytest.raises(ReceiptUnknown):
            receipt(talk, before)
        assert not receipt(talk, before, start=2).received
        assert receipt(talk, [*before, said("go on")], start=2).received

    def test_answer_is_known_by_its_call(self) -> None:
        """An output is found by its call: the server may list it in another form."""
        talk = Tracker(conversation_id="c").add([said("go on")])
        talk = talk.sent(talk.prepare()).accepted("r", [called("a")]).add([done("a")])
        talk = talk.sent(talk.prepare()).cut()
        there = {**done("a"), "id": "fco_1", "output": [{"type": "input_text", "text": "done"}]}
        assert receipt(talk, [said("go on"), called("a"), there]).received


class TestPrime:
    @pytest.mark.parametrize("mode", [CONVERSATION, CHAIN])
    def test_only_what_is_new(self, mode: Conversation) -> None:
        """R-1, R-9: the output that ran at the pause never reached the server, the rest did."""
        talk = prime(waiting(mode))
        assert sends(talk) == ["b"]
        assert talk.prepare().unanswered == ("a",)
        assert sends(talk.add([done("a")])) == ["b", "a"]

    @pytest.mark.parametrize("mode", [CONVERSATION, CHAIN])
    def test_text_input(self, mode: Conversation) -> None:
        """R-1: an input that is a text is known to be there, and is kept as such."""
        state = waiting(mode, text="go on")
        talk = prime(state)
        assert sends(talk) == ["b"]
        kept = record(state, talk)
        assert TEXT_INPUT in positions(talk.acknowledged)
        assert prime(hitl.loads(hitl.dumps(kept))) == talk

    @pytest.mark.parametrize("mode", [CONVERSATION, Conversation(auto=True), Conversation()])
    @pytest.mark.parametrize("text", [None, "go on"])
    def test_first_request_failed(self, mode: Conversation, text: str | None) -> None:
        """R-50: with no response in the state, the input goes out again."""
        run = Run(text=text)
        if text is None:
            run.add([said("go on")], "input")
        talk = prime(run.state(mode))
        assert sends(talk) == ["go on"]
        assert talk.mode == mode.mode

    def test_sent_is_in_doubt(self) -> None:
        """Law 7: a state stored while a request was under way comes back in doubt."""
        state = waiting(CONVERSATION)
        talk = prime(state).add([done("a")], [len(state.log)])
        saved = evolve(state, conversation=talk.sent(talk.prepare()).stored())
        with pytest.raises(ReceiptUnknown):
            prime(saved).prepare()
        moved = evolve(talk, conversation_id=None, auto=True)
        chain = evolve(state, conversation=moved.sent(moved.prepare()).stored())
        assert sends(prime(chain)) == ["b"]

    def test_output_between_calls(self) -> None:
        """R-9: what answers a call of the last response was not sent with it."""
        run = Run()
        run.add([said("go on")], "input")
        run.respond("resp_0", [called("a"), called("b")])
        (place,) = run.add([done("a")])
        run.told = [0, 1, place, 2]
        assert sends(prime(run.state(CONVERSATION))) == ["a"]

    def test_own_responses_lead_on(self) -> None:
        """R-14: the chain that the app began with goes on from the run's own newest response."""
        stored = Conversation(previous_response_id="resp_before")
        for place in (None, Place(previous_response_id="resp_before")):
            talk = prime(waiting(stored), place)
            assert talk.prepare().previous_response_id == "resp_0"
            assert sends(talk) == ["b"]

    def test_nameless(self) -> None:
        """R-14: a chain goes on from the newest response with an id, and says all since."""
        run = Run()
        run.add([said("one")], "input")
        run.respond("resp_0", [called("a")])
        run.add([done("a")])
        run.respond(None, [called("b")])
        run.add([done("b")])
        talk = prime(run.state(Conversation(auto=True)))
        assert talk.prepare().previous_response_id == "resp_0"
        assert sends(talk) == ["a", "b", "b"]
        assert sends(prime(run.state(CONVERSATION))) == ["b"]

    def test_response_without_items(self) -> None:
        """Law 7: a response that brought nothing proves the answers to the calls before it."""
        run = Run()
        run.add([said("one")], "input")
        run.respond("resp_0", [called("a")])
        run.add([done("a")])
        run.respond("resp_1", [])
        run.add([said("two")], "input")
        assert sends(prime(run.state(CONVERSATION))) == ["two"]

    @pytest.mark.parametrize("place", [0, 1])
    def test_two_copies(self, place: int) -> None:
        """A response whose items differ from the history's is found by id, or by occurrence."""
        run = Run()
        for _ in range(2):  # the same said twice, by a provider that gives no ids
            run.add([said("go on")], "input")
            run.respond("r", [replied("__fake_id__")])
            copy = {**replied("__fake_id__"), "status": "incomplete"}
            at = run.responded[-1] - 1
            run.records[at] = Record(item=Item(kind="output", raw=copy))
            run.told[-1] = len(run.records)
            run.records.append(Record(item=Item(kind="message", raw=replied("__fake_id__"))))
        if place == 0:
            last = run.responded.pop()
            assert run.records[last].response is not None
        talk = prime(run.state(CONVERSATION))
        assert len(talk.pending) == (0 if place else 2)

    @pytest.mark.parametrize("answered", [False, True])
    @pytest.mark.parametrize("mode", [CONVERSATION, Conversation(previous_response_id="resp")])
    def test_begun_with_an_output(self, mode: Conversation, *, answered: bool) -> None:
        """R-50: a run that begins with the output of a call its server made before sends it."""
        run = Run()
        run.add([done("before")])
        if answered:
            run.respond("resp_0", [called("a")])
            run.add([done("a")])
        assert sends(prime(run.state(mode))) == (["a"] if answered else ["before"])
        elsewhere = prime(run.state(mode), Place(conversation_id="other")).prepare()
        assert [each.raw for each in elsewhere.held] == [done("before")]

    def test_notes(self) -> None:
        """What a server or an SDK notes on an item is no part of it: the API would refuse it."""
        noted = {"created_by": "agent", "status": "completed"}
        chunk = {"stdout": "x", "created_by": "agent"}
        run = Run()
        run.add([said("go on")], "input")
        run.respond("resp_0", [{**called("a"), "type": "shell_call", **noted}])
        output = {"type": "shell_call_output", "call_id": "a", "output": [chunk, "odd"]}
        run.add([{**output, **noted, "shell_output": [], "provider_data": {"box": 1}}])
        run.add([{**replied("msg"), "status": None}, {**done("b"), "output": [chunk]}])
        _, call, answer, reply, other = history(run.state())
        assert call.raw == {**called("a"), "type": "shell_call"}
        assert answer.raw == {**output, "output": [{"stdout": "x"}, "odd"]}
        assert "status" not in reply.raw
        assert other.raw == {**done("b"), "output": [chunk]}

    @pytest.mark.parametrize("policy", [None, "preserve", "omit"])
    def test_reasoning(self, policy: str | None) -> None:
        """Reasoning goes out without its id where the run omits it; what the app said as it was."""
        thought = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"}
        run = Run()
        run.add([thought])
        run.respond("resp_0", [thought])
        state = evolve(run.state(), input=((0, 1),), generated=((1, 2),), session=((1, 2),))
        mine, theirs = history(evolve(state, reasoning_item_id_policy=policy))
        assert mine.raw == thought
        assert theirs.raw == {k: v for k, v in thought.items() if k != "id" or policy != "omit"}

    def test_listed_twice(self) -> None:
        """R-10: an item that stands in two lists of the SDK is one occurrence."""
        run = Run()
        run.add([said("go on"), said("go on")], "input")
        state = evolve(run.state(), input=((0, 2),), generated=((1, 2),))
        assert [each.name for each in history(state)] == [0, 1]

    @pytest.mark.parametrize("kind", NEVER_SENT)
    def test_never_sent(self, kind: Kind) -> None:
        """R-13: what is for people, unknown, or a copy for the record, no model is told."""
        run = Run()
        run.add([said("go on"), said("and")], "input")
        run.records[1] = Record(item=Item(kind=kind, raw=said("and")))
        assert [each.name for each in history(run.state())] == [0]

    def test_one_list(self) -> None:
        """A writer that keeps one list of items means it for the model and for the session."""
        state = waiting(CONVERSATION)
        assert history(evolve(state, generated=None)) == history(state)
        assert kept(evolve(state, session=None)) == kept(state)

    def test_acknowledged_stays(self) -> None:
        """R-8: what the server has it has, also what the history leaves out."""
        run = Run()
        run.add([said("go on")], "input")
        run.respond("resp_0", [called("a")])
        run.add([done("a"), done("a", "again")])
        stored = evolve(CONVERSATION, acknowledged=((0, 2), (3, 5)))
        assert prime(run.state(stored)).acknowledged == ((0, 2), (3, 5))

    def test_rejected_twice(self) -> None:
        """R-8: a second output of one call is not said."""
        run = Run()
        run.add([said("go on")], "input")
        run.respond("resp_0", [called("a")])
        run.add([done("a"), done("a", "again")])
        assert [each.name for each in history(run.state())] == [0, 1, 3]

    def test_tagged(self) -> None:
        """Law 6: what the model tags in a stored item goes out as the app said it."""
        odd = {**called("a"), "extra": {"$": "text", "v": float("inf")}}
        run = Run()
        run.add([said("go on")], "input")
        run.respond("resp_0", [values.encode(odd)])  # type: ignore[list-item]
        assert prime(run.state(Conversation())).prepare().input[1] == odd
        assert not prime(run.state(CONVERSATION)).pending

    def test_approvals_are_for_people(self) -> None:
        """R-13: approval requests are never sent."""
        state = hitl.loads(corpus.read("openai-agents-python/0.24.0/conversation_id"))
        kinds = {state.log.item(each.name).kind for each in history(state) if each.name >= 0}
        assert "approval" not in kinds
        assert state.interruptions

    @pytest.mark.parametrize("name", corpus.every())
    def test_recorded(self, name: str) -> None:
        """Law 7: of a recorded state a place takes all of it, or what answers the last calls."""
        state = hitl.loads(corpus.read(name))
        told = [each.name for each in history(state)]
        chain = state.conversation is not None and state.conversation.mode == "response_chain"
        for place in (LOCAL, Place(auto=not chain), Place(conversation_id="elsewhere")):
            talk = prime(state, place)
            assert [each.name for each in talk.pending] == told
            assert not talk.prepare().held
        for conversation in (CONVERSATION, Conversation(auto=True)):
            talk = prime(evolve(state, conversation=conversation))
            having = [*positions(talk.acknowledged)]
            assert having + [each.name for each in talk.pending] == told
            late = {each.raw.get("type") for each in talk.pending}
            assert not state.responses or all(str(each).endswith("output") for each in late)

    def test_staged(self) -> None:
        """R-40: staged input follows the outputs of the interrupted turn, in order."""
        run = Run()
        run.add([said("go on")], "input")
        run.respond("resp_0", [called("a")])
        places = run.add([said("one"), said("one")], "input")
        run.told = run.told[:-2]
        state = evolve(run.state(CONVERSATION), staged=spans(places))
        waits = staged(state)
        talk = prime(state).add([done("a")])
        talk = talk.add([each.raw for each in waits], [each.name for each in waits])
        assert sends(talk) == ["a", "one", "one"]

    def test_own_names_do_not_fit(self) -> None:
        """A run keeps positions of its log, not numbers of a tracker's own."""
        state = waiting(CONVERSATION)
        with pytest.raises(ConversationError, match="expected log positions"):
            record(state, prime(state).add([done("a")]))


class TestMove:
    @pytest.mark.parametrize("stored", [Conversation(), CHAIN, CONVERSATION])
    @pytest.mark.parametrize("place", [LOCAL, Place(conversation_id="conv_2")])
    def test_everything(self, stored: Conversation, place: Place) -> None:
        """§3.1 (2, 3, 5): a place that has nothing of the run gets everything; the id wins."""
        talk = prime(waiting(stored), place)
        assert talk.prepare().conversation_id == place.conversation_id
        assert sends(talk) == ["go on", "a", "b", "b"]

    @pytest.mark.parametrize("stored", [Conversation(), CHAIN])
    def test_own_response(self, stored: Conversation) -> None:
        """§3.1 (4): an explicit response wins, also an older one: it gets what came after it."""
        run = Run()
        run.add([said("go on")], "input")
        run.respond("resp_0", [called("a")])
        run.add([done("a")])
        run.respond("resp_1", [called("b")])
        run.add([done("b")])
        state = run.state(stored)
        for response_id, expected in {"resp_0": ["a", "b", "b"], "resp_1": ["b"]}.items():
            talk = prime(state, Place(previous_response_id=response_id))
            assert talk.prepare().previous_response_id == response_id
            assert sends(talk) == expected
        follows = prime(state, Place(previous_response_id="resp_0", auto=True))
        assert follows.auto

    def test_the_same(self) -> None:
        """The place it was named again changes nothing."""
        state = waiting(CONVERSATION)
        assert prime(state, Place(conversation_id="conv_1")) == prime(state)
        chain = waiting(CHAIN)
        assert prime(chain, Place(previous_response_id="resp_0")) == prime(chain)
        local = waiting(Conversation())
        assert prime(local, LOCAL) == prime(local)

    def test_response_of_another_run(self) -> None:
        """A local history may join a chain it knows nothing of: that has nothing of the run."""
        talk = prime(waiting(Conversation()), Place(previous_response_id="resp_x"))
        assert talk.prepare().previous_response_id == "resp_x"
        assert sends(talk) == ["go on", "a", "b", "b"]

    @pytest.mark.parametrize(
        ("stored", "place"),
        [
            (CHAIN, Place(previous_response_id="resp_x")),
            (CONVERSATION, Place(previous_response_id="resp_0")),
            (CONVERSATION, Place(conversation_id="conv_1", previous_response_id="resp_0")),
            (Conversation(), Place(conversation_id="conv_1", previous_response_id="resp_0")),
        ],
    )
    def test_mismatch(self, stored: Conversation, place: Place) -> None:
        """A response that is not this chain's, or two ids, are refused."""
        with pytest.raises(ConversationMismatch):
            prime(waiting(stored), place)

    def test_leaves_the_doubt_behind(self) -> None:
        """Law 7: a place that has nothing is not in doubt; the one in doubt is asked no more."""
        state = waiting(CONVERSATION)
        talk = prime(state)
        saved = evolve(state, conversation=talk.sent(talk.prepare()).stored())
        assert sends(prime(saved, LOCAL)) == ["go on", "a", "b", "b"]


class TestStored:
    def test_moved_log(self) -> None:
        """Law 1: over a log in another order, what the server has is the same items."""
        state = waiting(CONVERSATION, text="go on")
        talk = prime(state)
        kept = record(state, talk.sent(talk.prepare()))
        others = [Item(kind="input", raw=said(each)) for each in ("x", "y", "z")]
        moved = rebase(kept, [CODEC.encode(Record(item=each)) for each in others])
        assert moved.log[0] != kept.log[0]
        before, after = prime(kept), prime(moved)
        assert [each.raw for each in before.pending] == [each.raw for each in after.pending]
        assert before.open == after.open
        assert after.flight == frozenset(each.name for each in after.pending)
        assert after.flight != before.flight
        with pytest.raises(ReceiptUnknown):
            after.prepare()

    def test_sdk_dialect(self) -> None:
        """Law 6: an SDK cannot hold what the server has; in doubt, it would send again: warned."""
        state = waiting(CONVERSATION)
        talk = prime(state)
        newest = transfer.dialects()["openai-agents-python"].chain.newest
        losses = transfer.losses_for(record(state, talk), "openai-agents-python", newest)
        assert [(each.path, each.severity) for each in losses if "/conv" in each.path] == [
            ("/conversation/acknowledged", "info")
        ]
        doubt = record(state, talk.sent(talk.prepare()))
        with pytest.raises(LossError) as refused:
            hitl.dumps(doubt, dialect="openai-agents-python")
        assert "/conversation/sent" in str(refused.value.losses)

    @pytest.mark.parametrize("given", [((0, 99),), ((-2, 0),), ((0, 1), (0, 1))])
    @pytest.mark.parametrize("field", ["acknowledged", "sent"])
    def test_positions(self, field: str, given: Any) -> None:  # noqa: ANN401
        """A document that names what is not in the log, or one entry twice, is refused."""
        wrong = evolve(CONVERSATION, **{field: given})
        state = evolve(waiting(CONVERSATION), conversation=wrong)
        with pytest.raises(InvalidDocument, match=f"at /conversation/{field}"):
            hitl.loads(hitl.dumps(state))


class TestServer:
    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ([done("x")], "No tool call found"),
            ([done("a"), done("a")], "No tool call found"),
            ([said("go on")], "No tool output found"),
            ([called("a"), done("a")], "Duplicate item"),
        ],
    )
    def test_refuses(self, given: list[Any], says: str) -> None:
        """The scripted server refuses what a real one refuses, and keeps nothing of it."""
        server = Server()
        server.create({"input": [said("go on")], "conversation": "c"}, [called("a")])
        before = list(server.conversations["c"])
        with pytest.raises(Refused, match=says):
            server.create({"input": given, "conversation": "c"}, [])
        assert server.conversations["c"] == before
