"""The life of a stored run: a table, status x event → status.

Only this module compares statuses; a store asks `after` and writes what it is told. A status says
what may happen to a run next, not why it stopped: the reason stands beside it.

```
            pause            decide (last)
 running ───────────▶ waiting ───────────▶ ready
  ▲  │ └─ finish ▶ finished   │ claim        │ claim
  │  └── stop ──▶ stopped ────┴──────────────┤
  └──────────────────────────────────────────┘
 running ── doubt ▶ in_doubt ── settle ▶ stopped          cancel, from any that rests ▶ cancelled
```
"""

from __future__ import annotations

from typing import Literal, get_args

Status = Literal[
    "running",  # a worker has it, or had it and died: the lease says which
    "waiting",  # a person must decide
    "ready",  # every call has a verdict
    "stopped",  # cut by an error, a cancel, a limit; can go on
    "in_doubt",  # a call was cut between start and result; somebody must say what happened
    "finished",
    "cancelled",
]
STATUSES: tuple[Status, ...] = get_args(Status)

Event = Literal[
    "claim",  # a worker takes the run; the store has looked at the lease
    "save",  # a checkpoint while the run goes on
    "pause",  # a checkpoint with calls that wait for a person
    "settled_pause",  # the same, all of them decided already
    "stop",
    "finish",
    "decide",  # a verdict; others are missing
    "decide_last",
    "doubt",
    "settle",  # one doubt gone; others are left
    "settle_last",
    "cancel",
]

_NEXT: dict[Status, dict[Event, Status]] = {
    "running": {
        "claim": "running",
        "save": "running",
        "pause": "waiting",
        "settled_pause": "ready",
        "stop": "stopped",
        "finish": "finished",
        "doubt": "in_doubt",
        "decide": "running",  # a call of the last pause, while the run goes on with another one
        "decide_last": "running",
        "cancel": "cancelled",  # its worker is dead: the store has looked at the lease
    },
    "waiting": {
        "claim": "running",
        "decide": "waiting",
        "decide_last": "ready",
        "cancel": "cancelled",
    },
    "ready": {"claim": "running", "cancel": "cancelled"},
    "stopped": {
        "claim": "running",
        "decide": "stopped",
        "decide_last": "stopped",
        "cancel": "cancelled",
    },
    "in_doubt": {
        "settle": "in_doubt",
        "settle_last": "stopped",
        "decide": "in_doubt",
        "decide_last": "in_doubt",
        "cancel": "cancelled",
    },
    "finished": {},
    "cancelled": {},
}


OPEN: tuple[Status, ...] = tuple(status for status in STATUSES if _NEXT[status])
"""The statuses of runs that have not ended."""


def after(status: Status, event: Event) -> Status | None:
    """Give the status after `event`; None when it cannot happen to such a run."""
    return _NEXT[status].get(event)


def taken(status: Status) -> bool:
    """Tell whether a worker has the run, or had it and died: the lease says which."""
    return status == "running"


def waits(status: Status) -> bool:
    """Tell whether the run can go on only when people have spoken."""
    return status == "waiting"


def paused(status: Status) -> bool:
    """Tell whether the run rests at calls that people are, or were, asked about."""
    return status in {"waiting", "ready"}


def ended(status: Status) -> bool:
    """Tell whether nothing can happen to the run any more."""
    return not _NEXT[status]


def may(event: Event) -> tuple[Status, ...]:
    """Give the statuses in which `event` can happen, for a store's queries."""
    return tuple(status for status in STATUSES if event in _NEXT[status])
