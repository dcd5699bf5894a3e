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
from typing import TYPE_CHECKING, TypeAlias

from jsonschema import Draft202012Validator

from hitl.dialects.openai_js import DIALECT as JAVASCRIPT
from hitl.dialects.openai_python import DIALECT

if TYPE_CHECKING:
    from hitl.dialects.openai_js import OpenAIJS
    from hitl.dialects.openai_python import OpenAIPython

    Of: TypeAlias = OpenAIPython | OpenAIJS

ROOT = Path(__file__).parents[1] / "schemas"
FOLDER = ROOT / DIALECT.name
DIALECTS: tuple[Of, ...] = (DIALECT, JAVASCRIPT)


@cache
def validator(version: str, of: Of = DIALECT) -> Draft202012Validator:
    """Checks documents of a version."""
    return Draft202012Validator(of.schema(version))


def path(version: str, of: Of = DIALECT) -> Path:
    """Where the schema of a version lies."""
    return ROOT / of.name / f"{version}.json"


def sums(of: Of = DIALECT) -> Path:
    """Where the digests lie; `sha256sum -c` reads them."""
    return ROOT / of.name / "SHA256SUMS"


def render(version: str, of: Of = DIALECT) -> bytes:
    """The schema of a version, as it is committed."""
    return (json.dumps(of.schema(version), indent=1, sort_keys=False) + "\n").encode()


def frozen(of: Of = DIALECT) -> dict[str, str]:
    """File name → SHA-256 of each schema that does not change any more."""
    if not sums(of).is_file():
        return {}
    lines = sums(of).read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


def write(of: Of = DIALECT) -> list[str]:
    """Write the schemas that are not frozen, freeze them, and give their versions."""
    sums(of).parent.mkdir(parents=True, exist_ok=True)
    known = frozen(of)
    new = [version for version in of.chain.versions if path(version, of).name not in known]
    for version in new:
        path(version, of).write_bytes(render(version, of))
        known[path(version, of).name] = hashlib.sha256(render(version, of)).hexdigest()
    order = [path(version, of).name for version in of.chain.versions]
    lines = [f"{known[name]}  {name}\n" for name in sorted(known, key=order.index)]
    sums(of).write_text("".join(lines), encoding="utf-8")
    return new


def main(arguments: list[str]) -> None:
    """Write, or say which schemas are not what the code gives."""
    for of in DIALECTS:
        if arguments == ["--write"]:
            sys.stdout.write(f"{of.name}: written: {', '.join(write(of)) or 'nothing'}\n")
            continue
        stale = [
            version
            for version in of.chain.versions
            if not path(version, of).is_file()
            or path(version, of).read_bytes() != render(version, of)
        ]
        sys.stdout.write(f"{of.name}: differ: {', '.join(stale) or 'none'}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
