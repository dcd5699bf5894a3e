"""What a module may know: versions, dialects and libraries stay in their rooms."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]

# A string that is a version ("1.21", "@1.21", ">=0.21") or the name of a version module ("v1_21").
VERSION = re.compile(r"(?:.*@|[<>=~!]=?\s*|v)?\d+\.\d+(?:\.\d+)?|(?:.*\.)?v\d+_\d+", re.DOTALL)

# Folder in hitl/dialects: the dialect's name, and who else may say it.
DIALECTS: dict[str, tuple[str, frozenset[str]]] = {
    "native": ("native", frozenset({"hitl/transfer.py"})),  # what dumps writes unless told
    "openai_js": ("openai-agents-js", frozenset()),
    "openai_python": ("openai-agents-python", frozenset()),
}

# Types of these are part of openai-agents' own signatures.
THROUGH_THE_SDK = {"openai-agents": {"mcp", "openai", "pydantic"}}

# Only here may the libraries of an extra be imported.
EXTRAS = {"testing": "hitl/testing/", "opentelemetry": "hitl/runtime/durable/telemetry"}

NAMELESS = re.compile(r"_*(?:utils?|helpers?|common|base|managers?|misc)")


def sources(*folders: str) -> list[Path]:
    """Every Python file in these folders of the checkout, recorded data apart."""
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if not {"corpus", "__pycache__"} & set(path.relative_to(ROOT).parts)
    )


def inside(path: Path) -> str:
    """The path as seen from the checkout."""
    return path.relative_to(ROOT).as_posix()


def parse(path: Path) -> ast.Module:
    """The syntax tree of the file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of every string and bytes literal that is not a docstring."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) not in docs:
            if isinstance(node.value, str):
                yield node.lineno, node.value
            elif isinstance(node.value, bytes):
                yield node.lineno, node.value.decode("latin-1")


def imports(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import, wherever it stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)


def names(requirements: list[str | dict[str, str]]) -> set[str]:
    """The distributions that these requirements name."""
    found = {re.match(r"[\w.-]+", line) for line in requirements if isinstance(line, str)}
    return {match[0].lower().replace("_", "-") for match in found if match}


def versions_in(path: Path) -> list[str]:
    """Where the file says a version."""
    tree = parse(path)
    said = [*strings(tree), *imports(tree)]
    return [f"{inside(path)}:{line} {text!r}" for line, text in said if VERSION.fullmatch(text)]


class TestVersions:
    @pytest.mark.parametrize(
        "path", [path for path in sources("hitl") if "/versions/" not in inside(path)], ids=inside
    )
    def test_no_literal_outside_versions(self, path: Path) -> None:
        """No module outside `versions/` says a version or imports one by name."""
        assert versions_in(path) == []

    @pytest.mark.parametrize(
        "text", ["1.21", "v1.21", "0.24.0", ">=0.21", "openai-agents-js@1.22", "hitl.x.v1_21"]
    )
    def test_seen(self, text: str) -> None:
        """A version is seen in every spelling."""
        assert VERSION.fullmatch(text)

    @pytest.mark.parametrize("text", ["127.0.0.1", "call_1", "v1", "waits 0.5 seconds", "1"])
    def test_not_a_version(self, text: str) -> None:
        """An address, an id and a sentence are no versions."""
        assert not VERSION.fullmatch(text)


class TestDialects:
    def test_every_folder_is_known(self) -> None:
        """A dialect that is not in the table above would not be looked for."""
        folders = {path.parent.name for path in (ROOT / "hitl/dialects").glob("*/__init__.py")}
        assert folders <= set(DIALECTS)

    @pytest.mark.parametrize("path", sources("hitl"), ids=inside)
    def test_named_at_home_only(self, path: Path) -> None:
        """A dialect's name stands in its own folder; everybody else asks the registry."""
        place = inside(path)
        foreign = [
            name
            for folder, (name, also) in DIALECTS.items()
            if not place.startswith(f"hitl/dialects/{folder}/") and place not in also
        ]
        said = [
            f"{place}:{line} {text!r}"
            for line, text in strings(parse(path))
            if any(text == name or ("-" in name and name in text) for name in foreign)
        ]
        assert said == []


class TestImports:
    @pytest.mark.parametrize("path", sources("hitl", "tests", "examples"), ids=inside)
    def test_declared(self, path: Path) -> None:
        """Every third-party import is a declared dependency; an extra's only in its room."""
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        groups = project["dependency-groups"]
        extras = project["project"]["optional-dependencies"]
        declared = names(project["project"]["dependencies"])
        for extra, requirements in extras.items():
            if inside(path).startswith(EXTRAS[extra]):
                declared |= names(requirements)
        if not inside(path).startswith("hitl/"):
            declared |= {name for group in groups.values() for name in names(group)}
        through = {name for sdk in declared for name in THROUGH_THE_SDK.get(sdk, ())}
        owners = packages_distributions()
        known = {*sys.stdlib_module_names, "examples", "hitl", "tests", *through}
        undeclared = [
            f"{inside(path)}:{line} {name}"
            for line, name in imports(parse(path))
            if not name.startswith(".")
            and (top := name.partition(".")[0]) not in known
            and not {owner.lower() for owner in owners.get(top, ())} & declared
        ]
        assert undeclared == []

    def test_hitl_alone(self) -> None:
        """`import hitl` loads no agent SDK and no server library."""
        heavy = {"agents", "mcp", "openai", "psycopg", "pydantic", "starlette", "uvicorn"}
        script = f"import sys, hitl; print(*sorted({heavy} & set(sys.modules)), hitl.__file__)"
        run = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        assert run.stdout.split() == [str(ROOT / "hitl/__init__.py")]


class TestNames:
    @pytest.mark.parametrize("path", sources("hitl", "tests", "examples"), ids=inside)
    def test_a_noun(self, path: Path) -> None:
        """A module or folder is named after what is in it, not `utils` or `base`."""
        stems = [Path(part).stem for part in Path(inside(path)).parts]
        assert [stem for stem in stems if NAMELESS.fullmatch(stem)] == []
