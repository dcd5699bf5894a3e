"""JSON documents: limits, JSON Pointer, encoding, diff, digest.

| module | what it holds |
| --- | --- |
| `limit` | how large, deep and wide a document may be |
| `text` | JSON bytes from outside, measured before they are parsed |
| `tree` | a parsed value, walked without recursion |
| `reader` | bytes → value: `parse` |
| `writer` | value → bytes: `encode`, `canonical`, `digest` |
| `place` | JSON Pointer (RFC 6901) |
| `given` | what a caller hands in → bytes |
| `difference` | what changed between two values: `diff` |
"""

from __future__ import annotations

from hitl.document.difference import Change, diff
from hitl.document.limit import DEFAULT_LIMITS, Limits
from hitl.document.place import escape, pointer, resolve
from hitl.document.reader import parse
from hitl.document.text import Shape, check_text, measure, pairs
from hitl.document.tree import validate
from hitl.document.value import JSONObject, JSONValue
from hitl.document.writer import canonical, digest, encode, encode_lenient, equal

__all__ = [
    "DEFAULT_LIMITS",
    "Change",
    "JSONObject",
    "JSONValue",
    "Limits",
    "Shape",
    "canonical",
    "check_text",
    "diff",
    "digest",
    "encode",
    "encode_lenient",
    "equal",
    "escape",
    "measure",
    "pairs",
    "parse",
    "pointer",
    "resolve",
    "validate",
]
