"""Jobs in, outcomes out, on the release of the Python SDK that is installed.

`python -m tests.node.python < jobs.json > outcomes.json`; the twin of `worker/main.mjs`. A job with
a run inside has a process of its own: 0.20.0 keeps such runs by call id, for longer than the run.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import sys
from typing import TYPE_CHECKING, Any

from tests.node.players import Job, in_python

if TYPE_CHECKING:
    from multiprocessing.pool import Pool


def _done(given: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"value": in_python([Job(**given)])[0]}
    except Exception as exc:  # noqa: BLE001  (the release lacks what the case needs)
        return {"thrown": [type(exc).__name__, str(exc)]}


def main() -> None:
    """Do the jobs of standard input; what the SDK prints goes elsewhere."""
    out, sys.stdout = sys.stdout, sys.stderr
    logging.disable(logging.CRITICAL)
    jobs = json.load(sys.stdin)
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        json.dump([_apart(pool, each) for each in jobs], out)


def _apart(pool: Pool, given: dict[str, Any]) -> dict[str, Any]:
    return pool.apply(_done, (given,)) if "nested" in given["definition"] else _done(given)


if __name__ == "__main__":
    main()
