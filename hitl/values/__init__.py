"""What JSON cannot say, tagged without ambiguity, and the types an app registers.

A tag is an object with the key `"$"`: `{"$": "bytes", "v": "aGk="}`. A JSON value without that key
stands for itself, and a dict of the app's that has the key is written as a `map`, so no value of
the app can be taken for a tag.

| module | what it holds |
| --- | --- |
| `plain` | which values and bytes need no tag |
| `leaf` | the kinds without values inside: bytes, datetime, Decimal, … |
| `app` | how instances of app types are taken apart and put together |
| `writer`, `reader` | values → tagged JSON, and back |
| `converter` | `Values`: the registered types, `encode` and `decode` |

The functions here work on one set of types shared by the process; tests and libraries that want
their own make a `Values`.
"""

from __future__ import annotations

from hitl.values.converter import Values
from hitl.values.plain import is_plain, plain_text

default = Values()
register = default.register
encode = default.encode
decode = default.decode

__all__ = ["Values", "decode", "default", "encode", "is_plain", "plain_text", "register"]
