"""Jobs in, outcomes out, on the release of the Python SDK that is installed.

`python -m tests.node.python < jobs.json > outcomes.json`; the twin of `worker/main.mjs`.
"""

from __future__ import annotations

import json
import logging
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
    json.dump([_done(each) for each in json.load(sys.stdin)], out)


if __name__ == "__main__":
    main()
