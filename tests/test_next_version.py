"""A new version of the SDK's format is one module in one folder."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

import hitl
from hitl import transfer
from hitl.dialects.openai_python import DIALECT, OpenAIPython, versions
from hitl.document import equal
from hitl.revision import Chain
from tests.agents import corpus
from tests.test_versions import NAMES, run, written

if TYPE_CHECKING:
    from hitl.document import JSONObject
    from hitl.revision import Revision

CHAIN = DIALECT.chain
KEY = "$schemaVersion"

NEXT = '''
"""Schema 1.22: made up."""

from hitl.schema import TEXT
from hitl.dialects.openai_python.shape import SHAPE
from hitl.revision import Added

ADDED = (
    Added(place="Item", key="mood", schema=TEXT, severity="info", reason="the mood is lost"),
    Added(place="Run", key="generated_prompt_cache_key", schema={"type": "object"}, changed=True),
)


def downgrade(run):
    given = run.get("generated_prompt_cache_key")
    key = given["key"] if isinstance(given, dict) else given
    return {**run, "generated_prompt_cache_key": key}


REVISION = SHAPE.revision(version="1.22", parent="1.21", summary="moods", source="a test",
                          added=ADDED, downgrade=downgrade)
'''


SCRIPT = """
import asyncio, json, sys
import hitl
from agents import Agent, function_tool
from hitl.dialects.openai_python import DIALECT

document = json.load(sys.stdin)
state = hitl.loads(json.dumps(document))
written = json.loads(hitl.dumps(state, dialect=DIALECT.name))

@function_tool(needs_approval=True)
def delete_file(path: str) -> str:
    return path

live = asyncio.run(hitl.restore(Agent(name="ops", tools=[delete_file]), state))
lower = hitl.convert(state, dialect=DIALECT.name, version="1.21")
print(json.dumps({
    "file": hitl.__file__,
    "newest": DIALECT.chain.newest,
    "equal": written == document,
    "lost": sorted({loss.reason for loss in lower.losses}),
    "schema": "mood" in DIALECT.schema("1.22")["$defs"]["Item"]["properties"],
    "waiting": [item.name for item in live.get_interruptions()],
}))
"""


class TestOneFolder:
    """The same, with nothing but a file put into a copy of hitl; git says what was touched."""

    @pytest.fixture
    def copied(self, tmp_path: Path) -> Path:
        """A copy of hitl with the made-up version in its folder."""
        kept = shutil.ignore_patterns("__pycache__")
        copied = shutil.copytree(Path(hitl.__file__).parent, tmp_path / "hitl", ignore=kept)
        home = copied / "dialects" / "openai_python" / "versions"
        (home / "v1_22.py").write_text(NEXT, encoding="utf-8")
        return copied

    def test_touched(self, copied: Path, tmp_path: Path) -> None:
        """A new key and a changed one are one new file in one folder."""
        before = tmp_path / "before"
        kept = shutil.ignore_patterns("__pycache__")
        shutil.copytree(Path(hitl.__file__).parent, before, ignore=kept)
        done = subprocess.run(
            ["git", "diff", "--no-index", "--name-status", "before", copied.name],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout.split() == ["A", "hitl/dialects/openai_python/versions/v1_22.py"]

    def test_works(self, copied: Path) -> None:
        """Read, written, converted down, in the schema, and resumed on an SDK that is older."""
        document = corpus.load("openai-agents-python/0.24.0/approved") | {KEY: "1.22"}
        document["generated_prompt_cache_key"] = {"key": "k1"}
        for item in document["generated_items"]:
            item["mood"] = "calm"
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            input=json.dumps(document),
            env=os.environ | {"PYTHONPATH": str(copied.parent)},
            cwd=copied.parent,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {
            "file": str(copied / "__init__.py"),
            "newest": "1.22",
            "equal": True,
            "lost": ["the mood is lost"],
            "schema": True,
            "waiting": ["delete_file"],
        }


class TestNextVersion:
    """A new version is one module in one folder; the rest of the code is what is installed."""

    @pytest.fixture
    def later(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenAIPython:
        """The dialect of a hitl whose folder of versions has one module more."""
        folder = tmp_path / "later_versions"
        shutil.copytree(Path(versions.__path__[0]), folder)
        (folder / "v1_22.py").write_text(NEXT, encoding="utf-8")
        monkeypatch.syspath_prepend(str(tmp_path))
        revisions: tuple[Revision, ...] = importlib.import_module("later_versions").REVISIONS
        dialect = OpenAIPython()
        monkeypatch.setattr(OpenAIPython, "chain", Chain(DIALECT.name, revisions))
        return dialect

    def document(self) -> JSONObject:
        """A state of the made-up version."""
        document = run(generated_prompt_cache_key={"key": "k1"}, **{KEY: "1.22"})
        for item in document["generated_items"]:
            item["mood"] = "calm"
        return document

    @pytest.mark.usefixtures("later")
    def test_read_and_written(self) -> None:
        """The new version is the newest, read and written exactly, and has a schema."""
        document = self.document()
        newest = hitl.loads(json.dumps(document))
        assert newest.newer is None
        assert equal(written(newest, "1.22"), document)

    def test_schema(self, later: OpenAIPython) -> None:
        """Its schema has the new key; no other schema changes."""
        newest = Draft202012Validator(later.schema("1.22"))
        newest.validate(self.document())
        assert later.schema("1.22")["$defs"]["Item"]["properties"]["mood"] == {"type": "string"}
        assert all(later.schema(version) == DIALECT.schema(version) for version in CHAIN.versions)
        assert "mood" not in later.schema("1.21")["$defs"]["Item"]["properties"]

    @pytest.mark.usefixtures("later")
    def test_down(self) -> None:
        """On the way down the new key goes, and is named; the changed one is rewritten."""
        newest = hitl.loads(json.dumps(self.document()))
        lower = written(newest, "1.21")
        assert lower["generated_prompt_cache_key"] == "k1"
        assert "mood" not in json.dumps(lower)
        lost = transfer.losses_for(newest, DIALECT.name, "1.21")
        assert {loss.reason for loss in lost} == {"the mood is lost"}

    @pytest.mark.usefixtures("later")
    def test_older_states_stay_equal(self) -> None:
        """Law 1 holds for what was there before."""
        for name in NAMES[::20]:
            recorded = corpus.load(name)
            assert equal(written(hitl.loads(corpus.read(name)), recorded[KEY]), recorded), name
