"""What the 30 definitions of `corpus/cross` are given; their agents are in both languages.

In Python: `tests/agents/scenarios/cross.py`. In JavaScript: `worker/definitions.mjs`. Those of the
states that every release of the Python SDK recorded: `scenarios/release.py`, `worker/recorded.mjs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from tests.agents.scenarios import cross, release

if TYPE_CHECKING:
    from tests.agents.scenario import Cast


@attrs.frozen(kw_only=True)
class Definition:
    """How a run begins.

    Attributes:
        given: the input.
        given_js: the input in the JavaScript SDK's own form, where that differs.
        options: keyword arguments of `Runner.run`; in JavaScript their names are camelCase.
        session: whether the run has one.
        streamed: whether the first run is streamed whatever the others are.
        staged: input that is added at the pause and waits for the next turn.
    """

    given: Any = "Mail Bob"
    given_js: Any = None
    options: Mapping[str, Any] = attrs.field(factory=dict)
    session: bool = False
    streamed: bool = False
    staged: str | None = None


_SYSTEM = {"role": "system", "content": "Be brief"}
_WORDS = {"type": "input_text", "text": "Mail Bob"}
_IMAGE = {"type": "input_image", "detail": "low"}


def _with_image(**where: str) -> list[Any]:
    user = {"type": "message", "role": "user", "content": [_WORDS, _IMAGE | where]}
    return [_SYSTEM, user]


DEFINITIONS: dict[str, Definition] = {
    **{
        name: Definition()
        for name in (
            "apply_patch",
            "dup_names",
            "guardrails",
            "handoff",
            "handoff_default",
            "handoff_pending",
            "hosted_items",
            "hosted_mcp",
            "hosted_two",
            "image_out",
            "local_done",
            "local_mcp",
            "multi_turn",
            "nested",
            "parallel",
            "plain",
            "reasoning",
            "shell",
            "two_pauses",
        )
    },
    **{
        name: Definition(session=True)
        for name in ("guard_session", "multi_session", "parallel_session", "session", "two_session")
    },
    "context": Definition(
        options={
            "context": {
                "userId": 7,
                "when": "1970-01-01T00:00:00.000Z",
                "nested": {"camelCase": True, "snake_case": [1, 2.5, None, "é"]},
            }
        }
    ),
    "conversation": Definition(options={"conversation_id": "conv_123"}),
    "listinput": Definition(
        given=_with_image(image_url="https://x/y.png"),
        given_js=_with_image(image="https://x/y.png"),
    ),
    "pending_input": Definition(staged="And greet Eve"),
    "prev_response": Definition(options={"previous_response_id": "resp_prev"}),
    "streamed": Definition(streamed=True),
}


RECORDED: dict[str, Definition] = {
    f"recorded/{stem}": Definition(given="go", session=stem == "session")
    for stem in (
        "always",
        "always_rejected",
        "approved",
        "auto_previous",
        "conversation_id",
        "final",
        "handoff",
        "hosted_mcp",
        "hosted_mcp_always",
        "local_mcp",
        "native",
        "nested",
        "nested_approved",
        "plain",
        "previous_response_id",
        "rejected",
        "session",
        "streamed",
    )
}
"""What every release of the Python SDK recorded; only gone on with, never begun."""


def of(name: str) -> Definition:
    """The definition of that name."""
    return DEFINITIONS[name] if name in DEFINITIONS else RECORDED[name]


def cast(name: str) -> Cast:
    """Builds the Python agents of a definition."""
    if name in RECORDED:
        return release.SCENARIOS[name.replace("recorded", release.FOLDER)].cast
    return cross.SCENARIOS[f"cross/py-0.24.0/{name}"].cast
