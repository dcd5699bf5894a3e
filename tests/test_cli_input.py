"""`hitl add-input` and `hitl clear-input`, on files and on stored runs."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

import hitl
from hitl.runtime.durable.packed import unpack
from tests.conversation.durable import RUN, Stage, waiting
from tests.conversation.server import called, replied
from tests.test_cli import invoke, said

if TYPE_CHECKING:
    from pathlib import Path

    from hitl.model import RunState

HOSTILE = "\x1b[2J\u202eevil"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A store with a run that waits."""
    url = f"sqlite:///{tmp_path}/runs.db"

    async def furnish() -> None:
        async with hitl.connect(url) as store:
            await Stage(store, "plain", [called("1")], [replied("end")]).step()

    asyncio.run(furnish())
    return url


def state(url: str) -> RunState:
    """The stored run."""

    async def load() -> RunState:
        async with hitl.connect(url) as store:
            return unpack(await store.load(RUN))[0]

    return asyncio.run(load())


@pytest.fixture(params=["native", "openai-agents-python", "openai-agents-js"])
def file(request: pytest.FixtureRequest, tmp_path: Path, url: str) -> Path:
    """A paused run in a file."""
    path = tmp_path / "paused.json"
    path.write_bytes(hitl.dumps(state(url), dialect=request.param, allow_loss=True))
    return path


class TestFile:
    def test_added(self, file: Path, tmp_path: Path) -> None:
        """The changed state goes to OUT in its own format; FILE stays as it was."""
        before, out = file.read_bytes(), tmp_path / "out.json"
        for source, text in ((file, "one"), (out, "two")):
            target = tmp_path / f"{text}.json"
            invoke("add-input", str(source), text, "-o", str(target))
            out.write_bytes(target.read_bytes())
        assert file.read_bytes() == before
        assert waiting(hitl.loads(out.read_bytes())) == ["one", "two"]
        assert hitl.check(out.read_bytes()).dialect == hitl.check(before).dialect
        assert "user: one" in invoke("show", str(out)).stdout

    def test_cleared(self, file: Path, tmp_path: Path) -> None:
        """What was staged is taken back."""
        added, cleared = tmp_path / "added.json", tmp_path / "cleared.json"
        invoke("add-input", str(file), "one", "-o", str(added))
        facts = said("clear-input", str(added), "-o", str(cleared))
        assert facts["pending_input"] == 0
        assert waiting(hitl.loads(cleared.read_bytes())) == []

    def test_cannot_be_held(self, url: str, tmp_path: Path) -> None:
        """A label from before staged input does not hold it: refused, with the place."""
        old = tmp_path / "old.json"
        data = hitl.dumps(
            state(url), dialect="openai-agents-python", version="1.10", allow_loss=True
        )
        old.write_bytes(data)
        result = invoke("add-input", str(old), "one", "--json", code=1)
        error: Any = json.loads(result.stdout)["error"]
        assert error["code"] == "loss"
        assert [each["path"] for each in error["losses"]] == ["/pending_input"]

    def test_by(self, file: Path) -> None:
        """A file does not record who says it, so `--by` is wrong there."""
        result = invoke("add-input", str(file), "one", "--by", "ana", code=2)
        assert "--store" in result.stderr


class TestStored:
    def test_added(self, url: str) -> None:
        """It is staged in the store, and shown there with who said it; the run waits on."""
        result = invoke("add-input", RUN, "one", "--by", "ana", "--store", url)
        assert "is waiting" in result.stderr
        assert waiting(state(url)) == ["one"]
        shown = invoke("show", RUN, "--store", url).stdout
        assert "user: one" in shown
        assert "ana at" in shown

    def test_cleared(self, url: str) -> None:
        """Taken back; `--json` says how many are left."""
        invoke("add-input", RUN, "one", "--store", url)
        facts = said("clear-input", RUN, "--store", url)
        assert facts == {"run": RUN, "status": "waiting", "pending_input": 0}
        assert waiting(state(url)) == []

    def test_safe(self, url: str) -> None:
        """What somebody said reaches a terminal escaped."""
        invoke("add-input", RUN, HOSTILE, "--by", HOSTILE, "--store", url)
        shown = invoke("show", RUN, "--store", url).stdout
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        facts: Any = said("show", RUN, "--store", url)
        assert facts["pending_input"] == [{"role": "user", "content": HOSTILE}]

    def test_refused(self, url: str) -> None:
        """A refusal is one line with the reason's code, and exit code 1."""

        async def end() -> None:
            async with hitl.connect(url) as store:
                await store.cancel(RUN)

        asyncio.run(end())
        result = invoke("add-input", RUN, "one", "--store", url, "--json", code=1)
        assert json.loads(result.stdout)["error"]["code"] == "input-refused"

    def test_out(self, url: str) -> None:
        """OUT is for files."""
        result = invoke("add-input", RUN, "one", "--store", url, "-o", "x.json", code=2)
        assert "OUT is for files" in result.stderr


def test_no_turn_limit(url: str) -> None:
    """`hitl resume` takes one of `--max-turns` and `--no-turn-limit`."""
    given = ["resume", RUN, "--store", url, "--agent", "json:dumps"]
    result = invoke(*given, "--max-turns", "3", "--no-turn-limit", code=2)
    assert "say one of" in result.stderr
