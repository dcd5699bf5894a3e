"""A process that can be killed at any step without ending the one the tests run in."""

# ruff: noqa: ANN401  (a store and a session are handed through as they are)

from __future__ import annotations

import asyncio
import selectors
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


class Impatient(asyncio.SelectorEventLoop):
    """The loop of a process that waits for no time: its clock jumps to when it would wake.

    openai-agents waits a second and more before it asks a locked conversation again.
    """

    def __init__(self) -> None:
        self._jumped_s = 0.0
        super().__init__(_Jumping(self._jump))

    def time(self) -> float:
        """Give the time, with what was not waited for."""
        return super().time() + self._jumped_s

    def _jump(self, seconds: float) -> None:
        self._jumped_s += seconds


class _Jumping(selectors.DefaultSelector):
    def __init__(self, jump: Callable[[float], None]) -> None:
        super().__init__()
        self._jump = jump

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0:
            return super().select(timeout)
        found = super().select(0)
        if not found:
            self._jump(timeout)
        return found


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
