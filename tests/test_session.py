"""What a session holds of a run: each entry once, nothing dangling, nobody else's (R-3, R-8)."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from hitl.conversation import history, mark, reconcile, restart, unsaved
from hitl.conversation.entry import content_of
from hitl.conversation.told import latest
from hitl.model import Processed, Step, spans
from tests.agents.session import MemorySession
from tests.conversation.run import Run
from tests.conversation.server import called, done, replied, said
from tests.conversation.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.conversation import SessionPlan
    from hitl.model import RunState
    from tests.conversation.server import Raw

TOLD = [said("go"), called("a"), done("a"), replied("m"), said("go"), called("b")]


def plan(
    *held: Raw, renamed: bool = False, stopped: bool = False, repair: bool = False
) -> SessionPlan:
    """Compare a session with a run that said `TOLD`, its last call waiting."""
    run = Run()
    run.add(TOLD)
    return reconcile(run.state(), held, renamed=renamed, stopped=stopped, repair=repair)


def carried_out(found: SessionPlan, held: Sequence[Raw]) -> list[Raw]:
    """What the session holds once the plan is carried out."""
    left = [*held[: len(held) - found.take_back]]
    return [*left, *(each.raw for each in found.append)]


class TestReconcile:
    def test_clean(self) -> None:
        """R-3: what the run says, after whatever came before, is as it should be."""
        before = [said("go"), replied("m_0")]
        assert plan(*TOLD).clean
        assert plan(*before, *TOLD).clean

    def test_nameless_there(self) -> None:
        """A session that keeps no ids of messages holds them all the same."""
        held = [{k: v for k, v in each.items() if k != "id" or "role" not in each} for each in TOLD]
        assert held != TOLD
        assert plan(*held).clean

    def test_nameless_here(self) -> None:
        """A provider that gives no ids, and a session that makes its own."""
        run = Run()
        run.add([said("go"), replied("__fake_id__")])
        assert reconcile(run.state(), [said("go"), replied("made_up")]).clean

    def test_renamed(self) -> None:
        """A session that gives messages ids of its own; one that says so, and one that does not."""
        held = [{**each, "id": f"item_{at}"} for at, each in enumerate(TOLD)]
        assert plan(*held, renamed=True).clean
        assert plan(*held).clean

    def test_not_renamed(self) -> None:
        """An equal text under another id is another's, where the session keeps the run's ids."""
        run = Run()
        run.add([*TOLD[:4], replied("m_2"), called("b")])
        held = [*TOLD[:4], replied("m_9"), called("b")]
        assert [each.raw for each in reconcile(run.state(), held).append] == [replied("m_2")]
        held = [*TOLD[:3], replied("m_9"), called("b")]
        assert len(reconcile(run.state(), held).append) == 2

    def test_text_again_behind(self) -> None:
        """R-44: an equal text behind what followed it is an append that came late."""
        assert plan(*TOLD[:4], TOLD[5], said("go")).clean

    def test_other_form(self) -> None:
        """An item is the same without its defaults, and in parts."""
        held = [{"role": "user", "content": [{"type": "input_text", "text": "go"}]}, *TOLD[1:]]
        assert plan(*held).clean

    def test_reasoning_without_its_id(self) -> None:
        """Where the SDK leaves out the ids of reasoning, it is known by what it says."""
        thought: Raw = {"type": "reasoning", "id": "rs_1", "summary": []}
        run = Run()
        run.add([said("go"), thought, called("a")])
        held = [said("go"), {"type": "reasoning", "summary": []}, called("a")]
        assert reconcile(run.state(), held).clean

    def test_reasoning_that_a_server_drops(self) -> None:
        """R-12: reasoning without a body is not kept by a server that names entries."""
        run = Run()
        run.add([said("go"), {"type": "reasoning", "summary": []}, called("a")])
        held = [said("go"), called("a")]
        assert reconcile(run.state(), held, renamed=True).clean
        assert len(reconcile(run.state(), held).append) == 1

    @pytest.mark.parametrize("at", range(1, len(TOLD)))
    def test_missing(self, at: int) -> None:
        """Law 7: what is missing is appended, the right one of two equal texts too."""
        held = [*TOLD[:at], *TOLD[at + 1 :]]
        found = plan(*held)
        assert [each.name for each in found.append] == [at]
        assert found.take_back == 0

    def test_trimmed(self) -> None:
        """What a session let go of at its beginning is not written to its end."""
        found = plan(*TOLD[2:])
        assert [each.raw for each in found.trimmed] == TOLD[:2]
        assert (found.append, found.clean) == ((), True)

    @pytest.mark.parametrize("left", [0, 1, 2])
    def test_compacted(self, left: int) -> None:
        """What a compaction stands for is not missing, and its session not another one."""
        held = [said("go"), {"type": "compaction", "id": "cmp_1"}, *TOLD[6 - left :]]
        found = plan(*held)
        assert (found.append, found.other, found.clean) == ((), False, True)
        assert len(found.trimmed) == 6 - left

    def test_compacted_by_the_run(self) -> None:
        """A compaction that the run's own model made stands where it was said."""
        told: list[Raw] = [said("go"), {"type": "compaction", "id": "cmp_1"}, called("a")]
        run = Run()
        run.add(told)
        found = reconcile(run.state(), told)
        assert (found.found, found.trimmed, found.clean) == (3, (), True)

    @pytest.mark.parametrize("at", [1, 2, 3, 5])
    def test_duplicate(self, at: int) -> None:
        """R-8: what is there twice is named by the place of the second; taken back when asked."""
        held = [*TOLD, TOLD[at]]
        found, asked = plan(*held), plan(*held, repair=True)
        assert (found.duplicates, found.interleaved, found.take_back) == ((6,), (), 0)
        assert not found.append
        assert carried_out(asked, held) == TOLD

    def test_duplicates_between(self) -> None:
        """What of the run stands between what is taken back is appended again."""
        held = [*TOLD[:3], TOLD[1], TOLD[2], *TOLD[3:]]
        found = plan(*held, repair=True)
        assert (found.repaired, found.take_back) == ((3, 4), 5)
        assert carried_out(found, held) == TOLD

    def test_duplicate_before_another_turn(self) -> None:
        """What others said is never taken back, also to be appended again."""
        held = [*TOLD, TOLD[2], said("hello?"), TOLD[3]]
        found = plan(*held, repair=True)
        assert (found.duplicates, found.repaired, found.interleaved) == ((6, 8), (8,), (7,))
        assert carried_out(found, held) == held[:-1]

    def test_unanswered(self) -> None:
        """§3.2 (2): a call that was answered in the run gets its answer; another's dangles."""
        held = [each for each in TOLD if each != done("a")]
        found = plan(*held, called("z"))
        assert [each.raw for each in found.append] == [done("a")]
        assert (found.dangling, found.interleaved) == (("z",), (5,))

    def test_interleaved(self) -> None:
        """§3.2 (3): another turn after the run began is noticed."""
        found = plan(*TOLD[:3], said("hello?"), replied("m_9"), *TOLD[3:], repair=True)
        assert found.interleaved == (3, 4)
        assert (found.append, found.take_back) == ((), 0)

    @pytest.mark.parametrize("held", [[], [said("somebody"), replied("else")]])
    def test_other(self, held: list[Raw]) -> None:
        """A session that holds nothing of the run is another, or new."""
        found = plan(*held)
        assert found.other
        assert carried_out(found, held) == [*held, *TOLD]

    def test_not_yet_answered(self) -> None:
        """§5.5: a session that lacks the input alone is given it once, and is no other."""
        run = Run()
        found = reconcile(run.state(), [], given=[said("go")])
        assert [each.raw for each in found.append] == [said("go")]
        assert not found.other

    def test_given(self) -> None:
        """What the session held before the run is not the run's, though the SDK kept it there."""
        run = Run()
        before = [said("hi"), replied("m_0")]
        run.add([*before, said("go")], kind="input")
        state = evolve(run.state(), input=run.state().generated, generated=(), session=())
        assert len(reconcile(state, before[:1]).append) == 2
        found = reconcile(state, before[:1], given=[said("go")])
        assert [each.raw for each in found.append] == [said("go")]

    def test_given_otherwise(self) -> None:
        """Input that the app has stored otherwise, or not at all, is not stored as it was given."""
        run = Run()
        run.add(TOLD[1:4])
        held = [said("go"), said("***"), *TOLD[1:4]]
        found = reconcile(run.state(), held, given=[said("go"), said("my number is 7")])
        assert (found.append, [each.name for each in found.trimmed]) == ((), [-1])

    def test_defaults_of_a_server(self) -> None:
        """What a server adds to a picture says nothing more."""
        picture = {"type": "input_image", "image_url": "https://example.com/a.png"}
        added = picture | {"detail": "auto", "file_id": None}
        given, there = ({"role": "user", "content": [each]} for each in (picture, added))
        finer = {"role": "user", "content": [picture | {"detail": "high"}]}
        assert content_of(given) == content_of(there) != content_of(finer)

    def test_provider_data(self) -> None:
        """What a provider says beside a message, and a server does not keep, is no content."""
        run = Run()
        run.add(
            [said("go"), replied("__fake_id__") | {"provider_data": {"model": "m"}}, called("a")]
        )
        held = [said("go"), replied("item_1"), called("a")]
        assert reconcile(run.state(), held, renamed=True).clean

    def test_written_by_the_sdk(self) -> None:
        """What the SDK holds back, or settles by itself, is left to it."""
        run = Run()
        run.add(TOLD)
        write: Raw = {"items": [[5, 6]], "rest": {"held": True}}
        state = evolve(run.state(), session_write=write)
        assert reconcile(state, TOLD[:5]).clean
        assert reconcile(state, TOLD).dangling == ()
        held = [*TOLD[:5], TOLD[1]]
        found = reconcile(state, held, stopped=True, repair=True)
        assert (found.duplicates, found.take_back, found.append) == ((5,), 0, ())
        assert reconcile(state, [*TOLD[:2], TOLD[3]]).append == ()


class TestHeldBack:
    """§3.2 (4): what an output guardrail has yet to see."""

    @staticmethod
    def state(persisted: int) -> RunState:
        """A run that said `TOLD`, the response of its last call waiting."""
        run = Run()
        last = run.add(TOLD)[-1]
        processed = Processed(new_items=((last, last + 1),))
        step = Step(kind="interruption", interruptions=())
        return evolve(run.state(), processed=processed, step=step, persisted=persisted)

    def test_stays_away(self) -> None:
        """It is not missing where it was held back; where it never is, it is."""
        assert reconcile(self.state(0), TOLD[:5], deferred=True).clean
        assert len(reconcile(self.state(0), TOLD[:5]).append) == 1
        assert reconcile(self.state(0), TOLD, deferred=True).early == ()

    def test_all_of_it(self) -> None:
        """A run whose only answer is held back is not missing from its session."""
        run = Run()
        last = run.add([called("b")])[-1]
        processed = Processed(new_items=((last, last + 1),))
        step = Step(kind="interruption", interruptions=())
        state = evolve(run.state(), processed=processed, step=step)
        found = reconcile(state, [], given=[said("go")], deferred=True)
        assert ([each.raw for each in found.append], found.other) == ([said("go")], False)

    def test_withdrawn(self) -> None:
        """Where an older release wrote it, it is taken back when asked, and not written again."""
        found = reconcile(self.state(1), TOLD, deferred=True)
        assert (found.early, found.take_back, found.clean) == ((5,), 0, False)
        found = reconcile(self.state(1), TOLD, deferred=True, repair=True)
        assert [each.raw for each in found.withdrawn] == [called("b")]
        assert (carried_out(found, TOLD), found.early) == (TOLD[:5], ())

    def test_behind_it(self) -> None:
        """Another turn behind it stays, and so does it."""
        held = [*TOLD, said("hello?")]
        found = reconcile(self.state(1), held, deferred=True, repair=True)
        assert (found.early, found.take_back, found.withdrawn) == ((5,), 0, ())


class TestLatest:
    """Where the response begins whose calls wait."""

    @staticmethod
    @pytest.mark.parametrize("copied", [False, True])
    def test_begins(*, copied: bool) -> None:
        """With its first item; also where the SDK keeps other copies of its calls."""
        run = Run()
        run.add([said("go"), called("a"), done("a"), replied("m"), called("b")])
        new = (4, 5) if copied else (3, 5)
        if copied:
            run.records.append(run.records[4])
            run.told[4] = 5
        step = Step(kind="interruption", interruptions=())
        state = evolve(run.state(), processed=Processed(new_items=(new,)), step=step)
        assert latest(state, history(state)) == (4 if copied else 3)

    @staticmethod
    def test_with_what_wants_no_answer() -> None:
        """An item without a call is not every item without a call."""
        run = Run()
        run.add([said("go"), called("a"), done("a"), replied("m"), called("b")])
        step = Step(kind="interruption", interruptions=())
        state = evolve(run.state(), processed=Processed(new_items=((3, 5),)), step=step)
        assert latest(state, history(state)[:3]) == 3


class TestStopped:
    """What a worker wrote that was stopped after the checkpoint."""

    LATE = (done("b"), replied("m_2"), called("c"), done("c"))

    def test_taken_back(self) -> None:
        """What its model is known to have answered is taken back, and all answers, to be redone."""
        run = Run()
        run.add(TOLD)
        held, answer = [*TOLD, *self.LATE], self.LATE[1:3]
        found = reconcile(run.state(), held, said=answer, stopped=True)
        assert (found.take_back, found.interleaved, found.ahead) == (4, (), ())
        assert carried_out(found, held) == TOLD
        assert plan(*held).interleaved == (7, 8, 9)

    def test_repaired(self) -> None:
        """What nobody is known to have said is taken back when asked, while no turn is open."""
        before = [said("hi"), replied("m_0")]
        held = [*before, *TOLD, *self.LATE]
        assert plan(*held, stopped=True).take_back == 0
        assert plan(*held, stopped=True, repair=True).take_back == 4
        assert plan(*held[2:], stopped=True, repair=True).take_back == 4
        twice = [*TOLD[:3], TOLD[1], *TOLD[3:], *self.LATE]
        assert carried_out(plan(*twice, stopped=True, repair=True), twice) == TOLD
        assert plan(*TOLD, done("a"), replied("m_9"), stopped=True, repair=True).take_back == 2
        compacted: list[Raw] = [said("hi"), {"type": "compaction", "id": "c"}]
        assert plan(*compacted, *held[2:], stopped=True, repair=True).take_back == 4

    @pytest.mark.parametrize(
        "before",
        [
            [said("hi")],
            [said("hi"), said("hey"), replied("m_0")],
            [replied("m_0"), said("hi")],
        ],
    )
    def test_never_the_end_of_another_turn(self, before: list[Raw]) -> None:
        """Law 7: while another turn is under way, what nobody is known to have said may be its."""
        held = [*before, *TOLD, replied("m_9")]
        assert plan(*held, stopped=True, repair=True).take_back == 0
        held = [*TOLD[:3], *before, *TOLD[3:], replied("m_9")]
        assert plan(*held, stopped=True, repair=True).take_back == 0

    def test_overtaken(self) -> None:
        """What is surely the run's and stands before what others said is not to be appended."""
        run = Run()
        run.add(TOLD)
        late = [done("b"), replied("__fake_id__"), called("c"), done("c")]
        held = [*TOLD, *late, said("hello?"), replied("__fake_id__"), done("z")]
        found = reconcile(run.state(), held, said=late[1:3], stopped=True)
        assert (found.ahead, found.interleaved) == ((6, 7, 8, 9), (10, 11, 12))
        assert (found.take_back, found.append) == (0, ())

    def test_never_what_a_user_said(self) -> None:
        """Another turn behind the checkpoint is left alone, whoever wrote behind it."""
        found = plan(*TOLD, said("hello?"), replied("m_2"), stopped=True, repair=True)
        assert (found.take_back, found.interleaved) == (0, (6, 7))

    def test_never_another_runs_answer(self) -> None:
        """An answer to a call that is none of the run's was written by another run."""
        found = plan(called("z"), *TOLD, done("z"), replied("m_2"), stopped=True, repair=True)
        assert (found.take_back, found.interleaved) == (0, (7, 8))

    def test_staged(self) -> None:
        """R-42, R-44: input that was admitted and not yet stored is admitted again: taken back."""
        run = Run()
        run.add(TOLD)
        own = run.add([said("and"), said("and"), said("then")], kind="input")
        told = [at for at in run.told if at not in own]
        state = evolve(run.state(), staged=spans(own), session=spans(told), generated=spans(told))
        late = [done("b"), said("and"), said("and"), said("then")]
        found = reconcile(state, [*TOLD, *late], stopped=True)
        assert found.take_back == 4
        found = reconcile(state, [*TOLD, *late, said("and")], stopped=True)
        assert (found.take_back, found.ahead, found.interleaved) == (0, (6, 7, 8, 9), (10,))
        found = reconcile(state, [*TOLD, said("so"), *late], stopped=True)
        assert (found.take_back, found.ahead) == (0, (7, 8, 9, 10))
        found = reconcile(state, [*TOLD, late[0], said("so"), *late[1:]], stopped=True)
        assert (found.take_back, found.ahead) == (0, (6,))  # anybody may have said them
        assert reconcile(state, [*TOLD, *late[1:], said("so")]).ahead == ()  # nobody died


EARLIER = [said("go"), replied("m_1")]


class TestRestart:
    """R-50: what a worker wrote that died before its first checkpoint."""

    def test_taken_back(self) -> None:
        """The input and what followed it, up to the end."""
        begun = mark([], [said("go")])
        assert restart(begun, [said("go")]).take_back == 1
        answer = [called("a")]
        assert restart(begun, [said("hi"), said("go"), *answer, done("a")], answer).take_back == 3
        assert restart(begun, [said("hi")]).take_back == 0
        assert restart(mark([], []), [said("hi")]).take_back == 0

    def test_said_before(self) -> None:
        """The same text of an earlier turn stays, with its answer."""
        begun = mark(EARLIER, [said("go")])
        assert restart(begun, EARLIER) == restart(begun, [])
        assert restart(begun, [*EARLIER, said("go")]).take_back == 1
        assert restart(mark([], [said("go")]), [*EARLIER, said("go")]).take_back == 1

    def test_another_reply(self) -> None:
        """An equal text under another id is not what the model is known to have answered."""
        begun = mark([], [said("go")])
        found = restart(begun, [said("go"), replied("m_9")], [replied("m_1")])
        assert (found.take_back, found.ahead) == (0, (0,))
        found = restart(begun, [said("go"), replied("item_1")], [replied("m_1")], renamed=True)
        assert found.take_back == 2

    def test_let_go(self) -> None:
        """A session that keeps its newest few, or was emptied: the input is found all the same."""
        begun = mark([*EARLIER, *EARLIER], [said("go")])
        assert restart(begun, [*EARLIER, EARLIER[1], said("go")]).take_back == 1
        assert restart(begun, [EARLIER[1], said("go")]).take_back == 1
        assert restart(begun, [said("go")]).take_back == 0

    def test_stored_otherwise(self) -> None:
        """What the app made of the input is what is taken back."""
        begun = mark(EARLIER, [said("now"), said("***")])
        assert restart(begun, [*EARLIER, said("now"), said("***")]).take_back == 2

    @pytest.mark.parametrize("theirs", [[said("hello?")], [replied("m_9")], [done("z")]])
    def test_others_after_it(self, theirs: list[Raw]) -> None:
        """What others wrote behind it is left alone; it stays, and is not to be appended."""
        begun = mark(EARLIER, [said("go")])
        held = [*EARLIER, said("go"), called("a"), *theirs, done("a")]
        found = restart(begun, held, [called("a")])
        assert (found.take_back, found.ahead) == (0, (2, 3, 5))
        found = restart(begun, [*held, said("late"), *theirs], [called("a")], late=[said("late")])
        assert (found.take_back, found.ahead) == (0, (2, 3, 5, 6))


TURNS = st.lists(st.sampled_from(["mine", "drop", "again", "theirs"]), max_size=14)


def play_session(moves: Sequence[str], texts: Sequence[int], prefix: int) -> None:
    """Write a run to a session badly, and put it right."""
    run, held = Run(), [said(f"theirs {at}") for at in range(prefix)]
    mine: list[Raw] = [called("first")]
    held.append(mine[0])
    named, theirs, dropped = [mine[0]], [*held[:prefix]], False
    for at, move in enumerate(moves):
        if move == "again":
            held.append(named[texts[at] % len(named)])
        elif move == "theirs":
            theirs.append(said(f"theirs {prefix + at}"))
            held.append(theirs[-1])
        else:
            choice = texts[at] % 4
            made = [said("yes"), called(f"c{at}"), replied(f"m{at}"), replied("__fake_id__")]
            mine.append(made[choice])
            named += mine[-1:] if choice in {1, 2} else []
            dropped |= move == "drop"
            held += mine[-1:] if move == "mine" else []
    run.add(mine)
    state = run.state()
    found = reconcile(state, held, repair=True)
    after = carried_out(found, held)
    ours = [each for each in after if each not in theirs]
    left = [held[at] for at in found.duplicates if at not in found.repaired]
    assert [each for each in after if each in theirs] == theirs
    assert sorted(map(content_of, ours)) == sorted(map(content_of, [*mine, *left]))
    if "theirs" not in moves and not dropped:
        assert ours == mine
    again = reconcile(state, after, repair=True)
    assert (again.append, again.take_back) == ((), 0)


class TestProperty:
    """R-3, R-8, R-44: however it was written, once it is put right each entry is there once."""

    @settings(max_examples=500, deadline=None)
    @given(TURNS, st.lists(st.integers(0, 99), min_size=14, max_size=14), st.integers(0, 3))
    def test_each_once(self, moves: list[str], texts: list[int], prefix: int) -> None:
        """What others said stays as it was; where nobody spoke between, the order is the run's."""
        play_session(moves, texts, prefix)

    @pytest.mark.soak
    @settings(max_examples=10_000, deadline=None)
    @given(TURNS, st.lists(st.integers(0, 99), min_size=14, max_size=14), st.integers(0, 3))
    def test_each_once_often(self, moves: list[str], texts: list[int], prefix: int) -> None:
        """The same with 10,000 sessions."""
        play_session(moves, texts, prefix)

    def test_linear(self) -> None:
        """Law 7: the work grows with the session and the run, not with their product."""
        assert cost(2000) < 3 * cost(1000) + 0.05


def cost(size: int) -> float:
    """Seconds to compare a run of one repeated text and many calls with its session."""
    run = Run()
    made = [each for at in range(size) for each in (said("go"), called(f"c{at}"), done(f"c{at}"))]
    run.add(made)
    state, held = run.state(), [said("go"), *made[3:], *made[:3]]
    times = []
    for _ in range(3):
        began = time.process_time()
        assert reconcile(state, held).found == 3 * size
        times.append(time.process_time() - began)
    return min(times)


class TestUnsaved:
    @given(st.integers(0, len(TOLD)), st.integers(0, len(TOLD)))
    def test_again(self, start: int, stop: int) -> None:
        """R-12: of a batch that was cut anywhere, the rest is appended, in order."""
        batch = TOLD[1:]  # begins with what has an id
        held = [said("before"), *batch[:stop]]
        assert [*held, *unsaved(held, batch)] == [said("before"), *batch]
        assert unsaved([*held, *unsaved(held, batch)], batch) == []
        assert unsaved(TOLD[:start], []) == []

    def test_repeated_text(self) -> None:
        """R-44: a text said twice is stored twice."""
        assert unsaved([said("go")], [said("go")]) == [said("go")]
        assert unsaved([*TOLD[:4], said("go")], [said("go"), called("b")]) == TOLD[4:]

    def test_text_before_what_is_held(self) -> None:
        """A batch is appended in order: what comes before an item that is held, is."""
        assert unsaved(TOLD[:2], TOLD[:3]) == [done("a")]

    def test_gap(self) -> None:
        """What has an id and is not held is appended, late as it is; another id is another item."""
        assert unsaved([called("b")], [called("a"), called("b")]) == [called("a")]
        batch = [called("a"), replied("m_2")]
        assert unsaved([called("a"), replied("m_1")], batch) == [replied("m_2")]

    def test_placeholder(self) -> None:
        """An id that is none tells nothing."""
        for one in (replied("__fake_id__"), replied("")):
            assert unsaved([one], [one]) == [one]


class TestSDK:
    """The holes of §3.2, each shown on plain openai-agents, and what `reconcile` says of it."""

    def test_orderly(self) -> None:
        """R-3: at the pause and at the end the session is as the state says."""

        async def play() -> tuple[SessionPlan, SessionPlan]:
            stage = Stage()
            text = await stage.paused()
            first = stage.plan(text)
            return first, stage.plan(await stage.resumed(text, stage.session))

        first, last = asyncio.run(play())
        assert (first.clean, last.clean) == (True, True)

    def test_resumed_twice(self) -> None:
        """§3.2 (1): resumed twice from one text, the output is in the session twice."""

        async def play() -> tuple[Stage, str]:
            stage = Stage()
            text = await stage.paused()
            after = await stage.resumed(text, stage.session)
            await stage.resumed(text, stage.session)
            return stage, after

        stage, after = asyncio.run(play())
        kinds = [each.get("type") for each in stage.session.items]
        assert (stage.ran, kinds.count("function_call_output")) == (2, 2)
        assert len(stage.plan(after).duplicates) == 1

    def test_forgotten(self) -> None:
        """§3.2 (2): without `session=` at the resume, the call dangles for ever."""

        async def play() -> tuple[Stage, str]:
            stage = Stage()
            return stage, await stage.resumed(await stage.paused(), None)

        stage, after = asyncio.run(play())
        found = stage.plan(after)
        assert [each.raw.get("type") for each in found.append] == [
            "function_call_output",
            "message",
        ]

    def test_interleaved(self) -> None:
        """§3.2 (3): another turn while the run waits stands between the call and its output."""

        async def play() -> tuple[Stage, str]:
            stage = Stage([called("call_1")], [replied("msg_1")], [replied("msg_2")])
            text = await stage.paused()
            await stage.play("and you?", stage.session)
            return stage, await stage.resumed(text, stage.session)

        stage, after = asyncio.run(play())
        assert stage.plan(after).interleaved == (2, 3)

    def test_another_session(self) -> None:
        """A state that is resumed with another session: nothing of it is there."""

        async def play() -> tuple[Stage, str]:
            stage = Stage()
            text = await stage.paused()
            stage.session = MemorySession("another")
            return stage, text

        stage, text = asyncio.run(play())
        assert stage.plan(text).other
