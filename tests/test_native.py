"""The native document: each item once, read when asked for, closed, exact."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

import hitl
from hitl import document, transfer
from hitl.dialect import Source
from hitl.dialects.native import DIALECT
from hitl.errors import DocumentError, InvalidDocument, UnsupportedVersion
from hitl.model import Context, Conversation, ItemLog, LogCodec, Record, positions, spans
from tests.agents import corpus
from tests.conversation.run import Run
from tests.conversation.server import called, done

if TYPE_CHECKING:
    from hitl import RunState

PARALLEL = "cross/py-0.24.0/parallel"
SDK = "openai-agents-python"
NESTED = "cross/py-0.24.0/nested"
CODECS = sorted(transfer.codecs())


def recorded(name: str) -> RunState:
    """A recorded state."""
    return hitl.loads(corpus.read(name))


def native(name: str) -> Any:  # noqa: ANN401 - JSON
    """The native document of a recorded state."""
    return json.loads(hitl.dumps(recorded(name)))


class Counting:
    """A codec's log functions that count what they read."""

    def __init__(self, codec: LogCodec) -> None:
        self.reads = 0
        self.log = evolve(codec, decode=self._decode)
        self._codec = codec

    def _decode(self, chunk: bytes) -> Record:
        self.reads += 1
        return self._codec.decode(chunk)


def counted(name: str, codec: str) -> tuple[RunState, Counting]:
    """A recorded state over a log that counts."""
    state = hitl.loads(hitl.dumps(recorded(name), codec=codec))
    counting = Counting(state.log.codec)
    return evolve(state, log=ItemLog(state.log.chunks, counting.log)), counting


class TestRanges:
    @pytest.mark.parametrize("codec", CODECS)
    def test_few(self, codec: str) -> None:
        """The lists of a run of many turns are one range each, and name what they did."""
        run = Run()
        for turn in range(20):
            run.respond(f"resp_{turn}", [called(f"call_{turn}")])
            run.add([done(f"call_{turn}")])
        having = Conversation(id="conv_1", acknowledged=spans(run.told[:-1]))
        state = run.state(having)
        assert len(state.generated or ()) == 21
        assert hitl.loads(hitl.dumps(state, codec=codec)) == state
        head = json.loads(hitl.dumps(state))
        assert head["generated"] == head["session"] == [[0, 60]]
        assert head["responded"] == [[1, 59]]
        assert head["conversation"]["acknowledged"] == [[0, 58]]

    def test_not_parsed(self) -> None:
        """What an entry is, is told by how it begins: none is parsed."""
        state, counting = counted(PARALLEL, "json")
        parsing = evolve(counting.log, parse=lambda _: pytest.fail("parsed"))
        boxes = ItemLog(state.log.chunks, parsing).boxes
        assert [*positions(state.responded or ())] == [*boxes.responses]
        assert counting.reads == 0

    def test_other_spelling(self) -> None:
        """An entry that begins otherwise, as another writer may write it, is told all the same."""
        given = native(PARALLEL)
        given["items"] = [{"guardrail": None, **each} for each in given["items"]]
        state = hitl.loads(json.dumps(given, indent=1))
        assert state.generated == recorded(PARALLEL).generated
        assert [each.id for each in state.responses] == [
            each.id for each in recorded(PARALLEL).responses
        ]


class TestOnce:
    @pytest.mark.parametrize("name", corpus.names())
    def test_no_second_copy(self, name: str) -> None:
        """No two entries of a log are the same item, unless the SDK kept it as two entries."""
        state = recorded(name)
        seen: Counter[bytes] = Counter(
            document.canonical([entry.item.kind, entry.item.raw, str(entry.item)])
            for entry in state.log
            if entry.item is not None
        )
        given = corpus.load(name)
        for mark, count in seen.items():
            raw = json.loads(mark)[1]
            assert count <= max(_occurrences(given, raw), 1)

    @pytest.mark.parametrize(
        "name", [name for name in corpus.names() if len(corpus.read(name)) > 4_000]
    )
    def test_smaller(self, name: str) -> None:
        """The document of a run with a history is smaller than the SDK's."""
        assert len(hitl.dumps(recorded(name))) < len(document.encode_lenient(corpus.load(name)))


def _occurrences(given: Any, raw: Any) -> int:  # noqa: ANN401 - JSON
    """In the list of the SDK that holds an item most often: how often."""
    lists = [given.get("generated_items") or [], given.get("session_items") or []]
    lists += [((given.get("current_step") or {}).get("data") or {}).get("interruptions") or []]
    lists += [[{"raw_item": each} for each in given.get("original_input") or []]]
    lists += [[{"raw_item": each} for each in given.get("pending_input") or []]]
    return max(
        sum(isinstance(each, dict) and each.get("raw_item") == raw for each in items)
        for items in lists
    )


class TestLazy:
    @pytest.mark.parametrize("codec", CODECS)
    def test_loading_reads_nothing(self, codec: str) -> None:
        """Loading leaves entries encoded."""
        data = hitl.dumps(recorded(PARALLEL), codec=codec)
        encoding: Any = transfer.codecs()[codec]
        counting = Counting(encoding.log)
        spy = type(encoding)()
        spy.log = counting.log
        source = Source(
            data=data,
            parts=spy.split(data),
            codec=spy,
            shape=spy.check(data, document.DEFAULT_LIMITS),
        )
        state = DIALECT.load(source)
        assert (len(state.log), counting.reads) == (len(recorded(PARALLEL).log), 0)

    @pytest.mark.parametrize("codec", CODECS)
    def test_reading_one_reads_one(self, codec: str) -> None:
        """The first item is one entry; a length and a repr are none."""
        state, counting = counted(PARALLEL, codec)
        repr(state), repr(state.log), repr(state.items), len(state.items), len(state.responses)
        assert counting.reads == 0
        assert state.items[0].kind
        assert counting.reads == 1

    @pytest.mark.parametrize("codec", CODECS)
    def test_writing_copies(self, codec: str) -> None:
        """Written in the codec it came in, no entry is read, decided or not."""
        state, counting = counted(PARALLEL, codec)
        hitl.dumps(state, codec=codec)
        assert counting.reads == 0

    def test_repr(self) -> None:
        """It says how much there is, and nothing of what it is."""
        assert repr(recorded(PARALLEL)).startswith("<RunState openai-agents-python@")
        assert "call_1" not in repr(recorded(PARALLEL))

    def test_equality_and_pickle(self) -> None:
        """Two encodings of one log are equal; a pickle keeps the entries."""
        state = recorded(PARALLEL)
        packed = state.log.recode(transfer.codecs()["msgpack"].log)
        assert packed == state.log
        assert packed.chunks != state.log.chunks
        assert pickle.loads(pickle.dumps(state)) == state  # noqa: S301 - our own


class TestExact:
    def test_same_section_told_by_type(self) -> None:
        """A run inside that says 1 where the run around it says true has a context of its own."""
        state = recorded(NESTED)
        assert state.processed is not None
        (call,) = state.processed.calls
        assert call.run is not None
        outer = evolve(state, context=Context(data={"n": True}, has_data=True))
        inner = evolve(call.run, context=Context(data={"n": 1}, has_data=True))
        processed = evolve(state.processed, calls=(evolve(call, run=inner),))
        back = hitl.loads(hitl.dumps(evolve(outer, processed=processed)))
        assert back.processed is not None
        again = back.processed.calls[0].run
        assert again is not None
        assert again.context is not None
        assert repr(again.context.data) == "{'n': 1}"

    def test_secrets_of_runs_inside(self) -> None:
        """A secret of a nested run is left out and said so."""
        given = corpus.load(NESTED)
        inner = given["last_processed_response"]["functions"][0]["agent_run_state"]
        inner["trace"] = {"id": "t", "tracing_api_key": "sk-inner"}
        converted = hitl.convert(hitl.loads(given))
        assert b"sk-inner" not in converted.data
        paths = [(loss.path, loss.severity) for loss in converted.losses]
        assert paths == [("/runs/0/trace/tracing_api_key", "info")]

    def test_unknown_field_of_an_entry(self) -> None:
        """It is refused when the entry is first read, not when the document is loaded."""
        given = native(PARALLEL)
        given["items"][1]["item"]["unheard_of"] = None
        state = hitl.loads(given)
        assert state.log[0] == recorded(PARALLEL).log[0]
        with pytest.raises(InvalidDocument, match="only fields of this version") as caught:
            state.log[1]
        assert caught.value.path == "/items/1/item/unheard_of"
        assert [each.path for each in hitl.check(given).problems] == [caught.value.path]

    def test_text_no_document_can_hold(self) -> None:
        """A text of the model with half a surrogate pair is refused, typed."""
        state = recorded(PARALLEL)
        odd = evolve(state, agents=(evolve(state.agents[0], name="\ud800"), *state.agents[1:]))
        with pytest.raises(hitl.HitlError, match="found a lone surrogate"):
            hitl.dumps(odd)


def _put(given: Any, path: str, value: object) -> Any:  # noqa: ANN401 - JSON
    *parts, last = path.strip("/").split("/")
    holder = given
    for part in parts:
        holder = holder[int(part)] if isinstance(holder, list) else holder[part]
    holder[last] = value
    return given


class TestRefused:
    """Each with the place; `None` where the state itself is at fault when it is read."""

    @pytest.mark.parametrize(
        ("name", "path", "value", "place"),
        [
            (PARALLEL, "/turn", {"current": "1"}, "/turn/current"),
            (PARALLEL, "/turn/current", True, "/turn/current"),
            (PARALLEL, "/origin/dialect", None, "/origin/dialect"),
            (PARALLEL, "/unheard_of", None, "/unheard_of"),
            (PARALLEL, "/turn/unheard_of", [], "/turn/unheard_of"),
            (PARALLEL, "/session", [[0, 999]], "/session"),
            (PARALLEL, "/session", [[2, 1]], "/session"),
            (PARALLEL, "/generated", [[-1, 1]], "/generated"),
            (PARALLEL, "/staged", [[0, 999]], "/staged"),
            (PARALLEL, "/last_response", 999, "/last_response"),
            (PARALLEL, "/current_agent", 7, "/current_agent"),
            (PARALLEL, "/current_agent", -1, "/current_agent"),
            (PARALLEL, "/processed/calls/0/item", 999, "/processed/calls/0/item"),
            (PARALLEL, "/processed/calls/0/run", 0, "/processed/calls"),
            (PARALLEL, "/session_write", {"items": [[0, 999]]}, "/session_write/items"),
            (PARALLEL, "/session_write", {"items": 7}, "/session_write/items"),
            (PARALLEL, "/session_write", {"rest": 7}, "/session_write/rest"),
            (PARALLEL, "/same", ["usage"], "/same"),
            (PARALLEL, "/runs", [{}], "/runs/0/$hitl"),
            (PARALLEL, "/items", {}, "/items"),
            (NESTED, "/runs", [], "/processed/calls"),
            (NESTED, "/processed", None, "/processed/calls"),
            (NESTED, "/runs/0/$hitl", "0.9", "/runs/0/$hitl"),
            (NESTED, "/runs/0/turn", 7, "/runs/0/turn"),
            (NESTED, "/runs/0/unheard_of", 7, "/runs/0/unheard_of"),
            (NESTED, "/runs/0/same", ["usage", "context"], "/runs/0/"),
        ],
    )
    def test_place(self, name: str, path: str, value: object, place: str) -> None:
        """What does not fit is named by its JSON Pointer."""
        given = _put(native(name), path, value)
        if path.endswith("/same") and name == NESTED:
            given["runs"][0]["context"] = {}
        with pytest.raises(DocumentError) as caught:
            hitl.loads(given)
        assert str(caught.value.path).startswith(place)

    @pytest.mark.parametrize(
        "version", ["0.9", "2.0", "1", "1.x", "01.0", "1.00", "", "1.0.0", None, 1.0]
    )
    def test_version(self, version: object) -> None:
        """Another major, an unreleased minor or no label at all is refused."""
        given = native(PARALLEL) | {"$hitl": version}
        with pytest.raises((UnsupportedVersion, InvalidDocument)) as caught:
            hitl.loads(given)
        assert caught.value.path == "/$hitl"

    @pytest.mark.parametrize(
        ("path", "kind"),
        [("session", "response"), ("generated", "response"), ("responded", "item")],
    )
    @pytest.mark.parametrize("longer", [False, True])
    def test_another_kind(self, path: str, kind: str, *, longer: bool) -> None:
        """A range that begins or ends with another kind of entry is refused by its place."""
        given = native(PARALLEL)
        other = next(at for at, entry in enumerate(given["items"]) if kind in entry)
        known = given[path][0][0] if longer else other
        given[path] = [[min(known, other), max(known, other) + 1]]
        with pytest.raises(InvalidDocument, match="found other ends") as caught:
            hitl.loads(given)
        assert caught.value.path == f"/{path}"

    @pytest.mark.parametrize("codec", CODECS)
    def test_read_late(self, codec: str) -> None:
        """A position of a short list that names another kind is found when it is read."""
        given = native(PARALLEL)
        position = given["responded"][0][0]
        given["staged"] = [[position, position + 1]]
        state = hitl.loads(hitl.dumps(hitl.loads(given), codec=codec))
        with pytest.raises(InvalidDocument, match="position of an item"):
            state.pending_input[0]

    @pytest.mark.parametrize("entry", [[0, 99], [-1, 1], [1, 0], [0], ["a", "b"], []])
    def test_usage_of_other_responses(self, entry: object) -> None:
        """Usage that repeats responses which are not there cannot be written."""
        given = native(PARALLEL)
        given["usage"]["entries"] = [entry]
        with pytest.raises(InvalidDocument) as caught:
            hitl.dumps(hitl.loads(given), dialect=SDK)
        assert caught.value.path == "/usage/entries/0"

    def test_another_label_in_the_extras(self) -> None:
        """What the SDK's document also said cannot change the label it is written at."""
        given = native(PARALLEL)
        given["extras"][SDK]["document"]["$schemaVersion"] = "1.0"
        written = json.loads(hitl.dumps(hitl.loads(given), dialect=SDK))
        assert written["$schemaVersion"] == transfer.dialects()[SDK].chain.newest

    @pytest.mark.parametrize("name", ["document", "context", "signed", "odd_invocations"])
    @pytest.mark.parametrize("value", [7, [], {"$": "bytes", "v": "aGk="}])
    def test_extras(self, name: str, value: object) -> None:
        """The SDK's own extras are objects."""
        given = native(PARALLEL)
        given["extras"][SDK][name] = value
        with pytest.raises(InvalidDocument, match=r"^expected (?:object, got|the digests of)"):
            hitl.dumps(hitl.loads(given), dialect=SDK)

    def test_agent_of_an_item(self) -> None:
        """An item of an agent that is not there cannot be shown, decided or written."""
        given = native(PARALLEL)
        for entry in given["items"]:
            if entry.get("item", {}).get("kind") == "approval":
                entry["item"]["agent"] = -1
        state = hitl.loads(given)
        for use in (
            lambda: state.interruptions,
            lambda: hitl.dumps(state, dialect=SDK),
        ):
            with pytest.raises(InvalidDocument, match="expected an agent below"):
                use()


class TestBombs:
    @pytest.mark.parametrize("name", ["session", "generated", "responded"])
    @pytest.mark.parametrize("times", [2, 100_000])
    def test_repeated_span(self, name: str, times: int) -> None:
        """A list names each position once; positions are cheap, what they name is not."""
        given = native(PARALLEL)
        given[name] = [given[name][0]] * times
        with pytest.raises(InvalidDocument, match="found one twice") as caught:
            hitl.loads(given)
        assert caught.value.path == f"/{name}"

    def test_overlap(self) -> None:
        """Nor does a part of another range stand in a list again."""
        given = native(PARALLEL)
        given["session"] = [[1, 3], [0, 2]]
        with pytest.raises(InvalidDocument, match="found one twice"):
            hitl.loads(given)

    @pytest.mark.parametrize(
        ("name", "value"), [("current", -1), ("current", 2**31 + 1), ("max", -1), ("max", -(2**70))]
    )
    def test_turn(self, name: str, value: int) -> None:
        """No run counts such turns."""
        given = native(PARALLEL)
        given["turn"][name] = value
        with pytest.raises(InvalidDocument) as caught:
            hitl.loads(given)
        assert caught.value.path == f"/turn/{name}"
