"""A request in doubt, settled by what its conversation lists, or by what a person says."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from hitl.conversation import Receipt, place_of, prime, receipt, staged
from hitl.errors import ReceiptUnknown, UnknownCall
from hitl.runtime.durable.kickoff import begun
from hitl.runtime.durable.packed import unpack
from hitl.runtime.durable.response import dump_output
from hitl.runtime.durable.talk import tracker_of
from hitl.runtime.durable.turn import turn_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hitl.conversation import Tracker
    from hitl.document import JSONObject
    from hitl.store import Run, Store, Stored

_OPEN = frozenset({"started", "in_doubt"})


async def by_listing(
    store: Store, run_id: str, items: Sequence[JSONObject], start: int | None
) -> Run:
    """Settle the request of a run that is in doubt; see `hitl.reconcile`."""
    stored = await store.load(run_id)
    request = _in_doubt(stored)
    found = _receipt(stored, items, start)
    if not found.received:
        return await store.settle(run_id, request, "rerun")
    if not found.output:
        message = "expected the response behind the request, found none yet"
        raise ReceiptUnknown(message, hint="list the conversation again later")
    return await by_hand(store, run_id, request, found.output)


async def by_hand(store: Store, run_id: str, request: str, items: Iterable[JSONObject]) -> Run:
    """Settle a request as answered by `items`, in the form of the Responses API."""
    place = place_of(_tracker(await store.load(run_id)))
    return await store.settle(run_id, request, "happened", result=dump_output(items, place))


def _receipt(stored: Stored, items: Sequence[JSONObject], start: int | None) -> Receipt:
    """Find the request: it carried what was staged by then, and nothing that was added later."""
    tracker = _tracker(stored)
    waiting = () if stored.checkpoint is None else staged(unpack(stored)[0])
    for carried in range(len(waiting), 0, -1):
        given = waiting[:carried]
        more = tracker.add([each.raw for each in given], [each.name for each in given])
        with contextlib.suppress(ReceiptUnknown):
            return _find(more, items, start)
    return _find(tracker, items, start)


def _find(tracker: Tracker, items: Sequence[JSONObject], start: int | None) -> Receipt:
    return receipt(tracker.sent(tracker.prepare()).cut(), items, start=start)


def _in_doubt(stored: Stored) -> str:
    """Name the request of the outer run nobody knows the end of; it makes one at a time."""
    calls = [each.call for each in stored.effects if each.state in _OPEN]
    requests = [call for call in calls if turn_of(call)]
    if not requests:
        raise UnknownCall("expected a run with a request in doubt, found none")
    return requests[0]


def _tracker(stored: Stored) -> Tracker:
    """Give what the server had before the request, and what the request carried."""
    if stored.checkpoint is not None:
        return prime(unpack(stored)[0])
    kickoff = begun(stored)
    return tracker_of(kickoff.place, kickoff.given)
