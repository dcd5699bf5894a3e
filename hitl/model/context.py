"""The app context a run carries, and the conversation it belongs to."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from hitl import values
from hitl.document import JSONObject, JSONValue
from hitl.model.span import Spans

Mode = Literal["local", "response_chain", "conversation"]

TEXT_INPUT = -1
"""The position of an input that is a text: it is no entry of the log."""


@frozen(kw_only=True)
class Context:
    """What the app passed as `context`, and how it was written down.

    Attributes:
        data: the context in tagged form; None when there is none or it was left out.
        has_data: whether the writer stored a context at all (None counts as one).
        meta: the writer's notes on the original type, for display; never used to find a class.
        tool_input: the structured input of an agent used as a tool, tagged.
    """

    data: JSONValue = None
    has_data: bool = False
    meta: JSONObject | None = None
    tool_input: JSONValue = None

    @property
    def value(self) -> object:
        """The context as the app knows it; registered types come back as their type."""
        return values.decode(self.data)


@frozen(kw_only=True)
class Conversation:
    """Who keeps the history: the app, a chain of responses, or a conversation on the server.

    Attributes:
        id: the server conversation.
        previous_response_id: the response the next request continues.
        auto: whether the chain is followed without the app naming a response.
        acknowledged: log positions the server surely has, by occurrence; `TEXT_INPUT` among them
            is an input that is a text. None when the writer did not say.
        sent: positions of the request that was under way, or about to be; None when none was.
    """

    id: str | None = None
    previous_response_id: str | None = None
    auto: bool | None = None
    acknowledged: Spans | None = None
    sent: Spans | None = None

    @property
    def mode(self) -> Mode:
        """How the next request is built."""
        if self.id is not None:
            return "conversation"
        return "response_chain" if self.previous_response_id or self.auto else "local"
