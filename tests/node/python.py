"""Jobs in, outcomes out, on the release of the Python SDK that is installed.

`python -m tests.node.python < jobs.json > outcomes.json`; the twin of `worker/main.mjs`. Every job
has a process of its own: 0.20.0 keeps runs inside by call id for longer than the run.
"""

from __future__ import annotations

import json
import logging
import multiprocessing
import sys
from typing import Any

from tests.node.players import Job, in_python


def _done(given: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"value": in_python([Job(**given)])[0]}
    except Exception as exc:  # noqa: BLE001  (the release lacks what the case needs)
        return {"thrown": [type(exc).__name__, str(exc)]}


def main() -> None:
    """Do the jobs of standard input; what the SDK prints goes elsewhere."""
    out, sys.stdout = sys.stdout, sys.stderr
    logging.disable(logging.CRITICAL)
    with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
        json.dump(pool.map(_done, json.load(sys.stdin), chunksize=1), out)


if __name__ == "__main__":
    main()
