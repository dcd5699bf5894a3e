"""JSON documents: what is refused, what comes back, what is equal."""

from __future__ import annotations

import json
import math
import threading
import tracemalloc
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl import document
from hitl.document import Change, Limits
from hitl.errors import (
    DocumentError,
    InvalidDocument,
    LimitExceeded,
    MalformedDocument,
    ValueRefused,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from hitl.document import JSONValue

MIB = 2**20
SMALL = Limits(nodes=1000, size_bytes=100_000)


def trees(scalars: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Nest scalars in lists and dicts."""
    keys = st.text(max_size=4) | scalars.filter(lambda each: isinstance(each, str))
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=12,
    )


UNICODE = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = trees(st.none() | st.booleans() | NUMBERS | UNICODE)
ODD = st.sampled_from([math.nan, math.inf, -math.inf, "\ud800", "x\udfff", "\ud83d\ude00"])
HALVES = st.text(st.characters(categories=["Cs", "L"]), max_size=4)
ODD_VALUES = trees(
    ODD | HALVES | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
)


def in_small_stack(call: Callable[[], object]) -> object:
    """Run a call in a thread with a 256 KB stack; give what it returned or raised."""
    found: list[object] = []

    def run() -> None:
        try:
            found.append(call())
        except DocumentError as exc:
            found.append(exc)

    before = threading.stack_size(256 * 1024)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    return found[0]


def peak_bytes(call: Callable[[], object]) -> int:
    """Give the most memory a refused call held at once."""
    tracemalloc.start()
    try:
        with pytest.raises(DocumentError):
            call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def same(a: JSONValue, b: JSONValue) -> bool:
    """Compare by Python's own text of values, an oracle that our code has no part in."""
    return ascii(sort_keys(a)) == ascii(sort_keys(b))


def sort_keys(value: JSONValue) -> JSONValue:
    """Sort the keys of all dicts."""
    if isinstance(value, dict):
        return {key: sort_keys(value[key]) for key in sorted(value)}
    return [sort_keys(each) for each in value] if isinstance(value, list) else value


class TestBadInput:
    """Every bad document is one typed error, in a small thread too, and never shows its payload."""

    CASES: tuple[tuple[bytes, type[DocumentError], str], ...] = (
        (b"", MalformedDocument, "expected JSON, found the end of the data"),
        (b'{"a": [1, 2', MalformedDocument, "expected JSON, found the end of the data"),
        (b'{"a": "secr', MalformedDocument, "expected JSON, found the end of the data"),
        (b"secret", MalformedDocument, "expected JSON, found something else at character 0"),
        (b"[1,]", MalformedDocument, "expected JSON, found something else at character 3"),
        (b"[1] secret", MalformedDocument, "expected JSON, found something else at character 4"),
        (b'"\x01"', MalformedDocument, "expected JSON, found something else at character 1"),
        (b'["\xff"]', MalformedDocument, "expected UTF-8, found other bytes"),
        (b'"\xed\xa0\x80"', MalformedDocument, "expected UTF-8, found other bytes"),
        (b'"cut \xf0\x9f', MalformedDocument, "expected UTF-8, found other bytes"),
        (
            b"\xef\xbb\xbf{}",
            MalformedDocument,
            "expected JSON without a byte order mark, found one",
        ),
        (
            b'{"a/b": [{"secret": 1, "c": 2, "c": 3}]}',
            MalformedDocument,
            "expected each key once, found a key twice in one object - at /a~1b/0/c",
        ),
        (
            rb'{"a": 1, "\u0061": 2}',
            MalformedDocument,
            "expected each key once, found a key twice in one object - at /a",
        ),
        (
            b'{"a": NaN}',
            InvalidDocument,
            "expected a JSON value, found NaN or an infinity - at /a",
        ),
        (
            b"[1, -1e400]",
            InvalidDocument,
            "expected a JSON value, found NaN or an infinity - at /1",
        ),
        (
            rb'{"a": ["\ud800secret"]}',
            InvalidDocument,
            "expected a JSON value, found a lone surrogate - at /a/0",
        ),
        (
            rb'[{"\udc00": 1}]',
            InvalidDocument,
            "expected a JSON value, found a lone surrogate in a key - at /0",
        ),
        (b"[" * 100_000, LimitExceeded, "expected at most 64 levels, found more"),
        (
            b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
            LimitExceeded,
            "expected at most 64 levels, found more",
        ),
        (
            b'"\\"' + b"[{" * 50_000,
            MalformedDocument,
            "expected JSON, found the end of the data",
        ),
        (
            b"1" * 100_000,
            LimitExceeded,
            "expected numbers of at most 4300 digits, found a longer one",
        ),
        (
            b'["secret", 0.' + b"1" * 100_000 + b"]",
            LimitExceeded,
            "expected numbers of at most 4300 digits, found a longer one",
        ),
        (b"[]," * 5_000_000, LimitExceeded, "expected at most 5000000 values, found more"),
        (
            b" " * (64 * MIB + 1),
            LimitExceeded,
            "expected at most 67108864 bytes, found 67108865",
        ),
    )

    @pytest.mark.parametrize("case", range(len(CASES)))
    def test_is_refused(self, case: int) -> None:
        """The error's class and text are those of the table, on any stack."""
        data, kind, text = self.CASES[case]
        with pytest.raises(DocumentError) as caught:
            document.parse(data)
        assert (type(caught.value), str(caught.value)) == (kind, text)
        assert str(in_small_stack(lambda: document.parse(data))) == text

    @pytest.mark.parametrize(
        "data",
        [
            b"[" * 20_000_000,
            b"[]," * 7_000_000,
            b'"",' * 20_000_000,
            b'{"":' * 10_000_000,
            b"9" * 20_000_000,
            b'"' * 60_000_000 + b"[" * 65,
        ],
        ids=lambda data: repr(data[:4]),
    )
    def test_costs_no_memory(self, data: bytes) -> None:
        """A bomb is refused for less memory than it has itself."""
        assert peak_bytes(lambda: document.parse(data)) < len(data)

    @pytest.mark.parametrize(
        "data", [b"1" * 5000, b"[" * 5000 + b"]" * 5000], ids=["digits", "depth"]
    )
    def test_beyond_python(self, data: bytes) -> None:
        """Limits set beyond what Python reads end in a typed error all the same."""
        with pytest.raises(LimitExceeded):
            document.parse(data, Limits(digits=10_000, depth=10_000))

    @given(
        st.binary(max_size=64)
        | st.text(max_size=32).map(lambda text: text.encode("utf-8", "surrogatepass"))
    )
    def test_garbage(self, data: bytes) -> None:
        """Any bytes give a value or a DocumentError, and lenient reads whatever strict reads."""
        try:
            value = document.parse(data)
        except DocumentError:
            return
        assert same(document.parse(data, lenient=True), value)

    @given(VALUES, st.data())
    def test_mutated(self, value: JSONValue, data: st.DataObject) -> None:
        """A document with bytes cut out or put in gives a value or a DocumentError."""
        text = document.encode(value)
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, len(text)))
        piece = data.draw(st.sampled_from([b"", b'"', b"\\", b"[", b"}", b",", b"1e9999", b"\xff"]))
        for lenient in (False, True):
            try:
                document.parse(text[:start] + piece + text[end:], lenient=lenient)
            except DocumentError:
                continue


class TestCheckText:
    """What is counted on the bytes is what the parsed value holds."""

    @given(VALUES, st.sampled_from([None, 2]), st.booleans())
    def test_counts(self, value: JSONValue, indent: int | None, ascii_only: bool) -> None:  # noqa: FBT001
        """Nodes, pairs and depth are exact for JSON, however it is written."""
        data = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
        nodes, depth = count(value), deep(value)
        assert document.pairs(data) == count_pairs(value)
        document.check_text(data, Limits(nodes=nodes, depth=depth))
        document.validate(value, limits=Limits(nodes=nodes, depth=depth))
        for less in (Limits(nodes=nodes - 1), Limits(depth=depth - 1)):
            if nodes > 1 and depth:
                with pytest.raises(LimitExceeded):
                    document.check_text(data, less)
                with pytest.raises(LimitExceeded):
                    document.validate(value, limits=less)

    @pytest.mark.parametrize("escapes", [b"\\\\", b'\\"', b'\\\\\\"', b"\\n\\\\", b'\\u005c\\"'])
    def test_chunks(self, escapes: bytes) -> None:
        """No escape is torn where one chunk of the scan ends and the next begins."""
        for shift in range(5):
            text = (
                b'["'
                + b"x" * (2**18 - 8 + shift)
                + escapes * 4
                + b"[[{,:"
                + escapes
                + b'", {"a": 1}]'
            )
            assert document.pairs(text) == 1
            document.check_text(text, Limits(depth=2, nodes=4))

    def test_digits_in_text(self) -> None:
        """Digits in strings are free, also between numbers that are long enough."""
        run = b"1" * 4300
        document.check_text(b'["' + run * 3 + b'\\"", ' + run + b', "' + run * 9 + b'"]')

    @given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 40))
    def test_long_number(self, limit: int, digits: int, shift: int) -> None:
        """A number is refused exactly when it has more digits than allowed, wherever it stands."""
        text = b'["' + b"x" * shift + b'",' + b"7" * digits + b"]"
        assert passes(text, Limits(digits=limit)) == (digits <= limit)


def passes(text: bytes, limits: Limits) -> bool:
    """Say whether `check_text` lets a text through."""
    try:
        document.check_text(text, limits)
    except LimitExceeded:
        return False
    return True


def count(value: JSONValue) -> int:
    """Count values; an empty container counts as two."""
    if isinstance(value, dict):
        return 1 + (sum(map(count, value.values())) or 1)
    return 1 + (sum(map(count, value)) or 1) if isinstance(value, list) else 1


def count_pairs(value: JSONValue) -> int:
    """Count the entries of all dicts."""
    if isinstance(value, dict):
        return len(value) + sum(map(count_pairs, value.values()))
    return sum(map(count_pairs, value)) if isinstance(value, list) else 0


def deep(value: JSONValue) -> int:
    """Count levels."""
    if isinstance(value, dict):
        return 1 + max(map(deep, value.values()), default=0)
    return 1 + max(map(deep, value), default=0) if isinstance(value, list) else 0


class TestParse:
    @given(VALUES)
    def test_round_trip(self, value: JSONValue) -> None:
        """Encoding and parsing gives the value back, types and key order included."""
        assert ascii(document.parse(document.encode(value))) == ascii(value)

    @given(ODD_VALUES)
    def test_lenient_round_trip(self, value: JSONValue) -> None:
        """So does lenient encoding with NaN, infinities and lone surrogates, as json reads it."""
        try:
            data = document.encode_lenient(value)
        except ValueRefused:  # two halves side by side
            assert ascii(json.loads(json.dumps(value))) != ascii(value)
            return
        assert ascii(document.parse(data, lenient=True)) == ascii(value)
        assert ascii(json.loads(data)) == ascii(value)

    def test_lenient(self) -> None:
        """The SDKs' odd values are read, duplicate keys never."""
        text = rb'[NaN, Infinity, -Infinity, 1e400, "\ud800", {"\udfff": 1}]'
        value = cast("list[Any]", document.parse(text, lenient=True))
        assert math.isnan(value.pop(0))
        assert value == [math.inf, -math.inf, math.inf, "\ud800", {"\udfff": 1}]
        for twice in (b'{"a": 1, "a": 1}', b'[NaN, {"a": 1, "a": 1}]'):
            with pytest.raises(MalformedDocument, match="a key twice"):
                document.parse(twice, lenient=True)

    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_buffers(self, kind: Callable[[bytes], bytes]) -> None:
        """Any buffer of bytes is read."""
        assert document.parse(kind(b'{"a": [1.0, true]}')) == {"a": [1.0, True]}

    def test_deepest(self) -> None:
        """64 levels pass both ways in a small stack; the error for 65 is in the table above."""
        data = b'{"a":[' * 32 + b"]}" * 32
        assert in_small_stack(lambda: document.encode(document.parse(data))) == data

    def test_integers(self) -> None:
        """Integers of up to 4300 digits are exact."""
        digits = b"9" * 4300
        assert document.parse(digits) == 10**4300 - 1
        assert document.encode(document.parse(b"-" + digits)) == b"-" + digits


class TestValidate:
    CASES: tuple[tuple[object, type[Exception], str], ...] = (
        ({"a": (1,)}, ValueRefused, "expected a JSON value, found `tuple` - at /a"),
        ([b"secret"], ValueRefused, "expected a JSON value, found `bytes` - at /0"),
        ([{1}], ValueRefused, "expected a JSON value, found `set` - at /0"),
        ({"a": {1: 2}}, ValueRefused, "expected a JSON value, found a key of type `int` - at /a"),
        (type("Text", (str,), {})("x"), ValueRefused, "found `Text` - at the top"),
        ({"a": type("Map", (dict,), {})()}, ValueRefused, "found `Map` - at /a"),
        ([math.nan], ValueRefused, "expected a JSON value, found NaN or an infinity - at /0"),
        (["\ud800"], ValueRefused, "expected a JSON value, found a lone surrogate - at /0"),
        ([{"\ud800": 1}], ValueRefused, "found a lone surrogate in a key - at /0"),
        ([10**4300], LimitExceeded, "expected an integer of at most 4300 digits, found a"),
        ([-(10**4300)], LimitExceeded, "a longer one - at /0"),
    )

    @pytest.mark.parametrize("case", range(len(CASES)))
    def test_refuses(self, case: int) -> None:
        """What is not exactly JSON is refused with its place, by `encode` too."""
        value, kind, text = self.CASES[case]
        for refuse in (document.validate, document.encode):
            with pytest.raises(kind) as caught:
                refuse(value)
            assert text in str(caught.value)

    def test_itself(self) -> None:
        """A value within itself is refused, however often it is there; nothing recurses."""
        one: list[object] = []
        one.append(one)
        two: dict[str, object] = {}
        two |= {"a": two, "b": two}
        for value in (one, two):
            for call in (document.validate, document.encode):
                found = in_small_stack(lambda call=call, value=value: call(value, "", SMALL))  # type: ignore[misc]
                assert isinstance(found, LimitExceeded)
        assert isinstance(in_small_stack(lambda: document.canonical(one)), LimitExceeded)

    def test_path(self) -> None:
        """Errors name the place within the whole document, and can be of another class."""
        with pytest.raises(InvalidDocument, match="/items/3/a~1b"):
            document.validate({"a/b": ()}, "/items/3", error=InvalidDocument)

    @given(ODD_VALUES)
    def test_agrees_with_encode(self, value: JSONValue) -> None:
        """A value is valid exactly when it can be encoded, and any JSON value is so leniently."""
        document.validate(value, lenient=True)
        try:
            document.validate(value)
        except ValueRefused:
            with pytest.raises(ValueRefused):
                document.encode(value)
        else:
            assert same(json.loads(document.encode(value)), value)

    def test_limits_on_write(self) -> None:
        """What would be refused on reading is not written."""
        for value in ([0] * 1000, "x" * 100_000):
            with pytest.raises(LimitExceeded):
                document.encode(value, limits=SMALL)


class TestEqual:
    @given(ODD_VALUES, ODD_VALUES)
    def test_laws(self, a: JSONValue, b: JSONValue) -> None:
        """Equal means the same to Python's own text of both, key order aside; digests follow."""
        assert document.equal(a, b) == same(a, b)
        assert (document.digest(a) == document.digest(b)) == same(a, b)
        assert document.equal(a, sort_keys(a))

    def test_types(self) -> None:
        """1, 1.0, true, 0.0, -0.0 and two halves against one whole are all different."""
        values = [1, 1.0, True, 0, 0.0, -0.0, False, None, "1", "\ud83d\ude00", "\U0001f600"]
        values += ["\ud800", "\ud801", "?"]
        assert len({document.canonical(each) for each in values}) == len(values)
        assert document.equal(math.nan, float("nan"))

    def test_canonical(self) -> None:
        """The bytes are fixed: stored digests depend on them."""
        value = {"b": [1.0, None], "a": {"é": 1e300, "Z": "\n"}}
        assert document.canonical(value) == '{"a":{"Z":"\\n","é":1e300},"b":[1.0,null]}'.encode()


class TestPointer:
    @given(st.lists(st.text(max_size=4) | st.integers(0, 3), max_size=5))
    def test_resolve(self, parts: list[str | int]) -> None:
        """A pointer made of parts leads along these parts."""
        whole: JSONValue = "end"
        for part in reversed(parts):
            whole = {part: whole} if isinstance(part, str) else [0] * part + [whole]
        assert document.resolve(whole, document.pointer(*parts)) == "end"

    def test_rfc_6901(self) -> None:
        """The examples of section 5 of the RFC."""
        doc: JSONValue = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8, "~1": 9}
        places = {"/foo/0": "bar", "/": 0, "/a~1b": 1, "/m~0n": 8, "/~01": 9, "": doc}
        assert {place: document.resolve(doc, place) for place in places} == places

    @pytest.mark.parametrize(
        "place",
        ["a", "/~2", "/~", "/a/01", "/a/-", "/a/2", "/a/1/x", "/b", "/a/٣", "/a/" + "9" * 5000],
    )
    def test_bad(self, place: str) -> None:
        """No pointer, or a pointer to nothing, is one typed error."""
        with pytest.raises(InvalidDocument):
            document.resolve({"a": [1, 2], "~2": 1, "~": 1}, place)


class TestDiff:
    @given(ODD_VALUES, ODD_VALUES)
    def test_empty_when_equal(self, a: JSONValue, b: JSONValue) -> None:
        """There is no change exactly between equal values."""
        assert (document.diff(a, b) == ()) == document.equal(a, b)

    @given(VALUES, VALUES)
    def test_places(self, a: JSONValue, b: JSONValue) -> None:
        """Each change names its value in the first and in the second document."""
        for change in document.diff(a, b):
            if change.kind != "added":
                assert document.equal(document.resolve(a, change.path), change.before)
            if change.kind == "added":
                assert document.equal(document.resolve(b, change.path), change.after)

    def test_kinds(self) -> None:
        """Types count, key order does not, and an insertion is one change."""
        before: JSONValue = {"x": 1, "gone": None, "log": ["a", "b", "c"]}
        after: JSONValue = {"log": ["a", "new", "b", "c"], "x": 1.0, "y/": []}
        assert document.diff(before, after) == (
            Change(path="/x", kind="changed", before=1, after=1.0),
            Change(path="/gone", kind="removed", before=None),
            Change(path="/log/1", kind="added", after="new"),
            Change(path="/y~1", kind="added", after=[]),
        )

    def test_floats(self) -> None:
        """NaN does not differ from NaN, and 0.0 differs from -0.0."""
        found = document.diff([math.nan, 0.0], [float("nan"), -0.0])
        assert [each.path for each in found] == ["/1"]
