"""Whether an agent can go on with a state: asked before anything runs, answered by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agents import RunContextWrapper
from attrs import evolve, frozen

from hitl import document
from hitl.dialects.openai_python import ledger
from hitl.errors import (
    AgentMismatch,
    ArgumentsChanged,
    HitlError,
    RestoreError,
    RunFinished,
    StepUnknown,
    ToolMismatch,
)
from hitl.model import decide, positions, staging
from hitl.model.open import open_calls
from hitl.runtime import sdk, seen
from hitl.runtime.open import ending, tool_of, waiting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from agents import Agent

    from hitl.model import Agent as Entry
    from hitl.model import Call, RunState, Spans


@frozen(kw_only=True)
class Fit:
    """What is compared, and how strictly.

    Attributes:
        allow_changed: whether a tool's parameters may differ from what they were at the pause.
        check_ending: whether a run that has ended is refused; not asked of runs inside.
        context: the app context, for servers that list their tools by it.
    """

    allow_changed: bool = False
    check_ending: bool = True
    context: object = None

    async def problems(
        self, root: Agent[Any], state: RunState, path: str = ""
    ) -> AsyncIterator[HitlError]:
        """Give everything that stands between `state` and a run of `root`."""
        if self.check_ending:
            for problem in _ended(state):
                yield problem
        for find in (_unknown_items, _twins, _decisions):
            for problem in find(state, path):
                yield problem
        for problem in (*_agents(root, state, path), *_owners(root, state, path)):
            yield problem
        current = None if state.current_agent is None else state.agents[state.current_agent]
        known = sdk.identities(root)
        live = None if current is None else known.get(current.identity or current.name)
        if current is None or live is None:
            return
        ends = staging.may_end(state, seen.agent(current, live)) if state.staged else None
        if ends is not None:
            yield ends
        async for problem in self._tools(live, state, path):
            yield problem

    async def _tools(
        self, live: Agent[Any], state: RunState, path: str
    ) -> AsyncIterator[HitlError]:
        left = open_calls(state)
        calls = state.processed.calls if state.processed else ()
        functions = [call for call in calls if call.group == "function"]
        tools = await offered(live, functions, self.context)
        for index, call in enumerate(calls):
            if state.log.item(call.item).call_id not in left:
                continue
            place = f"{path}/processed/calls/{index}"
            found = _find(call, live, tools)
            if found is None:
                yield _missing(call, live, place)
                continue
            for problem in self._changed(call, found, place):
                yield problem
            async for problem in self._inside(call, found, place):
                yield problem

    def _changed(self, call: Call, live: Any, path: str) -> Iterator[HitlError]:  # noqa: ANN401
        then = call.tool.get("paramsJsonSchema") if isinstance(call.tool, dict) else None
        now = getattr(live, "params_json_schema", None)
        if self.allow_changed or then is None or now is None:
            return
        if seen.schema_sha256(then) != seen.schema_sha256(now):
            yield ToolMismatch(
                f"tool {tool_of(call)!r} takes other parameters than at the pause",
                path=path,
                hint="allow_changed=True goes on with the arguments as they are",
            )

    async def _inside(self, call: Call, live: Any, path: str) -> AsyncIterator[HitlError]:  # noqa: ANN401
        if call.run is None:
            return
        inner = getattr(live, "_agent_instance", None)
        if inner is None:
            yield ToolMismatch(f"tool {tool_of(call)!r} was an agent at the pause", path=path)
            return
        strict = evolve(self, check_ending=False)
        async for problem in strict.problems(inner, call.run, f"{path}/run"):
            yield problem


async def offered(live: Agent[Any], calls: list[Call], context: object) -> list[Any]:
    """Give the agent's tools; MCP servers are asked only when a call needs what they have.

    Raises:
        ToolMismatch: a server does not list its tools.
    """
    here = {seen.tool_name(tool) for tool in live.tools}
    if not live.mcp_servers or all(tool_of(call) in here for call in calls):
        return list(live.tools)
    try:
        found = await live.get_mcp_tools(RunContextWrapper(context=context))
    except Exception as exc:
        message = "an MCP server did not list its tools"
        raise ToolMismatch(message, hint="connect it first") from exc
    return [*live.tools, *found]


def takes(call: Call, tool: Any) -> bool:  # noqa: ANN401 - any of the SDK's tools
    """Tell whether a tool is the one a call is for."""
    return seen.kind(tool) == call.group and _answers(tool, tool_of(call), call)


def _ended(state: RunState) -> Iterator[HitlError]:
    if state.newer is not None:
        message = f"the state is of version {state.newer.version}, newer than this hitl knows"
        yield RestoreError(message, hint="upgrade hitl")
    if state.terminal:
        yield RunFinished("the SDK marked the run as one that no resume can finish")
        return
    how = ending(state)
    if how == "finished":
        yield RunFinished("the run has ended; resuming it would call the model again")
    elif how == "cut" and state.conversation and state.conversation.mode != "local":
        message = "the run was cut in its first turn; the SDK would send the server nothing"
        yield RestoreError(message, hint="start it anew with the same input")
    elif how == "unknown":
        yield StepUnknown(
            "the document does not say whether anything is left to run",
            path="/step",
            hint='assume="run_again" asks the model again',
        )


def _decisions(state: RunState, path: str) -> Iterator[HitlError]:
    """Hold what a person saw against what would run."""
    yield from decide.changed(state, path)
    if not path:
        yield from decide.suspect(state)
    for call_id in ledger.forged(state):
        yield ArgumentsChanged(
            f"call {call_id!r} is not the call the SDK recorded when it stopped",
            path=f"{path}/step/interruptions",
            hint="the state was changed after the pause; show it and start over",
        )


def _unknown_items(state: RunState, path: str) -> Iterator[HitlError]:
    lists: dict[str, Spans | None] = {"generated": state.generated, "session": state.session}
    for name, packed in lists.items():
        for index, position in enumerate(positions(packed or ())):
            record = state.log[position]
            if record.item is not None and record.item.kind == "opaque":
                message = "an item of the history is of a kind that the installed SDK drops"
                yield RestoreError(message, path=f"{path}/{name}/{index}")


def _twins(state: RunState, path: str) -> Iterator[HitlError]:
    """Calls of one id of one agent, inside two runs: the SDK fails on them once it runs."""
    seen_: set[bytes] = set()
    for item in waiting(state):
        mark = document.canonical([item.call_id, item.agent])
        if mark in seen_:
            message = f"two waiting calls share the id {item.call_id!r}"
            hint = "the SDK cannot tell them apart"
            yield RestoreError(message, path=f"{path}/step/interruptions", hint=hint)
        seen_.add(mark)


def _agents(root: Agent[Any], state: RunState, path: str) -> Iterator[HitlError]:
    known = sdk.identities(root)
    named = [live.name for live in known.values()]
    for index, entry in enumerate(state.agents):
        live = known.get(entry.identity or entry.name)
        place = f"{path}/agents/{index}"
        if live is None:
            yield AgentMismatch(
                f"agent {entry.identity or entry.name!r} cannot be reached from {root.name!r}",
                path=place,
                hint='restore takes the first agent; agents={"old name": "new name"} maps a rename',
            )
        elif named.count(live.name) > 1 and not _same(entry, live):
            yield AgentMismatch(
                f"agents named {live.name!r} are told apart by their settings, which have changed",
                path=place,
                hint="give the agents names of their own",
            )


def _owners(root: Agent[Any], state: RunState, path: str) -> Iterator[HitlError]:
    """A decision about a call of an agent that has a double: the SDK forgets it."""
    twins = {id(agent) for agent in sdk.ambiguous(root)}
    if not twins:
        return
    known = sdk.identities(root)
    decided = {each.call_id for each in state.decisions}
    owners = {grant.agent for grant in state.grants}
    owners |= {item.agent for item in waiting(state) if item.call_id in decided}
    for index in sorted(owner for owner in owners if owner is not None):
        entry = state.agents[index]
        if id(known.get(entry.identity or entry.name)) in twins:
            message = (
                f"agents named {entry.name!r} are alike; the SDK forgets decisions on their calls"
            )
            hint = "give the agents names of their own"
            yield AgentMismatch(message, path=f"{path}/agents/{index}", hint=hint)


def _same(entry: Entry, live: Agent[Any]) -> bool:
    """Tell whether an agent that shares its name is still the one it was."""
    now = seen.agent(entry, live)
    then = (entry.instructions_sha256, entry.tools, entry.handoffs)
    if entry.tools is None:
        return True  # the writer did not say
    return then == (now.instructions_sha256, now.tools, now.handoffs)


def _find(call: Call, live: Agent[Any], tools: list[Any]) -> Any:  # noqa: ANN401 - any tool
    name = tool_of(call)
    if call.group == "handoff":
        return live if name in sdk.handoff_names(live) else None
    for tool in tools:
        if takes(call, tool):
            return tool
    return None


def _answers(tool: Any, name: str, call: Call) -> bool:  # noqa: ANN401
    if call.group == "computer":
        return True  # the SDK takes either of the two names it gave this tool
    key = call.tool.get("lookupKey") if isinstance(call.tool, dict) else None
    if key is not None:
        return bool(sdk.lookup_key(tool) == key)
    return bool(seen.tool_name(tool) == name)


def _missing(call: Call, live: Agent[Any], path: str) -> HitlError:
    what = {"handoff": "handoff", "hosted_mcp": "hosted MCP server"}.get(call.group, "tool")
    rename = None if call.group == "hosted_mcp" else 'tools={"old name": "new name"} maps a rename'
    message = f"agent {live.name!r} has no {what} {tool_of(call)!r}, which a call waits for"
    return ToolMismatch(message, path=path, hint=rename)
