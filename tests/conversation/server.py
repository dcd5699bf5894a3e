"""A scripted Responses API: it keeps histories, and refuses what the real one refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Raw = dict[str, Any]


class Refused(Exception):
    """The request is wrong; nothing of it was kept."""


@attrs.define
class Server:
    """Answers requests with what it is told, and records what it received.

    Attributes:
        conversations: what each conversation holds, oldest first.
        responses: the whole history up to each response, its output included.
        received: the input of each request that was not refused.
    """

    conversations: dict[str, list[Raw]] = attrs.field(factory=dict)
    responses: dict[str, list[Raw]] = attrs.field(factory=dict)
    received: list[list[Raw]] = attrs.field(factory=list)

    def create(self, parameters: Mapping[str, Any], output: Sequence[Raw]) -> str:
        """Take a request and give the id of the response to it.

        Raises:
            Refused: an item twice, an answer to no open call, a call without its answer.
        """
        given: list[Raw] = parameters["input"]
        before = self.before(parameters)
        self._check(before, given)
        history = [*before, *given, *output]
        response_id = f"resp_{len(self.responses)}"
        self.received.append(given)
        self.responses[response_id] = history
        if "conversation" in parameters:
            self.conversations[parameters["conversation"]] = history
        return response_id

    def before(self, parameters: Mapping[str, Any]) -> list[Raw]:
        """What the server has of the history that a request continues.

        Raises:
            Refused: it follows a response that is not there.
        """
        if "conversation" in parameters:
            return self.conversations.setdefault(parameters["conversation"], [])
        follows = parameters.get("previous_response_id")
        if follows is not None and follows not in self.responses:
            raise Refused(f"Previous response with id '{follows}' not found.")
        return self.responses[follows] if follows is not None else []

    @staticmethod
    def _check(before: Sequence[Raw], given: Sequence[Raw]) -> None:
        known = {each["id"] for each in before if "id" in each}
        made: set[str] = set()
        waiting: set[str] = set()
        for index, each in enumerate([*before, *given]):
            if index >= len(before) and each.get("id") in known:
                raise Refused(f"Duplicate item found with id {each['id']}.")
            if (call := _asks(each)) is not None:
                if call in made:
                    raise Refused(f"Duplicate function call {call}.")
                made.add(call)
                waiting.add(call)
            elif (call := _answers(each)) is not None:
                if call not in waiting:
                    raise Refused(f"No tool call found for function call output {call}.")
                waiting.remove(call)
        if waiting:
            raise Refused(f"No tool output found for function call {min(waiting)}.")


def _asks(item: Raw) -> str | None:
    """The id under which an item wants an answer; None when it wants none."""
    kind = item["type"]
    key = "id" if kind == "mcp_approval_request" else "call_id" if kind.endswith("_call") else ""
    return item.get(key)


def _answers(item: Raw) -> str | None:
    """The id of the call an item answers; None when it answers none."""
    kind = item["type"]
    if kind == "mcp_approval_response":
        return item.get("approval_request_id")
    return item.get("call_id") if kind.endswith("_output") else None


def said(text: str) -> Raw:
    """What the user says."""
    return {"type": "message", "role": "user", "content": text}


def called(call_id: str, name: str = "tool", arguments: str = "{}") -> Raw:
    """A call the model makes."""
    fields = {"id": f"fc_{call_id}", "call_id": call_id, "name": name, "arguments": arguments}
    return {"type": "function_call", "status": "completed", **fields}


def done(call_id: str, text: str = "done") -> Raw:
    """What the tool answers."""
    return {"type": "function_call_output", "call_id": call_id, "output": text}


def replied(name: str, text: str = "hello") -> Raw:
    """A message of the model."""
    content = [{"type": "output_text", "text": text, "annotations": []}]
    fields = {"id": name, "role": "assistant", "status": "completed"}
    return {"type": "message", **fields, "content": content}


def short(item: Raw) -> str:
    """An item in short: `text`, `call?`, `call!`, or the id of a message."""
    kind, call = str(item["type"]), item.get("call_id")
    if kind == "mcp_approval_response":
        return f"{item['approval_request_id']}!"
    if call is not None:
        return f"{call}!" if kind.endswith("_output") else f"{call}?"
    content = item.get("content")
    return content if item.get("role") == "user" and isinstance(content, str) else str(item["id"])
