"""Generated tests that run twice: short in the suite, and far longer with `-m soak`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable

QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]


def both(examples: int, soak: int = 50) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The same property twice: in the suite, and `soak` times longer for the soak."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        def run(self: object, *, times: int) -> None:
            limit = settings(
                max_examples=examples * times, deadline=None, suppress_health_check=QUIET
            )
            limit(test)(self)

        run.__doc__ = test.__doc__
        marks = [1, pytest.param(soak, marks=pytest.mark.soak)]
        return pytest.mark.parametrize("times", marks, ids=["suite", "soak"])(run)

    return decorate
