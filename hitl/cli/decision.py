"""`hitl approve` and `hitl reject`: a person's verdict on one call, without the agent's code."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from hitl import transfer
from hitl.cli import operand, output, stored
from hitl.cli.command import Command
from hitl.cli.delivery import STDIO, deliver, refuse_same
from hitl.cli.show import call_name
from hitl.errors import AmbiguousCall, UnknownCall
from hitl.gate.name import LIMIT
from hitl.model import decide
from hitl.store import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from hitl.document import JSONObject
    from hitl.model import RunState
    from hitl.store import Request, Run, Store
    from hitl.transfer import Report

_HELP = {
    "by": "Who decides.",
    "reason": "Why; for the record, the model does not see it.",
    "always": "Decide later calls of the same tool of the same agent too.",
    "out": "Where to; stdout.",
    "sha": "With --store: the arguments_sha256 that was shown; other arguments are refused.",
}


def _decision(function: Callable[..., None]) -> click.Command:
    """Make a command of a function that gives the decided state."""
    for wrap in (
        click.option("-o", "--out", type=operand.OUT, default=STDIO, help=_HELP["out"]),
        click.option("--always", is_flag=True, help=_HELP["always"]),
        click.option("--reason", callback=operand.text, help=_HELP["reason"]),
        click.option("--by", callback=operand.text, metavar="WHO", help=_HELP["by"]),
        click.argument("call", callback=operand.text),
        click.argument("file", metavar="FILE|RUN", callback=stored.file_or_run),
        click.option("--sha", "sha256", callback=operand.text, help=_HELP["sha"]),
        stored.store_option(required=False),
    ):
        function = wrap(function)
    verb = function.__name__.capitalize()
    return click.command(cls=Command, short_help=f"{verb} one call; the file stays as it is.")(
        function
    )


@_decision
def approve(*, file: str, call: str, out: str, as_json: bool, **given: str | bool | None) -> None:
    """Approve CALL, as `hitl show` names it; the decided state goes to stdout or OUT.

    FILE itself is never edited. With --store the verdict is recorded for RUN; the first one wins.
    """
    if _stored(file, call, out, given, approved=True, as_json=as_json):
        return
    report, state = _read(file, out)
    name = _exact(state, call)
    decided = state.approve(name, at=_now(), **given)  # type: ignore[arg-type]
    _finish(decided, name, report, file, out, as_json=as_json)


@_decision
@click.option("--message", callback=operand.text, help="Exactly what the model is told.")
def reject(*, file: str, call: str, out: str, as_json: bool, **given: str | bool | None) -> None:
    """Reject CALL, as `hitl show` names it; the decided state goes to stdout or OUT.

    FILE itself is never edited. With --store the verdict is recorded for RUN; the first one wins.
    """
    if _stored(file, call, out, given, approved=False, as_json=as_json):
        return
    report, state = _read(file, out)
    name = _exact(state, call)
    decided = state.reject(name, at=_now(), **given)  # type: ignore[arg-type]
    _finish(decided, name, report, file, out, as_json=as_json)


def _stored(
    run_id: str,
    call: str,
    out: str,
    given: dict[str, str | bool | None],
    *,
    approved: bool,
    as_json: bool,
) -> bool:
    """Record a verdict in a store; False when none is named, and `given` is for a file then."""
    url, sha256 = given.pop("url"), given.pop("sha256")
    if url is None:
        if sha256 is not None:
            raise click.UsageError("--sha goes with --store: a file is decided as it is")
        return False
    if out != STDIO:
        raise click.UsageError("OUT is for files: a stored run is decided in its store")
    verdict = Verdict(approved=approved, arguments_sha256=sha256, **given)  # type: ignore[arg-type]

    async def decide(store: Store) -> tuple[Request, Run, int]:
        names = [each.call for each in await store.waiting(run_id=run_id, limit=LIMIT)]
        request = await store.decide(run_id, stored.exact(names, call), verdict)
        left = await store.waiting(run_id=run_id, limit=LIMIT)
        return request, await store.run(run_id), len(left)

    request, run, left = stored.ask(str(url), decide)
    if as_json:
        facts: JSONObject = {**stored.request_json(request), "status": run.status, "waiting": left}
        output.machine(facts)
    else:
        count = f"{left or 'no'} {'call' if left == 1 else 'calls'}"
        what = f"{call_name(request.call)} ({call_name(request.tool)})"
        said = stored.verdict_text(request)
        output.words(f"{what}: {said}; {count} of the run left to decide, it is {run.status}")
    return True


def _read(file: str, out: str) -> tuple[Report, RunState]:
    refuse_same(file, out)
    return operand.sound(operand.read(file))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _exact(state: RunState, call: str) -> str:
    """Give the name as it stands in the state; `hitl show` may have shown it with escapes."""
    waiting = state.interruptions
    if any(call in (each.call, each.call_id) for each in waiting):
        return call
    shown = [each.call for each in waiting if call_name(each.call) == call]
    if len(shown) > 1:
        raise AmbiguousCall(f"{len(shown)} waiting calls are shown by that name")
    if not shown:
        names = ", ".join(call_name(each.call) for each in waiting)
        message = "expected the name of a call that waits, found none of that name"
        raise UnknownCall(message, hint=f"say one of {names}" if names else "no call waits")
    return shown[0]


def _finish(
    state: RunState, call: str, report: Report, file: str, out: str, *, as_json: bool
) -> None:
    converted = transfer.convert(
        state,
        dialect=report.dialect or "",
        version=report.version,
        codec=report.codec or "",
    )
    facts = _facts(state, call)
    if not as_json:
        output.words(_sentence(facts))
    deliver(converted, file, out, as_json=as_json, facts=facts)


def _facts(state: RunState, call: str) -> JSONObject:
    target = decide.find(state, call)
    decision = target.decision
    return {
        "call": target.call,
        "tool": target.tool_name,
        "agent": target.agent,
        "approved": decision is not None and decision.approved,
        "always": decision is not None and decision.always,
        "by": decision.by if decision else None,
        "at": decision.at if decision else None,
        "arguments_sha256": target.arguments_sha256,
        "waiting": [each.call for each in state.interruptions if each.decision is None],
    }


def _sentence(facts: JSONObject) -> str:
    verdict = "approved" if facts["approved"] else "rejected"
    always = " for good" if facts["always"] else ""
    whose = f", agent {call_name(str(facts['agent']))}" if facts["agent"] else ""
    what = f"{call_name(str(facts['call']))} ({call_name(str(facts['tool']))}{whose})"
    left = facts["waiting"]
    count = len(left) if isinstance(left, list) else 0
    rest = {0: "nothing else waits", 1: "1 call still waits"}.get(
        count, f"{count} calls still wait"
    )
    return f"{verdict}{always} {what}; {rest}"
