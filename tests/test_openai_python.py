"""The Python SDK's document: what is odd in it is kept, and what no runner can use is refused."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

import hitl
from hitl import document
from hitl.dialects.openai_python import ledger
from hitl.errors import InvalidDocument, LimitExceeded, LossError
from hitl.model import Context, Grant
from hitl.testing import all_secrets, assert_document_kept
from tests.agents import corpus

if TYPE_CHECKING:
    from hitl.document import JSONObject, JSONValue

SDK = "openai-agents-python"
PARALLEL = "cross/py-0.24.0/parallel"
NESTED = "cross/py-0.24.0/nested"
HOSTED = "cross/py-0.24.0/hosted_mcp"
HELD = "openai-agents-python/feature/h_held_session_write"
INNER = "/last_processed_response/functions/0/agent_run_state"


def changed(name: str, path: str, value: JSONValue) -> JSONObject:
    """A recorded state with one value put at a path."""
    given: JSONObject = copy.deepcopy(corpus.load(name))
    *parts, last = [part.replace("~1", "/") for part in path.split("/")[1:]]
    holder: Any = given
    for part in parts:
        holder = holder[int(part)] if isinstance(holder, list) else holder[part]
    holder[int(last) if isinstance(holder, list) else last] = value
    return given


class TestOddIsKept:
    """Law 1 where a value is not what the SDK usually writes; each was lost or crashed once."""

    @pytest.mark.parametrize(
        ("name", "path", "value"),
        [
            (PARALLEL, "/generated_items/0", None),
            (PARALLEL, "/session_items/0", "text"),
            (PARALLEL, "/current_step/data/interruptions/0", 7),
            (PARALLEL, "/current_step", {}),
            (PARALLEL, "/current_step", {"type": "next_step_interruption"}),
            (PARALLEL, "/current_step", {"type": "next_step_interruption", "data": None}),
            (PARALLEL, "/current_step", {"type": "next_step_unheard_of", "data": 7}),
            (PARALLEL, "/model_responses/0/output", None),
            (PARALLEL, "/model_responses/0/response_id", None),
            (PARALLEL, "/model_responses/0/usage/input_tokens_details", True),
            (PARALLEL, "/model_responses/0/usage/input_tokens_details", {"0": 1}),
            (PARALLEL, "/context/usage/request_usage_entries", [[0, 1]]),
            (PARALLEL, "/context/usage/request_usage_entries", [None]),
            (PARALLEL, "/context", {}),
            (PARALLEL, "/context/approvals", None),
            (PARALLEL, "/context/approvals", {"tool": {"approved": [1], "rejected": []}}),
            (PARALLEL, "/context/approvals", {"\ud800": {"approved": True, "rejected": []}}),
            (PARALLEL, "/context/context_meta", {"$": "bytes", "v": "aGk="}),
            (PARALLEL, "/context/tool_input", {"$": "map", "v": 7}),
            (PARALLEL, "/context/tool_invocations", {"\ud800": 7}),
            (PARALLEL, "/current_response_generated_item_ownership", {"$": "x"}),
            (PARALLEL, "/current_agent/\ud800", {"$": "x"}),
            (PARALLEL, "/last_processed_response/tools_used", [7]),
            (PARALLEL, "/last_processed_response/mcp_tool_bindings", {"$": float("inf")}),
            (PARALLEL, "/generated_session_item_indexes", [None]),
            (PARALLEL, "/trace", {"$": "x", "tracing_api_key": None}),
            (HELD, "/pending_session_write/items", None),
            (HELD, "/pending_session_write/items", {}),
            (NESTED, f"{INNER}/context/context_meta", {"$": 1}),
        ],
    )
    def test_kept(self, name: str, path: str, value: JSONValue) -> None:
        """It is written back as it was, directly and through native JSON and MessagePack."""
        assert_document_kept(changed(name, path, value))

    def test_without_approvals(self) -> None:
        """A context that lists no approvals gets none, until somebody decides."""
        given = copy.deepcopy(corpus.load(PARALLEL))
        del given["context"]["approvals"]
        state = assert_document_kept(given)
        decided = json.loads(hitl.dumps(state.approve("call_1"), dialect=SDK))
        assert "function_tool_approvals" in decided["context"]

    def test_lone_surrogates_in_values(self) -> None:
        """A half of a surrogate pair is kept where an app or a model put it."""
        given = copy.deepcopy(corpus.load(PARALLEL))
        given["context"]["context"] = {"\ud800": "\udfff"}
        given["session_items"][0]["raw_item"]["content"] = "\ud800"
        given["trace"] = {"id": "\ud800"}
        state = assert_document_kept(given)
        assert state.context is not None
        assert state.context.value == {"\ud800": "\udfff"}

    def test_numbers_no_double_holds(self) -> None:
        """Integers stay exact; NaN and the infinities stay what they are."""
        given = copy.deepcopy(corpus.load(PARALLEL))
        given["context"]["context"] = [10**400, -(2**70), float("-inf"), 1.0, 1, True, -0.0]
        state = assert_document_kept(given)
        assert state.context is not None
        assert repr(state.context.value) == repr(given["context"]["context"])

    def test_nan(self) -> None:
        """NaN is equal to nothing, itself included, and comes back all the same."""
        given = copy.deepcopy(corpus.load(PARALLEL))
        given["session_items"][0]["raw_item"]["n"] = float("nan")
        assert_document_kept(given)

    def test_copies_told_by_type(self) -> None:
        """Two copies of an item, one with 1 and one with true, are two entries."""
        given = copy.deepcopy(corpus.load(PARALLEL))
        given["session_items"][0]["raw_item"]["n"] = 1
        given["generated_items"][0]["raw_item"]["n"] = True
        assert_document_kept(given)


class TestRefused:
    @pytest.mark.parametrize(
        ("name", "path", "place"),
        [
            (PARALLEL, "/session_items/1/raw_item", "/session_items/1/raw_item/arguments"),
            (
                NESTED,
                f"{INNER}/session_items/0/raw_item",
                f"{INNER}/session_items/0/raw_item/arguments",
            ),
        ],
    )
    def test_lone_surrogate_in_arguments(self, name: str, path: str, place: str) -> None:
        """Arguments no runner can pass on are refused before a person is asked."""
        raw: JSONValue = {"type": "function_call", "call_id": "c", "arguments": '{"a": "\ud800"}'}
        with pytest.raises(
            InvalidDocument, match=r"^expected text, found a lone surrogate"
        ) as caught:
            hitl.loads(changed(name, path, raw))
        assert caught.value.path == place

    def test_lone_surrogate_in_custom_input(self) -> None:
        """The input of a custom tool is what that tool is called with."""
        raw: JSONValue = {"type": "custom_tool_call", "call_id": "c", "input": "\ud800"}
        with pytest.raises(InvalidDocument) as caught:
            hitl.loads(changed(PARALLEL, "/session_items/1/raw_item", raw))
        assert caught.value.path == "/session_items/1/raw_item/input"

    @pytest.mark.parametrize(
        ("path", "value", "message"),
        [
            ("/current_turn", None, "expected integer, got nothing"),
            ("/current_turn", True, "expected integer, got boolean"),
            ("/current_turn", 1.0, "expected integer, got number"),
            ("/current_agent", {"name": 7}, "expected an agent with a name, got object"),
            ("/original_input", None, "expected string or array, got nothing"),
            ("/original_input", "\ud800", "expected text, found a lone surrogate"),
            ("/conversation_id", "\ud800", "expected text, found a lone surrogate"),
            ("/model_responses/0", 7, "expected object, got integer"),
            ("/context/usage/requests", "1", "expected integer, got string"),
            (
                "/last_processed_response/functions/0/tool_call",
                None,
                "expected object, got nothing",
            ),
        ],
    )
    def test_wrong_type(self, path: str, value: JSONValue, message: str) -> None:
        """A value that does not fit is named by its place and type, never shown."""
        with pytest.raises(InvalidDocument) as caught:
            hitl.loads(changed(PARALLEL, path, value))
        assert (caught.value.path, caught.value.message) == (path, message)

    def test_run_of_another_version_inside(self) -> None:
        """Runs inside are of the version of the run around them."""
        with pytest.raises(InvalidDocument) as caught:
            hitl.loads(changed(NESTED, f"{INNER}/$schemaVersion", "1.20"))
        assert caught.value.path == f"{INNER}/$schemaVersion"


class TestSecrets:
    """Rule 7: native leaves them out, and the SDK's own document keeps them."""

    @pytest.mark.parametrize("name", corpus.names())
    def test_left_out(self, name: str) -> None:
        """No secret of a recorded state is in its native document, in any encoding."""
        state = hitl.loads(corpus.read(name))
        given = corpus.load(name)
        for codec in ("json", "msgpack"):
            data = hitl.dumps(state, codec=codec)
            for path in all_secrets(state):
                secret = document.resolve(given, path)
                for text in secret.values() if isinstance(secret, dict) else [secret]:
                    assert str(text).encode() not in data

    def test_found(self) -> None:
        """Tracing keys, authorization and headers of hosted MCP servers are secrets."""
        given = changed(HOSTED, "/trace", {"tracing_api_key": "sk-trace"})
        tool = given["last_processed_response"]["mcp_approval_requests"][0]["mcp_tool"]
        tool["tool_config"] |= {"authorization": "bearer-1", "headers": {"x-key": "k-1"}}
        state = assert_document_kept(given)
        assert {path.rpartition("/")[2] for path in state.secrets} == {
            "authorization",
            "headers",
            "tracing_api_key",
        }
        assert not {b"sk-trace", b"bearer-1", b"k-1"} & set(hitl.dumps(state).split(b'"'))


class TestLosses:
    def test_context(self) -> None:
        """What JSON cannot say of the app context is a warning, with its place."""
        state = hitl.loads(corpus.read(PARALLEL))
        given: Any = {"$": "bytes", "v": "aGk="}
        bytes_inside = evolve(state, context=Context(data={"a": [given]}, has_data=True))
        with pytest.raises(LossError, match="cannot hold 1 value") as caught:
            hitl.dumps(bytes_inside, dialect=SDK)
        (loss,) = caught.value.losses
        assert (loss.path, loss.severity) == ("/context/data/a/0", "warn")  # type: ignore[attr-defined]
        written = json.loads(hitl.dumps(bytes_inside, dialect=SDK, allow_loss=True))
        assert written["context"]["context"] == {"a": ["b'hi'"]}

    @pytest.mark.parametrize(
        "tag",
        [
            {"$": 7},
            {"$": []},
            {"$": "map"},
            {"$": "map", "v": 7},
            {"$": "map", "v": [7]},
            {"$": "map", "v": [["a"]]},
            {"$": "tuple", "v": 7},
            {"$": "float", "v": "seven"},
        ],
    )
    def test_malformed_tag(self, tag: Any) -> None:  # noqa: ANN401 - JSON
        """A tag that hitl never wrote is refused by its place when it has to be understood."""
        native = json.loads(hitl.dumps(hitl.loads(corpus.read(PARALLEL))))
        native["context"] = {"data": {"a": tag}, "has_data": True}
        state = hitl.loads(native)
        with pytest.raises(InvalidDocument, match=r"^expected a tag as hitl writes it") as caught:
            hitl.dumps(state, dialect=SDK, allow_loss=True)
        assert caught.value.path == "/context/data/a"


class TestBombs:
    def test_output_twice(self) -> None:
        """A response names each of its items once."""
        native = json.loads(hitl.dumps(hitl.loads(corpus.read(PARALLEL))))
        position, response = next(
            (index, each["response"])
            for index, each in enumerate(native["items"])
            if "response" in each
        )
        response["output"] *= 2
        with pytest.raises(InvalidDocument, match="found one twice") as caught:
            hitl.dumps(hitl.loads(native), dialect=SDK)
        assert caught.value.path == f"/items/{position}/response/output"

    @pytest.mark.parametrize("shared", ["outputs", "calls", "approvals", "context"])
    def test_shared(self, shared: str) -> None:
        """Many places that name one large entry are refused before they are written out."""
        native = json.loads(hitl.dumps(hitl.loads(corpus.read(NESTED))))
        items, large = native["items"], "x" * 100_000
        call = native["processed"]["calls"][0]
        items[call["item"]]["item"]["raw"]["arguments"] = large
        if shared == "outputs":
            response = {"response": {"output": [call["item"]]}}
            native["responded"] = [[len(items), len(items) + 3_000]]
            items += [response] * 3_000
        elif shared == "calls":
            native["processed"]["calls"] = [call, *([{**call, "run": None}] * 3_000)]
        elif shared == "approvals":
            items += [{"item": {"kind": "approval", "call": call["item"]}}] * 3_000
        else:
            native["context"] = {"data": {"a": large}, "has_data": True}
            run = native["runs"][0]
            run.pop("context", None)
            native["runs"] = [{**run, "same": ["context"]}] * 1_000
            native["processed"]["calls"] = [{**call, "run": i} for i in range(1_000)]
        with pytest.raises(LimitExceeded, match="found far more copies"):
            hitl.dumps(hitl.loads(native), dialect=SDK, allow_loss=True)


@pytest.mark.parametrize("signed", [5, [1], "x", None, {"call_1": 5}, {"call_1": {"type": 7}}])
def test_forged_digests(signed: JSONValue) -> None:
    """What was kept of the SDK's ledger is checked wherever it is read."""
    native = json.loads(hitl.dumps(hitl.loads(corpus.read(PARALLEL))))
    native["extras"].setdefault(SDK, {})["signed"] = signed
    state = hitl.loads(native)
    for use in (lambda: hitl.dumps(state, dialect=SDK), lambda: ledger.forged(state)):
        with pytest.raises(InvalidDocument) as caught:
            use()
        assert str(caught.value.path).startswith(f"/extras/{SDK}/signed")


def test_grant_without_agent() -> None:
    """A decision that the SDK could not find again is never left out silently."""
    state = hitl.loads(corpus.read(PARALLEL))
    grant = Grant(subject="function", key="refund", approved=True)
    with pytest.raises(LossError) as caught:
        hitl.dumps(evolve(state, grants=(grant,)), dialect=SDK, allow_loss=True)
    (loss,) = caught.value.losses
    assert (loss.path, loss.severity) == ("/grants/0", "error")  # type: ignore[attr-defined]


def test_places_of_losses() -> None:
    """A loss names the place of its value; what a tool is called with is a warning."""
    native = json.loads(hitl.dumps(hitl.loads(corpus.read(PARALLEL))))
    data = {"a": {"$": "bytes", "v": "aGk="}}
    native["items"][1]["item"]["custom_data"] = data
    native["items"][1]["item"]["raw"]["arguments"] = data
    native["context"] = {"tool_input": data}
    native["extras"].setdefault(SDK, {})["document"] = {"new": data}
    losses = hitl.check(native, dialect=SDK).losses
    assert {(loss.path, loss.severity) for loss in losses} == {
        ("/items/1/item/custom_data/a", "info"),
        ("/items/1/item/raw/arguments/a", "warn"),
        ("/context/tool_input/a", "warn"),
        (f"/extras/{SDK}/document/new/a", "info"),
    }


@pytest.mark.parametrize(
    "fields", [{"current_turn": -1}, {"current_turn": 2**40}, {"max_turns": -1}]
)
def test_turns_no_run_counts(fields: dict[str, int]) -> None:
    """A turn that a native document could not say is refused when the SDK's is read."""
    name = "openai-agents-python/0.24.0/plain"
    with pytest.raises(InvalidDocument, match="turn"):
        hitl.loads(corpus.load(name) | fields)
