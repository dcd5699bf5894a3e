"""Generated states and damaged documents of the JavaScript dialect: kept exactly, or refused."""

from __future__ import annotations

import copy
import json
import sys
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import hitl
from hitl import document, transfer
from hitl.dialects.openai_js import DIALECT
from hitl.dialects.openai_python import DIALECT as PYTHON
from hitl.errors import DocumentError, HitlError
from hitl.testing import assert_document_kept, run_states
from hitl.testing.mutation import WRONG, places
from tests.agents import corpus

if TYPE_CHECKING:
    import pytest

    from hitl import RunState

NAMES = [name for name in corpus.javascript() if "." not in name.rpartition("/")[2]]
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
SUITE = settings(max_examples=15, deadline=None, suppress_health_check=QUIET)


def dumped(state: RunState, dialect: str) -> Any:  # noqa: ANN401  (JSON)
    """The state in a dialect as a document; None when it is refused with a typed error."""
    try:
        data = hitl.dumps(state, dialect=dialect, allow_loss=True)
    except HitlError:
        return None
    return document.parse(data, lenient=True)


class TestStates:
    @SUITE
    @given(state=run_states())
    def test_written_or_refused(self, state: RunState) -> None:
        """Any state is refused up front, or written as a document that is read and kept."""
        written = dumped(state, DIALECT.name)
        if written is not None:
            assert_document_kept(written)

    @SUITE
    @given(state=run_states())
    def test_without_the_refusal(self, state: RunState) -> None:
        """What is written where a loss is not looked at is a document that is read and kept."""
        codec = transfer.codecs()["json"]
        try:
            written = DIALECT.dump(state, DIALECT.chain.newest, codec)
        except HitlError:
            return
        assert_document_kept(document.parse(written, lenient=True))  # type: ignore[arg-type]

    @SUITE
    @given(state=run_states())
    def test_there_and_back(self, state: RunState) -> None:
        """What waits and who may run it is the same after the way to Python and back."""
        there = dumped(state, DIALECT.name)
        if there is None:
            return
        before = hitl.loads(there)
        python = dumped(before, PYTHON.name)
        back = None if python is None else dumped(hitl.loads(python), DIALECT.name)
        if back is None:
            return
        after = hitl.loads(back)
        assert [(i.call_id, i.arguments_sha256) for i in after.interruptions] == [
            (i.call_id, i.arguments_sha256) for i in before.interruptions
        ]
        assert after.turn == before.turn


class TestDamaged:
    @settings(max_examples=40, deadline=None, suppress_health_check=QUIET)
    @given(data=st.data())
    def test_kept_or_refused(self, data: st.DataObject) -> None:
        """A document with one wrong value is refused with a place, or comes back as it was."""
        given = copy.deepcopy(corpus.load(data.draw(st.sampled_from(NAMES))))
        parts = data.draw(st.sampled_from([p for p, _ in places(given, 12) if p]))
        holder: Any = given
        for part in parts[:-1]:
            holder = holder[part]
        holder[parts[-1]] = data.draw(st.sampled_from(WRONG))
        try:
            hitl.loads(json.dumps(given))
        except DocumentError as exc:
            place = exc.path
        else:
            assert_document_kept(given)
            return
        assert place is not None


def test_every_place(capsys: pytest.CaptureFixture[str]) -> None:
    """One null at every place of one state: kept, or refused."""
    recorded = corpus.load("cross/js-0.20.0/parallel.reject1")
    kept = refused = 0
    for parts, _ in places(recorded, 4):
        if not parts:
            continue
        given = copy.deepcopy(recorded)
        holder: Any = given
        for part in parts[:-1]:
            holder = holder[part]
        holder[parts[-1]] = None
        try:
            hitl.loads(json.dumps(given))
        except DocumentError:
            refused += 1
            continue
        assert_document_kept(given)
        kept += 1
    with capsys.disabled():
        sys.stdout.write(f"\na null at each place: {kept} kept, {refused} refused\n")
    assert kept > refused
