"""What the SDKs record of a call, computed by hitl: for generated calls, and for all recorded."""

from __future__ import annotations

import random
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from agents._tool_invocation import tool_invocation_identity_and_scope

import hitl
from hitl.dialects.openai_js import DIALECT as JS
from hitl.dialects.openai_js import fingerprint as js
from hitl.dialects.openai_js import ledger
from hitl.dialects.openai_js.shape import SHAPE
from hitl.dialects.openai_python.fingerprint import identity
from hitl.dialects.openai_python.ledger import Calls
from hitl.model import Item
from hitl.model.decide import nested_runs
from tests.agents import corpus
from tests.node.oracle import entries, generated_arguments, generated_calls

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl import RunState

COUNT = 2000


def _odd_ones(seed: int) -> Iterator[Item]:
    """Calls of tools that JavaScript does not have, and calls that lack something."""
    rng = random.Random(seed)  # noqa: S311  (generated calls are no secrets)
    for number, text in enumerate(generated_arguments(COUNT // 10, seed)):
        call: Any = {"type": "custom_tool_call", "call_id": f"c{number}", "name": "raw_sql"}
        shell: Any = {"type": "local_shell_call", "call_id": f"l{number}"}
        action = {"type": "exec", "command": [text], "env": {"10": text, "9": None}}
        checks = [{"id": "s", "code": None, "message": text}]
        made = (
            call | {"input": text},
            shell | {"action": action},
            {
                "type": "computer_call",
                "call_id": "p",
                "action": None,
                "pending_safety_checks": checks,
            },
            {
                "type": "function_call",
                "call_id": "f",
                "name": "t",
                "arguments": text,
                "namespace": "t",
            },
            {"type": "apply_patch_call", "call_id": "a", "operations": [{"path": text}]},
            {
                "type": "mcp_approval_request",
                "id": "m",
                "name": "",
                "server_label": "w",
                "arguments": text,
            },
        )
        raw = rng.choice(made)
        if rng.random() < 0.1:
            raw.pop(rng.choice(list(raw)))
        yield Item(kind="tool_call", raw=raw)


def _of_sdk(item: Item) -> Any:  # noqa: ANN401  (of the SDK)
    """What the SDK records; the name of what it raises where it cannot."""
    key = None if item.tool_key is None else tuple(x for x in item.tool_key if x is not None)
    try:
        return tool_invocation_identity_and_scope(
            item.raw,
            tool_lookup_key=key,  # type: ignore[arg-type]
            tool_name=item.tool_name,
            invocation_role="handoff" if item.kind == "handoff_call" else None,
        )
    except UnicodeEncodeError:
        return "lone surrogate"


def _of_hitl(item: Item) -> Any:  # noqa: ANN401  (of the SDK)
    found = identity(item)
    return None if found is None else (found.kind, found.call_id, found.scope, found.fingerprint)


class TestGenerated:
    @pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.soak)])
    def test_agree(self, seed: int) -> None:
        """What hitl computes is what the SDK does; where that itself fails, nothing is compared."""
        items = [*entries(generated_calls(COUNT, seed)), *_odd_ones(seed)]
        pairs = [(item, _of_sdk(item)) for item in items]
        said = [(item, theirs) for item, theirs in pairs if theirs != "lone surrogate"]
        assert [item.raw for item, theirs in said if _of_hitl(item) != theirs] == []
        kinds = {theirs[0] for _, theirs in said if theirs is not None}
        assert len(kinds) == 7
        assert len(said) > COUNT / 2


def _runs(state: RunState) -> Iterator[RunState]:
    yield state
    for _, run in nested_runs(state):
        yield from _runs(run)


def _documents(run: Any) -> Iterator[Any]:  # noqa: ANN401  (JSON)
    """A Python document and those inside, outermost first."""
    yield run
    for each in (run.get("last_processed_response") or {}).get("functions", ()):
        if isinstance(each.get("agent_run_state"), dict):
            yield from _documents(each["agent_run_state"])


def _calls(run: RunState) -> Calls:
    found = Calls()
    for record in run.log:
        if record.item is not None:
            found.note(record.item)
    return found


UNTOLD = {("openai-agents-python/hitl/copies_handoff_toolless", "call_h")}
"""Calls of which the state says too little: that it is a handoff stood in an item that is gone.

hitl keeps the record of such a call as it is.
"""


class TestRecorded:
    def test_python(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Every record in every recorded state of the Python SDK, those of runs inside too."""
        counted: Counter[str] = Counter()
        for name in corpus.every():
            for document, run in zip(
                _documents(corpus.load(name)), _runs(hitl.loads(corpus.read(name))), strict=True
            ):
                calls = _calls(run)
                for call_id, record in (document["context"].get("tool_invocations") or {}).items():
                    found = calls.identity(call_id)
                    mine = found and (found.kind, found.scope, found.fingerprint)
                    theirs = (record["type"], record["approval_scope"], record["fingerprint"])
                    assert (mine == theirs) != ((name, call_id) in UNTOLD), (name, call_id)
                    counted[record["type"]] += 1
        with capsys.disabled():
            sys.stdout.write(f"\nrecords of the Python SDK: {counted.total()} {dict(counted)}\n")
        assert counted.total() > 500

    def test_js(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Every record in every recorded state of the JavaScript SDK."""
        counted: Counter[str] = Counter()
        for name in corpus.javascript():
            state = hitl.loads(corpus.read(name))
            assert "signed" not in state.extras[JS.name]
            calls = ledger.all_calls(state)
            known = {(who, item.call_id): js.fingerprint(item) for who, item in calls}
            for _, run in SHAPE.runs(corpus.load(name)):
                for owner, call_id, record in _js_records(run):
                    assert known[owner, call_id] == record, (name, call_id)
                    counted[JS.name] += 1
        with capsys.disabled():
            sys.stdout.write(f"\nrecords of the JavaScript SDK: {counted.total()}\n")
        assert counted.total() > 50


def _js_records(run: Any) -> Iterator[tuple[str, str, str]]:  # noqa: ANN401  (JSON)
    """Agent, call id and record, of every list that holds records."""
    for entry in (
        *run["context"].get("approvalInvocations", ()),
        *run.get("completedToolInvocations", ()),
    ):
        for call_id, record in entry["invocations"].items():
            yield entry["agentIdentity"], call_id, record
    for entry in run.get("completedToolInvocationEvidence", ()):
        for call_id, proof in entry["invocations"].items():
            yield entry["agentIdentity"], call_id, proof["fingerprint"]
