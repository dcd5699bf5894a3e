"""What a run came to, held against what the server, the session and the tools received."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hitl.conversation import history
from hitl.model import Conversation
from tests.conversation.plan import LATE
from tests.conversation.server import replied, said, short

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import hitl
    from tests.conversation.server import Raw
    from tests.conversation.world import World

TEXTS = ("go", "on")
EARLIER: list[Raw] = [said("go"), replied("msg_0")]
"""What a session, a conversation or a chain holds of a talk before: the same words."""
_BEFORE = [*map(short, EARLIER)]


def judge(world: World, run: hitl.DurableRun) -> int:
    """Hold a run that waits or has finished against the world; give how many turns it took."""
    assert run.state is not None
    told = [short({"type": "message", **each.raw}) for each in history(run.state)]
    if world.session is not None:  # what a session held is a part of the input
        told = _own(world, told)
        assert told[:2] == _BEFORE, told
        told = told[2:]
    ended = run.status == "finished"
    turns = _grammar(world, told, ended=ended)
    assert run.state.turn.current == turns, (run.state.turn, told)
    assert turns <= world.limit
    _received(world, run.state, told, ended=ended)
    if world.session is not None:
        _held(world, told)
    _effects(world, told, ended=ended)
    return turns


def _held(world: World, told: Sequence[str]) -> None:
    """The session holds what the model was told, and all that others wrote there.

    And what was said to a process that died before it was stored: nobody can tell that from what
    others say there, which stays.
    """
    items: list[Any] = [] if world.session is None else world.session.items
    held = [short({"type": "message", **each}) for each in items]
    assert [each for each in held if each in world.theirs] == world.theirs, held
    held = _own(world, held)
    if world.late_lost:
        assert held.count(LATE) <= world.late + world.late_lost, held
        held, told = ([each for each in texts if each != LATE] for texts in (held, told))
    assert held == [*_BEFORE, *told]


def _own(world: World, told: Iterable[str]) -> list[str]:
    """What is not others'."""
    return [each for each in told if each not in world.theirs]


def _grammar(world: World, told: Sequence[str], *, ended: bool) -> int:
    """The model was told the input, then turn by turn what it said, the answers, what people said.

    Gives how many turns there are; each is a whole answer of the server, and the next of the plan.
    """
    assert told[0] == "go"
    at, turns = 1, 0
    spoken: list[str] = []
    while at < len(told):
        place = place_of(told[at])
        turns += 1
        assert place is not None, told
        assert place[0] == turns, told
        output = world.said[place[1]]
        assert list(told[at : at + len(output)]) == output, told
        at += len(output)
        wanted = {each.replace("?", "!") for each in output if each.endswith("?")}
        answers = told[at : at + len(wanted)]
        at += len(answers)
        assert len(set(answers)) == len(answers), told
        assert set(answers) <= wanted, told
        assert set(answers) == wanted or (at == len(told) and not ended), told
        while at < len(told) and told[at] in {*TEXTS, LATE}:
            spoken.append(told[at])
            at += 1
    late, spoken = spoken.count(LATE), [each for each in spoken if each != LATE]
    assert (world.late if ended else 0) <= late <= world.late + world.late_lost, told
    assert spoken == (world.spoken if ended else world.spoken[: len(spoken)]), told
    assert not ended or turns == len(world.plan.turns) + 1
    return turns


def _received(world: World, state: hitl.RunState, told: Sequence[str], *, ended: bool) -> None:
    """The server was told this, in order; what it does not have yet are the last answers."""
    server, talk = world.api.server, state.conversation or Conversation()
    if talk.mode == "conversation":
        having = server.conversations.get(talk.id or "", [])
    elif talk.mode == "response_chain":
        having = server.responses.get(talk.previous_response_id or "", [])
    else:
        last = [each for each in world.api.exchanges if each.arrived][-1]
        if world.silent and last.parameters.keys() != {"input"}:
            return
        having = [*last.input, *last.output]
    there = _own(world, map(short, having))
    if there[:2] == _BEFORE:  # not where a run has moved to
        there = there[2:]
    assert there == told[: len(there)], (there, told)
    if not world.silent:  # where it has moved to it may have asked nothing yet
        assert all(each.endswith("!") for each in told[len(there) :]), (there, told)
        assert not ended or there == told


def _effects(world: World, told: Sequence[str], *, ended: bool) -> None:
    """No gated call had its effect twice; each that was approved had it, no other."""
    for call, times in world.ran.items():
        assert times <= 1 or (world.plan.gate == "approval" and call not in world.verdicts), call
    for call, yes in world.verdicts.items() if ended else ():
        assert world.ran[call] == yes, (call, told)


def place_of(item: str) -> tuple[int, int] | None:
    """Turn and number of the answer that an item of the model is of; None for other items."""
    if item.endswith("!") or item == "msg_0" or not item.startswith(("call_", "msg_")):
        return None
    turn, serial = item.rstrip("?").split("_")[1:3]
    return int(turn), int(serial)


def turn_of_answer(output: Sequence[Raw]) -> int | None:
    """Which turn an answer is; None for no answer."""
    found = [place_of(short(each)) for each in output]
    return found[0][0] if found and found[0] is not None else None
