"""`hitl show`: what waits for a person and what happened, safe to print."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

import click
from attrs import field, frozen

from hitl.cli import history, operand, output, stored
from hitl.cli.check import format_text
from hitl.cli.command import Command, problem_json
from hitl.cli.display import safe_display
from hitl.document import JSONValue
from hitl.errors import HitlError
from hitl.lifecycle import ended

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.document import JSONObject
    from hitl.model import Decision, Interruption, RunState
    from hitl.store import Stored
    from hitl.transfer import Report

NAME = 200  # characters of a name
_ARGUMENTS = 2000
_TEXT = 200
_HISTORY = 10
_IDENTITY = {"type", "id", "call_id", "status"}
_USAGE = ("requests", "input_tokens", "output_tokens", "total_tokens")
_DECISION = ("approved", "always", "by", "at", "reason", "message")
_STEPS = {"interruption": "stopped for decisions", "run_again": "the model is asked next"}


@click.command(cls=Command, short_help="What waits, what happened, turn and usage; safe to print.")
@click.argument("file", metavar="FILE|RUN", callback=stored.file_or_run)
@stored.store_option(required=False)
@click.option("--full", is_flag=True, help="Everything, however long.")
def show(*, file: str, url: str | None, full: bool, as_json: bool) -> None:
    """Show what waits in FILE, what happened, turn, usage, conversation and format.

    With --store: what waits, was decided and ran in the stored run RUN.

    Characters that a terminal would obey, or would not show, stand as escapes and are counted.
    """
    if url is not None:
        _stored(url, file, full=full, as_json=as_json)
        return
    report, state = operand.readable(operand.read(file))
    last = len(state.items) if full else _HISTORY
    if as_json:
        output.machine(_json(report, state, last))
        return
    lines = [*_head(report, state), "", *_calls(state, full=full)]
    output.data([*lines, "", *history.lines(state, last, None if full else _TEXT)])
    output.words(*(f"problem: {each}" for each in report.problems))


def _stored(url: str, run_id: str, *, full: bool, as_json: bool) -> None:
    found = stored.ask(url, lambda store: store.load(run_id))
    staged = _staged_of(found)
    if as_json:
        output.machine({**stored.stored_json(found), "pending_input": staged.raws})
        return
    output.data([*stored.stored_lines(found, full=full), *staged.lines])
    output.words(*(f"problem: {each}" for each in staged.problems))


@frozen(kw_only=True)
class _Staged:
    """What waits to be said to a stored run, for programs and for people."""

    raws: list[JSONValue] = field(factory=list)
    lines: list[str] = field(factory=list)
    problems: list[HitlError] = field(factory=list)


def _staged_of(found: Stored) -> _Staged:
    from hitl.runtime.durable.packed import unpack

    if found.checkpoint is None or ended(found.run.status):
        return _Staged()
    try:
        state, note = unpack(found)
    except HitlError as exc:  # a store takes any bytes; what it keeps beside them can be shown
        return _Staged(problems=[exc])
    if not state.pending_input:
        return _Staged()
    by = [["by", f"{call_name(each.by or '-')} at {each.at}"] for each in note.added]
    lines = ["", *output.table([*_staged(state), *by])]
    return _Staged(raws=[each.raw for each in state.pending_input], lines=lines)


def call_name(name: str) -> str:
    """Give a name as it is shown, and as `hitl approve` takes it from a shell without quotes."""
    return safe_display(name, NAME).text


def compact(value: JSONValue) -> str:
    """Give a value as JSON in one line, in its own letters."""
    return json.dumps(value, ensure_ascii=False)


def _head(report: Report, state: RunState) -> list[str]:
    rows = [["format", format_text(report)]]
    origin = state.origin
    if (origin.dialect, origin.version) != (report.dialect, report.version):
        rows.append(["written", safe_display(f"first as {origin.dialect} {origin.version}").text])
    rows.append(["turn", _turn(state)])
    rows.append(["usage", _usage(state)])
    rows.append(["history", _conversation(state)])
    if isinstance(state.input, str):
        rows.append(["input", str(safe_display(state.input, _TEXT))])
    rows += _staged(state)
    return output.table(rows)


def _staged(state: RunState) -> list[list[str]]:
    said = (history.said(state, each) for each in state.pending_input)
    return [["staged", str(safe_display(each, _TEXT))] for each in said]


def _turn(state: RunState) -> str:
    agent = history.agent_name(state, state.current_agent)
    whose = f", agent {call_name(agent)}" if agent else ""
    step = _STEPS.get(state.step.kind, "next step not known") if state.step else "no next step said"
    return f"{state.turn.current} of {state.turn.max or 'any number'}{whose}; {step}"


def _usage(state: RunState) -> str:
    usage = state.usage
    if usage is None:
        return "not recorded"
    count = f"{usage.requests or 0:,} {'request' if usage.requests == 1 else 'requests'}"
    tokens = f"{usage.total_tokens or 0:,} tokens"
    return f"{count}, {tokens} ({usage.input_tokens or 0:,} in, {usage.output_tokens or 0:,} out)"


def _conversation(state: RunState) -> str:
    talk = state.conversation
    if talk is None or talk.mode == "local":
        return "kept by the app"
    if talk.mode == "conversation":
        return f"conversation {call_name(talk.id or '')} on the server"
    after = talk.previous_response_id
    return f"chain of responses{f' after {call_name(after)}' if after else ''}"


def _calls(state: RunState, *, full: bool) -> list[str]:
    calls = state.interruptions
    waiting = sum(each.decision is None for each in calls)
    if not calls:
        return ["nothing waits for a decision"]
    told = {0: "no call waits", 1: "1 call waits"}.get(waiting, f"{waiting} calls wait")
    decided = f", {len(calls) - waiting} decided" if waiting < len(calls) else ""
    lines = [f"{told} for a decision{decided}"]
    for each in calls:
        lines += ["", *_call(each, full=full)]
    return lines


def _call(each: Interruption, *, full: bool) -> list[str]:
    name = call_name(each.call)
    rows = [["tool", _tool(each)]]
    if each.agent is not None:
        rows.append(["agent", call_name(each.agent)])
    said = safe_display(_what_runs(each), None if full else _ARGUMENTS)
    rows.append(["arguments", said.text])
    if note := said.note or ("" if said.text.strip() else "nothing but spaces, or empty"):
        rows.append(["note", note])
    if each.decision is not None:
        rows.append(["decided", _verdict(each.decision)])
    quoted = shlex.quote(name)
    state = "waits" if each.decision is None else "decided"
    return [f"  {quoted}  {state}", *output.table(rows, 4)]


def _tool(each: Interruption) -> str:
    server, space = _owner(each)
    name = call_name(f"{space}.{each.tool_name}" if space else each.tool_name)
    where = f" on the server {call_name(server)}" if server else ""
    return f"{name} ({call_name(each.kind)}){where}"


def _owner(each: Interruption) -> tuple[str | None, str | None]:
    """Give the hosted server and the namespace the tool belongs to."""
    raw = each.raw if isinstance(each.raw, dict) else {}
    server, space = raw.get("server_label"), each.item.tool_namespace or raw.get("namespace")
    return (None if server is None else str(server), None if space is None else str(space))


def _what_runs(each: Interruption) -> str:
    """Give the exact string the call carries, or all it says beside its name."""
    if each.arguments is not None:
        return each.arguments
    return compact(_object(each))


def _object(each: Interruption) -> JSONValue:
    if not isinstance(each.raw, dict):
        return each.raw
    return {key: value for key, value in each.raw.items() if key not in _IDENTITY}


def _verdict(decision: Decision) -> str:
    parts = ["approved" if decision.approved else "rejected"]
    parts += ["and every later call of the tool"] if decision.always else []
    parts += [f"by {call_name(decision.by)}"] if decision.by else []
    parts += [f"at {call_name(decision.at)}"] if decision.at else []
    text = " ".join(parts)
    for label, said in (("reason", decision.reason), ("message", decision.message)):
        if said is not None:
            text += f"; {label}: {safe_display(said, _TEXT)}"
    return text


def _json(report: Report, state: RunState, last: int) -> JSONObject:
    return {
        "format": {
            "dialect": report.dialect,
            "version": report.version,
            "codec": report.codec,
            "newer": report.newer,
        },
        "origin": {"dialect": state.origin.dialect, "version": state.origin.version},
        "turn": {"current": state.turn.current, "max": state.turn.max},
        "agent": history.agent_name(state, state.current_agent),
        "step": state.step.kind if state.step else None,
        "usage": _parts(state.usage, _USAGE),
        "conversation": _parts(state.conversation, ("mode", "id", "previous_response_id")),
        "pending_input": [each.raw for each in state.pending_input],
        "interruptions": [_call_json(each) for each in state.interruptions],
        "history": {"count": len(state.items), "last": history.entries(state, last)},
        "problems": [problem_json(each) for each in report.problems],
    }


def _call_json(each: Interruption) -> JSONObject:
    server, space = _owner(each)
    return {
        "call": each.call,
        "call_id": each.call_id,
        "agent": each.agent,
        "tool": each.tool_name,
        "namespace": space,
        "server": server,
        "kind": each.kind,
        "arguments": each.arguments,
        "object": None if each.arguments is not None else _object(each),
        "arguments_sha256": each.arguments_sha256,
        "decision": _parts(each.decision, _DECISION),
    }


def _parts(thing: object, names: Sequence[str]) -> JSONValue:
    return None if thing is None else {name: getattr(thing, name) for name in names}
