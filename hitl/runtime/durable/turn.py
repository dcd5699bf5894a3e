"""What a request to a model is called in the effect ledger; the SDK is not needed to know it."""

# No call has such a name: in the id of a call, `~` stands as `~0`.
_PREFIX = "~request:"


def name_of(turn: int) -> str:
    """Give the name of a run's request in the effect ledger; `turn` counts from 1."""
    return f"{_PREFIX}{turn}"


def turn_of(call: str) -> int | None:
    """Give the turn of a request; None for the name of a call."""
    return int(call.removeprefix(_PREFIX)) if call.startswith(_PREFIX) else None
