"""A terminal approval loop: `python examples/terminal.py "Refund order 7 and 8"`.

Stop it at any time, also with ctrl-C or kill -9 while it asks: start it again with the same words
and it goes on where it was. What was refunded is not refunded twice.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys

import hitl
from examples.support import agent
from hitl.cli.display import safe_display


async def main(words: str) -> None:
    """Run, ask, go on, until the run has ended."""
    run_id = hashlib.sha256(words.encode()).hexdigest()[:12]  # the same words are the same run
    async with hitl.connect("sqlite:///refunds.db") as store:
        run = await hitl.run(agent(), words, store=store, run_id=run_id)
        while run.status != "finished":
            for waiting in await store.waiting(run_id=run_id):
                asks = json.loads(waiting.body)["arguments"]
                print(f"{waiting.agent} wants {waiting.tool}: {safe_display(asks)}")
                answer = (await asyncio.to_thread(input, "yes, or why not? ")).strip()
                yes, no = hitl.approve(by="terminal"), hitl.reject(by="terminal", message=answer)
                await store.decide(run_id, waiting.call, yes if answer == "yes" else no)
            run = await hitl.resume(agent(), run_id, store=store)
        print(run.final_output)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
