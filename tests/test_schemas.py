"""JSON Schema of every version: generated, frozen, true of what releases wrote, not too wide."""

from __future__ import annotations

import copy
import hashlib
import sys
from functools import cache
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from hitl.dialects.openai_python import DIALECT
from hitl.dialects.openai_python.shape import SHAPE
from hitl.errors import UnsupportedVersion
from tests import schemas
from tests.agents import corpus
from tests.schemas import validator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.document import JSONObject
    from hitl.revision import Added

VERSIONS = DIALECT.chain.versions
NAMES = corpus.every()
OPEN = {"Trace"}  # apps put keys of their own there


def added_after(version: str) -> Iterator[Added]:
    """What later versions added."""
    for revision in DIALECT.chain.revisions[DIALECT.chain.index(version) + 1 :]:
        yield from revision.added


@cache
def recorded_value(place: str, key: str) -> object:
    """What a release wrote there: a value that the key's own schema takes."""
    for document in map(corpus.load, corpus.names()):
        for _, run in SHAPE.runs(document):
            for _, found in SHAPE.find(run, place):
                if found.get(key) is not None:
                    return found[key]
    return None


def with_key(document: JSONObject, added: Added) -> JSONObject | None:
    """The document with the key in the first object of its place; None without such an object."""
    changed = copy.deepcopy(document)
    for _, run in SHAPE.runs(changed):
        for _, found in SHAPE.find(run, added.place):
            if added.key not in found:
                found[added.key] = recorded_value(added.place, added.key)
                return changed
    return None


class TestCommitted:
    @pytest.mark.parametrize("version", VERSIONS)
    def test_regenerated(self, version: str) -> None:
        """What the code gives is what is committed: `python -m tests.schemas --write`."""
        assert schemas.path(version).read_bytes() == schemas.render(version)

    @pytest.mark.parametrize("version", VERSIONS)
    def test_frozen(self, version: str) -> None:
        """A committed schema does not change any more."""
        path = schemas.path(version)
        assert schemas.frozen()[path.name] == hashlib.sha256(path.read_bytes()).hexdigest()

    def test_nothing_else(self) -> None:
        """Every file in the folder is the schema of a version."""
        files = {path.name for path in schemas.FOLDER.iterdir()}
        assert files == {*(schemas.path(version).name for version in VERSIONS), "SHA256SUMS"}
        assert [*schemas.frozen()] == [schemas.path(version).name for version in VERSIONS]

    @pytest.mark.parametrize("version", VERSIONS)
    def test_is_a_schema(self, version: str) -> None:
        """Each is JSON Schema 2020-12, with a name of its own and no address to fetch."""
        schema = DIALECT.schema(version)
        Draft202012Validator.check_schema(schema)
        assert schema["$id"] == f"urn:hitl:schema:{DIALECT.name}:{version}"

    def test_unknown_version(self) -> None:
        """A version that nobody wrote has no schema."""
        with pytest.raises(UnsupportedVersion):
            DIALECT.schema("1.99")


class TestRecorded:
    @pytest.mark.parametrize("name", NAMES)
    def test_valid(self, name: str) -> None:
        """Every recorded state is what the schema of its version says."""
        document = corpus.load(name)
        validator(document["$schemaVersion"]).validate(document)

    @pytest.mark.parametrize("name", NAMES)
    def test_a_newer_key_is_rejected(self, name: str) -> None:
        """One key that a later version added makes the state a state of no older version."""
        document = corpus.load(name)
        version = document["$schemaVersion"]
        for added in added_after(version):
            changed = None if added.changed else with_key(document, added)
            if changed is not None and added.place not in OPEN:
                assert not validator(version).is_valid(changed), f"{added.place}.{added.key}"

    @pytest.mark.parametrize("name", NAMES)
    def test_a_key_of_nobody_is_rejected(self, name: str) -> None:
        """Objects of the SDK are closed, in a run and in the runs inside it."""
        document = corpus.load(name)
        for index, _ in enumerate(SHAPE.runs(document)):
            changed = copy.deepcopy(document)
            _, run = list(SHAPE.runs(changed))[index]
            run["nobody"] = 1
            assert not validator(document["$schemaVersion"]).is_valid(changed)

    def test_each_newer_key_was_tried(self) -> None:
        """No addition went untried: each version's key was put into a state of the one before."""
        tried = {
            (added.place, added.key)
            for document in map(corpus.load, NAMES)
            for added in added_after(document["$schemaVersion"])
            if not added.changed and with_key(document, added) is not None
        }
        # These objects are themselves newer; no older state has one.
        newer = {"SessionWrite"}
        declared = {
            (added.place, added.key)
            for added in added_after(VERSIONS[0])
            if not added.changed and added.place not in newer | OPEN
        }
        assert declared <= tried

    @pytest.mark.parametrize(
        ("key", "value", "since"),
        [
            ("max_turns", None, "1.10"),
            ("current_step", {"type": "next_step_run_again"}, "1.15"),
        ],
    )
    def test_a_newer_value_is_rejected(self, key: str, value: object, since: str) -> None:
        """A value that a later version allows is no value of an older one."""
        for name in NAMES:
            document = {**corpus.load(name), key: value}
            version = document["$schemaVersion"]
            known = VERSIONS.index(version) >= VERSIONS.index(since)
            assert validator(version).is_valid(document) == known, name

    def test_newer_keys_inside_a_session_write(self) -> None:
        """A write that waits has the four keys of its first version there, and no other."""
        document = corpus.load("openai-agents-python/hitl/turns_session_acknowledged")
        for version in ("1.17", "1.18", "1.19"):
            lower = DIALECT.chain.downgrade(document, version)
            assert validator(version).is_valid(lower)
            for added in added_after(version):
                if added.place == "SessionWrite":
                    changed = with_key(lower, added)
                    assert changed is not None
                    assert not validator(version).is_valid(changed)

    def test_open_where_others_write(self) -> None:
        """Raw items and usage details get keys without a version."""
        for name in NAMES:
            document = corpus.load(name)
            usage = document["context"]["usage"]["input_tokens_details"][0]
            usage["new_detail"] = {"of": 1}
            for item in document["generated_items"]:
                item["raw_item"]["new_field"] = [1]
            validator(document["$schemaVersion"]).validate(document)

    def test_count(self, capsys: pytest.CaptureFixture[str]) -> None:
        """Every recorded state stands in the tests above."""
        with capsys.disabled():
            sys.stdout.write(f"\nvalid, and rejected with a newer key: {len(NAMES)} states\n")
        assert len(NAMES) == 552
