"""The public API as text, made from the source by griffe: nothing is imported.

`python -m tests.public_api` prints it; `--write` renews `tests/public_api.txt`, which the tests
compare with the source.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import griffe

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PARTS = {"conversation"}  # public, and imported by who needs them
SNAPSHOT = Path(__file__).with_suffix(".txt")


def describe(search_path: Path = ROOT) -> list[str]:
    """The lines of the snapshot: what `hitl` and its public parts export, and `hitl.errors`."""
    package = _load(search_path)
    errors = package["errors"]
    lines = [line for name in exports(search_path) for line in _export(package[name])]
    for part in PARTS & package.members.keys():
        for name in package[part].exports or ():
            lines += _member(_target(package[part][str(name)]), f"hitl.{part}.{name}")
    for name, member in errors.members.items():
        if not member.is_alias and not name.startswith("_"):
            lines += _member(member, f"hitl.errors.{name}")
    return sorted(lines)


def exports(search_path: Path = ROOT) -> list[str]:
    """The names in `hitl.__all__`, in the order of the source."""
    return [str(name) for name in _load(search_path).exports or ()]


def strays(search_path: Path = ROOT) -> list[str]:
    """Public names in `hitl/__init__.py` that `__all__` does not list."""
    package = _load(search_path)
    listed = package.exports or ()
    return sorted(
        name
        for name, member in package.members.items()
        if not (name.startswith("_") or name in listed) and _is_ours(member)
    )


def _is_ours(member: griffe.Object | griffe.Alias) -> bool:
    """Whether the name is hitl's own: not a submodule, nor imported from elsewhere."""
    if isinstance(member, griffe.Alias):
        return member.target_path.startswith("hitl.")
    return not member.is_module


def _load(search_path: Path) -> griffe.Module:
    module = griffe.load(
        "hitl", search_paths=[search_path], try_relative_path=False, allow_inspection=False
    )
    if not isinstance(module, griffe.Module):
        message = f"expected the package hitl in {search_path}, got {module!r}"
        raise TypeError(message)
    return module


def _target(member: griffe.Object | griffe.Alias) -> griffe.Object | griffe.Alias:
    return member.final_target if isinstance(member, griffe.Alias) else member


def _export(member: griffe.Object | griffe.Alias) -> Iterator[str]:
    """Describe one exported name; a name of `hitl.errors` is described there."""
    name = f"hitl.{member.name}"
    target = _target(member)
    if target.path == f"hitl.errors.{target.name}":
        yield f"{name} is {target.path}"
    else:
        yield from _member(target, name)


def _member(member: griffe.Object | griffe.Alias, name: str) -> Iterator[str]:
    match member:
        case griffe.Class():
            yield from _class(member, name)
        case griffe.Function():
            shape = member.signature().removeprefix(member.name)
            labels = sorted(member.labels & {"async", "classmethod", "staticmethod"})
            yield " ".join([*labels, f"{name}{shape}"])
        case griffe.Attribute():
            yield _attribute(member, name)
        case _:
            yield f"{name}: {member.kind.value}"


def _class(member: griffe.Class, name: str) -> Iterator[str]:
    bases = ", ".join(str(base) for base in member.bases)
    made = "".join(f"@{decorator.value} " for decorator in member.decorators)
    yield f"{made}class {name}({bases})"
    inherited = {
        key: value
        for key, value in member.inherited_members.items()
        # An error's bases are in the snapshot themselves.
        if not value.target_path.startswith("hitl.errors.")
    }
    for key, value in {**inherited, **member.members}.items():
        if key == "__init__" or not key.startswith("_"):
            target = value.final_target if isinstance(value, griffe.Alias) else value
            yield from _member(target, f"{name}.{key}")


def _attribute(member: griffe.Attribute, name: str) -> str:
    annotation = "" if member.annotation is None else f": {member.annotation}"
    if "property" in member.labels:
        return f"property {name}{annotation}"
    told = "class-attribute" in member.labels or "module-attribute" in member.labels
    value = f" = {member.value}" if told and member.value is not None else ""
    return f"{name}{annotation}{value}"


def main(arguments: list[str]) -> None:
    """Print the snapshot, or write it to its file."""
    text = "".join(f"{line}\n" for line in describe())
    if arguments == ["--write"]:
        SNAPSHOT.write_text(text, encoding="utf-8")
    elif arguments:
        sys.exit("usage: python -m tests.public_api [--write]")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main(sys.argv[1:])
