"""Schemas: generated, committed, frozen; every document fits, and a newer key does not."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import hitl
from hitl import transfer
from hitl.testing import schemas
from hitl.testing.mutation import places
from tests.agents import corpus

FOLDER = Path(__file__).parents[1] / "schemas"
HINT = "meant, and not released yet? python -m hitl.testing.schemas --write --freeze"
SCHEMA = json.loads(schemas.file(FOLDER).read_text(encoding="utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)


def native(name: str) -> Any:  # noqa: ANN401 - JSON
    """The native document of a recorded state."""
    return json.loads(hitl.dumps(hitl.loads(corpus.read(name))))


def full() -> Any:  # noqa: ANN401 - JSON
    """Every section and every kind of entry, from as few recorded states as will do."""
    found: dict[str, Any] = {}
    for name in corpus.names():
        for key, value in native(name).items():
            found.setdefault(key, value)
    return found


class TestFile:
    def test_generated(self) -> None:
        """The committed schema is what the model's classes say."""
        assert schemas.file(FOLDER).read_text(encoding="utf-8") == schemas.text(), HINT

    def test_frozen(self) -> None:
        """No committed schema has changed since its digest was taken, and none lacks one."""
        files = sorted((FOLDER / "native").glob("*.json"))
        assert {path.name: schemas.digest(path) for path in files} == schemas.frozen(FOLDER), HINT

    def test_is_a_schema(self) -> None:
        """It is JSON Schema 2020-12, named by a URN with the chain's newest version."""
        Draft202012Validator.check_schema(SCHEMA)
        assert (
            SCHEMA["$id"] == f"urn:hitl:schema:native:{transfer.dialects()['native'].chain.newest}"
        )

    def test_command(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """The command prints, writes and freezes."""
        assert schemas.main([], tmp_path) == 0
        assert capsys.readouterr().out == schemas.text()
        assert schemas.main(["--write", "--freeze"], tmp_path) == 0
        path = schemas.file(tmp_path)
        assert schemas.frozen(tmp_path) == {path.name: schemas.digest(path)}


class TestFits:
    @pytest.mark.parametrize("name", corpus.names())
    def test_recorded(self, name: str) -> None:
        """The native document of every recorded state is valid."""
        assert [error.json_path for error in VALIDATOR.iter_errors(native(name))] == []

    def test_decided(self) -> None:
        """So is one with decisions."""
        state = hitl.loads(corpus.read("cross/py-0.24.0/parallel"))
        decided = state.approve("call_1", by="ana").reject("call_2", message="no", always=True)
        VALIDATOR.validate(json.loads(hitl.dumps(decided)))


def owned(schema: Any, value: Any, parts: tuple[Any, ...] = ()) -> set[tuple[Any, ...]]:  # noqa: ANN401
    """Every place of `value` whose object hitl owns: its schema names the keys."""
    for each in [schema, *schema.get("anyOf", ())] if isinstance(schema, dict) else []:
        found = SCHEMA if each.get("$ref") == "#" else each
        if str(each.get("$ref", "")).startswith("#/$defs/"):
            found = SCHEMA["$defs"][each["$ref"].rpartition("/")[2]]
        if isinstance(value, dict) and "properties" in found:
            inside = [
                owned(found["properties"].get(k, {}), v, (*parts, k)) for k, v in value.items()
            ]
            return {parts}.union(*inside)
        more = found.get("additionalProperties")
        if isinstance(value, dict) and isinstance(more, dict) and more:
            return set().union(*(owned(more, v, (*parts, k)) for k, v in value.items()))
        if isinstance(value, list) and "items" in found and found["items"]:
            return set().union(
                *(owned(found["items"], v, (*parts, i)) for i, v in enumerate(value))
            )
    return set()


class TestClosed:
    def test_newer_key(self, capsys: pytest.CaptureFixture[str]) -> None:
        """One unknown key in any object that hitl owns is refused: by the schema and by loading."""
        given = full()
        found = owned(SCHEMA, given)
        for parts in found:
            changed = copy.deepcopy(given)
            holder = changed
            for part in parts:
                holder = holder[part]
            holder["unheard_of"] = None
            assert not VALIDATOR.is_valid(changed), parts
            (problem,) = hitl.check(changed).problems or (None,)
            assert problem is not None, parts
        with capsys.disabled():
            print(f"\nclosed objects of a native document: {len(found)}")  # noqa: T201
        assert len(found) > 20

    def test_open(self) -> None:
        """What the SDK, a provider or an app says is open."""
        given = native("cross/py-0.24.0/parallel")
        for parts, value in list(places(given, 9)):
            if isinstance(value, dict) and {"raw", "extra", "tool", "data"} & set(parts):
                value["unheard_of"] = 1
        VALIDATOR.validate(given)

    @pytest.mark.parametrize("key", sorted(SCHEMA["properties"]))
    def test_wrong_type(self, key: str) -> None:
        """Every section has a type."""
        given = native("cross/py-0.24.0/parallel") | {key: 1.5}
        assert not VALIDATOR.is_valid(given)
