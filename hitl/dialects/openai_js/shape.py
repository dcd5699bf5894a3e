"""A run and the runs inside it, kept as text; and how a version is written over another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl import document as json_document
from hitl.dialects.openai_js import fingerprint, wire
from hitl.errors import DocumentError
from hitl.revision import Revision

if TYPE_CHECKING:
    from collections.abc import Callable

    from hitl.document import JSONObject, JSONValue

RUNS = "pendingAgentToolRuns"


def inner(given: JSONValue) -> JSONObject | None:
    """Give a run that is kept as text; None if it is no object."""
    if not isinstance(given, str):
        return None
    try:
        found = json_document.parse(given.encode("utf-8", "surrogatepass"), lenient=True)
    except DocumentError:
        return None
    return found if isinstance(found, dict) else None


def every_run(step: Callable[[JSONObject], JSONObject]) -> Callable[[JSONObject], JSONObject]:
    """Make a step of one run a step of it and all runs inside, innermost first."""

    def all_of(run: JSONObject) -> JSONObject:
        texts = run.get(RUNS)
        if isinstance(texts, dict) and texts:
            run = {**run, RUNS: {key: _changed(text) for key, text in texts.items()}}
        return step(run)

    def _changed(text: JSONValue) -> JSONValue:
        found = inner(text)
        return text if found is None else fingerprint.dumps(all_of(found))

    return all_of


def revision(version: str, parent: str | None, source: str, summary: str) -> Revision:
    """Make a version of what it declares; reading it changes the label and nothing else."""

    def relabelled(old: str | None, new: str | None) -> Callable[[JSONObject], JSONObject]:
        def step(run: JSONObject) -> JSONObject:
            return {**run, wire.VERSION_KEY: new} if run.get(wire.VERSION_KEY) == old else run

        return every_run(step)

    return Revision(
        version=version,
        parent=parent,
        summary=summary,
        source=source,
        upgrade=relabelled(parent, version),
        downgrade=relabelled(version, parent),
    )
