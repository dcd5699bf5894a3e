"""What the model server already has, by occurrence: nothing twice, nothing lost.

Pure: no I/O, no clock, no SDK. For the app's own loop over the Responses API:

>>> from hitl.conversation import Tracker
>>> talk = Tracker(conversation_id="conv_1").add([{"role": "user", "content": "Refund order 7"}])
>>> request = talk.prepare()
>>> request.parameters
{'input': [{'role': 'user', 'content': 'Refund order 7'}], 'conversation': 'conv_1'}
>>> talk = talk.sent(request)  # store it, then: client.responses.create(**request.parameters)

A request that was surely refused goes out again as it was:

>>> talk.rewind().prepare() == request
True

One that was cut may have arrived. A server conversation is in doubt then, until its listing (or a
person, `settle`) says so; a chain of responses goes on from the response before.

>>> from hitl.conversation import receipt
>>> talk = talk.cut()
>>> found = receipt(talk, [])  # the server lists nothing: it did not arrive
>>> talk = talk.settle(received=found.received, output=found.output)
>>> talk.prepare() == request
True

An answer is handed to `accepted`, what the app brings to `add`; only what is new goes out:

>>> refund = {"type": "function_call", "call_id": "call_1", "name": "refund", "arguments": "{}"}
>>> talk = talk.sent(request).accepted("resp_1", [refund])
>>> talk.prepare().unanswered
('call_1',)
>>> done = {"type": "function_call_output", "call_id": "call_1", "output": "refunded"}
>>> talk = talk.add([done])
>>> talk.prepare().input == [done]
True

A run state keeps what a tracker knows (`record`) and gives a tracker back (`prime`), in the same
place or moved to another (`Place`). What a session holds of a run, and what makes it right, is said
by `reconcile`.
"""

from hitl.conversation.correction import Corrected, Correction, Shown, correct, filled, marks
from hitl.conversation.listing import Receipt, receipt
from hitl.conversation.occurrence import Occurrence
from hitl.conversation.place import LOCAL, Place, place_of, prime
from hitl.conversation.session import SessionPlan, reconcile, restart, unsaved
from hitl.conversation.stopped import Mark, mark
from hitl.conversation.told import behind, history, record, staged
from hitl.conversation.tracker import Request, Tracker

__all__ = [
    "LOCAL",
    "Corrected",
    "Correction",
    "Mark",
    "Occurrence",
    "Place",
    "Receipt",
    "Request",
    "SessionPlan",
    "Shown",
    "Tracker",
    "behind",
    "correct",
    "filled",
    "history",
    "mark",
    "marks",
    "place_of",
    "prime",
    "receipt",
    "reconcile",
    "record",
    "restart",
    "staged",
    "unsaved",
]
