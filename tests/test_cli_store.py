"""The command line on stored runs."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

import hitl
from hitl.runtime.durable.packed import Note, pack
from hitl.store import Save
from hitl.testing.stores.bench import OTHER_SHA256, SHA256, asks, pause, start
from tests.agents import corpus
from tests.test_cli import invoke, said

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from hitl.store import Store, Stored

HOSTILE = "\x1b[2J\u202eevil"


def on(url: str, work: Callable[[Store], Awaitable[object]]) -> object:
    """Do something in the store."""

    async def done() -> object:
        async with hitl.connect(url) as store:
            return await work(store)

    return asyncio.run(done())


def load(url: str, run_id: str) -> Stored:
    """Give a stored run."""
    return on(url, lambda store: store.load(run_id))  # type: ignore[return-value]


async def furnish(store: Store) -> None:
    """Make a run that waits, one in doubt and one that is finished."""
    claim = await store.create("waits", b"", worker="w", lease_s=60)
    body = json.dumps({"kind": "function_call", "arguments": HOSTILE, "raw": {}}).encode()
    await pause(store, claim, asks("one", body=body), asks("outer/two"))
    claim = await store.create("doubted", b"", worker="w", lease_s=60)
    await start(store, claim, "call")
    await store.release(claim, reason="error", note="ModelError")
    claim = await store.create("ended", b"", worker="w", lease_s=60)
    await store.save(claim, Save(event="finish", head=b"", base=0))


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Give the URL of a store with runs."""
    url = f"sqlite:///{tmp_path}/runs.db"
    on(url, furnish)
    return url


class TestRuns:
    def test_list(self, url: str) -> None:
        """Runs are listed oldest first, with why they stopped."""
        lines = invoke("runs", "--store", url).stdout.splitlines()
        assert [line.split()[:2] for line in lines] == [
            ["waits", "waiting"],
            ["doubted", "in_doubt"],
            ["ended", "finished"],
        ]

    def test_pages_and_status(self, url: str) -> None:
        """A page goes on behind a run; a status leaves the others out."""
        page = said("runs", "--store", url, "--after", "waits", "--limit", "1")["runs"]
        assert [run["run"] for run in page] == ["doubted"]
        found = said("runs", "--store", url, "--status", "finished")["runs"]
        assert [run["run"] for run in found] == ["ended"]

    def test_needs_a_store(self) -> None:
        """Without --store it is wrong usage; so is a URL no store answers to refused."""
        invoke("runs", code=2)
        assert said("runs", "--store", "ftp://x", code=1)["error"]["code"] == "value"


class TestShow:
    def test_safe(self, url: str) -> None:
        """What a person sees passes safe_display; the digest to decide by stands beside it."""
        shown = invoke("show", "waits", "--store", url).stdout
        assert "\x1b" not in shown
        assert "\u202e" not in shown
        assert r"\x1b[2J\u202eevil" in shown
        assert SHA256 in shown

    def test_json(self, url: str) -> None:
        """Programs get the requests and effects, never a result."""
        found = said("show", "waits", "--store", url)
        assert [each["call"] for each in found["requests"]] == ["one", "outer/two"]
        assert found["requests"][0]["arguments"] == HOSTILE
        effect = said("show", "doubted", "--store", url)["effects"][0]
        assert (effect["call"], effect["state"], "result" in effect) == ("call", "in_doubt", False)

    def test_marks(self, url: str) -> None:
        """Calls and requests that started are shown; what only workers read is not."""

        async def begin(store: Store) -> None:
            claim = await store.create("noted", b"{}", worker="w", lease_s=60)
            for name in ("call", "~request:1", "~session:1", "~said:1.1"):
                await store.start(claim, name, tool="t", arguments_sha256=SHA256)

        on(url, begin)
        shown = invoke("show", "noted", "--store", url).stdout
        started = shown.partition("that started\n")[2].splitlines()
        assert [line.split()[0] for line in started] == ["call", "~request:1"]

    def test_unknown(self, url: str) -> None:
        """A run that is not there is refused."""
        assert said("show", "none", "--store", url, code=1)["error"]["code"] == "unknown-run"


class TestDecide:
    def test_approve_and_reject(self, url: str) -> None:
        """The verdicts are in the store, with who and why; the last one makes the run ready."""
        invoke("approve", "waits", "one", "--store", url, "--by", "ana", "--reason", "fine")
        found = said("reject", "waits", "two", "--store", url, "--message", "no", "--always")
        assert (found["status"], found["waiting"]) == ("ready", 0)
        one, two = (each.verdict for each in load(url, "waits").requests)
        assert one == hitl.approve(by="ana", reason="fine")
        assert two == hitl.reject(message="no", always=True)

    def test_sha(self, url: str) -> None:
        """With --sha, other arguments than were shown are refused; the digest is kept."""
        other = said("approve", "waits", "one", "--store", url, "--sha", OTHER_SHA256, code=1)
        assert other["error"]["code"] == "arguments-changed"
        invoke("approve", "waits", "one", "--store", url, "--sha", SHA256)
        verdict = load(url, "waits").requests[0].verdict
        assert verdict is not None
        assert verdict.arguments_sha256 == SHA256

    def test_second_is_told(self, url: str) -> None:
        """Who comes second is told who was first."""
        invoke("approve", "waits", "one", "--store", url, "--by", "ana")
        told = invoke("reject", "waits", "one", "--store", url, code=1).stderr
        assert "approved by ana" in told

    def test_wrong_usage(self, url: str, tmp_path: Path) -> None:
        """OUT is for files, --sha for stores."""
        invoke("approve", "waits", "one", "--store", url, "-o", tmp_path / "out", code=2)
        file = tmp_path / "state.json"
        file.write_text("{}")
        invoke("approve", file, "one", "--sha", SHA256, code=2)


class TestReconcile:
    def test_happened(self, url: str) -> None:
        """What happened is recorded as the runtime records what a tool gave."""
        found = said("reconcile", "doubted", "call", "--store", url, "--happened", "paid")
        assert found["status"] == "stopped"
        effect = load(url, "doubted").effects[0]
        assert (effect.state, effect.result) == ("finished", b'{"value":"paid"}')

    def test_rerun_and_abandon(self, url: str) -> None:
        """A call is run again, or the run is given up."""
        invoke("reconcile", "doubted", "call", "--store", url, "--rerun")
        assert load(url, "doubted").effects[0].state == "rerun"
        missing = said("reconcile", "doubted", "call", "--store", url, "--abandon", code=1)
        assert missing["error"]["code"] == "unknown-call"

    def test_one_answer(self, url: str) -> None:
        """No answer, or two, is wrong usage."""
        invoke("reconcile", "doubted", "call", "--store", url, code=2)
        both = ("--rerun", "--happened", "")
        invoke("reconcile", "doubted", "call", "--store", url, *both, code=2)


class TestEnd:
    def test_cancel(self, url: str) -> None:
        """A run that rests is given up, once."""
        found = said("cancel", "waits", "--store", url, "--note", "too late")
        assert (found["status"], found["note"]) == ("cancelled", "too late")
        assert said("cancel", "waits", "--store", url, code=1)["error"]["code"] == "not-claimable"

    def test_prune(self, url: str) -> None:
        """What ended long enough ago is deleted; the age needs a unit."""
        assert said("prune", "--store", url, "--older-than", "1d") == {"deleted": 0}
        assert said("prune", "--store", url, "--older-than", "0s") == {"deleted": 1}
        invoke("prune", "--store", url, "--older-than", "30", code=2)
        assert said("show", "ended", "--store", url, code=1)["error"]["code"] == "unknown-run"


class TestCheck:
    def test_what_a_deploy_breaks(self, tmp_path: Path) -> None:
        """Of every stored run that has not ended: what becomes of it, and where it may go."""
        url = f"sqlite:///{tmp_path}/check.db"
        names = {"new": "0.24.0/plain", "lost": "0.9.0/nested", "always": "0.22.3/always"}

        async def furnished(store: Store) -> None:
            for run_id, name in names.items():
                state = hitl.loads(corpus.read(f"openai-agents-python/{name}"))
                packed = pack(state, Note(), 0)
                claim = await store.create(run_id, b"", worker="w", lease_s=60)
                await store.save(
                    claim, Save(event="stop", head=packed.head, base=0, new=packed.new)
                )
            claim = await store.create("ended", b"", worker="w", lease_s=60)
            await store.save(claim, Save(event="finish", head=b"", base=0))

        on(url, furnished)
        report = said("check", "--store", url, code=1)
        found = {row["file"]: row["fate"] for row in report["files"]}
        assert found == {"new": "goes on", "lost": "broken", "always": "asks again"}
        back = said("check", "--store", url, "--for", "openai-agents-python@1.13", code=1)
        fates = {row["file"]: row["fate"] for row in back["files"]}
        assert fates["new"] == "goes on"

    def test_one_or_the_other(self, url: str) -> None:
        """A file or a store."""
        invoke("check", code=2)
        invoke("check", "--store", url, code=1)  # its heads are no checkpoints of hitl.run
