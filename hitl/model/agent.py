"""The agents of a run, as they were seen at the pause."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from hitl.document import JSONObject

Rule = Literal["always", "never", "depends"]
ToolUse = Literal["run_llm_again", "stop_on_first_tool", "stop_at_tools", "custom"]


@frozen(kw_only=True)
class Tool:
    """A tool as it was at the pause, so that a changed one is noticed before anything runs.

    Attributes:
        name: its name, qualified by its namespace where it has one.
        kind: `function`, `shell`, `apply_patch`, `computer`, `hosted_mcp`, ….
        approval: whether calls need a person: always, never, or a callable decides.
        schema_sha256: digest of its parameter schema; None when it has none.
    """

    name: str
    kind: str
    approval: Rule | None = None
    schema_sha256: str | None = None


@frozen(kw_only=True)
class Agent:
    """An agent that took part in a run.

    Attributes:
        name: its name; may be shared by several agents.
        identity: what tells agents of one name apart, as the SDK writes it; None when unique.
        tools: its tools at the pause; None when the writer did not say.
        handoffs: names of the handoffs it could make; None when the writer did not say.
        instructions_sha256: digest of its instructions, where they are a text: what tells agents
            of one name apart when the order of their identities has changed.
        tool_use_behavior: whether the output of a tool can end the run: never, always, that of the
            tools in `stop_at_tool_names`, or code of the app says so; None when not seen.
        stop_at_tool_names: names of those tools.
        extra: fields of the writer that hitl does not know, kept verbatim, tagged.
    """

    name: str
    identity: str | None = None
    tools: tuple[Tool, ...] | None = None
    handoffs: tuple[str, ...] | None = None
    instructions_sha256: str | None = None
    tool_use_behavior: ToolUse | None = None
    stop_at_tool_names: tuple[str, ...] = ()
    extra: JSONObject | None = None
