"""What commands on stored runs share: `--store URL`, one call of a store, runs and calls shown."""

from __future__ import annotations

import asyncio
import json
import shlex
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import click

from hitl.cli import operand, output
from hitl.cli.display import safe_display
from hitl.errors import AmbiguousCall
from hitl.runtime.durable.turn import is_mark

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from hitl.document import JSONObject
    from hitl.store import Effect, Request, Run, Store, Stored, Verdict

T = TypeVar("T")

NAME = 200  # characters of a name
_ARGUMENTS = 2000
_HELP = "Where runs are stored: sqlite:///runs.db."


def store_option(*, required: bool) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make the option `--store`; read before FILE, which it turns into RUN."""
    return click.option(
        "--store", "url", metavar="URL", required=required, is_eager=True, help=_HELP
    )


def file_or_run(ctx: click.Context, param: click.Parameter, given: str) -> str:
    """Read FILE, or with `--store` RUN."""
    if ctx.params.get("url") is not None:
        operand.text(ctx, param, given)
        return given
    return str(operand.FILE.convert(given, param, ctx))


def ask(url: str, question: Callable[[Store], Awaitable[T]]) -> T:
    """Open the store, ask it one thing, close it.

    Raises:
        HitlError: it says no.
    """
    from hitl.connection import connect

    async def asked() -> T:
        async with connect(url) as store:
            return await question(store)

    return asyncio.run(asked())


def shown(text: str) -> str:
    """Give a name as it is shown, and as it is taken back from a shell."""
    return safe_display(text, NAME).text


def exact(names: Sequence[str], given: str) -> str:
    """Give the name a person means who saw it with escapes.

    Raises:
        AmbiguousCall: several are shown so.
    """
    meant = {name for name in names if shown(name) == given}
    if given in names or not meant:
        return given
    if len(meant) > 1:
        raise AmbiguousCall(f"{len(meant)} calls are shown by that name")
    return meant.pop()


def moment(at: float | None) -> str | None:
    """Give a time of the store as ISO 8601."""
    return None if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")


def run_json(run: Run) -> JSONObject:
    """Give a run for programs."""
    return {
        "run": run.run_id,
        "status": run.status,
        "reason": run.reason,
        "note": run.note,
        "generation": run.generation,
        "checkpoint": run.checkpoint,
        "entries": run.entries,
        "worker": run.worker,
        "lease_until": moment(run.lease_until),
        "created_at": moment(run.created_at),
        "updated_at": moment(run.updated_at),
    }


def request_json(request: Request) -> JSONObject:
    """Give a call for programs."""
    return {
        "run": request.run_id,
        "call": request.call,
        "tool": request.tool,
        "agent": request.agent,
        "arguments": arguments(request),
        "arguments_sha256": request.arguments_sha256,
        "expires_at": moment(request.expires_at),
        "verdict": verdict_json(request.verdict),
        "decided_at": moment(request.decided_at),
    }


def verdict_json(verdict: Verdict | None) -> JSONObject | None:
    """Give a verdict for programs."""
    if verdict is None:
        return None
    return {
        "approved": verdict.approved,
        "always": verdict.always,
        "by": verdict.by,
        "reason": verdict.reason,
        "message": verdict.message,
    }


def effect_json(effect: Effect) -> JSONObject:
    """Give a call that ran for programs; never its result, which may hold secrets."""
    return {
        "call": effect.call,
        "tool": effect.tool,
        "state": effect.state,
        "attempt": effect.attempt,
        "idempotent": effect.idempotent,
        "key": effect.key,
        "started_at": moment(effect.started_at),
        "finished_at": moment(effect.finished_at),
    }


def stored_json(stored: Stored) -> JSONObject:
    """Give a stored run for programs."""
    return {
        **run_json(stored.run),
        "requests": [request_json(each) for each in stored.requests],
        "effects": [effect_json(each) for each in stored.effects],
    }


def arguments(request: Request) -> str:
    """Give what a call would run, from its stored bytes: the exact string, or its object."""
    try:
        body = json.loads(request.body)
    except ValueError:
        return request.body.decode("utf-8", "backslashreplace")
    given = body.get("arguments") if isinstance(body, dict) else None
    if isinstance(given, str):
        return given
    raw = body.get("raw", body) if isinstance(body, dict) else body
    return json.dumps(raw, ensure_ascii=False)


def stored_lines(stored: Stored, *, full: bool) -> list[str]:
    """Give a stored run for a person."""
    run = stored.run
    why = f", {run.reason}" if run.reason else ""
    note = f": {shown(run.note)}" if run.note else ""
    rows = [
        ["run", shown(run.run_id)],
        ["status", f"{run.status}{why}{note}"],
        ["log", f"{run.entries:,} entries, {run.checkpoint:,} checkpoints"],
        ["claimed", f"{run.generation:,} times"],
    ]
    if run.lease_until is not None:
        rows.append(["worker", f"{shown(run.worker or '')} until {moment(run.lease_until)}"])
    lines = output.table(rows)
    for request in stored.requests:
        lines += ["", *request_lines(request, full=full)]
    started = [
        [shown(one.call), shown(one.tool), one.state, moment(one.started_at) or ""]
        for one in stored.effects
        if not is_mark(one.call)
    ]
    if started:
        lines += ["", "gated calls, and requests, that started", *output.table(started, 2)]
    return lines


def request_lines(request: Request, *, full: bool) -> list[str]:
    """Give a call for a person."""
    said = safe_display(arguments(request), None if full else _ARGUMENTS)
    rows = [["tool", shown(request.tool)]]
    rows += [["agent", shown(request.agent)]] if request.agent else []
    rows += [["arguments", said.text]]
    rows += [["note", said.note]] if said.note else []
    rows += [["sha256", request.arguments_sha256]]
    if request.expires_at is not None and request.verdict is None:
        rows.append(["expires", moment(request.expires_at) or ""])
    if request.verdict is not None:
        rows.append(["decided", verdict_text(request)])
    state = "waits" if request.verdict is None else "decided"
    return [f"  {shlex.quote(shown(request.call))}  {state}", *output.table(rows, 4)]


def verdict_text(request: Request) -> str:
    """Give a verdict for a person."""
    verdict = request.verdict
    if verdict is None:
        return "waits"
    text = "approved" if verdict.approved else "rejected"
    text += " for good" if verdict.always else ""
    text += f" by {shown(verdict.by)}" if verdict.by else ""
    text += f" at {moment(request.decided_at)}"
    for label, said in (("reason", verdict.reason), ("message", verdict.message)):
        text += f"; {label}: {safe_display(said, NAME)}" if said is not None else ""
    return text
