"""Tagged values as plain JSON."""

from __future__ import annotations

from typing import Any

from hitl import values


def plain(value: Any) -> Any:  # noqa: ANN401 - what a tag stands for
    """Give what JSON can say of a tagged value."""
    return _json(values.decode(value))


def _json(value: Any) -> Any:  # noqa: ANN401 - what a tag stands for
    if isinstance(value, dict):
        return {str(key): _json(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(each) for each in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)
