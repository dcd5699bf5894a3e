"""A process that can be killed at any step without ending the one the tests run in."""

# ruff: noqa: ANN401  (a store and a session are handed through as they are)

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


class Killed(BaseException):
    """The process is gone: nothing it still does reaches anybody."""


class Life:
    """One process. Whatever leaves it passes a step; from the one it is killed at, nothing does.

    Attributes:
        steps: how many it has taken.
        killed_at: the step at which it is killed; None for never.
        said: whether somebody said something to the run in it.
    """

    def __init__(self, killed_at: int | None = None) -> None:
        self.steps = 0
        self.killed_at = killed_at
        self.said = False

    @property
    def over(self) -> bool:
        """Whether it was killed."""
        return self.killed_at is not None and self.steps >= self.killed_at

    def step(self, _place: str = "") -> None:
        """Be at a step.

        Raises:
            Killed: it is the last one, or behind it.
        """
        self.steps += not self.over
        if self.over:
            raise Killed


class Reached:
    """What a process reaches outside of itself: each method is a step before it and one after."""

    def __init__(self, real: Any, life: Life) -> None:
        self._real, self._life = real, life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        return self._stepping(name, found) if callable(found) else found

    def _stepping(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        async def stepping(*args: Any, **kwargs: Any) -> Any:
            self._life.step(f"before {name}")
            result = await method(*args, **kwargs)
            self._life.step(f"after {name}")
            return result

        return stepping
