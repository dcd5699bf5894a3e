"""Laws 1, 2 and 6 over every version: read, written back, up, down, and what a rollback costs."""

from __future__ import annotations

import copy
import json
import sys
from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from attrs import evolve

import hitl
from hitl import document as documents
from hitl import transfer
from hitl.dialects.openai_python import DIALECT
from hitl.dialects.openai_python.shape import SHAPE
from hitl.document import equal
from hitl.errors import (
    InvalidDocument,
    LossError,
    UnsupportedVersion,
)
from tests import losses
from tests.agents import corpus
from tests.schemas import validator

if TYPE_CHECKING:
    from hitl import RunState
    from hitl.document import JSONObject

CHAIN = DIALECT.chain
KEY = "$schemaVersion"
NAMES = corpus.every()
NEWEST = corpus.names()
OLDER = [name for name in NAMES if name not in NEWEST]
RELEASES = sorted({name.split("/")[1] for name in OLDER} | {"0.24.0"})
FOLDER = "openai-agents-python"
ALWAYS = True


@cache
def state(name: str) -> RunState:
    """A recorded state, read."""
    return hitl.loads(corpus.read(name))


def written(of: RunState, version: str) -> Any:  # noqa: ANN401  (JSON)
    """What a state is at a version."""
    data = hitl.dumps(of, dialect=DIALECT.name, version=version, allow_loss=True)
    return json.loads(data)


def labels(document: JSONObject) -> set[str]:
    """The label of a run and of every run inside it."""
    return {run[KEY] for _, run in SHAPE.runs(document)}


def run(**changed: object) -> JSONObject:
    """A paused run of the newest version with some keys of its own."""
    return {**corpus.load(f"{FOLDER}/0.24.0/plain"), **changed}


class TestRoundTrip:
    @pytest.mark.parametrize("name", NAMES)
    def test_equal_at_its_own_version(self, name: str) -> None:
        """Law 1: read and written at its own version, a state is what it was; nothing is lost."""
        recorded = corpus.load(name)
        converted = transfer.convert(state(name), dialect=DIALECT.name, version=recorded[KEY])
        assert equal(json.loads(converted.data), recorded)
        assert converted.losses == ()

    @pytest.mark.parametrize("name", NAMES)
    def test_equal_through_native(self, name: str) -> None:
        """The native document keeps all of it too; secrets never enter it."""
        recorded = corpus.load(name)
        back = evolve(hitl.loads(hitl.dumps(state(name))), secrets=state(name).secrets)
        assert equal(written(_with_secrets(back, state(name)), recorded[KEY]), recorded)


def _with_secrets(back: RunState, before: RunState) -> RunState:
    """Put the secrets of runs inside back, as a live agent would."""
    if back.processed is None or before.processed is None:
        return back
    calls = tuple(
        now
        if now.run is None or then.run is None
        else evolve(now, run=evolve(now.run, secrets=then.run.secrets))
        for now, then in zip(back.processed.calls, before.processed.calls, strict=True)
    )
    return evolve(back, processed=evolve(back.processed, calls=calls))


class TestUpAndDown:
    @pytest.mark.parametrize("name", NAMES)
    def test_each_step_is_of_its_version(self, name: str) -> None:
        """Law 2: every step up lands on its schema; down again gives the document back."""
        recorded = corpus.load(name)
        version = recorded[KEY]
        document = recorded
        for revision in CHAIN.revisions[CHAIN.index(version) + 1 :]:
            document = revision.upgrade(document)
            validator(revision.version).validate(document)
        assert labels(document) == {CHAIN.newest}
        assert equal(CHAIN.downgrade(document, version), recorded)
        assert CHAIN.losses(document, version) == ()

    @pytest.mark.parametrize("name", NAMES)
    def test_up_changes_the_label_only(self, name: str) -> None:
        """What an older writer left out stays left out."""
        recorded = corpus.load(name)
        upgraded = CHAIN.upgrade(recorded, recorded[KEY])
        changed = {change.path.rpartition("/")[2] for change in documents.diff(recorded, upgraded)}
        assert changed <= {KEY}

    @pytest.mark.parametrize("name", NEWEST)
    def test_down_lands_on_each_schema(self, name: str) -> None:
        """A state of the newest version is, at each label, one that could be of that label."""
        recorded = corpus.load(name)
        before = copy.deepcopy(recorded)
        document = recorded
        for revision in reversed(CHAIN.revisions):
            validator(revision.version).validate(document)
            assert labels(document) == {revision.version}
            document = revision.downgrade(document)
        assert recorded == before, "the caller's document was edited"


class TestLabels:
    @pytest.mark.parametrize("version", sorted(set(CHAIN.versions) - set(losses.RELEASED)))
    def test_never_released(self, version: str) -> None:
        """A label that git main once wrote is read and written like the others."""
        document = written(state(f"{FOLDER}/0.24.0/plain"), version)
        assert document[KEY] == version
        assert equal(written(hitl.loads(json.dumps(document)), version), document)

    def test_all_known(self) -> None:
        """22 versions without a gap, in the order of their links."""
        assert CHAIN.versions == tuple(f"1.{minor}" for minor in range(22))

    @pytest.mark.parametrize("version", ["2.0", "0.9", "1.021", "1", "", " 1.21", "1.21 "])
    def test_another_major(self, version: str) -> None:
        """What is no version of this dialect is refused, not guessed."""
        with pytest.raises(UnsupportedVersion) as caught:
            hitl.loads(json.dumps(run(**{KEY: version})))
        assert caught.value.path == f"/{KEY}"

    @pytest.mark.parametrize("name", ["plain", "nested", "approved"])
    def test_a_newer_minor(self, name: str) -> None:
        """A newer version is kept word for word, flagged, and written back at its own only."""
        text = json.dumps(corpus.load(f"{FOLDER}/0.24.0/{name}"))
        document = json.loads(text.replace(f'"{CHAIN.newest}"', '"1.99"'))
        document["new_section"] = {"of": [1, None]}
        newer = hitl.loads(json.dumps(document))
        assert newer.newer is not None
        assert equal(json.loads(hitl.dumps(newer, dialect=DIALECT.name)), document)
        with pytest.raises(LossError):
            hitl.dumps(newer, dialect=DIALECT.name, version="1.13")

    def test_a_run_inside_of_another_label(self) -> None:
        """A run inside has the version of the run around it, or the document is refused."""
        document = corpus.load(f"{FOLDER}/0.19.0/nested")
        function = document["last_processed_response"]["functions"][0]
        function["agent_run_state"][KEY] = CHAIN.newest
        with pytest.raises(InvalidDocument) as caught:
            hitl.loads(json.dumps(document))
        assert caught.value.path is not None
        assert caught.value.path.endswith(f"/agent_run_state/{KEY}")

    def test_unknown_target(self) -> None:
        """Nothing is written under a label nobody knows."""
        with pytest.raises(UnsupportedVersion):
            hitl.dumps(state(f"{FOLDER}/0.24.0/plain"), dialect=DIALECT.name, version="1.99")


def test_count(capsys: pytest.CaptureFixture[str]) -> None:
    """Every recorded state of every release stands in the laws above; none is skipped."""
    counted = Counter(corpus.load(name)[KEY] for name in NAMES)
    with capsys.disabled():
        sys.stdout.write(
            f"\nread, written, up and down: {len(NAMES)} states of {len(counted)} labels\n  "
            + ", ".join(f"{label}: {counted[label]}" for label in CHAIN.versions if counted[label])
            + f"\nrolled back to {len(losses.RELEASED)} released labels: {len(NEWEST)} states\n"
        )
    assert set(counted) == set(losses.RELEASED)
    assert len(NAMES) == len(OLDER) + len(NEWEST) == 552
    assert len(RELEASES) == 23
