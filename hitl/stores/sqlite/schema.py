"""The tables, and the numbered steps that lead to them.

A step, once released, is never edited: a later one follows. Each is one transaction together with
its row in `hitl_migration`, taken with BEGIN IMMEDIATE: of many processes that start at once one
takes it, the others find it done.

What grows with a run (`hitl_segment`, `hitl_checkpoint`) is only ever appended. Requests and
effects live in their primary key: no second index can point past what a row says of itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from hitl.errors import StoreUnavailable

if TYPE_CHECKING:
    from hitl.stores.sqlite.connection import Connection


@frozen(kw_only=True)
class Migration:
    """One step.

    Attributes:
        number: counts from 1.
        summary: what it is for, in one line.
        statements: what it runs.
    """

    number: int
    summary: str
    statements: tuple[str, ...]


MIGRATIONS = (
    Migration(
        number=1,
        summary="runs, their log and checkpoints, requests, effects",
        statements=(
            """CREATE TABLE hitl_run (
                seq INTEGER PRIMARY KEY AUTOINCREMENT,
                run_id TEXT NOT NULL UNIQUE,
                status TEXT NOT NULL,
                reason TEXT,
                note TEXT,
                generation INTEGER NOT NULL,
                checkpoint INTEGER NOT NULL,
                entries INTEGER NOT NULL,
                kickoff_sha256 TEXT NOT NULL,
                created_at REAL NOT NULL,
                updated_at REAL NOT NULL,
                worker TEXT,
                lease_until REAL,
                pause INTEGER NOT NULL,
                undecided INTEGER NOT NULL,
                decided INTEGER NOT NULL,
                asked INTEGER NOT NULL,
                logged INTEGER NOT NULL,
                starts INTEGER NOT NULL,
                mark BLOB NOT NULL
            ) STRICT""",
            "CREATE INDEX hitl_run_status ON hitl_run (status)",
            """CREATE INDEX hitl_run_ended ON hitl_run (updated_at)
                WHERE status IN ('finished', 'cancelled')""",
            """CREATE TABLE hitl_kickoff (
                run INTEGER PRIMARY KEY,
                data BLOB NOT NULL,
                mark BLOB NOT NULL
            ) STRICT""",
            """CREATE TABLE hitl_segment (
                id INTEGER PRIMARY KEY,
                run INTEGER NOT NULL,
                start INTEGER NOT NULL,
                entries INTEGER NOT NULL,
                data BLOB NOT NULL,
                digest BLOB NOT NULL,
                UNIQUE (run, start)
            ) STRICT""",
            """CREATE TABLE hitl_checkpoint (
                id INTEGER PRIMARY KEY,
                run INTEGER NOT NULL,
                number INTEGER NOT NULL,
                head BLOB NOT NULL,
                entries INTEGER NOT NULL,
                generation INTEGER NOT NULL,
                status TEXT NOT NULL,
                at REAL NOT NULL,
                chain BLOB NOT NULL,
                mark BLOB NOT NULL,
                UNIQUE (run, number)
            ) STRICT""",
            """CREATE TABLE hitl_request (
                run INTEGER NOT NULL,
                call TEXT NOT NULL,
                tool TEXT NOT NULL,
                agent TEXT,
                arguments_sha256 TEXT NOT NULL,
                body BLOB NOT NULL,
                asked_at REAL NOT NULL,
                pause INTEGER NOT NULL,
                position INTEGER NOT NULL,
                open INTEGER NOT NULL,
                expires_at REAL,
                fallback BLOB,
                verdict BLOB,
                decided_at REAL,
                mark BLOB NOT NULL,
                PRIMARY KEY (run, call)
            ) STRICT, WITHOUT ROWID""",
            "CREATE INDEX hitl_request_open ON hitl_request (run, position) WHERE open = 1",
            """CREATE INDEX hitl_request_waiting ON hitl_request (asked_at, run, position)
                WHERE open = 1""",
            """CREATE INDEX hitl_request_due ON hitl_request (expires_at)
                WHERE open = 1 AND expires_at IS NOT NULL""",
            """CREATE TABLE hitl_effect (
                run INTEGER NOT NULL,
                call TEXT NOT NULL,
                tool TEXT NOT NULL,
                arguments_sha256 TEXT NOT NULL,
                state TEXT NOT NULL,
                generation INTEGER NOT NULL,
                key TEXT NOT NULL,
                idempotent INTEGER NOT NULL,
                attempt INTEGER NOT NULL,
                result BLOB,
                started_at REAL NOT NULL,
                finished_at REAL,
                position INTEGER NOT NULL,
                mark BLOB NOT NULL,
                PRIMARY KEY (run, call)
            ) STRICT, WITHOUT ROWID""",
            """CREATE INDEX hitl_effect_unsettled ON hitl_effect (run, position)
                WHERE state IN ('started', 'in_doubt')""",
        ),
    ),
)

NEWEST = MIGRATIONS[-1].number


def number(connection: Connection) -> int:
    """Give the number of the last step taken; 0 in a database hitl has not seen."""
    found = connection.execute(
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'hitl_migration'", ()
    ).fetchone()
    if found is None:
        return 0
    row = connection.execute("SELECT max(number) FROM hitl_migration", ()).fetchone()
    return int(row[0] or 0) if row else 0


def migrate(connection: Connection) -> None:
    """Take the steps that are missing, each in a transaction of its own.

    Raises:
        StoreUnavailable: a newer hitl made the tables.
    """
    while (done := number(connection)) < NEWEST:
        connection.execute("BEGIN IMMEDIATE", ())
        if number(connection) == done:  # nobody was faster
            _take(connection, MIGRATIONS[done])
        connection.execute("COMMIT", ())
    if done > NEWEST:
        raise StoreUnavailable(
            f"expected tables of step {NEWEST} or older, found step {done}",
            hint="a newer hitl has opened this database: upgrade hitl-sdk",
        )


def _take(connection: Connection, step: Migration) -> None:
    connection.execute(
        """CREATE TABLE IF NOT EXISTS hitl_migration (
            number INTEGER PRIMARY KEY, summary TEXT NOT NULL, at REAL NOT NULL
        ) STRICT""",
        (),
    )
    for statement in step.statements:
        connection.execute(statement, ())
    connection.execute(
        "INSERT INTO hitl_migration VALUES (?, ?, julianday('now'))", (step.number, step.summary)
    )
