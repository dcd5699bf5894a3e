"""The door: detection, losses, `convert` and `check`."""

from __future__ import annotations

import json
import math
from typing import Any

import msgspec
import pytest
from attrs import evolve

import hitl
from hitl import transfer
from hitl.errors import ArgumentsChanged, DocumentError, InvalidDocument, LossError
from hitl.model import Context, RunState
from hitl.revision import Loss
from tests.agents import corpus

SDK = "openai-agents-python"
PARALLEL = "cross/py-0.24.0/parallel"
NESTED = "cross/py-0.24.0/nested"


@pytest.fixture
def state() -> RunState:
    """A recorded state with three waiting calls."""
    return hitl.loads(corpus.read(PARALLEL))


class TestDetection:
    def test_every_dialect_and_codec(self) -> None:
        """Being in the folder is the registration; each is known by its own name."""
        assert {name: each.name for name, each in transfer.dialects().items()} == {
            name: name for name in transfer.dialects()
        }
        assert set(transfer.codecs()) == {"json", "msgpack"}

    @pytest.mark.parametrize("name", corpus.names())
    def test_claimed_once(self, name: str) -> None:
        """One dialect claims each recorded state, and its native document another."""
        given = corpus.load(name)
        native = json.loads(hitl.dumps(hitl.loads(given)))
        for document, expected in ((given, SDK), (native, transfer.NATIVE)):
            claims = [each.name for each in transfer.dialects().values() if each.claims(document)]
            assert claims == [expected]

    @pytest.mark.parametrize("make", [bytes, bytearray, memoryview, bytes.decode, json.loads])
    def test_every_form(self, make: Any, state: RunState) -> None:  # noqa: ANN401 - a converter
        """Bytes, a buffer, text and a dict are one document."""
        assert hitl.loads(make(corpus.read(PARALLEL))) == state

    def test_white_space(self, state: RunState) -> None:
        """So is one that was indented by hand."""
        text = json.dumps(corpus.load(PARALLEL), indent=4)
        assert hitl.loads(f"\n\n  {text}\n") == state
        native = json.dumps(json.loads(hitl.dumps(state)), indent=4)
        assert hitl.loads(native) == state

    def test_key_order(self, state: RunState) -> None:
        """The order of keys says nothing."""
        given = corpus.load(PARALLEL)
        assert hitl.loads(dict(reversed(given.items()))) == state


class TestConvert:
    def test_says_what_it_wrote(self, state: RunState) -> None:
        """The format of what was written, and the document `dumps` gives."""
        converted = hitl.convert(state, codec="msgpack")
        newest = transfer.dialects()[transfer.NATIVE].chain.newest
        assert (converted.dialect, converted.version, converted.codec) == (
            "native",
            newest,
            "msgpack",
        )
        assert converted.data == hitl.dumps(state, codec="msgpack")
        assert converted.losses == ()

    def test_info_never_stops(self, state: RunState) -> None:
        """A loss of severity info is reported."""
        converted = hitl.convert(state.approve("call_1", by="ana"), dialect=SDK)
        assert [loss.severity for loss in converted.losses] == ["info"]

    def test_warn_stops_unless_allowed(self, state: RunState) -> None:
        """A warning stops until it is allowed, and is then reported."""
        odd = evolve(state, context=Context(data={"$": "bytes", "v": "aGk="}, has_data=True))
        with pytest.raises(
            LossError, match=r"^openai-agents-python .* cannot hold 1 value"
        ) as caught:
            hitl.dumps(odd, dialect=SDK)
        assert caught.value.hint == "allow_loss goes on"
        converted = hitl.convert(odd, dialect=SDK, allow_loss=True)
        assert list(converted.losses) == list(caught.value.losses)
        assert hitl.dumps(odd)

    @pytest.mark.parametrize(
        ("severity", "allowed", "stops"),
        [
            ("info", False, False),
            ("info", True, False),
            ("warn", False, True),
            ("warn", True, False),
            ("error", False, True),
            ("error", True, True),
        ],
    )
    def test_severities(self, severity: Any, allowed: Any, stops: Any) -> None:  # noqa: ANN401
        """Error always stops."""
        loss = Loss(path="", severity=severity, reason="")
        assert transfer._stops(loss, allow_loss=allowed) is stops

    def test_newest_by_default(self, state: RunState) -> None:
        """Without a version, the newest."""
        document = json.loads(hitl.dumps(state, dialect=SDK))
        assert document["$schemaVersion"] == transfer.dialects()[SDK].chain.newest


class TestCheck:
    @pytest.mark.parametrize("name", corpus.names())
    def test_recorded(self, name: str) -> None:
        """A recorded state has no problems and loses nothing where it is."""
        report = hitl.check(corpus.read(name))
        assert (report.problems, report.losses, report.newer) == ((), (), False)
        assert (report.dialect, report.codec) == (SDK, "json")
        assert report.state == hitl.loads(corpus.read(name))

    def test_target(self) -> None:
        """Losses are those of the target asked for."""
        name = "openai-agents-python/0.24.0/hosted_mcp"
        given = corpus.load(name) | {"trace": {"tracing_api_key": "sk"}}
        losses = hitl.check(given, dialect="native").losses
        assert ("/trace/tracing_api_key", "info") in {(each.path, each.severity) for each in losses}

    def test_unknown_target(self) -> None:
        """An unknown target is a problem of the question, reported all the same."""
        (problem,) = hitl.check(corpus.read(PARALLEL), dialect="latin").problems
        assert str(problem).startswith("expected a dialect (")

    def test_changed_inside(self) -> None:
        """A decided call of a nested run that was changed is found."""
        state = hitl.loads(corpus.read(NESTED))
        native = json.loads(hitl.dumps(state.approve(state.interruptions[0].call)))
        native["runs"][0]["decisions"][0]["arguments_sha256"] = "0" * 64
        (problem,) = hitl.check(native).problems
        assert isinstance(problem, ArgumentsChanged)

    def test_fault_inside(self) -> None:
        """A fault in an entry of a nested run is found, with its place."""
        native = json.loads(hitl.dumps(hitl.loads(corpus.read(NESTED))))
        native["runs"][0]["items"][0] = {"item": {"kind": "unheard_of"}}
        (problem,) = hitl.check(native).problems
        assert problem.path == "/runs/0/items/0/item/kind"

    def test_bytes_of_messagepack(self, state: RunState) -> None:
        """The codec is told."""
        report = hitl.check(hitl.dumps(state, codec="msgpack"))
        assert (report.dialect, report.codec, report.problems) == ("native", "msgpack", ())

    @pytest.mark.parametrize("name", ["agent", "source", "target"])
    @pytest.mark.parametrize("position", [-1, 7, 2**70])
    def test_agent_of_an_item(self, name: str, position: int, state: RunState) -> None:
        """An agent that is not there is found by its place, here and when it is written."""
        native = json.loads(hitl.dumps(state))
        native["items"][1]["item"][name] = position
        (problem,) = hitl.check(native).problems
        assert problem.path == f"/items/1/item/{name}"
        with pytest.raises(InvalidDocument) as caught:
            hitl.dumps(hitl.loads(native), dialect=SDK)
        assert caught.value.path == f"/items/1/item/{name}"


class TestNewer:
    def test_by_way_of_native(self) -> None:
        """What came from a newer minor stays flagged in native, and keeps its own label."""
        given = corpus.load(PARALLEL) | {"$schemaVersion": "1.99", "from_the_future": 7}
        first = hitl.loads(given)
        data = hitl.dumps(first, allow_loss=True)
        state = hitl.loads(data)
        assert state == first
        report = hitl.check(data)
        assert (report.dialect, report.newer) == ("native", True)
        with pytest.raises(LossError, match="cannot hold 1 value"):
            hitl.dumps(state, dialect=SDK, version="1.21")
        assert json.loads(hitl.dumps(state, dialect=SDK)) == given

    @pytest.mark.parametrize("version", ["9.0", "x", ""])
    def test_no_version(self, version: str, state: RunState) -> None:
        """An origin that hitl cannot have read is not taken for a newer one."""
        native = json.loads(hitl.dumps(state))
        native["origin"]["version"] = version
        assert hitl.loads(native).newer is None


class TestWrongClass:
    @pytest.mark.parametrize("given", [{7: 1}, {"$hitl": {7: 1}}, {"$hitl": object()}])
    def test_dict(self, given: Any) -> None:  # noqa: ANN401 - no JSON
        """A dict that is no JSON is a fault of the document."""
        with pytest.raises(InvalidDocument):
            hitl.loads(given)

    @pytest.mark.parametrize("inside", [{7: 1}, math.nan, {"a": {(1,): 2}}])
    def test_messagepack(self, inside: Any, state: RunState) -> None:  # noqa: ANN401 - no JSON
        """So is MessagePack that says what JSON cannot, in the head and in the log."""
        native = json.loads(hitl.dumps(state))
        head = native | {"trace": {"a": inside}}
        with pytest.raises(DocumentError):
            hitl.loads(msgspec.msgpack.encode(head))
        native["items"][0] = {"item": {"kind": "input", "raw": inside}}
        (problem,) = hitl.check(msgspec.msgpack.encode(native)).problems
        assert isinstance(problem, DocumentError)
