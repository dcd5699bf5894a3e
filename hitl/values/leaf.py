r"""Kinds without values inside: how each is written, read, and told from a forgery.

| kind | `v` |
| --- | --- |
| `bytes`, `bytearray` | base64 with padding |
| `datetime` | ISO 8601, then the zone's name in brackets when it has one (RFC 9557) |
| `date`, `time` | ISO 8601 |
| `timedelta` | microseconds, an integer |
| `decimal` | as Python writes it: digits and exponent are kept |
| `uuid` | 36 characters, lower case |
| `float` | `nan`, `inf` or `-inf` |
| `text` | lone surrogates as `\udXXX`, backslashes doubled, all else as it is |

`datetime` and `time` carry `"fold": 1` when their fold is 1. A tzinfo that is neither fixed nor a
ZoneInfo comes back as its offset: the same instant.
"""

from __future__ import annotations

import math
import re
from base64 import b64decode, b64encode
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias
from uuid import UUID
from zoneinfo import ZoneInfo

from hitl.document.tree import encodable

if TYPE_CHECKING:
    from collections.abc import Callable

    from hitl.document import JSONObject, JSONValue

Tag: TypeAlias = "JSONObject"

_MICROSECOND = timedelta(microseconds=1)
_ESCAPE = re.compile(r"\\(?:\\|u(d[89a-f][0-9a-f]{2}))")
_ZONED = re.compile(r"([^\[]+)\[([\w+-]+(?:/[\w+-]+)*)\]", re.ASCII)


def tag(kind: str, value: JSONValue) -> Tag:
    """Write one tag."""
    return {"$": kind, "v": value}


def write_text(text: str) -> Tag:
    r"""Tag a text with lone surrogates; UTF-8 cannot hold them.

    `json` would read two escaped halves side by side back as one character, so this form is not
    JSON's: here a whole character is never escaped.
    """
    escaped = text.replace("\\", "\\\\").encode(errors="backslashreplace")
    return tag("text", escaped.decode())


def _read_text(value: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else "\\", value)


def write_float(value: float) -> float | Tag:
    """Tag NaN and the infinities; another float stands for itself."""
    return value if math.isfinite(value) else tag("float", str(value))


def _write_datetime(value: datetime) -> Tag:
    zone = _zone(value.tzinfo)
    if value.tzinfo is not None and value.utcoffset() is None:
        raise ValueError("a zone without an offset")
    return _folded(tag("datetime", value.isoformat() + zone), value.fold)


def _write_time(value: time) -> Tag:
    if value.tzinfo is not None and value.utcoffset() is None:
        raise ValueError("a zone without an offset")
    return _folded(tag("time", value.isoformat()), value.fold)


def _zone(zone: tzinfo | None) -> str:
    return f"[{zone.key}]" if isinstance(zone, ZoneInfo) and zone.key else ""


def _folded(written: Tag, fold: int) -> Tag:
    return written | {"fold": 1} if fold else written


def _read_datetime(value: str, fold: int) -> datetime:
    zoned = _ZONED.fullmatch(value)
    if not zoned:
        return datetime.fromisoformat(value).replace(fold=fold)
    return datetime.fromisoformat(zoned[1]).replace(tzinfo=ZoneInfo(zoned[2]), fold=fold)


def _read_base64(value: str) -> bytes:
    return b64decode(value, validate=True)


# A subclass would come back as its base, so only the exact type counts.
WRITERS: dict[type, Callable[..., Tag]] = {
    bytes: lambda value: tag("bytes", b64encode(value).decode()),
    bytearray: lambda value: tag("bytearray", b64encode(value).decode()),
    datetime: _write_datetime,
    date: lambda value: tag("date", value.isoformat()),
    time: _write_time,
    timedelta: lambda value: tag("timedelta", value // _MICROSECOND),
    Decimal: lambda value: tag("decimal", str(value)),
    UUID: lambda value: tag("uuid", str(value)),
}

_READERS: dict[str, tuple[type, Callable[..., object]]] = {
    "bytes": (str, _read_base64),
    "bytearray": (str, lambda value: bytearray(_read_base64(value))),
    "datetime": (str, _read_datetime),
    "date": (str, date.fromisoformat),
    "time": (str, lambda value, fold: time.fromisoformat(value).replace(fold=fold)),
    "timedelta": (int, lambda value: timedelta(microseconds=value)),
    "decimal": (str, Decimal),
    "uuid": (str, UUID),
    "float": (str, float),
    "text": (str, _read_text),
}
_FOLDING = frozenset({"datetime", "time"})
KINDS = frozenset(_READERS)


def read(written: Tag) -> object:
    """Read one tag of a kind in `KINDS`.

    Raises:
        ValueError: (or one of its kin) not what `write` would have written; two tags of one
            value would make equal documents differ.
    """
    kind = str(written["$"])
    form, reader = _READERS[kind]
    content = written.get("v")
    if type(content) is not form:
        raise ValueError("a tag with other content")
    fold = written.get("fold", 0)
    if type(fold) is not int:
        raise ValueError("a fold that is no integer")
    value = reader(content, fold) if kind in _FOLDING else reader(content)
    if _write(value) != written:
        raise ValueError("a tag written another way")
    return value


def _write(value: object) -> object:
    match value:
        case float():
            return write_float(value)
        case str():
            return value if encodable((value,)) else write_text(value)
        case _:
            return WRITERS[type(value)](value)
