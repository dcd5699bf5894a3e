"""An app that keeps the SDK's JSON in a column takes up hitl without a migration.

`python examples/adopt.py` makes such a table with a run that waits, as an old version of the app
wrote it, decides and finishes it through hitl, and writes the column as the old version reads it.
"""

from __future__ import annotations

import asyncio
import sqlite3

from agents import Runner, set_tracing_disabled

import hitl
from examples.support import agent


async def before(db: sqlite3.Connection) -> None:
    """Write a waiting run as apps do without hitl."""
    result = await Runner.run(agent(), "Refund order 7")
    db.execute("create table runs (id text primary key, state text)")
    db.execute("insert into runs values ('r1', ?)", (result.to_state().to_string(),))


def decide(db: sqlite3.Connection) -> None:
    """Decide without the agent's code, and keep the column in the format it has."""
    (column,) = db.execute("select state from runs where id = 'r1'").fetchone()
    report = hitl.check(column)
    if report.state is None or report.problems:
        raise SystemExit(f"cannot go on: {report.problems}")
    state = report.state
    for waiting in state.interruptions:
        state = state.approve(waiting.call, by="ana")
    # The SDK's JSON has no place for who said so: the native document has (`hitl.dumps(state)`).
    column = hitl.dumps(state, dialect=report.dialect or "", version=report.version).decode()
    db.execute("update runs set state = ? where id = 'r1'", (column,))


async def finish(db: sqlite3.Connection) -> str:
    """Go on with it; agents and tools are looked for before anything runs."""
    (column,) = db.execute("select state from runs where id = 'r1'").fetchone()
    root = agent()
    live = await hitl.restore(root, hitl.loads(column))
    return str((await Runner.run(root, live)).final_output)


async def main() -> None:
    """Go through it once."""
    set_tracing_disabled(disabled=True)
    with sqlite3.connect("app.db") as db:
        await before(db)
        decide(db)
        print(await finish(db))


if __name__ == "__main__":
    asyncio.run(main())
