"""The door to stores: `connect` by URL, and the verdicts to hand to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from hitl import registry
from hitl.errors import ValueRefused

if TYPE_CHECKING:
    from hitl.store import Cipher, Store, Verdict

TIMEOUT_S = 10.0


class _Implementation(Protocol):
    """What a module of `hitl.stores`, or an entry point of `hitl.stores`, has under `STORE`."""

    SCHEMES: tuple[str, ...]

    def connect(self, url: str, *, cipher: Cipher | None, timeout_s: float) -> Store:
        """Make a store; it is opened by `async with`."""


def connect(url: str, *, cipher: Cipher | None = None, timeout_s: float = TIMEOUT_S) -> Store:
    """Give the store at `url`; `async with` opens it.

    Args:
        url: `memory:`, `sqlite:///relative.db`, `sqlite:////absolute.db`, or what a third party
            registered in the entry point group `hitl.stores`.
        cipher: seals what a store writes; None writes it as it is.
        timeout_s: how long to wait for a database that is busy with other writers.

    Raises:
        ValueRefused: no store answers to such a URL.
    """
    scheme = url.partition(":")[0]
    known: set[str] = set()
    for found in registry.implementations("stores", "STORE"):
        implementation = cast("_Implementation", found)
        if scheme in implementation.SCHEMES:
            return implementation.connect(url, cipher=cipher, timeout_s=timeout_s)
        known.update(implementation.SCHEMES)
    # Not the URL: it may hold a password.
    raise ValueRefused(f"expected a URL that begins with {', '.join(sorted(known))}")


def approve(
    *,
    by: str | None = None,
    always: bool = False,
    reason: str | None = None,
    arguments_sha256: str | None = None,
) -> Verdict:
    """Say yes to a call: `await store.decide(run_id, call, hitl.approve(by="ana"))`.

    Args:
        by: who decides; None is not recorded.
        always: cover later calls of the same tool of the same agent too.
        reason: why; for the record, the model does not see it.
        arguments_sha256: the digest of what was shown; a call with other arguments is refused.
    """
    from hitl.store import Verdict  # noqa: PLC0415 - `import hitl` does without the store

    return Verdict(
        approved=True, by=by, always=always, reason=reason, arguments_sha256=arguments_sha256
    )


def reject(
    *,
    message: str | None = None,
    by: str | None = None,
    always: bool = False,
    reason: str | None = None,
    arguments_sha256: str | None = None,
) -> Verdict:
    """Say no to a call.

    Args:
        message: exactly what the model is told; None leaves it to the SDK.
        by: who decides; None is not recorded.
        always: cover later calls of the same tool of the same agent too.
        reason: why; for the record.
        arguments_sha256: the digest of what was shown; a call with other arguments is refused.
    """
    from hitl.store import Verdict  # noqa: PLC0415 - see `approve`

    return Verdict(
        approved=False,
        message=message,
        by=by,
        always=always,
        reason=reason,
        arguments_sha256=arguments_sha256,
    )
