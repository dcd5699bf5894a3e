"""How large, deep and wide a document may be (rule 2 of the security notes)."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Limits:
    """What a document from outside may cost.

    Attributes:
        depth: levels of arrays and objects; a scalar has depth 0, `[]` has depth 1.
            Parsers recurse: far more than the default can end the process in a small thread.
        size_bytes: length of the encoded document.
        nodes: values in the document, containers included, keys not; an empty container counts as
            two, because bytes are counted without looking into it.
        digits: digits in a row in one number; Python itself reads no integer beyond 4300.
    """

    depth: int = 64
    size_bytes: int = 64 * 2**20
    nodes: int = 5_000_000
    digits: int = 4300


DEFAULT_LIMITS = Limits()
