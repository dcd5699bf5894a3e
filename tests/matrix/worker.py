"""Jobs in, outcomes out: `python -m tests.matrix.worker < jobs.json > outcomes.json`.

`about` gives the versions the release reads and writes. `pause` plays a case to its pause and gives
what is saved then, and how the release itself goes on: with the state it holds (`live`), and with
the one it wrote (`native`). `resume` goes on with what was saved.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from typing import Any

Job = dict[str, Any]


async def _pause(job: Job) -> Job:
    import hitl
    from hitl.runtime import sdk
    from tests.matrix import play
    from tests.matrix.case import Case
    from tests.matrix.cast import OPTIONS

    case = Case.named(job["case"])
    try:
        live, stage = await play.pause(case)
    except Exception as exc:  # noqa: BLE001  (the release lacks what the case needs)
        return {"absent": f"{type(exc).__name__}: {exc}"}
    items = stage.items()
    written = json.dumps(live.to_json())
    captured = hitl.capture(live)
    saved = hitl.dumps(captured, allow_loss=True).decode()  # a newer one is flagged
    native = await play.by_sdk(case, written, items)
    live_stage = play.Stage(case, paused=True, items=items)
    live_stage.agent = stage.agent
    live_stage.log = stage.log
    stage.log.requests.clear()
    stage.log.ran.clear()
    if not case.decided:
        play.decide(case, live)
    outcome = await play.go_on(live_stage, live)
    return {
        "words": bool(play.words(live)),
        "version": captured.origin.version,
        "written": written,
        "saved": saved,
        "items": items,
        "native": native,
        "live": outcome,
        "by_chance": case.scenario in OPTIONS and not sdk.tells_items_apart(),
    }


async def _about(_job: Job) -> Job:
    from agents import run_state

    from hitl.runtime import sdk

    summaries: Job = getattr(run_state, "SCHEMA_VERSION_SUMMARIES", {})
    return {
        "writes": run_state.CURRENT_SCHEMA_VERSION,
        "reads": sorted(sdk.readable_versions()),
        "summaries": dict(summaries),
        "missing": list(sdk.missing()),
    }


async def _resume(job: Job) -> Job:
    from tests.matrix import play
    from tests.matrix.case import Case

    case, items = Case.named(job["case"]), job["items"]
    if job["by"] == "sdk":
        return await play.by_sdk(case, job["text"], items)
    by = {"hitl": play.by_hitl, "both": play.by_both}[job["by"]]
    outcome = await by(case, job["text"], items, {})
    if outcome.get("refused") == "LossError warn":
        outcome["allowed"] = await by(case, job["text"], items, {"allow_loss": True})
    names = play.opt_in(job["text"]) if job["by"] == "hitl" else []
    if names and "refused" not in outcome:
        outcome["names"] = names
        outcome["repaired"] = await by(case, job["text"], items, {"repairs": names})
    return outcome


async def _all(jobs: list[Job]) -> list[Job]:
    kinds = {"about": _about, "pause": _pause, "resume": _resume}
    return [await kinds[job["kind"]](job) for job in jobs]


def main() -> None:
    """Do the jobs of standard input; what the SDK prints goes elsewhere."""
    out, sys.stdout = sys.stdout, sys.stderr
    os.environ.setdefault("OPENAI_API_KEY", "sk-none")
    from agents import set_tracing_disabled

    set_tracing_disabled(disabled=True)
    logging.disable(logging.CRITICAL)
    json.dump(asyncio.run(_all(json.load(sys.stdin))), out)


if __name__ == "__main__":
    main()
