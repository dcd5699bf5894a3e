"""Every case played within one language: the SDK pauses, writes, reads and goes on by itself."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import attrs

from tests.node.outcome import Language, Seen, seen
from tests.node.players import Job, Outcome, in_node, in_python

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.node.cases import Case

PLAYERS: dict[Language, Callable[[Sequence[Job]], list[Outcome]]] = {
    "python": in_python,
    "js": in_node,
}


@attrs.frozen
class Native:
    """A case within one language, as the player says it and in the common shape."""

    paused: Outcome
    resumed: Outcome
    language: Language

    @property
    def before(self) -> Seen:
        """What was seen until the state was written."""
        return seen(self.paused, self.language)

    @property
    def after(self) -> Seen:
        """What was seen after it was read."""
        return seen(self.resumed, self.language)


@cache
def play(cases: tuple[Case, ...], language: Language) -> Mapping[Case, Native]:
    """Play cases within a language; the same cases are played once."""
    player = PLAYERS[language]
    paused = player([case.pause() for case in cases])
    resumed = player(
        [
            case.resume(outcome, outcome["state"], outcome["items"])
            for case, outcome in zip(cases, paused, strict=True)
        ]
    )
    return {
        case: Native(first, then, language)
        for case, first, then in zip(cases, paused, resumed, strict=True)
    }
