"""What a server has, where the writer did not say: read from where the last response stands.

A response proves that the server had its request, and so all of the history before the response;
what answers its calls can only have been sent after it. So no content needs to be compared, except
to find the output of the response where the writer kept two differing copies of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl import document
from hitl.conversation.occurrence import answered, asked, open_calls
from hitl.conversation.told import plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hitl.conversation.occurrence import Occurrence
    from hitl.document import JSONObject
    from hitl.model import Response, RunState

_PLACEHOLDER = "__fake_id__"  # openai-agents, for providers that give no ids
_BESIDE = frozenset({"id", "status", "created_by", "provider_data"})


def proven(state: RunState, told: Sequence[Occurrence], response_id: str | None) -> frozenset[int]:
    """Give the names of what a server surely has, by the responses of the run.

    Args:
        state: the run.
        told: its history.
        response_id: the response up to which the server is asked about; None for the last.
    """
    responses = [*state.responses]
    if response_id is not None:
        while responses and responses[-1].id != response_id:
            responses.pop()
    if not responses:
        return frozenset()
    outputs = [_output(state, each) for each in responses]
    calls = open_calls(outputs[-1].values())
    end = _end(told, outputs)
    if end is None:
        end = _end_of_answers(told, outputs)
    return frozenset(each.name for each in told[:end] if answered(each.raw) not in calls)


def last_id(state: RunState) -> str | None:
    """Give the id of the newest response that has one (R-14)."""
    return next((each.id for each in reversed([*state.responses]) if each.id is not None), None)


def knows(state: RunState, response_id: str) -> bool:
    """Tell whether a response is one of the run's own."""
    return any(each.id == response_id for each in state.responses)


def _output(state: RunState, response: Response) -> dict[int, JSONObject]:
    found = ((at, plain(state, at, state.log.item(at))) for at in response.output)
    return {at: raw for at, raw in found if raw is not None}


def _end(told: Sequence[Occurrence], outputs: Sequence[dict[int, JSONObject]]) -> int | None:
    """Give where the output of the last response ends in the history; None if it is not in it."""
    index = {each.name: at for at, each in enumerate(told)}
    ends = [index[name] for name in outputs[-1] if name in index]
    copied = [raw for name, raw in outputs[-1].items() if name not in index]
    if copied:
        marks = [_mark(each.raw) for each in told]
        said = [_mark(raw) for each in outputs for raw in each.values()]
        for mark in map(_mark, copied):
            places = [at for at, each in enumerate(marks) if each == mark]
            # The same, said in an earlier response, is an earlier occurrence.
            ends += places[: said.count(mark)][-1:]
    return max(ends) + 1 if ends else None


def _end_of_answers(told: Sequence[Occurrence], outputs: Sequence[dict[int, JSONObject]]) -> int:
    """Give where a request ended whose response brought nothing.

    It answered all calls made before; with none before, it carried all there is.
    """
    calls = {asked(raw) for output in outputs for raw in output.values()} - {None}
    ends = [at + 1 for at, each in enumerate(told) if answered(each.raw) in calls]
    return ends[-1] if ends else len(told)


def _mark(raw: JSONObject) -> str:
    """Give what tells an item of a response from others: an id, or else its content."""
    if (call := asked(raw)) is not None:
        return f"call {call}"
    identity = raw.get("id")
    if isinstance(identity, str) and identity != _PLACEHOLDER:
        return f"id {identity}"
    return document.digest({key: raw[key] for key in raw.keys() - _BESIDE})
