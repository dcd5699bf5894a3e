"""The recorded states: files under `tests/corpus`, named by their path there without `.json`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from hitl.dialects.openai_python import DIALECT

ROOT = Path(__file__).parent.parent / "corpus"
NO_RUN_INSIDE = ("nested_0.2.1", "nested_0.3.8")
"""How the names of nested JavaScript states end whose releases did not write the run inside."""


def path(name: str) -> Path:
    """Where a recorded file lies; names that carry a suffix of their own keep it."""
    exact = ROOT / name
    return exact if exact.is_file() else ROOT / f"{name}.json"


def read(name: str) -> bytes:
    """The file as it was written."""
    return path(name).read_bytes()


def load(name: str) -> Any:  # noqa: ANN401  (JSON)
    """The file as JSON, fresh at every call."""
    return json.loads(read(name))


def forgotten(run: Any) -> Any:  # noqa: ANN401  (JSON)
    """A state of Python, and the runs inside it, without records of what was called; in place."""
    run["context"]["tool_invocations"] = {}
    for each in run["last_processed_response"]["functions"]:
        if "agent_run_state" in each:
            forgotten(each["agent_run_state"])
    return run


def javascript() -> list[str]:
    """Every recorded state of the JavaScript SDK."""
    return _states(javascript=True)


def names() -> list[str]:
    """The recorded states of the newest version, which resume; older ones are read and written."""
    return [name for name in every() if load(name)["$schemaVersion"] == DIALECT.chain.newest]


def every() -> list[str]:
    """Every recorded state of the Python SDK, and nothing that lies beside one."""
    return _states(javascript=False)


@cache
def _states(*, javascript: bool) -> list[str]:
    """The files that are states, and not session histories or scripts."""
    files = sorted(ROOT.rglob("*.json"))
    return [
        file.relative_to(ROOT).as_posix().removesuffix(".json")
        for file in files
        if b'"$schemaVersion"' in (data := file.read_bytes())
        and (b'"currentTurn"' in data) == javascript
    ]
