"""The type of a JSON value.

The recursive alias is for type checkers: msgspec and cattrs resolve annotations at run time and
break on recursion, so there the names mean any value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    JSONValue: TypeAlias = (
        "bool | int | float | str | list[JSONValue] | dict[str, JSONValue] | None"
    )
    JSONObject: TypeAlias = "dict[str, JSONValue]"
else:
    JSONValue = Any
    JSONObject = dict[str, Any]
