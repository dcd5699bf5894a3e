"""A new release of openai-agents appeared: what is new in it, and what to add here.

`python -m tests.newest` asks the package index for the newest release (or takes `--release X`),
installs it in an environment of its own, and compares: the versions it reads and writes with those
hitl knows, the states it records with the schema, the names hitl relies on, and its row of the
matrix with what a release should do. Exit code 0: nothing to add.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from hitl.dialects.openai_python import DIALECT
from tests.matrix import cells, room, table
from tests.matrix.releases import FIRST, NEWEST
from tests.schemas import validator

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_VERSIONS = "hitl/dialects/openai_python/versions"
_DISTRIBUTION = "openai-agents"


def newest() -> str:
    """The newest release that the configured package index has.

    Raises:
        RoomError: pip cannot say.
    """
    options = ["--dry-run", "--no-deps", "--ignore-installed", "--quiet", "--report", "-"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *options, _DISTRIBUTION],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise room.RoomError(f"pip does not find {_DISTRIBUTION}: {done.stderr[-600:]}")
    report: dict[str, Any] = json.loads(done.stdout)
    found: str = report["install"][0]["metadata"]["version"]
    return found


def labels(about: dict[str, Any]) -> Iterator[str]:
    """What to add for the versions that a release reads and writes."""
    known = DIALECT.chain.versions
    unknown = sorted(set(about["reads"]) - set(known), key=_number)
    for version in unknown:
        says = about["summaries"].get(version) or "it does not say what for"
        yield (
            f"version {version} is new ({says}): add {_VERSIONS}/v{version.replace('.', '_')}.py"
            f" with parent {_before(version, [*known, *unknown])!r}, or a line in"
            f" {_VERSIONS}/__init__.py if no document shows it"
        )
    if about["writes"] in known and about["writes"] != DIALECT.chain.newest:
        yield f"it writes version {about['writes']}, not the newest known, {DIALECT.chain.newest}"
    for name in about["missing"]:
        yield f"`{name}`, which hitl/runtime/sdk.py asks for, is gone: find what took its place"


def _number(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _before(version: str, among: Iterable[str]) -> str:
    return max((each for each in among if _number(each) < _number(version)), key=_number)


def shapes(version: str, documents: dict[str, str]) -> Iterator[str]:
    """What to add for the documents a release records: what the schema does not know of them."""
    label = version if version in DIALECT.chain.versions else DIALECT.chain.newest
    found: dict[str, set[str]] = {}
    for case, text in documents.items():
        for place, problem in _problems(label, json.loads(text)):
            found.setdefault(f"{place}: {problem}", set()).add(case.partition("/")[0])
    for problem, scenarios in sorted(found.items()):
        where = ", ".join(sorted(scenarios))
        yield f"the schema of {label} does not know {problem} (in {where}): declare it as `Added`"


def _problems(label: str, document: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401  (JSON)
    """Place and problem of everything the schema refuses; the label itself apart."""
    for error in validator(label).iter_errors(document):
        for each in _innermost(error):
            place = re.sub(r"/\d+", "/*", "/" + "/".join(str(key) for key in each.absolute_path))
            if not place.endswith("$schemaVersion"):
                yield place, re.sub(r"\{.*\}|'[^']{40,}'", "…", each.message)


def _innermost(error: Any) -> Iterator[Any]:  # noqa: ANN401  (jsonschema has no types for it)
    if not error.context:
        yield error
    for each in error.context or ():
        yield from _innermost(each)


def rows(release: str, row: dict[str, cells.Row]) -> Iterator[str]:
    """What to look at in the row of a release."""
    found = table.said({path: {release: each} for path, each in row.items()})
    yield from (f"repair or refuse: {line}" for line in table.wrong(found))
    for path in ("down", "up", "same"):
        if table.count([row[path]])["refused"]:
            refused = {word for words in row[path].values() for word in words if "refused" in word}
            yield from (f"look at {path}: {word}" for word in sorted(refused))


def steps(release: str) -> Iterator[str]:
    """The rest of the recipe, for a release that is not the one the tests run on."""
    if release == NEWEST:
        return
    yield f"pin {_DISTRIBUTION}=={release} in pyproject.toml, with the openai and mcp it takes"
    if release not in FIRST:
        yield "add it to FIRST in tests/matrix/releases.py if it writes a new version; set NEWEST"
    yield "record its states: tests/corpus/PROVENANCE.md says how; add what gives new keys a value"
    yield "run `python -m tests.schemas --write`, `python -m tests.matrix --write`, `.ci/run`"
    yield "name it in CHANGELOG.md (Formats) and in README.md"


def main(arguments: list[str]) -> int:
    """Give 0 when there is nothing to add."""
    parser = argparse.ArgumentParser(prog="python -m tests.newest", description=__doc__)
    parser.add_argument("--release", help="a release, instead of the newest one")
    release = parser.parse_args(arguments).release or newest()
    (about,) = room.work(release, [{"kind": "about"}])
    _say(f"{_DISTRIBUTION} {release} writes version {about['writes']}; the tests run on {NEWEST}")
    _say(f"hitl knows {len(DIALECT.chain.versions)} versions, it reads {len(about['reads'])}")
    game = cells.Play()
    paused = game.paused(release)
    documents = {case: each["written"] for case, each in paused.items() if "written" in each}
    _say(f"recorded {len(documents)} states")
    row = game.row(release)
    for path, each in row.items():
        _say(f"{cells.PATHS[path]}: {table.summary([each])}")
    found = [*labels(about), *shapes(about["writes"], documents), *rows(release, row)]
    found += steps(release) if found or release != NEWEST else ()
    for line in found:
        _say(f"- {line}")
    _say(f"{len(found)} to do" if found else "nothing to add")
    return 1 if found else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
