"""A run that Python pauses and a Node service finishes: `examples/node/service.mjs`.

`python -m examples.hand_over 127.0.0.1:PORT` runs until a person is asked, writes the state
as the JavaScript SDK reads it, sends it to the service, approves it there and prints the answer.
What cannot cross is printed; what would run otherwise than here is refused before it is sent.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import sys
from contextlib import closing
from typing import Any

from agents import Runner, set_tracing_disabled

import hitl
from examples.support import agent
from hitl.cli.display import safe_display


async def paused() -> hitl.RunState:
    """Run until a call waits for a person."""
    return hitl.capture(await Runner.run(agent(), "Refund order 7"))


def for_node(state: hitl.RunState) -> bytes:
    """Write the state for the newest release of the JavaScript SDK.

    `version="1.13"` writes it for an older one. `allow_loss` takes the responsibility for what is
    only warned of, such as that the input guardrails have passed, which Python does not record.
    """
    converted = hitl.convert(state, dialect="openai-agents-js", allow_loss=True)
    for loss in converted.losses:
        print(f"{loss.severity}: {loss.path} {loss.reason}", file=sys.stderr)
    return converted.data


def post(service: str, path: str, body: bytes = b"") -> dict[str, Any]:
    """Send bytes, get JSON."""
    with closing(http.client.HTTPConnection(service)) as connection:
        connection.request("POST", path, body)
        given: dict[str, Any] = json.load(connection.getresponse())
    if "error" in given:
        raise SystemExit(given["error"])
    return given


def main(service: str) -> None:
    """Hand one run over."""
    set_tracing_disabled(disabled=True)
    run = post(service, "/runs", for_node(asyncio.run(paused())))
    for call in run["waiting"]:
        print(f"Node waits for {call['tool']}: {safe_display(call['arguments'])}")
    print(post(service, f"/runs/{run['id']}/yes")["answer"])


if __name__ == "__main__":
    main(sys.argv[1])
