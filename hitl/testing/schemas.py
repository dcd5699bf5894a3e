"""The JSON Schema of the native document, made from the model's classes.

`python -m hitl.testing.schemas --write` writes the newest version's schema into `schemas/` of the
working directory, `--freeze` its digest beside it; a released schema never changes again.

Objects that hitl owns are closed: a key of a newer version is refused. What an app, an SDK or a
provider says is open, because they add fields without a version.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from hitl.dialects.native import DIALECT, wire
from hitl.model import Record

_REF = "#/$defs/{name}"
_SUMS = "SHA256SUMS"


def schema() -> dict[str, Any]:
    """Give the schema of the newest native document (JSON Schema 2020-12)."""
    _, components = msgspec.json.schema_components((wire.Head, Record), ref_template=_REF)
    definitions = {name: _closed(found) for name, found in sorted(components.items())}
    # In the document a call names the run inside it by position; the class holds the run itself.
    definitions["Call"]["properties"]["run"] = {
        "anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}],
        "default": None,
    }
    head = definitions.pop("Head")
    version = DIALECT.chain.newest
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:hitl:schema:{DIALECT.name}:{version}",
        "title": f"hitl run state, {DIALECT.name} {version}",
        "type": "object",
        "properties": {
            wire.VERSION_KEY: {"const": version},
            **head["properties"],
            wire.ITEMS: {"type": "array", "items": {"$ref": _REF.format(name="Record")}},
            wire.RUNS: {"type": "array", "items": {"$ref": "#"}},
        },
        "required": [wire.VERSION_KEY, *head["required"]],
        "additionalProperties": False,
        "$defs": definitions,
    }


def text() -> str:
    """Give the schema as its file has it."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def file(folder: Path) -> Path:
    """Give the place of the newest schema in a folder of schemas."""
    return folder / DIALECT.name / f"{DIALECT.chain.newest}.json"


def frozen(folder: Path) -> dict[str, str]:
    """Give the frozen digests: SHA-256, in hex, by file name."""
    lines = (folder / DIALECT.name / _SUMS).read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def digest(path: Path) -> str:
    """Give the SHA-256, in hex, of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _closed(found: dict[str, Any]) -> dict[str, Any]:
    """Close an object of ours; docstrings are for readers of the code."""
    kept = {key: value for key, value in found.items() if key != "description"}
    return kept | {"additionalProperties": False} if "properties" in kept else kept


def main(arguments: list[str], folder: Path) -> int:
    """Write, freeze or print; gives the exit code."""
    path = file(folder)
    if "--write" in arguments:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(), encoding="utf-8")
    if "--freeze" in arguments:
        sums = path.parent / _SUMS
        known = frozen(folder) if sums.is_file() else {}
        known[path.name] = digest(path)
        lines = [f"{value}  {name}\n" for name, value in sorted(known.items())]
        sums.write_text("".join(lines), encoding="utf-8")
    if not {"--write", "--freeze"} & set(arguments):
        sys.stdout.write(text())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path("schemas")))
