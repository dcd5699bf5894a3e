"""What a request to a model is called in the effect ledger; the SDK is not needed to know it."""

# No call has such a name: in the id of a call, `~` stands as `~0`.
_PREFIX = "~request:"


def name_of(turn: int, *outer: str) -> str:
    """Give the name of a request.

    Args:
        turn: the model call of its run, counted from 1.
        outer: the calls of agents used as tools around that run, outermost first, escaped.
    """
    return "/".join((*outer, f"{_PREFIX}{turn}"))


def turn_of(call: str) -> int | None:
    """Give the turn of a request of the outer run, 0 of one inside; None for the name of a call."""
    outer, _, last = call.rpartition("/")
    if not last.startswith(_PREFIX):
        return None
    return 0 if outer else int(last.removeprefix(_PREFIX))
