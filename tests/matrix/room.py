"""A virtual environment of one release, made from nothing: Python and pip with their own index."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.matrix.releases import ROOT, installed, requirements

CACHE = "HITL_MATRIX_CACHE"
_INSTALL_TIMEOUT_S = 900
_WORK_TIMEOUT_S = 900
_DONE = "complete"


class RoomError(Exception):
    """A release could not be installed, or its worker failed."""


def cache() -> Path:
    """Where the environments stay: the folder that HITL_MATRIX_CACHE names, or the user's cache."""
    given = os.environ.get(CACHE)
    if given:
        return Path(given)
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "hitl" / "matrix"


def python(release: str) -> Path:
    """The interpreter of a release's environment, which is made if it is not there.

    Raises:
        RoomError: pip could not install the release.
    """
    if release == installed():
        return Path(sys.executable)
    wanted = requirements(release)
    mark = hashlib.sha256(repr((wanted, sys.version)).encode()).hexdigest()[:12]
    room = cache() / f"{release}-{mark}"
    room.parent.mkdir(parents=True, exist_ok=True)
    with (room.parent / f"{room.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (room / _DONE).exists():
            shutil.rmtree(room, ignore_errors=True)
            _make(room, wanted)
            (room / _DONE).write_text("\n".join(wanted), encoding="utf-8")
    return room / "bin" / "python"


def _make(room: Path, wanted: tuple[str, ...]) -> None:
    own = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
    env = {key: value for key, value in os.environ.items() if key not in own}
    steps = [
        [sys.executable, "-m", "venv", str(room)],
        [str(room / "bin" / "python"), "-m", "pip", "install", "--quiet", *wanted],
    ]
    for step in steps:
        done = subprocess.run(
            step, capture_output=True, text=True, env=env, timeout=_INSTALL_TIMEOUT_S, check=False
        )
        if done.returncode != 0:
            errors = [line for line in done.stderr.splitlines() if not line.startswith("WARNING")]
            raise RoomError(f"cannot install {', '.join(wanted)}: {' '.join(errors)[-600:]}")


def work(release: str, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Do jobs on a release; see `tests.matrix.worker`.

    Raises:
        RoomError: the release cannot be installed, or the worker failed.
    """
    outcomes: list[dict[str, Any]] = run(release, "tests.matrix.worker", jobs)
    return outcomes


def run(release: str, module: str, given: object = None) -> Any:  # noqa: ANN401 - JSON
    """Run a module on a release: JSON in, JSON out.

    Raises:
        RoomError: the release cannot be installed, or the module failed.
    """
    kept = ("HOME", "PATH", "LANG", "TMPDIR", "SSL_CERT_FILE")
    env = {key: os.environ[key] for key in kept if key in os.environ}
    done = subprocess.run(
        [str(python(release)), "-m", module],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=env | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"},
        timeout=_WORK_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise RoomError(f"{module} failed on {release}: {done.stderr[-1500:]}")
    return json.loads(done.stdout)
