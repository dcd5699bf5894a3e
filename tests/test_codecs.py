"""Codecs: the same document in JSON and MessagePack, entry by entry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given

import hitl
from hitl import document, transfer
from hitl.document import DEFAULT_LIMITS
from hitl.errors import InvalidDocument, LimitExceeded, MalformedDocument, ValueRefused
from hitl.model import Item, Record
from hitl.testing import json_values
from tests.agents import corpus

if TYPE_CHECKING:
    from hitl.codec import Codec

CODECS = transfer.codecs()


@pytest.fixture(params=sorted(CODECS))
def codec(request: pytest.FixtureRequest) -> Codec:
    """Every codec in turn."""
    return CODECS[request.param]


class TestValues:
    @pytest.mark.parametrize("name", sorted(CODECS))
    @given(value=json_values())
    def test_round_trip(self, name: str, value: Any) -> None:  # noqa: ANN401 - JSON
        """Every JSON value comes back with its types, integers of any size included."""
        codec = CODECS[name]
        if name == "msgpack" and _looks_like_an_integer(value):
            return  # a tag of our own: no document holds it untagged
        data = codec.encode({"value": value})
        codec.check(data, DEFAULT_LIMITS)
        assert document.equal(codec.parse(data), {"value": value})
        parts = codec.split(data)
        codec.refuse_twice(data, parts)
        assert document.equal(codec.parse(parts["value"]), value)

    @pytest.mark.parametrize("value", [2**63, 2**64, -(2**63) - 1, 10**400, -(10**400)])
    def test_huge_integers(self, codec: Codec, value: int) -> None:
        """MessagePack has 64 bits; the rest is tagged there."""
        assert codec.parse(codec.encode([value])) == [value]

    @pytest.mark.parametrize("value", [float("nan"), "\ud800", (1,), b"a", {1: 2}, {"\ud800": 1}])
    def test_refused(self, codec: Codec, value: Any) -> None:  # noqa: ANN401 - not JSON
        """What JSON cannot say is refused, never changed."""
        with pytest.raises(ValueRefused):
            codec.encode([value])

    @pytest.mark.parametrize("digits", ["", "-", "1.5", "1e9", "٣", "9" * 5000, " 7"])
    def test_forged_integers(self, digits: str) -> None:
        """A tagged integer holds digits and nothing else."""
        data = msgspec.msgpack.encode({"$": "int", "v": digits})
        with pytest.raises(InvalidDocument, match="expected the digits of an integer"):
            CODECS["msgpack"].parse(data)


def _looks_like_an_integer(value: Any) -> bool:  # noqa: ANN401 - JSON
    return '"$": "int"' in json.dumps(value)


class TestParts:
    def test_join(self, codec: Codec) -> None:
        """What is joined splits into the same parts."""
        elements = [codec.encode({"a": 1}), codec.encode([]), codec.encode(None)]
        data = codec.join({"head": {"b": "é"}}, {"items": elements, "none": []})
        parts = codec.split(data)
        assert codec.parse(parts["head"]) == {"b": "é"}
        assert codec.elements(parts["items"]) == elements
        assert codec.elements(parts["none"]) == []
        assert codec.check(data, DEFAULT_LIMITS).pairs == 5

    @pytest.mark.parametrize("value", [None, 7, "a", {"a": []}])
    def test_no_array(self, codec: Codec, value: Any) -> None:  # noqa: ANN401 - JSON
        """Elements are an array's."""
        with pytest.raises(MalformedDocument, match=r"^expected an array$"):
            codec.elements(codec.encode(value))

    @pytest.mark.parametrize("value", [None, 7, "a", [1]])
    def test_no_object(self, codec: Codec, value: Any) -> None:  # noqa: ANN401 - JSON
        """A document is an object."""
        with pytest.raises(MalformedDocument, match=r"^expected an object"):
            codec.split(codec.encode(value))

    def test_white_space(self) -> None:
        """JSON with white space has the same parts."""
        text = b' {\n "a" : [ 1 , {"b": 2} ] , "c" : "x y" }\n'
        parts = CODECS["json"].split(text)
        CODECS["json"].refuse_twice(text, parts)
        assert {key: json.loads(part) for key, part in parts.items()} == json.loads(text)

    def test_every_key_length(self) -> None:
        """Objects of 15, 16 and 65,536 keys have other MessagePack headers."""
        for size in (0, 1, 15, 16, 65_535, 65_536):
            data = CODECS["msgpack"].encode({str(n): n for n in range(size)})
            parts = CODECS["msgpack"].split(data)
            CODECS["msgpack"].refuse_twice(data, parts)
            assert len(parts) == size
            assert CODECS["msgpack"].check(data, DEFAULT_LIMITS).nodes == size + 1


class TestDetection:
    @pytest.mark.parametrize("name", corpus.names()[::10])
    def test_by_the_first_byte(self, name: str) -> None:
        """No document is claimed by two codecs."""
        state = hitl.loads(corpus.read(name))
        for codec in CODECS:
            data = hitl.dumps(state, codec=codec)
            assert [each.name for each in CODECS.values() if each.claims(data)] == [codec]


class TestEntries:
    @pytest.mark.parametrize("name", corpus.names()[::5])
    def test_round_trip(self, codec: Codec, name: str) -> None:
        """Every recorded entry reads and is written the same; to plain data and back too."""
        log = hitl.loads(corpus.read(name)).log.recode(codec.log)
        for chunk in log.chunks:
            assert codec.log.encode(codec.log.decode(chunk)) == chunk
            assert codec.log.write(codec.log.parse(chunk)) == chunk

    @pytest.mark.parametrize(
        ("value", "path"),
        [
            ({}, None),
            ({"item": None}, None),
            ({"item": {"kind": "message"}, "guardrail": {"stage": "input"}}, None),
            ({"vote": {}}, None),
            ({"item": {}}, "/item"),
            ({"item": {"kind": "unheard_of"}}, "/item/kind"),
            ({"item": {"kind": "message", "agent": "a"}}, "/item/agent"),
            ({"item": {"kind": "message", "unheard_of": None}}, "/item/unheard_of"),
            ({"response": {"usage": {"requests": True}}}, "/response/usage/requests"),
            ({"response": {"usage": {"unheard_of": 1}}}, "/response/usage/unheard_of"),
            ([], ""),
        ],
    )
    def test_refused(self, codec: Codec, value: Any, path: str | None) -> None:  # noqa: ANN401
        """An entry that does not fit is refused with its place."""
        with pytest.raises(InvalidDocument) as caught:
            codec.log.decode(codec.encode(value))
        assert caught.value.path == path

    def test_defaults_are_left_out(self, codec: Codec) -> None:
        """An entry says what is not the default, and its kind."""
        chunk = codec.log.encode(Record(item=Item(kind="message", agent=0)))
        assert codec.parse(chunk) == {"item": {"kind": "message", "agent": 0}}

    def test_too_deep(self, codec: Codec) -> None:
        """The depth limit holds for an entry alone."""
        deep: Any = []
        for _ in range(70):
            deep = [deep]
        with pytest.raises(LimitExceeded):
            codec.encode({"item": {"kind": "message", "raw": deep}})
