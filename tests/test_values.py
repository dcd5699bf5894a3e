"""Values JSON cannot say: they come back as they were, and nothing else is read as one."""

from __future__ import annotations

import dataclasses
import enum
import math
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence  # noqa: TC003 - annotations are read at run time
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl import document, values
from hitl.errors import DocumentError, HitlError, InvalidDocument, LimitExceeded, ValueRefused
from hitl.values import Values

if TYPE_CHECKING:
    from hitl.document import JSONValue

ZONES = st.sampled_from(
    [None, UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), timezone(timedelta(-1, 7))]
)
LOOKALIKES = st.sampled_from(
    [
        "$",
        "v",
        "t",
        "bytes",
        "map",
        "app",
        "aGk=",
        "nan",
        "\\ud800",
        "\\\\",
        "\ud83d\ude00",
        "\ud800",
    ]
)
TEXTS = st.text(max_size=6) | LOOKALIKES
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(4000, 4299).map(lambda digits: 10**digits)
    | st.floats()
    | TEXTS
    | st.binary(max_size=6)
    | st.datetimes(timezones=ZONES)
    | st.datetimes().map(lambda each: each.replace(fold=1))
    | st.dates()
    | st.times(timezones=st.sampled_from([None, UTC])).map(lambda each: each.replace(fold=1))
    | st.timedeltas()
    | st.decimals(allow_nan=False)
    | st.uuids()
)


@st.composite
def scalars(draw: st.DrawFn) -> object:
    """Draw a value without values inside; a function, for Hypothesis prints whole strategies."""
    return draw(SCALARS)


FROZEN = st.recursive(
    scalars(),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
)
ANYTHING = st.recursive(
    FROZEN | st.binary(max_size=6).map(bytearray),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.sets(FROZEN, max_size=3)
        | st.dictionaries(TEXTS | FROZEN, inner, max_size=3)
        | st.fixed_dictionaries({"$": inner, "v": inner})
    ),
    max_leaves=10,
)


class Zone(tzinfo):
    """A zone that is none of Python's."""

    def __init__(self, hours: int | None) -> None:
        self.offset = None if hours is None else timedelta(hours=hours)

    def utcoffset(self, _when: datetime | None) -> timedelta | None:
        """Give the offset, if there is one."""
        return self.offset

    dst = utcoffset

    def tzname(self, _when: datetime | None) -> str:
        """Give a name."""
        return "Zone"


def shown(value: object) -> str:
    """Write a value with all types, an oracle that our code has no part in."""
    match value:
        case dict():
            return f"{{{', '.join(f'{shown(key)}: {shown(each)}' for key, each in value.items())}}}"
        case set() | frozenset():
            return f"{type(value).__name__}({sorted(map(shown, value))})"
        case list() | tuple():
            return f"{type(value).__name__}({[shown(each) for each in value]})"
        case datetime() | time():
            return f"{value!r} {value.fold}"
        case _:
            return f"{type(value).__name__}({value!a})"


def through_json(written: JSONValue) -> JSONValue:
    """Send a tagged value through a document's bytes."""
    return document.parse(document.encode(written))


class TestRoundTrip:
    @given(ANYTHING)
    def test_anything(self, value: object) -> None:
        """Every supported value comes back through JSON as it was, types included."""
        assert shown(values.decode(through_json(values.encode(value)))) == shown(value)

    @given(ANYTHING)
    def test_twice(self, value: object) -> None:
        """Tagged JSON is data like any other: it can be tagged again, and comes back as it was."""
        once = values.encode(value)
        assert document.equal(cast("JSONValue", values.decode(values.encode(once))), once)

    @given(st.sets(FROZEN, max_size=6))
    def test_one_form(self, value: set[object]) -> None:
        """Equal sets are written alike, in whatever order they were made."""
        again: set[object] = set()
        again.update([*value][::-1])
        assert document.canonical(values.encode(again)) == document.canonical(values.encode(value))

    @pytest.mark.parametrize(
        ("value", "written"),
        [
            (b"hi", {"$": "bytes", "v": "aGk="}),
            (
                datetime(2026, 1, 2, 3, tzinfo=UTC),
                {"$": "datetime", "v": "2026-01-02T03:00:00+00:00"},
            ),
            (
                datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
                {"$": "datetime", "v": "2026-10-25T02:30:00+01:00[Europe/Berlin]", "fold": 1},
            ),
            (date(2026, 1, 2), {"$": "date", "v": "2026-01-02"}),
            (time(3, 4), {"$": "time", "v": "03:04:00"}),
            (timedelta(seconds=-1), {"$": "timedelta", "v": -1000000}),
            ({"b", "a"}, {"$": "set", "v": ["a", "b"]}),
            ((1, [2]), {"$": "tuple", "v": [1, [2]]}),
            (Decimal("1.20"), {"$": "decimal", "v": "1.20"}),
            (UUID(int=1), {"$": "uuid", "v": "00000000-0000-0000-0000-000000000001"}),
            (-math.inf, {"$": "float", "v": "-inf"}),
            ("\\\ud800é", {"$": "text", "v": "\\\\\\ud800é"}),
            ({1: "one"}, {"$": "map", "v": [[1, "one"]]}),
            ({"$": "bytes"}, {"$": "map", "v": [["$", "bytes"]]}),
        ],
    )
    def test_forms(self, value: object, written: JSONValue) -> None:
        """The forms are fixed: documents already written depend on them."""
        assert values.encode(value) == written
        assert shown(values.decode(written)) == shown(value)

    def test_foreign_zone(self) -> None:
        """A tzinfo of another class comes back as its offset: the same instant."""
        value = datetime(2026, 1, 2, tzinfo=Zone(3))
        assert values.decode(values.encode(value)) == value


class TestPlain:
    @given(ANYTHING)
    def test_identity(self, value: object) -> None:
        """Plain values, and only those, are given as the same object both ways."""
        written = values.encode(value)
        assert (written is value) or not values.is_plain(value)
        if values.is_plain(value):
            assert values.decode(written) is value
            document.validate(value)

    @given(ANYTHING, st.booleans())
    def test_text(self, value: object, tagged: bool) -> None:  # noqa: FBT001
        """Bytes said to be plain hold a plain value, for the SDKs' way of writing too."""
        if tagged or not is_json(value):
            value = values.encode(value)
        try:
            data = document.encode_lenient(cast("JSONValue", value))
        except ValueRefused:
            return
        if values.plain_text(data):
            assert values.is_plain(document.parse(data, lenient=True))

    @pytest.mark.parametrize(
        ("data", "plain"),
        [
            (b'{"a": [1e22, 1e-400, "4e123", "x"]}', True),
            (rb'{"\u0024": 1}', False),
            (rb'["\uD800"]', False),
            (b"1e400", False),
            (b'{"a":-1.5E+0400}', False),
            (b"9" * 240 + b"e99", False),
            (b"9" * 310 + b".0", False),
            (b"[Infinity]", False),
            (b"[NaN]", False),
        ],
    )
    def test_disguises(self, data: bytes, plain: bool) -> None:  # noqa: FBT001
        """A tag or a number in disguise is not said to be plain."""
        assert values.plain_text(data) == plain


def is_json(value: object) -> bool:
    """Say whether a value is JSON, odd values included."""
    try:
        document.validate(value, lenient=True)
    except HitlError:
        return False
    return True


class TestForged:
    """A document can say nothing that `encode` does not say."""

    CASES: tuple[tuple[JSONValue, str], ...] = (
        (
            {"$": "newer", "v": 1},
            "expected a kind of value this release knows, found another - at /0/$",
        ),
        ({"$": 1}, "expected a tag as hitl writes it, found another form - at /0"),
        ({"$": "bytes"}, "expected a tag"),
        ({"$": "bytes", "v": "aGk"}, "expected a tag"),
        ({"$": "bytes", "v": "aGl="}, "expected a tag"),
        ({"$": "bytes", "v": "aGk=", "more": 1}, "expected a tag"),
        ({"$": "datetime", "v": "2026-01-02"}, "expected a tag"),
        ({"$": "datetime", "v": "2026-01-02T00:00:00Z"}, "expected a tag"),
        ({"$": "datetime", "v": "2026-01-02T00:00:00", "fold": True}, "expected a tag"),
        ({"$": "datetime", "v": "2026-01-02T00:00:00", "fold": 2}, "expected a tag"),
        ({"$": "datetime", "v": "2026-01-02T00:00:00+05:00[Europe/Berlin]"}, "expected a tag"),
        ({"$": "datetime", "v": "2026-01-02T00:00:00+00:00[../../etc/passwd]"}, "expected a tag"),
        ({"$": "datetime", "v": "2026-01-02T00:00:00+00:00[No/Where]"}, "expected a tag"),
        ({"$": "timedelta", "v": 10**30}, "expected a tag"),
        ({"$": "timedelta", "v": True}, "expected a tag"),
        ({"$": "decimal", "v": " 1"}, "expected a tag"),
        ({"$": "decimal", "v": "secret"}, "expected a tag"),
        ({"$": "uuid", "v": "0" * 32}, "expected a tag"),
        ({"$": "float", "v": "1.5"}, "expected a tag"),
        ({"$": "float", "v": "Infinity"}, "expected a tag"),
        ({"$": "text", "v": "plain"}, "expected a tag"),
        ({"$": "text", "v": "\\ud800\\"}, "expected a tag"),
        ({"$": "text", "v": "\\uD800"}, "expected a tag"),
        ({"$": "set", "v": [2, 1]}, "expected a tag"),
        ({"$": "set", "v": [1, 1]}, "expected a tag"),
        ({"$": "set", "v": [1, 1.0]}, "expected a tag"),
        ({"$": "set", "v": [[]]}, "expected a tag"),
        ({"$": "tuple", "v": {}}, "expected a tag"),
        ({"$": "map", "v": [["a", 1]]}, "expected a tag"),
        ({"$": "map", "v": [[1, 1], [True, 2]]}, "expected a tag"),
        (
            {"$": "map", "v": [[1]]},
            "expected a tag as hitl writes it, found another form - at /0/v/0",
        ),
        ({"$": "app", "t": "os.system", "v": "secret"}, "expected the name of a registered type"),
        (
            {"$": "app", "t": [], "v": 1},
            "expected the name of a registered type, found another - at /0/t",
        ),
        ({"$": "app", "v": 1}, "expected a tag"),
    )

    @pytest.mark.parametrize("case", range(len(CASES)))
    def test_is_refused(self, case: int) -> None:
        """The error names the place and never shows the payload."""
        written, text = self.CASES[case]
        with pytest.raises(InvalidDocument) as caught:
            values.decode([written])
        assert text in str(caught.value)
        assert "secret" not in str(caught.value)

    @given(ANYTHING, st.data())
    def test_mutated(self, value: object, data: st.DataObject) -> None:
        """A changed document gives a typed error, or a value that is written as that document."""
        text = document.encode(values.encode([value]))
        at = data.draw(st.integers(0, len(text) - 1))
        piece = data.draw(st.sampled_from([b"", b"0", b"$", b"set", b'"', b"true", b"=", b"[]"]))
        try:
            written = document.parse(text[:at] + piece + text[at + 1 :])
            back = values.decode(written)
        except DocumentError:
            return
        assert document.equal(values.encode(back), written)


class Color(enum.Enum):
    RED = "red"
    PAIR = (1, 2)


class Bits(enum.IntFlag):
    A = 1
    B = 2


@attrs.frozen
class Line:
    sku: str
    prices: tuple[Decimal, ...] = ()
    score: float = 0


@attrs.define
class Offer(Line):
    extra: Any = None
    _secret: bytes = b""
    total: int = attrs.field(init=False, default=0)


@dataclasses.dataclass
class Order:
    lines: list[Line]
    color: Color | None = None
    by_name: Mapping[str, Line] = dataclasses.field(default_factory=dict)
    kind: Literal["a", "b"] = "a"
    tags: Sequence[str] = ()
    span: tuple[int, str] | None = None

    @cached_property
    def size(self) -> int:
        """Count the lines."""
        return len(self.lines)


class Point(msgspec.Struct, frozen=True):
    x: int
    y: set[int] = msgspec.field(default_factory=set)


class Refund(pydantic.BaseModel):
    order: int = pydantic.Field(alias="orderId")
    parts: list[Refund] = []
    when: datetime | None = None
    share: float = 0.5


class Pair(NamedTuple):
    a: int
    b: object


class UserId(str):
    __slots__ = ()


class Cents(int):
    pass


class Share(float):
    pass


class Blob(bytes):
    pass


APP_TYPES = (Color, Bits, Line, Offer, Order, Point, Refund, Pair, UserId, Cents, Share, Blob)
OFFER = Offer("x", (Decimal("1.0"),), 1, extra=[Color.RED, {Pair(1, b"")}], secret=b"s")
APP_VALUES = (
    Color.RED,
    Color.PAIR,
    Bits.A | Bits.B,
    Line("a", (Decimal(1),), 2),
    OFFER,
    Order([OFFER, Line("b")], Color.PAIR, {"x": OFFER}, "b", ("t",), (1, "x")),
    Point(1, {2, 3}),
    Refund(orderId=1, parts=[Refund(orderId=2)], when=datetime(2026, 1, 2, tzinfo=UTC)),
    Pair(1, Pair(2, [])),
    UserId("u"),
    Cents(5),
    Share(0.5),
    Blob(b"x"),
    {UserId("u"): [Cents(1), {"$": Line("c")}]},
)


def registered(*classes: type) -> Values:
    """Make a set of types of its own."""
    made = Values()
    for cls in classes:
        made.register(cls)
    return made


APP = registered(*APP_TYPES)


class TestRegister:
    @pytest.mark.parametrize("value", APP_VALUES, ids=lambda value: type(value).__name__)
    def test_round_trip(self, value: object) -> None:
        """Instances come back as their type, in fields annotated by a base or as Any too."""
        back = APP.decode(through_json(APP.encode(value)))
        assert type(back) is type(value)
        assert back == value
        assert repr(back) == repr(value)

    def test_form(self) -> None:
        """The form is fixed: documents already written depend on it."""
        assert APP.encode(Line("a")) == {
            "$": "app",
            "t": "Line",
            "v": {"sku": "a", "prices": {"$": "tuple", "v": []}, "score": 0},
        }

    @pytest.mark.parametrize("value", APP_VALUES, ids=lambda value: type(value).__name__)
    def test_unregistered(self, value: object) -> None:
        """What is not registered is refused by place, never flattened."""
        with pytest.raises(ValueRefused, match=r" - at /a/0.*hitl\.register"):
            Values().encode({"a": [value]})

    def test_names(self) -> None:
        """A name is given once; the same class may be registered again; both functions or none."""
        made = Values()
        assert made.register(Line, "line") is Line
        made.register(Line, "line")
        assert made.encode(Line("a")) == cast("dict[str, Any]", APP.encode(Line("a"))) | {
            "t": "line"
        }
        for cls, name in ((Line, "other"), (Color, "line")):
            with pytest.raises(ValueRefused):
                made.register(cls, name)
        with pytest.raises(ValueRefused, match="together"):
            made.register(Order, unstructure=vars)

    @pytest.mark.parametrize("cls", [object, OrderedDict, type("Words", (list,), {})])
    def test_unknown_kind(self, cls: type) -> None:
        """A class nobody knows how to take apart is refused when registered."""
        with pytest.raises(ValueRefused, match="give unstructure= and structure="):
            Values().register(cls)

    def test_functions(self) -> None:
        """With two functions any class can be registered."""
        made = Values()
        made.register(
            range,
            unstructure=lambda each: (each.start, each.stop, each.step),
            structure=lambda each: range(*each),
        )
        assert made.decode(through_json(made.encode([range(1, 9, 2)]))) == [range(1, 9, 2)]

    def test_pydantic_default(self) -> None:
        """A default that pydantic would have converted is written converted: it says equal."""
        made = registered(Sharing)
        assert made.decode(through_json(made.encode(Sharing()))) == Sharing()

    def test_other_type_made(self) -> None:
        """What an app's function makes is taken only when it is of the registered class."""
        made = Values()
        made.register(range, unstructure=list, structure=list)
        with pytest.raises(ValueRefused):
            made.encode(range(3))
        with pytest.raises(InvalidDocument, match="expected a `range`, found another type"):
            made.decode({"$": "app", "t": "range", "v": [0]})

    def test_unknown_annotation(self) -> None:
        """Annotations for type checkers only check nothing, and stand in nobody's way."""
        made = registered(Hinted)
        assert made.decode(made.encode(Hinted([1]))) == Hinted([1])

    def test_shared(self) -> None:
        """The functions of the module share one set of types."""
        values.register(Color, "tests.Color")
        assert values.decode(values.encode(Color.RED)) is Color.RED


class Excluding(pydantic.BaseModel):
    kept: int = 0
    secret: int = pydantic.Field(default=0, exclude=True)


class Shouting(msgspec.Struct):
    text: str

    def __post_init__(self) -> None:
        self.text = self.text + "!"


@dataclasses.dataclass
class Loose:
    number: int


@dataclasses.dataclass
class Hinted:
    value: NotImported  # type: ignore[name-defined] # noqa: F821


class Sharing(pydantic.BaseModel):
    share: float = 0  # pydantic does not validate a default


class TestRefused:
    CASES: tuple[tuple[object, str], ...] = (
        ({"a": object()}, "expected a value a document can hold, found `object` - at /a"),
        ([{object()}], "found `object` - at /0/v"),
        ({"a": {object(): 1}}, "found `object` - at /a/v/0/0"),
        ([Excluding(secret=1)], "expected `Excluding` to come apart, found ValueError - at /0"),
        ([Shouting("x")], "found one that its class changes - at /0/v/text"),
        (
            [Loose(cast("int", "1"))],
            "expected an object that its class can give back, found another - at /0/v",
        ),
        (
            [
                Loose(
                    cast("int", True)  # noqa: FBT003
                )
            ],
            "that its class can give back",
        ),
        (
            time(1, tzinfo=ZoneInfo("Europe/Berlin")),
            "expected a whole `time`, found a zone without an offset",
        ),
    )

    @pytest.mark.parametrize("case", range(len(CASES)))
    def test_by_place(self, case: int) -> None:
        """What would not come back as it was is refused when it is written."""
        value, text = self.CASES[case]
        with pytest.raises(ValueRefused) as caught:
            registered(Excluding, Shouting, Loose).encode(value)
        assert text in str(caught.value)

    def test_extra_attribute(self) -> None:
        """An attribute beside the fields is not lost in silence; a cached property is no loss."""
        order = Order([])
        assert order.size == 0
        assert APP.decode(APP.encode(order)) == order
        vars(order)["note"] = 1
        with pytest.raises(ValueRefused):
            APP.encode(order)

    def test_on_refused(self) -> None:
        """Each refused value is handed over once, at the place its substitute will have."""
        places = []

        def on_refused(path: str, value: object) -> JSONValue:
            places.append((path, type(value).__name__))
            return None

        value = {
            "a": [object(), b""],
            "b": {object()},
            "c": Offer("x", extra=object()),
            "d": Loose(1),
            "e": {object(): object()},
        }
        written = APP.encode(value, "/context", on_refused=on_refused)
        assert places == [
            ("/context/a/0", "object"),
            ("/context/b", "set"),
            ("/context/c/v/extra", "object"),
            ("/context/d", "Loose"),
            ("/context/e", "dict"),
        ]
        assert cast("Any", APP.decode(written))["a"] == [None, b""]

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("Line", {"sku": 1}),
            ("Line", {"sku": "a", "prices": [Decimal(1)]}),
            ("Line", {"sku": "a", "score": True}),
            ("Line", {"sku": "a", "more": 1}),
            ("Line", {}),
            ("Line", "secret"),
            ("Order", {"lines": ["secret"]}),
            ("Order", {"lines": [], "kind": "secret"}),
            ("Order", {"lines": [], "color": "red"}),
            ("Order", {"lines": [], "by_name": {1: Line("a")}}),
            ("Order", {"lines": [], "span": (1, 2)}),
            ("Order", {"lines": [], "span": (1,)}),
            ("Color", "secret"),
            ("Bits", 1.0),
            ("Refund", {"orderId": "secret"}),
            ("UserId", 1),
        ],
    )
    def test_wrong_fields(self, name: str, content: object) -> None:
        """A document cannot put a value of another type, or another field, into an object."""
        with pytest.raises(InvalidDocument, match=" - at /v") as caught:
            APP.decode({"$": "app", "t": name, "v": APP.encode(content)})
        assert "secret" not in str(caught.value)


class TestLimits:
    def test_itself(self) -> None:
        """A value within itself is refused, in a small stack too."""
        one: list[object] = []
        one.append((one, {1: one}))
        found: list[object] = []

        def run() -> None:
            with pytest.raises(LimitExceeded, match="expected at most 64 levels"):
                values.encode(one)
            deep: JSONValue = {"$": "set", "v": []}
            for _ in range(100_000):
                deep = [deep]
            with pytest.raises(LimitExceeded, match="expected at most 64 levels"):
                values.decode(deep)
            while isinstance(deep, list):  # taken apart by hand: the interpreter would recurse
                deep = deep.pop()
            found.append("done")

        before = threading.stack_size(256 * 1024)
        try:
            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
        finally:
            threading.stack_size(before)
        assert found == ["done"]

    def test_not_json(self) -> None:
        """`decode` takes JSON values only."""
        with pytest.raises(InvalidDocument, match="expected a JSON value, found another - at /0"):
            values.decode(cast("JSONValue", [b"x"]))

    def test_long_integer(self) -> None:
        """An integer that no reader takes is not written."""
        with pytest.raises(LimitExceeded, match="/0"):
            values.encode([10**4300, b""])
