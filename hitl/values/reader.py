"""Tagged JSON → Python values; only what the writer would have written."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from hitl import document
from hitl.document import escape
from hitl.errors import HitlError, InvalidDocument
from hitl.values import leaf
from hitl.values.plain import check_depth, plain_keys

if TYPE_CHECKING:
    from collections.abc import Callable

    from hitl.document import JSONObject, JSONValue
    from hitl.values.converter import Values

_CONTAINERS: dict[str, type] = {"tuple": tuple, "set": set, "frozenset": frozenset}


class Reader:
    """Reads one value."""

    def __init__(self, values: Values) -> None:
        self.values = values

    def read(self, value: JSONValue, path: str, depth: int) -> object:
        """Read a value at a place, so many levels down."""
        match value:
            case dict() | list():
                check_depth(depth, path)
                return self._read_container(value, path, depth + 1)
            case None | bool() | int() | float() | str():
                return value
            case _:
                raise InvalidDocument("expected a JSON value, found another", path=path)

    def _read_container(self, value: JSONObject | list[JSONValue], path: str, depth: int) -> object:
        if isinstance(value, list):
            return [self.read(each, f"{path}/{i}", depth) for i, each in enumerate(value)]
        if "$" not in value:
            return {
                key: self.read(each, f"{path}/{escape(key)}", depth) for key, each in value.items()
            }
        kind = value["$"]
        if not isinstance(kind, str):
            raise _not_canonical(path)
        if kind in leaf.KINDS:
            return _read_leaf(value, path)
        if kind == "app":
            return self._read_app(value, path, depth)
        if kind == "map":
            return self._read_map(_items(value, path), path, depth)
        if kind in _CONTAINERS:
            return self._read_items(_CONTAINERS[kind], _items(value, path), path, depth)
        raise InvalidDocument(
            "expected a kind of value this release knows, found another",
            path=f"{path}/$",
            hint="a newer hitl may have written it",
        )

    def _read_items(self, kind: type, items: list[JSONValue], path: str, depth: int) -> object:
        values = [self.read(each, f"{path}/v/{i}", depth) for i, each in enumerate(items)]
        if kind is tuple:
            return tuple(values)
        ranks = [document.canonical(each) for each in items]
        return self._hashed(
            lambda: kind(values), len(items), path, canonical=ranks == sorted(ranks)
        )

    def _read_map(self, items: list[JSONValue], path: str, depth: int) -> object:
        pairs: list[tuple[object, object]] = []
        for i, each in enumerate(items):
            if not isinstance(each, list) or len(each) != 2:  # noqa: PLR2004 - key and value
                raise _not_canonical(f"{path}/v/{i}")
            key, value = each
            pairs.append(
                (
                    self.read(key, f"{path}/v/{i}/0", depth),
                    self.read(value, f"{path}/v/{i}/1", depth),
                )
            )
        keys = [key for key, _ in pairs]
        return self._hashed(lambda: dict(pairs), len(items), path, canonical=not plain_keys(keys))

    @staticmethod
    def _hashed(make: Callable[[], object], size: int, path: str, *, canonical: bool) -> object:
        try:
            made = make()
        except TypeError:  # something that cannot be hashed
            raise _not_canonical(path) from None
        if not canonical or len(cast("dict[object, object]", made)) != size:
            raise _not_canonical(path)
        return made

    def _read_app(self, value: JSONObject, path: str, depth: int) -> object:
        if value.keys() != {"$", "t", "v"}:
            raise _not_canonical(path)
        entry = self.values.of_name(value["t"])
        if entry is None:
            raise InvalidDocument(
                "expected the name of a registered type, found another",
                path=f"{path}/t",
                hint="register the type under the name it was written with",
            )
        content = self.read(value["v"], f"{path}/v", depth)
        try:
            made = entry.structure(content)
        except Exception as exc:  # code of the app, which may raise anything
            raise InvalidDocument(
                f"expected a `{entry.name}`, found {type(exc).__name__} when making one",
                path=f"{path}/v",
            ) from exc
        if type(made) is not entry.cls:
            raise InvalidDocument(f"expected a `{entry.name}`, found another type", path=path)
        return made


def _items(value: JSONObject, path: str) -> list[JSONValue]:
    items = value.get("v")
    if value.keys() != {"$", "v"} or not isinstance(items, list):
        raise _not_canonical(path)
    return items


def _read_leaf(value: JSONObject, path: str) -> object:
    try:
        return leaf.read(value)
    except (ArithmeticError, KeyError, OSError, TypeError, ValueError):
        raise _not_canonical(path) from None


def _not_canonical(path: str) -> HitlError:
    return InvalidDocument("expected a tag as hitl writes it, found another form", path=path)
