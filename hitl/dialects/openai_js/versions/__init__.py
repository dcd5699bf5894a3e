"""The schema versions of the JavaScript SDK's RunState, oldest first: a table, for reading changes
nothing but the label. What an older release cannot read goes on the way down, see `shape`.

The releases are those of npm's @openai/agents-core.
"""

from __future__ import annotations

from hitl.dialects.openai_js.shape import revision

_MAIN = "openai-agents-js git main, never released"

# Version, what first wrote it, what it added.
_VERSIONS = (
    ("1.0", "@openai/agents-core 0.0.2", "runs, items, approvals by tool name"),
    ("1.1", "@openai/agents-core 0.3.8", "server conversations; a turn may be in progress"),
    ("1.2", "@openai/agents-core 0.4.4", "runs inside agents used as tools"),
    ("1.3", _MAIN, "approvals of computer calls"),
    ("1.4", "@openai/agents-core 0.4.5", "the structured input of an agent used as a tool"),
    ("1.5", "@openai/agents-core 0.4.13", "what happens to the ids of reasoning items"),
    ("1.6", "@openai/agents-core 0.5.2", "request ids of model responses"),
    ("1.7", "@openai/agents-core 0.5.4", "what the model is told of a rejected call"),
    ("1.8", "@openai/agents-core 0.6.0", "tool search; several computer actions in one call"),
    ("1.9", "@openai/agents-core 0.9.0", "sandbox sessions"),
    ("1.10", "@openai/agents-core 0.9.1", "agents that share a name are told apart"),
    ("1.11", "@openai/agents-core 0.10.0", "runs without a turn limit"),
    ("1.12", "@openai/agents-core 0.11.5", "calls of tools that do not exist"),
    ("1.13", "@openai/agents-core 0.11.8", "what an app attaches to an output"),
    ("1.14", "@openai/agents-core 0.14.0", "programs that call tools; phases of messages"),
    ("1.15", "@openai/agents-core 0.14.2", "a second form of sandbox sessions"),
    ("1.16", _MAIN, "compaction items; decisions belong to an agent, keys name the kind of tool"),
    ("1.17", "@openai/agents-core 0.14.3", "whether a tool ran; withheld output"),
    ("1.18", "@openai/agents-core 0.15.0", "calls are bound to their records; structured outputs"),
    ("1.19", "@openai/agents-core 0.16.1", "a decision on one call stands beside one for good"),
    ("1.20", "@openai/agents-core 0.17.1", "which items are of the current response; held writes"),
    ("1.21", "@openai/agents-core 0.19.0", "which MCP server a call is for; guardrails that ran"),
    ("1.22", "@openai/agents-core 0.20.0", "MCP tools that a tool search found"),
)

REVISIONS = tuple(
    revision(version, parent, source, summary)
    for (version, source, summary), parent in zip(
        _VERSIONS, (None, *(version for version, _, _ in _VERSIONS)), strict=False
    )
)
