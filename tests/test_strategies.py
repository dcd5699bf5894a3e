"""Properties of generated states, documents and bytes; far more of them with `-m soak`."""

from __future__ import annotations

import copy
import json
from typing import Any

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

import hitl
from hitl import document, transfer, values
from hitl.errors import HitlError
from hitl.model import Context, Item, ItemLog, Record, RunState
from hitl.testing import (
    assert_document_kept,
    assert_round_trip,
    documents,
    json_values,
    python_values,
    run_states,
    tagged_values,
)
from hitl.testing.mutation import WRONG, places
from tests.agents import corpus
from tests.soak import both

SDK = "openai-agents-python"
PARALLEL = hitl.loads(corpus.read("cross/py-0.24.0/parallel"))


class TestStates:
    @both(150)
    @given(state=run_states())
    def test_native(self, state: RunState) -> None:
        """Law 1: native JSON and MessagePack give a generated state back."""
        assert_round_trip(state)

    @both(150)
    @given(given=documents(SDK))
    def test_sdk(self, given: Any) -> None:  # noqa: ANN401 - JSON
        """Law 1: so does the SDK's own document of it."""
        assert_document_kept(given)

    @both(100)
    @given(state=run_states(), data=st.data())
    def test_decide(self, state: RunState, data: st.DataObject) -> None:
        """A decision on a generated state survives every encoding."""
        waiting = [each for each in state.interruptions if each.decision is None]
        if not waiting:
            return
        chosen = data.draw(st.sampled_from(waiting))
        decided = state.approve(chosen.call, by="ana")
        assert_round_trip(decided)
        (again,) = [each for each in decided.interruptions if each.call == chosen.call]
        assert again.decision is not None
        assert (again.decision.approved, again.decision.by) == (True, "ana")


def _same(one: object, other: object) -> bool:
    """Equal with types, NaN included."""
    return document.equal(values.encode(one), values.encode(other))


class TestValues:
    @both(250)
    @given(value=python_values())
    def test_context(self, value: object) -> None:
        """What an app keeps in its context comes back, through every native encoding."""
        state = evolve(PARALLEL, context=Context(data=values.encode(value), has_data=True))
        for codec in transfer.codecs():
            back = hitl.loads(hitl.dumps(state, codec=codec))
            assert back.context is not None
            assert _same(back.context.value, value)

    @both(250)
    @given(value=python_values(), data=python_values())
    def test_outputs(self, value: object, data: object) -> None:
        """So do structured outputs and custom data."""
        log = PARALLEL.log
        item = Item(
            kind="tool_output",
            raw={"type": "function_call_output", "call_id": "c", "output": str(value)},
            has_output=True,
            output=values.encode(value),
            custom_data={"data": values.encode(data)},
        )
        entry = item if _odd(str(value)) else item.folded()
        if _odd(str(value)):
            entry = evolve(item, raw={"type": "function_call_output", "call_id": "c"})
        chunk = log.codec.encode(Record(item=entry))
        state = evolve(
            PARALLEL,
            log=ItemLog([*log.chunks, chunk], log.codec),
            session=((len(log), len(log) + 1),),
        )
        for codec in transfer.codecs():
            (back,) = hitl.loads(hitl.dumps(state, codec=codec)).items
            assert _same(back.value, value)
            assert _same(back.data, {"data": data})
            assert back.raw == entry.expanded().raw

    @both(250)
    @given(value=json_values())
    def test_json_in_the_sdk(self, value: Any) -> None:  # noqa: ANN401 - JSON
        """JSON of any shape, tag-like or huge, survives wherever the SDK puts it."""
        given = copy.deepcopy(corpus.load("cross/py-0.24.0/parallel"))
        given["context"]["context"] = {"value": value}
        given["session_items"][0]["raw_item"]["extra"] = value
        given["unheard_of"] = value
        state = assert_document_kept(given)
        assert state.context is not None
        assert _same(state.context.value, {"value": value})

    @both(150)
    @given(value=tagged_values())
    def test_tagged(self, value: Any) -> None:  # noqa: ANN401 - JSON
        """A tagged value reads as one value and is written as it was."""
        assert document.equal(values.encode(values.decode(value)), value)


def _odd(text: str) -> bool:
    """Half of a surrogate pair: no raw item can say it untagged."""
    return any("\ud800" <= character <= "\udfff" for character in text)


SEEDS = [
    *(corpus.read(f"cross/py-0.24.0/{name}") for name in ("parallel", "nested", "plain")),
    *(hitl.dumps(PARALLEL, codec=codec) for codec in transfer.codecs()),
]


def read_everything(data: bytes) -> None:
    """Use a document in every way that reads it; only errors of hitl may come out."""
    try:
        state = hitl.loads(data)
        state.interruptions  # noqa: B018
        repr(state)
        list(state.items)
        list(state.responses)
        hitl.dumps(state, dialect=SDK, allow_loss=True)
        hitl.dumps(state, codec="msgpack", allow_loss=True)
        hitl.dumps(state, allow_loss=True)
    except HitlError:
        return


class TestGarbage:
    @both(1000)
    @given(data=st.binary(max_size=200))
    def test_bytes(self, data: bytes) -> None:
        """Any bytes are refused with a typed error or read."""
        read_everything(data)
        assert hitl.check(data) is not None

    @both(600)
    @given(seed=st.sampled_from(SEEDS), data=st.data())
    def test_mutated_bytes(self, seed: bytes, data: st.DataObject) -> None:
        """So are documents with bytes flipped, cut out or put in."""
        found = bytearray(seed)
        for _ in range(data.draw(st.integers(1, 4))):
            at = data.draw(st.integers(0, len(found) - 1))
            size = data.draw(st.sampled_from([0, 1, 1, 2, 40]))
            found[at : at + size] = data.draw(st.binary(max_size=3))
        read_everything(bytes(found))

    @both(250)
    @given(seed=st.sampled_from(SEEDS[:4]), data=st.data())
    def test_mutated_values(self, seed: bytes, data: st.DataObject) -> None:
        """So are documents with values of other types, or of other places, put in."""
        given = json.loads(seed)
        found = [parts for parts, _ in places(given, 9) if parts]
        for _ in range(data.draw(st.integers(1, 3))):
            parts = data.draw(st.sampled_from(found))
            value = data.draw(st.sampled_from(WRONG) | json_values())
            holder = given
            try:
                for part in parts[:-1]:
                    holder = holder[part]
                holder[parts[-1]] = value
            except (KeyError, IndexError, TypeError):
                continue  # an earlier change took the place away
        read_everything(json.dumps(given).encode())
