"""Bad input, each with the error's text: a typed refusal, no crash, memory bounded (rule 2)."""

from __future__ import annotations

import json
import threading
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

import hitl
from hitl import transfer
from hitl.document import Limits
from hitl.errors import (
    DocumentError,
    InvalidDocument,
    LimitExceeded,
    LossError,
    MalformedDocument,
    UnknownDialect,
    UnsupportedVersion,
)
from tests.agents import corpus

if TYPE_CHECKING:
    from collections.abc import Callable

PARALLEL = "cross/py-0.24.0/parallel"
SDK_BYTES = corpus.read(PARALLEL)
NATIVE_BYTES = hitl.dumps(hitl.loads(SDK_BYTES))
PACKED_BYTES = hitl.dumps(hitl.loads(SDK_BYTES), codec="msgpack")
SMALL_STACK = 256 * 1024


def refusal(data: Any, **options: Any) -> DocumentError:  # noqa: ANN401 - anything
    """The error of loading; `check` reports the same and raises nothing."""
    with pytest.raises(DocumentError) as caught:
        hitl.loads(data, **options)
    (problem,) = hitl.check(data, **options).problems
    assert (type(problem), str(problem)) == (type(caught.value), str(caught.value))
    return caught.value


def too_much(data: bytes, **options: Any) -> None:  # noqa: ANN401 - of loads
    """Loading exceeds a limit."""
    with pytest.raises(LimitExceeded):
        hitl.loads(data, **options)


def in_a_small_thread(job: Callable[[], None]) -> None:
    """Run in a thread with a stack of 256 KB; what it raises is raised here."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            job()
        except BaseException as exc:  # noqa: BLE001 - handed to the test
            raised.append(exc)

    before = threading.stack_size(SMALL_STACK)
    try:
        thread = threading.Thread(target=run)
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()
    for exc in raised:
        raise exc


def peak_of(job: Callable[[], object]) -> int:
    """The most memory a job had at once, in bytes, beyond what was there."""
    tracemalloc.start()
    try:
        job()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def with_text(data: bytes, old: bytes, new: bytes) -> bytes:
    """The bytes with one piece replaced, which must be there."""
    assert old in data
    return data.replace(old, new, 1)


class TestNotADocument:
    @pytest.mark.parametrize("data", [SDK_BYTES, NATIVE_BYTES], ids=["sdk", "native"])
    @pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
    def test_truncated(self, data: bytes, share: float) -> None:
        """Cut off anywhere."""
        error = refusal(data[: int(len(data) * share)])
        assert error.message == "expected JSON, found the end of the data"

    def test_truncated_packed(self) -> None:
        """MessagePack too."""
        error = refusal(PACKED_BYTES[:-9])
        assert error.message == "expected more MessagePack, found the end of the data"

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (b"", "expected JSON, found the end of the data"),
            (b"  \n", "expected JSON, found the end of the data"),
            (b"hello", "expected JSON or MessagePack, found something else"),
            (b"\x00\x01\x02", "expected JSON or MessagePack, found something else"),
            (b"{'a': 1}", "expected JSON, found something else at character 1"),
            (b'{"a": 1}}', "expected JSON, found something else at character 8"),
            (b"[]", "expected an object at the top - at the top"),
            (b"7", "expected an object at the top - at the top"),
            (b'"text"', "expected an object at the top - at the top"),
            (b"null", "expected an object at the top - at the top"),
            (b"\x81\x01\x02", "expected an object with text keys - at the top"),
            (b"\x81\xa1a\xc4\x01b", "expected a JSON value, found another MessagePack type"),
            (PACKED_BYTES + b"\xc0", "expected the end of the data, found more"),
        ],
    )
    def test_not_json(self, data: bytes, message: str) -> None:
        """Something else altogether."""
        error = refusal(data)
        assert isinstance(error, MalformedDocument)
        assert str(error) == message

    @pytest.mark.parametrize("given", [None, 7, [], object()])
    def test_not_bytes(self, given: object) -> None:
        """Not bytes, text or a dict."""
        assert refusal(given).message.startswith("expected bytes, text or a dict, got ")

    def test_byte_order_mark(self) -> None:
        """RFC 8259 forbids writing one; reading one is refused too."""
        error = refusal(b"\xef\xbb\xbf" + SDK_BYTES)
        assert str(error) == "expected JSON without a byte order mark, found one"

    @pytest.mark.parametrize("codec", ["utf-16", "utf-32", "latin-1"])
    def test_other_encodings(self, codec: str) -> None:
        """Only UTF-8."""
        data = with_text(SDK_BYTES, b'"$schemaVersion"', '"é": 1, "$schemaVersion"'.encode())
        assert isinstance(refusal(data.decode().encode(codec)), MalformedDocument)

    def test_invalid_utf8(self) -> None:
        """No payload is shown."""
        error = refusal(
            with_text(SDK_BYTES, b'"go"', b'"\xff"')
            if b'"go"' in SDK_BYTES
            else SDK_BYTES[:-1] + b'"\xff"}'
        )
        assert str(error) == "expected UTF-8, found other bytes"
        assert error.__cause__ is None


class TestDuplicateKeys:
    def test_top_of_the_sdk(self) -> None:
        """At the top of the SDK's document."""
        error = refusal(
            with_text(SDK_BYTES, b'"current_turn"', b'"current_turn": 1, "current_turn"')
        )
        assert (
            str(error)
            == "expected each key once, found a key twice in one object - at /current_turn"
        )

    def test_top_of_native(self) -> None:
        """At the top of ours."""
        error = refusal(with_text(NATIVE_BYTES, b'"turn":', b'"turn":{"current":9},"turn":'))
        assert str(error) == "expected each key once, found a key twice in one object - at /turn"

    def test_in_the_head(self) -> None:
        """In a section."""
        error = refusal(with_text(NATIVE_BYTES, b'"turn":{', b'"turn":{"current":9,'))
        assert str(error) == (
            "expected each key once, found a key twice in one object - at /turn/current"
        )

    def test_in_a_run_inside(self) -> None:
        """At the top of a run inside a run."""
        data = hitl.dumps(hitl.loads(corpus.read("cross/py-0.24.0/nested")))
        head, runs, inside = data.partition(b'"runs":[')
        twice = head + runs + with_text(inside, b'"turn":', b'"turn":{"current":9},"turn":')
        error = refusal(twice)
        assert error.message == "expected each key once, found a key twice in one object"
        assert error.path == "/runs/0/turn"

    def test_deep_in_the_sdk(self) -> None:
        """Anywhere in the SDK's document: it is read as a whole."""
        error = refusal(with_text(SDK_BYTES, b'"call_id":', b'"call_id": "x", "call_id":'))
        assert str(error).startswith(
            "expected each key once, found a key twice in one object - at /"
        )

    def test_in_an_entry(self) -> None:
        """In an entry of the log: found when it is first read, and by `check`."""
        data = with_text(NATIVE_BYTES, b'"call_id":', b'"call_id":"x","call_id":')
        state = hitl.loads(data)
        with pytest.raises(MalformedDocument, match="found a key twice") as caught:
            list(state.log)
        assert str(caught.value.path).startswith("/items/")
        (problem,) = hitl.check(data).problems
        assert str(problem) == str(caught.value)

    def test_entry_before_it_is_used(self) -> None:
        """Before a decision, a conversion and a new encoding at the latest."""
        data = NATIVE_BYTES.replace(b'"call_id":', b'"call_id":"x","call_id":')
        uses: list[Callable[[hitl.RunState], object]] = [
            lambda state: state.approve("call_1"),
            lambda state: hitl.dumps(state, dialect="openai-agents-python"),
            lambda state: hitl.dumps(state, codec="msgpack"),
        ]
        for use in uses:
            with pytest.raises(MalformedDocument):
                use(hitl.loads(data))

    def test_in_messagepack(self) -> None:
        """At the top, in a section and in an entry of MessagePack."""
        turn = b"\xa4turn\x82\xa7current\x01\xa3max\x0a"
        assert turn in PACKED_BYTES
        assert PACKED_BYTES[0] == 0xDE
        count = int.from_bytes(PACKED_BYTES[1:3], "big") + 1
        top = b"\xde" + count.to_bytes(2, "big") + turn + PACKED_BYTES[3:]
        assert str(refusal(top)) == "expected each key once, found a key twice - at the top"
        head = with_text(PACKED_BYTES, turn, turn.replace(b"\x82", b"\x83\xa3max\x0a", 1))
        assert refusal(head).path == "/turn"
        entry = b"\x81\xa4item\x82\xa4kind\xa5input\xa4kind\xa5input"
        sections = {key: json.loads(NATIVE_BYTES)[key] for key in ("$hitl", "origin", "turn")}
        data = transfer.codecs()["msgpack"].join(sections, {"items": [entry]})
        with pytest.raises(MalformedDocument, match="found a key twice") as caught:
            hitl.loads(data).log[0]
        assert caught.value.path == "/items/0"


class TestSurrogates:
    def test_native(self) -> None:
        """Refused, escaped or not."""
        data = with_text(NATIVE_BYTES, b'"dialect":"', b'"dialect":"\\ud800')
        error = refusal(data)
        assert str(error) == "expected a JSON value, found a lone surrogate - at /origin/dialect"

    def test_in_a_text(self) -> None:
        """A text that is no Unicode cannot be a document."""
        error = refusal(SDK_BYTES.decode() + "\ud800")
        assert str(error) == "expected text in Unicode, found a lone surrogate"

    def test_sdk_values(self) -> None:
        """The SDK's own documents keep them in values."""
        given = corpus.load(PARALLEL)
        given["context"]["context"] = {"note": "\ud800"}
        state = hitl.loads(json.dumps(given))
        assert b"\\ud800" in hitl.dumps(state, dialect="openai-agents-python")

    def test_arguments(self) -> None:
        """Never in tool arguments, where they crash the Python runner."""
        data = with_text(SDK_BYTES, b'"arguments": "', b'"arguments": "\\ud800')
        error = refusal(data)
        assert error.message == "expected text, found a lone surrogate"
        assert str(error.path).endswith("/arguments")


BOMBS: dict[str, bytes] = {
    "depth of arrays": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "depth of objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "depth, cut off": b'{"a":' + b"[" * 100_000,
    "depth of MessagePack": b"\x81\xa1a" + b"\x91" * 100_000 + b"\xc0",
    "digits": b'{"a":' + b"9" * 100_000 + b"}",
    "digits of a fraction": b'{"a":1.' + b"9" * 100_000 + b"}",
    "digits of an exponent": b'{"a":1e' + b"9" * 100_000 + b"}",
}
TEXTS = {
    "depth": "expected at most 64 levels, found more",
    "digits": "expected numbers of at most 4300 digits, found a longer one",
}


class TestBombs:
    @pytest.mark.parametrize("bomb", BOMBS)
    def test_refused(self, bomb: str) -> None:
        """A hundred thousand levels, a hundred thousand digits."""
        error = refusal(BOMBS[bomb])
        assert isinstance(error, LimitExceeded)
        assert str(error) == TEXTS[bomb.split(maxsplit=1)[0].strip(",")]

    @pytest.mark.parametrize("bomb", BOMBS)
    def test_in_a_small_thread(self, bomb: str) -> None:
        """In a stack of 256 KB too: nothing is parsed before it is measured."""
        in_a_small_thread(lambda: too_much(BOMBS[bomb]))

    @pytest.mark.parametrize(
        "data",
        [
            b'{"a":[' + b"[]," * 5_000_001 + b"0]}",
            b'{"a":[' + b"0," * 5_000_001 + b"0]}",
        ],
        ids=["arrays", "numbers"],
    )
    def test_nodes(self, data: bytes) -> None:
        """Cheap bytes, dear values: more than 5 million values are never built."""
        peak = peak_of(lambda: too_much(data))
        assert peak < 4 * len(data)

    def test_nodes_of_messagepack(self) -> None:
        """The same; a smaller limit, for its bytes are walked one by one."""
        data = b"\x81\xa1a\xdd" + (400_001).to_bytes(4, "big") + b"\x00" * 400_001
        limits = Limits(nodes=100_000)
        peak = peak_of(lambda: too_much(data, limits=limits))
        assert peak < len(data)

    def test_nodes_text(self) -> None:
        """The text of the refusal, with limits of the caller's own."""
        error = refusal(b'{"a":[1,2,3,4,5,6]}', limits=Limits(nodes=5))
        assert str(error) == "expected at most 5 values, found more"

    def test_a_length_that_lies(self) -> None:
        """MessagePack that promises four billion values and has none."""
        data = b"\x81\xa1a\xdd\xff\xff\xff\xff"
        peak = peak_of(lambda: refusal(data))
        assert peak < 2**20

    def test_size(self) -> None:
        """More than 64 MiB are refused by their length alone."""
        data = b" " * (64 * 2**20 + 1)
        peak = peak_of(lambda: too_much(data))
        assert peak < 2**20
        assert str(refusal(data)) == "expected at most 67108864 bytes, found 67108865"

    def test_entries(self) -> None:
        """The limits hold for what an entry of the log says."""
        deep = with_text(NATIVE_BYTES, b'"raw":{', b'"raw":{"a":' + b"[" * 90 + b"]" * 90 + b",")
        assert str(refusal(deep)) == "expected at most 64 levels, found more"

    def test_a_dict(self) -> None:
        """A dict of the caller is measured like bytes; one that holds itself never ends."""
        given: dict[str, Any] = {"$schemaVersion": "1.21"}
        given["a"] = given
        assert str(refusal(given)).startswith("expected at most 64 levels, found more - at /a/a/")


class TestWrongTypes:
    SECTIONS = sorted(corpus.load(PARALLEL))

    @pytest.mark.parametrize("key", SECTIONS)
    @pytest.mark.parametrize("value", [None, True, 7, 1.5, "text", [], [7], {}, {"a": 7}])
    def test_every_top_level_field(self, key: str, value: object) -> None:
        """Refused with its place, or kept exactly: never another error, never a silent change."""
        given = corpus.load(PARALLEL) | {key: value}
        try:
            state = hitl.loads(given)
        except DocumentError as exc:
            assert str(exc.path).startswith(f"/{key}") or key == "$schemaVersion"  # noqa: PT017
            return
        again = json.loads(hitl.dumps(state, dialect="openai-agents-python"))
        assert again == given

    @pytest.mark.parametrize(
        ("key", "value", "text"),
        [
            ("current_turn", "1", "expected integer, got string - at /current_turn"),
            ("max_turns", 1.5, "expected integer, got number - at /max_turns"),
            ("current_agent", "a", "expected an agent with a name, got string - at /current_agent"),
            ("original_input", 7, "expected array, got integer - at /original_input"),
            ("pending_input", {}, "expected array, got object - at /pending_input"),
            ("model_responses", {}, "expected array, got object - at /model_responses"),
            ("context", [], "expected object, got array - at /context"),
            ("session_items", True, "expected array, got boolean - at /session_items"),
            ("generated_items", "", "expected array, got string - at /generated_items"),
            ("current_step", [], "expected object, got array - at /current_step"),
            ("last_model_response", 7, "expected object, got integer - at /last_model_response"),
            ("trace", "t", "expected object, got string - at /trace"),
            ("conversation_id", 7, "expected string, got integer - at /conversation_id"),
            ("$schemaVersion", 1.21, "expected a version label - at /$schemaVersion"),
        ],
    )
    def test_text(self, key: str, value: object, text: str) -> None:
        """The error says what was expected, what was found, and where."""
        assert str(refusal(corpus.load(PARALLEL) | {key: value})) == text


class TestFormats:
    @pytest.mark.parametrize("version", ["0.9", "2.0", "1.021", "1", "newest", ""])
    def test_unknown_version(self, version: str) -> None:
        """Another major, or no label at all."""
        newest = transfer.dialects()["openai-agents-python"].chain.newest
        error = refusal(corpus.load(PARALLEL) | {"$schemaVersion": version})
        assert isinstance(error, UnsupportedVersion)
        assert str(error) == (
            f"expected a version of openai-agents-python up to {newest}, found another"
            " - at /$schemaVersion"
        )

    @pytest.mark.parametrize("data", [b"{}", b'{"a":1}', b'{"$schemaVersion":"1.0","$hitl":"1.0"}'])
    def test_unknown_dialect(self, data: bytes) -> None:
        """None, or more than one, claims the document."""
        error = refusal(data)
        assert isinstance(error, UnknownDialect)
        assert error.message.startswith("expected one dialect to claim the document, found ")
        assert str(error.hint).startswith("known dialects: native, openai-agents-")

    def test_unknown_target(self) -> None:
        """A dialect, version or codec nobody knows."""
        state = hitl.loads(SDK_BYTES)
        with pytest.raises(UnknownDialect, match=r"^expected a dialect \(native, openai-"):
            hitl.dumps(state, dialect="latin")
        with pytest.raises(UnknownDialect, match=r"^expected a codec \(json, msgpack\), found an"):
            hitl.dumps(state, codec="yaml")
        with pytest.raises(UnsupportedVersion, match=r"^expected a version of native: "):
            hitl.dumps(state, version="0.1")
        with pytest.raises(UnknownDialect, match=r"^expected the codec json for a document of an"):
            hitl.dumps(state, dialect="openai-agents-python", codec="msgpack")

    def test_newer(self) -> None:
        """A newer minor loads and is flagged; converting it must be allowed."""
        major, _, minor = transfer.dialects()["openai-agents-python"].chain.newest.partition(".")
        label = f"{major}.{int(minor) + 1}"
        given = corpus.load(PARALLEL) | {"$schemaVersion": label}
        report = hitl.check(given)
        assert (report.newer, report.version, report.problems) == (True, label, ())
        with pytest.raises(LossError) as caught:
            hitl.dumps(hitl.loads(given))
        assert str(caught.value).endswith("(allow_loss goes on)")


class TestQuiet:
    """No error shows what the document says: it may hold secrets."""

    SECRET = "sk-not-to-be-shown"  # noqa: S105 - to be looked for

    @pytest.mark.parametrize(
        "make",
        [
            lambda secret: {"$schemaVersion": secret},
            lambda secret: corpus.load(PARALLEL) | {"current_turn": secret},
            lambda secret: corpus.load(PARALLEL) | {"current_agent": {"name": [secret]}},
            lambda secret: json.loads(NATIVE_BYTES) | {"turn": {"current": secret}},
            lambda secret: (
                json.loads(NATIVE_BYTES) | {"origin": {"dialect": "a", "version": [secret]}}
            ),
            lambda secret: f'{{"a": "{secret}',
            lambda secret: f'{{"$hitl": "1.0", "a": "{secret}", "a": "{secret}"}}',
        ],
    )
    def test_no_payload(self, make: Callable[[str], Any]) -> None:
        """Neither the message nor anything it carries."""
        error = refusal(make(self.SECRET))
        carried: BaseException | None = error
        while carried is not None:
            assert self.SECRET not in f"{carried!r} {vars(carried)}"
            carried = carried.__cause__ or (
                None if carried.__suppress_context__ else carried.__context__
            )
        assert isinstance(error, InvalidDocument | MalformedDocument | UnsupportedVersion)
