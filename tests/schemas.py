"""The committed JSON Schemas: `python -m tests.schemas` prints what it would do, `--write` does it.

A schema that is in the list of digests is frozen: what reads it elsewhere counts on it. Only the
schema of a version that is new, or was taken out of the list by hand, is written.
"""

from __future__ import annotations

import hashlib
import json
import sys
from functools import cache
from pathlib import Path

from jsonschema import Draft202012Validator

from hitl.dialects.openai_python import DIALECT

FOLDER = Path(__file__).parents[1] / "schemas" / DIALECT.name
SUMS = FOLDER / "SHA256SUMS"  # `sha256sum -c` reads it


@cache
def validator(version: str) -> Draft202012Validator:
    """Checks documents of a version."""
    return Draft202012Validator(DIALECT.schema(version))


def path(version: str) -> Path:
    """Where the schema of a version lies."""
    return FOLDER / f"{version}.json"


def render(version: str) -> bytes:
    """The schema of a version, as it is committed."""
    return (json.dumps(DIALECT.schema(version), indent=1, sort_keys=False) + "\n").encode()


def frozen() -> dict[str, str]:
    """File name → SHA-256 of each schema that does not change any more."""
    if not SUMS.is_file():
        return {}
    lines = SUMS.read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


def write() -> list[str]:
    """Write the schemas that are not frozen, freeze them, and give their versions."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    known = frozen()
    new = [version for version in DIALECT.chain.versions if path(version).name not in known]
    for version in new:
        path(version).write_bytes(render(version))
        known[path(version).name] = hashlib.sha256(render(version)).hexdigest()
    order = [path(version).name for version in DIALECT.chain.versions]
    lines = [f"{known[name]}  {name}\n" for name in sorted(known, key=order.index)]
    SUMS.write_text("".join(lines), encoding="utf-8")
    return new


def main(arguments: list[str]) -> None:
    """Write, or say which schemas are not what the code gives."""
    if arguments == ["--write"]:
        sys.stdout.write(f"written: {', '.join(write()) or 'nothing'}\n")
        return
    stale = [
        version
        for version in DIALECT.chain.versions
        if not path(version).is_file() or path(version).read_bytes() != render(version)
    ]
    sys.stdout.write(f"differ: {', '.join(stale) or 'none'}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
