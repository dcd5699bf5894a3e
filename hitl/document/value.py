"""The type of a JSON value.

What is inside an array or object is `Any`: every reader checks what it takes where it takes it, and
a cast beside each check would say nothing more. At run time the names mean any value, so that
msgspec and cattrs pass it through untouched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    JSONObject: TypeAlias = dict[str, Any]
    JSONValue: TypeAlias = bool | int | float | str | list[Any] | JSONObject | None
else:
    JSONObject = dict[str, Any]
    JSONValue = Any
