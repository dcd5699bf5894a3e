"""Laws 1 and 6 over every recorded state: nothing dropped, added or changed, nothing silent."""

from __future__ import annotations

import copy
import re
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

import hitl
from hitl import document, transfer
from hitl.errors import DecisionError, DocumentError, LossError
from hitl.testing import additions, assert_document_kept, assert_round_trip, mutations
from hitl.testing.law import written
from hitl.testing.mutation import places
from tests.agents import corpus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from hitl.document import JSONObject, JSONValue
    from hitl.testing import Mutation

NAMES = corpus.names()
RECORDED = 170  # at least so many states; a glob that finds fewer has lost some
SDK = "openai-agents-python"
NEW: JSONValue = {"a": [1, None], "$": "bytes", "v": "aGk="}
ITEM_LISTS = {"generated_items", "session_items", "new_items", "interruptions"}


@cache
def recorded(name: str) -> JSONObject:
    """A recorded state, parsed once; never changed."""
    found: JSONObject = corpus.load(name)
    return found


def newer(dialect: str) -> str:
    """The label one minor above the newest."""
    major, _, minor = transfer.dialects()[dialect].chain.newest.partition(".")
    return f"{major}.{int(minor) + 1}"


def one_of_each(
    documents: Mapping[str, JSONObject], depth: int
) -> Iterator[tuple[JSONObject, set[str]]]:
    """Each document with the places in it that none before had: ids and indexes aside."""
    seen: set[str] = set()
    for given in sorted(documents.values(), key=lambda each: len(str(each))):
        fresh = set()
        for parts, value in places(given, depth):
            shape = [re.sub(r".*\d.*", "*", str(part)) for part in parts] + [type(value).__name__]
            if "/".join(shape) not in seen:
                seen.add("/".join(shape))
                fresh.add(document.pointer(*parts))
        yield given, fresh


def extended(value: JSONValue, key: str, added: JSONValue, tried: Counter[str]) -> Any:  # noqa: ANN401
    """The value with one more key in every object of it."""
    if isinstance(value, list):
        return [extended(each, key, added, tried) for each in value]
    if not isinstance(value, dict):
        return value
    tried["keys"] += 1
    return {k: extended(v, key, added, tried) for k, v in value.items()} | {key: added}


class TestRoundTrip:
    """Law 1."""

    def test_every_state(self, capsys: pytest.CaptureFixture[str]) -> None:
        """None is skipped: they are counted."""
        with capsys.disabled():
            print(f"\nlaws 1 and 6: {len(NAMES)} recorded states")  # noqa: T201
        assert len(NAMES) >= RECORDED

    @pytest.mark.parametrize("name", NAMES)
    def test_document(self, name: str) -> None:
        """Written at the same label, directly or from native, it is the same document."""
        assert_document_kept(recorded(name))

    @pytest.mark.parametrize("name", NAMES)
    def test_state(self, name: str) -> None:
        """Native JSON and MessagePack give the state back."""
        assert_round_trip(hitl.loads(corpus.read(name)))

    @pytest.mark.parametrize("name", NAMES)
    def test_bytes_and_dict(self, name: str) -> None:
        """The bytes, the text and the dict of a document are one state; the dict is left alone."""
        given = copy.deepcopy(recorded(name))
        data = corpus.read(name)
        assert hitl.loads(given) == hitl.loads(data) == hitl.loads(data.decode())
        assert given == recorded(name)


class TestNothingSilent:
    """Law 6."""

    @pytest.mark.parametrize("name", NAMES)
    def test_unknown_keys_everywhere(self, name: str) -> None:
        """A key that nobody knows, in every object at once, is kept and written back."""
        tried: Counter[str] = Counter()
        assert_document_kept(extended(recorded(name), "unheard_of", NEW, tried))
        assert tried["keys"] > 10

    @pytest.mark.parametrize(
        "value", [pytest.param(None, marks=pytest.mark.soak), NEW], ids=["null", "tag"]
    )
    def test_unknown_key_each(self, value: JSONValue, capsys: pytest.CaptureFixture[str]) -> None:
        """One unknown key at a time, once for every kind of object."""
        tried = 0
        for given, fresh in one_of_each({name: recorded(name) for name in NAMES}, depth=9):
            for each in additions(given, "unheard_of", value, depth=9):
                if each.path.removesuffix("/unheard_of") in fresh:
                    assert_document_kept(each.document)
                    tried += 1
        with capsys.disabled():
            print(f"\nlaw 6: {tried} unknown keys, one at a time")  # noqa: T201
        assert tried > 150

    @pytest.mark.parametrize("name", NAMES)
    def test_unknown_items(self, name: str) -> None:
        """Items of a type nobody knows are kept where they are, whatever they say."""
        given = copy.deepcopy(recorded(name))
        found = 0
        for parts, value in list(places(given, 6)):
            if parts and parts[-1] in ITEM_LISTS and isinstance(value, list):
                value[:0] = [{"type": "unheard_of_item", "raw_item": {"n": found}}, {"type": 7}]
                value.append({"type": "unheard_of_item"})
                found += 1
        assert_document_kept(given)
        assert found >= 2

    @pytest.mark.parametrize("name", NAMES)
    def test_newer_minor_of_the_sdk(self, name: str) -> None:
        """It loads, is flagged, and is written back at its own label; elsewhere it is a loss."""
        label = newer(SDK)
        given = _relabelled(recorded(name), label) | {"from_the_future": NEW}
        state = hitl.loads(given)
        assert state.newer is not None
        assert state.newer.version == label
        assert document.diff(given, written(state, state.newer)) == ()
        with pytest.raises(LossError) as caught:
            hitl.dumps(state)
        assert [loss.severity for loss in caught.value.losses if not loss.path] == ["warn"]  # type: ignore[attr-defined]

    @pytest.mark.parametrize("codec", ["json", "msgpack"])
    @pytest.mark.parametrize("name", NAMES[::5])
    def test_newer_minor_of_native(self, name: str, codec: str) -> None:
        """Unknown fields in every object of the head and of the entries are kept, in any codec."""
        native: Any = document.parse(hitl.dumps(hitl.loads(corpus.read(name))))
        label = newer(transfer.NATIVE)
        tried: Counter[str] = Counter()
        given = _extended_native(native, label, tried)
        state = hitl.loads(given)
        assert state.newer is not None
        again = hitl.dumps(state, codec=codec)
        back = hitl.dumps(hitl.loads(again), codec="json")
        assert document.diff(given, document.parse(back)) == ()
        with pytest.raises(LossError, match="cannot hold"):
            hitl.dumps(state, dialect=SDK)
        assert tried["keys"] > 5


def _relabelled(given: JSONObject, label: str) -> JSONObject:
    changed = copy.deepcopy(given)
    for _, value in places(changed, 99):
        if isinstance(value, dict) and "$schemaVersion" in value:
            value["$schemaVersion"] = label
    return changed


# What an SDK or an app says: it is open in every version, and a key in it is not new.
_OPEN = {"raw", "output", "custom_data", "origin", "extra", "extras", "tool", "data", "result"}
_OPEN |= {"tool_use", "trace", "sandbox", "current_response", "session_write", "mcp_bindings"}
_OPEN |= {"meta", "tool_input", "messages", "open", "guardrails", "entries"}
_OPEN |= {"input_tokens_details", "output_tokens_details"}


def _extended_native(value: Any, label: str, tried: Counter[str]) -> Any:  # noqa: ANN401
    if isinstance(value, list):
        return [_extended_native(each, label, tried) for each in value]
    if not isinstance(value, dict):
        return value
    tried["keys"] += 1
    inside = {
        key: each if key in _OPEN else _extended_native(each, label, tried)
        for key, each in value.items()
    }
    if "$hitl" in inside:
        inside["$hitl"] = label
    return inside | {"unheard_of": None, "unheard": NEW}


def refused_or_kept(each: Mutation) -> str:
    """What reading a mutation gives: `refused`, or `kept` when it round-trips exactly."""
    where = f"{each.path} {each.change}"
    path: str | None = "no error"
    try:
        hitl.loads(each.document)
    except DocumentError as exc:
        path = exc.path
    assert path is not None, f"refused without a place: {where}"
    if path != "no error":
        return "refused"
    assert_document_kept(each.document)
    return "kept"


def refused_or_read(each: Mutation) -> str:
    """What reading a native mutation to its end gives."""
    try:
        state = hitl.loads(each.document)
        state.interruptions  # noqa: B018
        list(state.items)
        list(state.responses)
        hitl.dumps(state, codec="msgpack", allow_loss=True)
        hitl.dumps(state, dialect=SDK, allow_loss=True)
    except (DocumentError, DecisionError):
        return "refused"
    except LossError:
        return "loss"
    return "read"


# Enough to meet every branch; the other wrong values are for the soak.
FEW: tuple[JSONValue, ...] = (None, 7, "text", "\ud800", [], {"$": "bytes", "v": "aGk="})


class TestMutated:
    """A document that is wrong in one place is refused by name, or kept exactly."""

    def test_each_place(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Every kind of place at most three keys deep: left out, and each of a few wrong values."""
        small = [name for name in NAMES if len(corpus.read(name)) < 16_000]  # the soak has the rest
        results = tried(refused_or_kept, {name: recorded(name) for name in small}, 3)
        with capsys.disabled():
            print(f"\nmutated documents of the SDK: {dict(results)}")  # noqa: T201
        assert min(results["refused"], results["kept"]) > 200

    def test_each_native_place(self, capsys: pytest.CaptureFixture[str]) -> None:
        """The same for native documents, their entries read and written to the SDK's form."""
        results = tried(refused_or_read, {name: native(name) for name in NAMES}, 4)
        with capsys.disabled():
            print(f"\nmutated native documents: {dict(results)}")  # noqa: T201
        assert min(results["refused"], results["read"]) > 200

    @pytest.mark.soak
    @pytest.mark.parametrize("name", NAMES)
    def test_every_place(self, name: str) -> None:
        """Every place of every state, seven keys deep, each wrong value."""
        for each in mutations(recorded(name), depth=7):
            refused_or_kept(each)
        for each in mutations(native(name), depth=7):
            refused_or_read(each)


def tried(
    judge: Callable[[Mutation], str], documents: Mapping[str, JSONObject], depth: int
) -> Counter[str]:
    """Judge mutations of the documents: each kind of place once."""
    results: Counter[str] = Counter()
    for given, fresh in one_of_each(documents, depth):
        for each in mutations(given, depth=depth, wrong=FEW) if fresh else ():
            if each.path in fresh:
                results[judge(each)] += 1
    return results


def native(name: str) -> JSONObject:
    """The native document of a recorded state, parsed."""
    found = document.parse(hitl.dumps(hitl.loads(corpus.read(name))))
    assert isinstance(found, dict)
    return found
