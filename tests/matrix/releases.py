"""Which releases of openai-agents there are, and what each needs beside it."""

from __future__ import annotations

import tomllib
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Release that first wrote a version of the state: that version, openai and mcp of its time. None:
# as in pyproject.toml.
FIRST: dict[str, tuple[str, str | None, str | None]] = {
    "0.8.0": ("1.0", "2.26.0", "1.30.0"),
    "0.9.1": ("1.1", "2.26.0", "1.30.0"),
    "0.9.2": ("1.2", "2.26.0", "1.30.0"),
    "0.10.2": ("1.4", "2.26.0", "1.30.0"),
    "0.11.0": ("1.5", "2.26.0", "1.30.0"),
    "0.12.1": ("1.6", "2.26.0", "1.30.0"),
    "0.14.0": ("1.9", "2.36.0", "1.30.0"),
    "0.16.0": ("1.10", "2.36.0", "1.30.0"),
    "0.17.6": ("1.11", "2.36.0", "1.30.0"),
    "0.18.1": ("1.12", "2.54.0", "1.30.0"),
    "0.19.0": ("1.13", "2.54.0", "1.30.0"),
    "0.20.0": ("1.15", "2.54.0", None),
    "0.21.1": ("1.16", None, None),
    "0.22.1": ("1.17", None, None),
    "0.23.1": ("1.18", None, None),
    "0.24.0": ("1.21", None, None),
}
NEWEST = "0.24.0"
"""The release the tests run on: what every other is held against."""

REDUCED = ("0.8.0", "0.14.0", "0.20.0", "0.24.0")
"""What `.ci/run` plays: the first release; the first with identities; the first with a ledger of
calls; the newest. Between the first three lie the largest changes of the format."""

DURABLE = ("0.21.0", "0.21.1", "0.22.0", "0.22.1", "0.22.2", "0.22.3", "0.23.1", "0.24.0")
"""The releases that durable runs are promised on, all there are; `.ci/run` plays the oldest and
the newest."""


def libraries() -> dict[str, str]:
    """Name → exact version of what hitl is tested with."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines: list[str] = project["dependency-groups"]["libraries"]
    return dict(line.split("==") for line in lines)


def requirements(release: str) -> tuple[str, ...]:
    """What is installed for a release; one that is in no table gets what fits it."""
    names = libraries() | {"openai-agents": release}
    if release in FIRST or release in DURABLE:
        _, openai, mcp = FIRST.get(release, FIRST[NEWEST])
        names |= {key: value for key, value in (("openai", openai), ("mcp", mcp)) if value}
    else:
        del names["openai"], names["mcp"]
    return tuple(f"{name}=={value}" for name, value in sorted(names.items()))


def installed() -> str:
    """The release in the environment of the tests."""
    return version("openai-agents")
