"""Which errors of a model say that its server surely did not take the request."""

from __future__ import annotations

from agents.exceptions import UserError

_REFUSED = range(400, 500)
_TIMEOUT = 408  # the server gave up waiting; what it had read of the request nobody knows
_BEFORE = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"})  # of httpx


def surely_refused(error: BaseException) -> bool:
    """Tell whether a request that ended in `error` surely did not arrive, or was turned down.

    So it is when the server answered with a status 4xx, when no connection was made, and when the
    SDK refused to write the request. A lost connection, a timeout and a status 5xx do not say.
    """
    seen: BaseException | None = error
    while seen is not None:
        status = getattr(seen, "status_code", None)
        if isinstance(status, int):
            return status in _REFUSED and status != _TIMEOUT
        if isinstance(seen, UserError) or type(seen).__name__ in _BEFORE:
            return True
        seen = seen.__cause__
    return False
