"""A web app that pauses for approval: `uvicorn examples.web:app`.

POST /runs {"say": "Refund order 7"}       starts a run, answers at once with its id
GET  /runs/ID                              status, what waits, the answer once there is one
POST /runs/ID/calls/CALL {"approve": true, "by": "ana", "sha256": "..."}
                                           the first answer counts; a second is told whose it was

A run goes on in the background as soon as its last call has a verdict. Two processes may serve the
same database: a run is resumed by one of them. One that died in between is taken over after its
lease.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import uuid
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

import hitl
from examples.support import agent
from hitl.errors import AlreadyDecided, HitlError, StoreError, UnknownRun

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

LEASE_S = 30.0


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Open the store, and look for runs that can go on."""
    async with hitl.connect(os.environ.get("HITL_STORE", "sqlite:///web.db")) as store:
        app.state.store = store
        app.state.tasks = set()
        sweeper = asyncio.create_task(sweep(app))
        yield
        sweeper.cancel()
        await asyncio.gather(sweeper, *app.state.tasks, return_exceptions=True)


async def sweep(app: Starlette) -> None:
    """Resume what can go on: also what another process left behind."""
    while True:
        await app.state.store.expire()
        for run in await app.state.store.runs(status={"ready", "running", "stopped"}):
            with contextlib.suppress(StoreError):  # another worker has it, or it needs a person
                await hitl.resume(agent(), run.run_id, store=app.state.store, lease_s=LEASE_S)
        await asyncio.sleep(LEASE_S)


def background(app: Starlette, work: Any) -> None:  # noqa: ANN401 - a coroutine
    """Let it run on; what it raises is in the store, and in the log."""

    async def quietly() -> None:
        with contextlib.suppress(HitlError):
            await work

    task = asyncio.create_task(quietly())
    app.state.tasks.add(task)
    task.add_done_callback(app.state.tasks.discard)


async def start(request: Request) -> JSONResponse:
    """Start a run."""
    said = (await request.json())["say"]
    run_id = request.headers.get("Idempotency-Key") or uuid.uuid4().hex
    store = request.app.state.store
    background(request.app, hitl.run(agent(), said, store=store, run_id=run_id, lease_s=LEASE_S))
    return JSONResponse({"id": run_id}, status_code=202)


async def show(request: Request) -> JSONResponse:
    """Say how a run stands."""
    run_id, store = request.path_params["run"], request.app.state.store
    try:
        run = await store.run(run_id)
    except UnknownRun:
        return JSONResponse({"error": "no such run"}, status_code=404)
    waiting = await store.waiting(run_id=run_id)
    answer = await hitl.resume(agent(), run_id, store=store) if run.status == "finished" else None
    return JSONResponse(
        {
            "status": run.status,
            "waiting": [
                {"call": w.call, "tool": w.tool, "sha256": w.arguments_sha256, **json.loads(w.body)}
                for w in waiting
            ],
            "answer": None if answer is None else answer.final_output,
        }
    )


async def decide(request: Request) -> JSONResponse:
    """Take a person's word for a call, and go on when it was the last one missing."""
    run_id, call = request.path_params["run"], request.path_params["call"]
    said, store = await request.json(), request.app.state.store
    verdict = hitl.approve if said["approve"] else hitl.reject
    try:
        await store.decide(
            run_id, call, verdict(by=said.get("by"), arguments_sha256=said.get("sha256"))
        )
    except AlreadyDecided as exc:
        return JSONResponse({"error": exc.code, "by": exc.by, "at": exc.at}, status_code=409)
    except HitlError as exc:  # no such call, other arguments than were shown, no such run
        return JSONResponse({"error": exc.code}, status_code=400)
    if (await store.run(run_id)).status == "ready":
        background(request.app, hitl.resume(agent(), run_id, store=store, lease_s=LEASE_S))
    return JSONResponse({"ok": True})


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/runs", start, methods=["POST"]),
        Route("/runs/{run}", show),
        Route("/runs/{run}/calls/{call:path}", decide, methods=["POST"]),
    ],
)
