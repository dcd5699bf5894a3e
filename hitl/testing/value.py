"""Values to draw: JSON, Python's own beyond JSON, and both in tagged form."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone
from functools import cache
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from hitl import values

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from hitl.document import JSONValue

_ZONES = st.sampled_from([None, UTC, ZoneInfo("Europe/Berlin"), timezone(timedelta(-1, 7))])
_SURROGATES = ("\ud800", "a\udfff")
# What a careless reader would take for a tag, an escape or a key of the document.
_LOOKALIKES = ("$", "v", "bytes", "aGk=", "nan", r"\ud800", "\\\\", r"\ud83d\ude00", "items")
_TAG_LIKE: tuple[dict[str, object], ...] = (
    {"$": "bytes", "v": "aGk="},
    {"$": "int", "v": "7"},
    {"$": "app", "t": "Order", "v": {}},
    {"$": None},
)
_HUGE = st.integers(20, 400).map(lambda digits: 10**digits - 1)
_MAX_LEAVES = 5


def _tag_like() -> SearchStrategy[dict[str, object]]:
    return st.sampled_from(_TAG_LIKE).map(dict)  # a copy for each


@cache
def texts() -> SearchStrategy[str]:
    """Text that UTF-8 can say."""
    return st.text(max_size=8) | st.sampled_from(_LOOKALIKES)


@cache
def json_values() -> SearchStrategy[JSONValue]:
    """Plain JSON: integers of any size, finite floats, objects that look like tags."""
    scalars = (
        st.none()
        | st.booleans()
        | st.integers()
        | _HUGE
        | st.floats(allow_nan=False, allow_infinity=False)
        | texts()
    )
    found: SearchStrategy[object] = st.recursive(
        scalars | _tag_like(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(), inner, max_size=3),
        max_leaves=_MAX_LEAVES,
    )
    return cast("SearchStrategy[JSONValue]", found)


@cache
def json_objects() -> SearchStrategy[dict[str, JSONValue]]:
    """Objects of plain JSON."""
    return st.dictionaries(texts(), json_values(), max_size=3)


@cache
def python_values() -> SearchStrategy[object]:
    """What an app keeps in outputs, contexts and custom data: beyond JSON, no types of its own."""
    hashable = (
        st.none()
        | st.booleans()
        | st.integers()
        | _HUGE
        | st.floats()
        | texts()
        | st.sampled_from(_SURROGATES)
        | st.binary(max_size=6)
        | st.datetimes(timezones=_ZONES)
        | st.dates()
        | st.times()
        | st.timedeltas()
        | st.decimals(allow_nan=False)
        | st.uuids()
    )
    return st.recursive(
        hashable | _tag_like() | st.binary(max_size=4).map(bytearray),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.lists(inner, max_size=3).map(tuple)
            | st.sets(hashable, max_size=3)
            | st.frozensets(hashable, max_size=3)
            | st.dictionaries(hashable, inner, max_size=3)
        ),
        max_leaves=_MAX_LEAVES,
    )


@cache
def tagged_values() -> SearchStrategy[JSONValue]:
    """`python_values` as documents hold them; see `hitl.values`."""
    return python_values().map(values.encode)


@cache
def tagged_objects() -> SearchStrategy[dict[str, JSONValue]]:
    """Objects in tagged form, such as custom data and extras."""
    given = st.dictionaries(texts(), python_values(), max_size=3)
    return cast("SearchStrategy[dict[str, JSONValue]]", given.map(values.encode))
