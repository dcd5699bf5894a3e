"""From one SDK to another: names that differ on the other side, and what no SDK can take over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import evolve, field, frozen

from hitl.document import escape
from hitl.model.rename import agent_of, rename, widened
from hitl.revision import Loss

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hitl.model import Agent, Call, RunState

Naming: TypeAlias = Callable[[str], str | None]
"""Gives the name an SDK gives a handoff to the agent of a name."""

_SAME_NAME = (
    "agents of one name are told apart by a number that differs between the SDKs; another agent"
    " might run"
)
_ONE_AGENT = "two agents of the run would be one"
_ONE_TOOL = "decisions on two tools would be decisions on one"
_APART = "give the tools names that differ"
_NAMED = "a handoff is pending under the name its SDK gave it; the other SDK gives another"
_STEP = "the run is not paused at an approval, and the SDKs do not know each other's other steps"
_WRITE = "a session write is unsettled; let the SDK that began it finish it"
_TERMINAL = "the SDK marked the run as not resumable"
_SANDBOX = "the state of a sandbox is of its own SDK"
_AUDIT = "who decided, when and why has no place in an SDK's state"
_BOUND = "a call is for an MCP server by name and position; have the same server at the same place"
_SESSION = "the session keeps items in its SDK's own form; the session must be converted too"
_SIGNED = "the records of what was called are computed anew for the other SDK"
_HIDDEN = "a secret is not carried; the agent that goes on supplies it"
_FIELD = "a field that hitl does not know; the other SDK does not get it"
_HINTS = {
    "step": "let the SDK that wrote it go on to the next pause",
    "session_write": "resume it once in the SDK that wrote it, up to the next pause",
    "terminal": "start the run anew",
    "sandbox": "resume it in the SDK that wrote it",
}


@frozen(kw_only=True)
class Hints:
    """What a person knows of the other side and the state does not say.

    Attributes:
        rename: old name to new name, for tools and handoffs; calls that ran keep their names.
        handoff_targets: name of a pending handoff, as it is in the state, to the name or identity
            of the agent it goes to, as that is on the other side.
        agent_map: name or identity of an agent in the state to its name or identity on the other
            side.
    """

    rename: Mapping[str, str] = field(factory=dict)
    handoff_targets: Mapping[str, str] = field(factory=dict)
    agent_map: Mapping[str, str] = field(factory=dict)

    def applied(self, state: RunState) -> RunState:
        """Give the state with the names of the other side."""
        return self._aimed(rename(state, self.agent_map, self.rename), state)

    def joined(self, state: RunState) -> Iterator[Loss]:
        """Give the decisions for good on a tool that gets the name of another, which waits too."""
        renamed = rename(state, {}, self.rename)
        for at in widened(state, renamed) if self.rename else ():
            yield Loss(path=at, severity="error", reason=_ONE_TOOL, hint=_APART)

    def misnamed(
        self, state: RunState, here: Naming, there: Naming, path: str = ""
    ) -> Iterator[Loss]:
        """Give the pending handoffs that the other SDK will look for under another name.

        A name that the app gave is taken to be the same on both sides, like the name of a tool;
        the one an SDK makes of the agent's name may not be.

        Args:
            state: the state, under the names it came with.
            here: gives the name that the SDK of the state makes of an agent's.
            there: gives the name that the other SDK makes of it.
            path: JSON Pointer to the state, for a run inside another.
        """
        for index, call in enumerate(state.processed.calls if state.processed else ()):
            at = f"{path}/processed/calls/{index}"
            name = handoff(call)
            if name is not None and name not in self.rename:
                target = None if call.target is None else state.agents[call.target]
                new = self._expected(name, target, here, there)
                if new != name:
                    hint = f"rename={{{name!r}: {new!r}}}, or what it is called there"
                    yield Loss(path=at, severity="error", reason=_NAMED, hint=hint)
            if call.run is not None:
                yield from self.misnamed(call.run, here, there, f"{at}/run")

    def _expected(self, name: str, target: Agent | None, here: Naming, there: Naming) -> str | None:
        """Give what the other SDK calls a handoff if no app names it."""
        back = {new: old for old, new in self.agent_map.items()}
        said = self.handoff_targets.get(name)
        if target is not None:
            mine = target.name
            other = said or self.agent_map.get(target.identity or mine, mine)
        elif said is not None:
            mine, other = agent_of(back.get(said, said)).name, said
        else:
            mine = other = name.removeprefix(here("") or "")
        return there(agent_of(other).name) if here(mine) == name else name

    def _aimed(self, renamed: RunState, before: RunState) -> RunState:
        """Give the state with a target for each handoff that has one here."""
        if renamed.processed is None or before.processed is None:
            return renamed
        agents = list(renamed.agents)
        calls = []
        for call, old in zip(renamed.processed.calls, before.processed.calls, strict=True):
            name = self.handoff_targets.get(handoff(old) or "")
            if name is not None:
                calls.append(evolve(call, target=_place(agents, agent_of(name))))
            elif call.run is not None and old.run is not None:
                calls.append(evolve(call, run=self._aimed(call.run, old.run)))
            else:
                calls.append(call)
        processed = evolve(renamed.processed, calls=tuple(calls))
        return evolve(renamed, agents=tuple(agents), processed=processed)


NO_HINTS = Hints()


def _place(agents: list[Agent], wanted: Agent) -> int:
    """Give the position of an agent in a table that it joins if it is not there."""
    for index, agent in enumerate(agents):
        if (agent.name, agent.identity) == (wanted.name, wanted.identity):
            return index
    agents.append(wanted)
    return len(agents) - 1


def handoff(call: Call) -> str | None:
    """Give the name of a pending handoff; None for a call of another kind."""
    if call.group != "handoff" or not isinstance(call.tool, dict):
        return None
    name = call.tool.get("tool_name")
    return name if isinstance(name, str) else None


def rejected(state: RunState, call_id: str | None) -> bool:
    """Tell whether a call of a run that waits will not run."""
    for each in state.interruptions:
        if each.call_id == call_id and not each.outer and each.decision is not None:
            return not each.decision.approved
    return False


def left_behind(state: RunState, known: Collection[str] = (), path: str = "") -> Iterator[Loss]:
    """Give what no SDK can take over from another, for a state and the runs inside it.

    Args:
        state: a state that another SDK wrote.
        known: names and identities of agents that somebody said are the right ones.
        path: JSON Pointer to it, for a run inside another.
    """
    yield from _twins(state, known, path)
    found = {
        "step": (state.step is None or state.step.kind != "interruption", _STEP),
        "session_write": (state.session_write is not None, _WRITE),
        "terminal": (bool(state.terminal), _TERMINAL),
        "sandbox": (state.sandbox is not None, _SANDBOX),
    }
    for key, (lost, reason) in found.items():
        if lost:
            yield Loss(path=f"{path}/{key}", severity="error", reason=reason, hint=_HINTS[key])
    yield from _unknown(state, path)
    yield from _anew(state, path)
    for pointer in state.secrets:
        yield Loss(path=path + pointer, severity="info", reason=_HIDDEN)
    for index, call in enumerate(state.processed.calls if state.processed else ()):
        if call.run is not None:
            yield from left_behind(call.run, known, f"{path}/processed/calls/{index}/run")


def _anew(state: RunState, path: str) -> Iterator[Loss]:
    """Give what the other SDK has of its own: records, sessions, servers."""
    yield Loss(path=f"{path}/ledger", severity="info", reason=_SIGNED)
    if state.persisted:
        yield Loss(path=f"{path}/persisted", severity="warn", reason=_SESSION)
    for call_id in (state.processed and state.processed.mcp_bindings) or {}:
        at = f"{path}/processed/mcp_bindings/{escape(call_id)}"
        yield Loss(path=at, severity="warn", reason=_BOUND)


def audit(state: RunState, path: str = "") -> Iterator[Loss]:
    """Give what no SDK keeps of the decisions taken with hitl."""
    for decision in state.decisions:
        if decision.by or decision.at or decision.reason:
            at = f"{path}/decisions/{escape(decision.call_id)}"
            yield Loss(path=at, severity="info", reason=_AUDIT)
    for index, call in enumerate(state.processed.calls if state.processed else ()):
        if call.run is not None:
            yield from audit(call.run, f"{path}/processed/calls/{index}/run")


def _unknown(state: RunState, path: str) -> Iterator[Loss]:
    """Give the objects with fields that hitl does not know, of which no other SDK can be told."""
    step, processed, usage = state.step, state.processed, state.usage
    holders: dict[str, Any] = {"step": step, "processed": processed, "usage": usage}
    holders |= {f"agents/{index}": each for index, each in enumerate(state.agents)}
    holders |= {f"grants/{index}": each for index, each in enumerate(state.grants)}
    holders |= {
        f"processed/calls/{index}": each
        for index, each in enumerate(processed.calls if processed else ())
    }
    for position, record in enumerate(state.log):
        holders[f"items/{position}/item"] = record.item
        holders[f"items/{position}/response"] = record.response
        holders[f"items/{position}/response/usage"] = record.response and record.response.usage
    for at, holder in holders.items():
        for key in getattr(holder, "extra", None) or ():
            place = f"{path}/{at}/extra/{escape(key)}"
            yield Loss(path=place, severity="warn", reason=_FIELD)


def _twins(state: RunState, known: Collection[str], path: str) -> Iterator[Loss]:
    """Give agents that share a name and nobody said which they are, and what would become one."""
    ranked = {each.name for each in state.agents if each.identity not in {None, each.name}}
    seen: set[str] = set()
    for index, agent in enumerate(state.agents):
        identity = agent.identity or agent.name
        if agent.name in ranked and identity not in known:
            at = f"{path}/agents/{index}/{'name' if agent.identity is None else 'identity'}"
            hint = f"agent_map={{{identity!r}: <its name or identity there>}}"
            yield Loss(path=at, severity="error", reason=_SAME_NAME, hint=hint)
        if identity in seen:
            at = f"{path}/agents/{index}"
            yield Loss(path=at, severity="error", reason=_ONE_AGENT)
        seen.add(identity)
    tools: set[tuple[object, ...]] = set()
    for index, grant in enumerate(state.grants):
        tool = (grant.subject, grant.agent, grant.key, grant.server, grant.request)
        if tool in tools:
            yield Loss(path=f"{path}/grants/{index}", severity="error", reason=_ONE_TOOL)
        tools.add(tool)
