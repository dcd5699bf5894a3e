"""A whole document: the run state, and with it what only this dialect can say, run by run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from hitl import document as json_document
from hitl import values
from hitl.dialects.openai_js import dump, kept, ledger, wire
from hitl.dialects.openai_js.load import inside, load
from hitl.dialects.openai_js.shape import RUNS, inner

if TYPE_CHECKING:
    from hitl.codec import Codec
    from hitl.document import JSONObject, JSONValue
    from hitl.model import Call, Origin, RunState


def read(
    document: JSONObject, codec: Codec, origin: Origin, label: str, texts: JSONValue
) -> RunState:
    """Read a document; what the run state does not say is kept beside it.

    Args:
        document: the parsed document, of the newest version.
        codec: what encodes the log.
        origin: where it comes from.
        label: the label the document has now.
        texts: the runs inside, as they were spelled at the document's own label.

    Raises:
        InvalidDocument: a value does not fit its place.
    """
    open_, secrets = _without_secrets(document)
    plain = not _marked(open_)
    state = load(open_, codec, origin, plain=plain)
    return _with_kept(state, open_, secrets, label, texts if isinstance(texts, dict) else {})


def _with_kept(
    state: RunState, document: JSONObject, secrets: JSONObject, label: str, texts: JSONObject
) -> RunState:
    """Give a run with what its document says beyond it; the runs inside first."""
    dialect = state.origin.dialect
    if state.processed is not None:
        calls = tuple(
            _with_inner(state, call, document, label, texts) for call in state.processed.calls
        )
        state = evolve(state, processed=evolve(state.processed, calls=calls))
    bare = evolve(state, secrets={})
    first = dump.dump(evolve(bare, extras={}), dialect, label)
    parts = list(kept.difference(first, document))
    own: JSONObject = {"kept": values.encode(parts)} if parts else {}
    written = dump.dump(bare, dialect, label)[RUNS]
    different: JSONObject = {
        key: text
        for key, text in texts.items()
        if isinstance(written, dict) and written.get(key) != text and not _secret(text)
    }
    if different:
        own["texts"] = different
    if signed := ledger.mismatched(state, document):
        own["signed"] = signed
    tagged = {pointer: values.encode(secret) for pointer, secret in secrets.items()}
    return evolve(state, extras={dialect: own}, secrets=tagged)


def _with_inner(
    state: RunState, call: Call, document: JSONObject, label: str, texts: JSONObject
) -> Call:
    """Give a call whose run inside has what its own document says beyond it."""
    raw = state.log.item(call.item).raw
    if call.run is None or not isinstance(raw, dict):
        return call
    named: JSONObject = {
        "name": raw.get("name"),
        "callId": raw.get("call_id"),
        "namespace": raw.get("namespace"),
    }
    found = inside(document, named)
    if found is None:
        return call
    key, given = found
    before = inner(texts.get(key)) or {}
    own = before.get(RUNS)
    open_, secrets = _without_secrets(given)
    spelled = own if isinstance(own, dict) else {}
    return evolve(call, run=_with_kept(call.run, open_, secrets, label, spelled))


def _secret(text: JSONValue) -> bool:
    """Tell whether a run kept as text holds what must never stand in a native document."""
    found = inner(text)
    if found is None:
        return False
    deeper = found.get(RUNS)
    more = deeper.values() if isinstance(deeper, dict) else ()
    return bool(_without_secrets(found)[1]) or any(_secret(each) for each in more)


def _marked(document: JSONValue) -> bool:
    """Tell whether a value needs a tag somewhere: what strict JSON says needs none."""
    data = json_document.encode_lenient(document)
    return any(mark in data for mark in (b'"$"', b"\\ud", b"NaN", b"Infinity", b"\\u0024"))


def _without_secrets(document: JSONObject) -> tuple[JSONObject, JSONObject]:
    """Take out what must never stand in a native document, by its JSON Pointer."""
    secrets: JSONObject = {}
    trace = document.get("trace")
    if isinstance(trace, dict) and wire.SECRET_TRACE in trace:
        secrets[f"/trace/{wire.SECRET_TRACE}"] = trace[wire.SECRET_TRACE]
        rest = {k: v for k, v in trace.items() if k != wire.SECRET_TRACE}
        document = {**document, "trace": rest}
    processed = document.get("lastProcessedResponse")
    requests = processed.get("mcpApprovalRequests") if isinstance(processed, dict) else None
    if not isinstance(processed, dict) or not isinstance(requests, list):
        return document, secrets
    changed: list[JSONValue] = []
    for index, request in enumerate(requests):
        at = f"/lastProcessedResponse/mcpApprovalRequests/{index}/mcpTool/providerData"
        changed.append(_open_request(request, at, secrets))
    return {
        **document,
        "lastProcessedResponse": {**processed, "mcpApprovalRequests": changed},
    }, secrets


def _open_request(request: JSONValue, at: str, secrets: JSONObject) -> JSONValue:
    tool = request.get("mcpTool") if isinstance(request, dict) else None
    data = tool.get("providerData") if isinstance(tool, dict) else None
    if not isinstance(request, dict) or not isinstance(tool, dict) or not isinstance(data, dict):
        return request
    for key in wire.SECRET_TOOL:
        if key in data:
            secrets[f"{at}/{key}"] = data[key]
    rest = {k: v for k, v in data.items() if k not in wire.SECRET_TOOL}
    return {**request, "mcpTool": {**tool, "providerData": rest}}
