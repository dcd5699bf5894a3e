"""What a check has at hand: two writers at one database, and short words for common steps."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, TypeVar

from attrs import field, frozen

from hitl.errors import HitlError
from hitl.store import NewRequest, Save, Store, Verdict, digest

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Sequence

    from hitl.store import Claim, Run

T = TypeVar("T")
E = TypeVar("E", bound=HitlError)

LEASE_S = 60.0  # no check takes so long
OVER_S = 0.0  # a lease, or a time to decide, that is over when it begins
ROUNDS = 20  # of what may go one way or the other
ARGUMENTS = '{"order": 7}'
SHA256 = digest(ARGUMENTS.encode())
OTHER_SHA256 = digest(b'{"order": 8}')
YES = Verdict(approved=True, by="ana")
NO = Verdict(approved=False, by="bob", message="not this one")


@frozen
class Bench:
    """Two writers.

    Attributes:
        a, b: two connections to the same database.
        run_id: of a run that is not there yet.
    """

    a: Store
    b: Store
    run_id: str = field(factory=lambda: f"check-{secrets.token_hex(8)}")

    async def begun(self, *, worker: str = "one", lease_s: float = LEASE_S) -> Claim:
        """Make the run."""
        return await self.a.create(self.run_id, b"kickoff", worker=worker, lease_s=lease_s)

    async def paused(self, *calls: str) -> Run:
        """Make the run, and let calls of it wait."""
        return await pause(self.a, await self.begun(), *calls)

    async def approved(self, *calls: str) -> Claim:
        """Make the run, let calls of it wait, approve and claim it."""
        await self.paused(*calls)
        for call in calls:
            await self.b.decide(self.run_id, call, YES)
        return await self.b.claim(self.run_id, worker="two", lease_s=LEASE_S)

    async def cut(self, call: str, *, idempotent: bool = False) -> Claim:
        """Let a worker die with a call started; gives its claim."""
        await self.paused(call)
        await self.a.decide(self.run_id, call, YES)
        dead = await self.a.claim(self.run_id, worker="dead", lease_s=OVER_S)
        await start(self.a, dead, call, idempotent=idempotent)
        return dead


def asks(call: str, **given: object) -> NewRequest:
    """Give a call that waits."""
    fields: dict[str, object] = {"tool": "refund", "agent": "support", "arguments_sha256": SHA256}
    fields |= {"body": ARGUMENTS.encode()} | given
    return NewRequest(call=call, **fields)  # type: ignore[arg-type]


async def pause(store: Store, claim: Claim, *calls: str | NewRequest) -> Run:
    """Save a pause on which `calls` wait; the log stays as it is."""
    base = (await store.run(claim.run_id)).entries
    requests = [asks(each) if isinstance(each, str) else each for each in calls]
    return await store.save(claim, Save(event="pause", head=b"head", base=base, requests=requests))


async def start(
    store: Store, claim: Claim, call: str, *, sha256: str = SHA256, idempotent: bool = False
) -> object:
    """Start a call."""
    return await store.start(
        claim, call, tool="refund", arguments_sha256=sha256, idempotent=idempotent
    )


async def refused(kind: type[E], attempt: Awaitable[object]) -> E:
    """Give the error that an attempt must end in.

    Raises:
        AssertionError: it ended in another, or in none.
    """
    try:
        found = await attempt
    except kind as exc:
        return exc
    except HitlError as exc:
        message = f"expected {kind.__name__}, found {type(exc).__name__}"
        raise AssertionError(message) from exc
    message = f"expected {kind.__name__}, found {type(found).__name__}"
    raise AssertionError(message)


def same(found: object, expected: object) -> None:
    """Assert that two values are equal.

    Raises:
        AssertionError: they are not.
    """
    if found != expected:
        raise AssertionError(f"expected {expected!r}, found {found!r}")


def names(things: Sequence[object], attribute: str = "call") -> list[object]:
    """Give an attribute of each."""
    return [getattr(each, attribute) for each in things]


async def cancelled(attempt: Coroutine[object, object, T]) -> bool:
    """Begin something and cancel it as soon as it waits; False if it was done before that."""
    task = asyncio.ensure_future(attempt)
    await asyncio.sleep(0)
    if task.done():
        return False
    task.cancel()
    await asyncio.wait([task])
    return task.cancelled()
