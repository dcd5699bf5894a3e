"""What an SDK is about to send, held against what must be sent."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from hitl.conversation import Shown, Tracker, correct, filled, marks
from tests.conversation.server import called, done, replied, said

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.conversation import Corrected
    from tests.conversation.server import Raw

OLD = [said("go"), called("call_1"), replied("msg_1")]
NEW = [done("call_1"), said("and"), said("and"), said("go")]
HAD = {mark for each in OLD for mark in marks(each)}


def corrected(
    sends: list[Raw], new: list[Raw] = NEW, *, shown: Sequence[Raw] | None = None
) -> Corrected:
    """Correct what is sent where the server has `OLD` and must get `new`."""
    seen = None if shown is None else [Shown(each, marks(each)) for each in shown]
    talk = Tracker(conversation_id="conv").add([said("go")])
    talk = talk.sent(talk.prepare()).accepted("resp_1", OLD[1:])
    return correct(talk.add(new).prepare(), HAD, sends, shown=seen)


class TestRight:
    def test_left_alone(self) -> None:
        """What is right stays as the SDK wrote it, object by object."""
        found = corrected(NEW)
        assert all(one is other for one, other in zip(found.input, NEW, strict=True))
        assert not found.repeated
        assert not found.missing

    def test_order_of_the_sdk(self) -> None:
        """The SDK's own order stands as long as nothing is wrong."""
        assert corrected(NEW[::-1]).input == NEW[::-1]

    def test_another_spelling(self) -> None:
        """A message is known in whichever form its content is written."""
        part = {"role": "user", "content": [{"type": "input_text", "text": "and"}]}
        assert corrected([NEW[0], part, *NEW[2:]]).input[1] is part


class TestMarks:
    def test_notes(self) -> None:
        """What a server notes on an item says nothing of which it is."""
        found = {"type": "web_search_call", "action": {"type": "search"}}
        noted = {**found, "status": "completed", "created_by": "x", "provider_data": {}}
        assert marks(noted) == marks(found)

    def test_no_id(self) -> None:
        """An id that a provider gives to everything names nothing."""
        for identity in ("__fake_id__", "", None):
            one, other = ({**replied("m", text), "id": identity} for text in ("one", "other"))
            assert set(marks(one)).isdisjoint(marks(other))

    def test_without_its_id(self) -> None:
        """A message is known by what it says where its id was left out, as for reasoning."""
        nameless = {key: value for key, value in replied("m").items() if key != "id"}
        assert not set(marks(nameless)).isdisjoint(marks(replied("m")))


class TestWrong:
    def test_repeated(self) -> None:
        """What the server has is taken out: by its call, by its id, by its text."""
        found = corrected([*OLD, *NEW])
        assert found.input == NEW
        assert sorted(map(str, found.repeated)) == sorted(map(str, OLD))

    def test_missing(self) -> None:
        """What the server has not is put in, in its place, each occurrence."""
        found = corrected([said("and")])
        assert found.input == NEW
        assert found.missing == (NEW[0], NEW[2], NEW[3])

    def test_said_again(self) -> None:
        """A text the server has is sent when it is said again: occurrences count, not contents."""
        assert corrected([said("go")], [said("go")]).input == [said("go")]

    def test_foreign(self) -> None:
        """What nobody knows stays behind what it followed; a filter may have made it."""
        found = corrected([NEW[0], said("note"), NEW[3]])
        assert found.input == [NEW[0], said("note"), *NEW[1:]]

    def test_filtered(self) -> None:
        """What a filter of the app took out stays out, and what the server has too."""
        shown = [OLD[0], *NEW[:2]]
        found = corrected([OLD[0], OLD[1], NEW[0]], NEW[:2], shown=shown)
        assert found.input == [NEW[0]]
        assert len(found.names) == 1

    def test_not_shown(self) -> None:
        """What a filter was not shown it did not take out: two were said, it saw one."""
        found = corrected([NEW[0]], shown=NEW[:2])
        assert found.input == [NEW[0], *NEW[2:]]
        assert found.missing == (NEW[2], NEW[3])

    def test_rewritten(self) -> None:
        """What a filter put in the place of an item is that item, whatever it says now."""
        new = [done("call_1"), said("my pin 1"), said("my pin 2"), said("go on")]
        note = {"type": "message", "role": "system", "content": "be brief"}
        sends = [new[0], note, said("my pin *"), said("my pin *"), new[3]]
        found = corrected(sends, new, shown=new)
        assert found.input == sends
        assert len(found.names) == len(new)

    def test_rewritten_out_of_order(self) -> None:
        """Nothing stands in the place of an item between two that changed places."""
        new = [done("call_1"), said("one"), said("two")]
        found = corrected([new[2], said("uno"), new[0]], new, shown=new)
        assert found.input == [new[2], said("uno"), new[0]]
        assert len(found.names) == 2

    def test_rewritten_and_moved(self) -> None:
        """Nothing is rewritten twice: places that lie between two pairs of neighbours are one's."""
        new = [said(text) for text in ("zero", "one", "two", "three", "four", "five")]
        sends = [new[0], said("dos"), new[4], new[1], said("tres"), new[5]]
        found = corrected(sends, new, shown=new)
        assert found.input == sends
        assert len(found.names) == len(new)

    def test_edited(self) -> None:
        """A filter may edit the very item: it is known by what it said before."""
        given_ = [Shown(each, marks(each)) for each in ([said("my pin 1"), said("my pin 2")])]
        request = Tracker(conversation_id="conv").add([each.raw for each in given_]).prepare()
        request = evolve(request, items=tuple(deepcopy([*request.items])))
        given_[1].raw["content"] = "my pin *"
        found = correct(request, set(), [given_[1].raw], shown=given_)
        assert found.names == {1}

    def test_made(self) -> None:
        """What a filter adds is not what was said before, though it says the same."""
        found = corrected([said("go"), *NEW[:2]], NEW[:2], shown=NEW[:2])
        assert found.input == [said("go"), *NEW[:2]]

    def test_put_in_is_a_copy(self) -> None:
        """Who edits what was put in does not edit what the run knows."""
        request = Tracker(conversation_id="conv").add([said("my pin 1")]).prepare()
        filled(request, []).input[0]["content"] = "my pin *"
        assert request.input == [said("my pin 1")]

    def test_filled(self) -> None:
        """A filter is shown what the SDK forgot, before what is too new to be known."""
        found = filled(Tracker(conversation_id="conv").add(NEW[1:]).prepare(), [NEW[0], NEW[1]])
        assert found.input == [*NEW[1:], NEW[0]]
        assert found.missing == (NEW[2], NEW[3])


@given(
    taken=st.sets(st.integers(0, len(NEW) - 1)),
    repeats=st.lists(st.sampled_from(OLD[1:]), max_size=4),
    order=st.randoms(use_true_random=False),
)
def test_always_the_same(taken: set[int], repeats: list[Raw], order: object) -> None:
    """Whatever is left out of a request, and put into it: once each, in order, leaves."""
    sends = [each for index, each in enumerate(NEW) if index not in taken] + repeats
    order.shuffle(sends)  # type: ignore[attr-defined]
    found = corrected(sends)
    assert sorted(map(str, found.input)) == sorted(map(str, NEW))
    assert len(found.repeated) == len(repeats)
    assert not (taken or repeats) or found.input == NEW
