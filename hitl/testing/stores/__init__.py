"""The conformance kit: what every store must do, one plain function each.

In a test suite, one line for each store:

```python
@pytest.mark.parametrize("check", stores.CHECKS, ids=stores.name)
def test_conforms(check):
    asyncio.run(stores.run(check, lambda: MyStore("postgresql://...")))
```

or all of them at once: `asyncio.run(stores.conform(lambda: MyStore(...)))`. The function gives a
new connection to the same data at each call. Checks use ids of their own, leave their runs behind
and may share a database.

| module | what it checks |
| --- | --- |
| `holding` | who may write |
| `storing` | what is stored |
| `deciding` | what people say |
| `running` | what ran |
| `bench` | what a check has at hand |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.testing.stores import deciding, holding, running, storing
from hitl.testing.stores.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hitl.store import Store

    Check = Callable[[Bench], Awaitable[None]]

CHECKS: tuple[Check, ...] = (
    *holding.CHECKS,
    *storing.CHECKS,
    *deciding.CHECKS,
    *running.CHECKS,
)


def name(check: Check) -> str:
    """Give the name of a check, for the ids of a test."""
    return getattr(check, "__name__", "check")


async def run(check: Check, connect: Callable[[], Store]) -> None:
    """Run one check with two connections to the same data.

    Raises:
        AssertionError: the store does not do what the check's docstring says.
    """
    async with connect() as a, connect() as b:
        await check(Bench(a, b))


async def conform(connect: Callable[[], Store]) -> None:
    """Run every check.

    Raises:
        AssertionError: the store failed one; its name is in the message.
    """
    for check in CHECKS:
        try:
            await run(check, connect)
        except AssertionError as exc:
            raise AssertionError(f"{name(check)}: {exc}") from exc
