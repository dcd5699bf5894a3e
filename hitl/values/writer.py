"""Python values → tagged JSON."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from hitl import document
from hitl.document import DEFAULT_LIMITS, escape
from hitl.document.tree import encodable, too_long
from hitl.errors import InvalidDocument, LimitExceeded, ValueRefused
from hitl.values import leaf
from hitl.values.leaf import tag
from hitl.values.plain import check_depth, plain_keys
from hitl.values.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hitl.document import JSONObject, JSONValue
    from hitl.values.app import AppType
    from hitl.values.converter import Values

OnRefused = Callable[[str, object], "JSONValue"]

_REGISTER = "register the type with hitl.register, or give plain data"


class _Count:
    """What one call has written so far."""

    def __init__(self) -> None:
        self.nodes = 0
        self.refused = 0


class Writer:
    """Writes one value.

    Attributes:
        verify: off inside an app object, which is verified as a whole.
    """

    def __init__(
        self,
        values: Values,
        on_refused: OnRefused | None = None,
        *,
        count: _Count | None = None,
        verify: bool = True,
    ) -> None:
        self.values = values
        self.on_refused = on_refused
        self.count = count or _Count()
        self.verify = verify

    def write(self, value: object, path: str, depth: int) -> JSONValue:
        """Write a value at a place, so many levels down."""
        self.count.nodes += 1
        if self.count.nodes > DEFAULT_LIMITS.nodes:
            raise LimitExceeded(f"expected at most {DEFAULT_LIMITS.nodes} values, found more")
        if type(value) is str and value.isascii():  # most values
            return value
        try:
            return self._write(value, path, depth)
        except ValueRefused:
            if self.on_refused is None:
                raise
            self.count.refused += 1
            return self.on_refused(path, value)

    def _write(self, value: object, path: str, depth: int) -> JSONValue:
        kind = type(value)
        if value is None or kind is bool:
            return cast("bool | None", value)
        if kind is int:
            return _write_integer(cast("int", value), path)
        if kind is float:
            return leaf.write_float(cast("float", value))
        if kind is str:
            text = cast("str", value)
            return text if encodable((text,)) else leaf.write_text(text)
        if kind in leaf.WRITERS:
            return _write_leaf(value, path)
        check_depth(depth, path)
        return self._write_container(value, path, depth + 1)

    def _write_container(self, value: object, path: str, depth: int) -> JSONValue:
        if type(value) is list:
            return [self.write(each, f"{path}/{i}", depth) for i, each in enumerate(value)]
        if type(value) is dict:
            return self._write_dict(value, path, depth)
        if type(value) is tuple:
            return tag(
                "tuple", [self.write(each, f"{path}/v/{i}", depth) for i, each in enumerate(value)]
            )
        if type(value) is set or type(value) is frozenset:
            return self._write_set(value, path, depth)
        entry = self.values.of_class(type(value))
        if entry is None:
            raise ValueRefused(
                f"expected a value a document can hold, found `{type(value).__name__}`",
                path=path,
                hint=_REGISTER,
            )
        return self._write_app(entry, value, path, depth)

    def _write_dict(self, value: dict[object, object], path: str, depth: int) -> JSONValue:
        if plain_keys(value):
            return {
                cast("str", key): self.write(each, f"{path}/{escape(cast('str', key))}", depth)
                for key, each in value.items()
            }
        within = self._whole()
        return tag(
            "map",
            [
                [
                    within.write(key, f"{path}/v/{i}/0", depth),
                    self.write(each, f"{path}/v/{i}/1", depth),
                ]
                for i, (key, each) in enumerate(value.items())
            ],
        )

    def _write_set(self, value: Iterable[object], path: str, depth: int) -> JSONValue:
        within = self._whole()
        written = [within.write(each, f"{path}/v", depth) for each in value]
        return tag(type(value).__name__, sorted(written, key=document.canonical))

    def _whole(self) -> Writer:
        """Write what must be hashable when read: nothing can be put in its place."""
        return Writer(self.values, count=self.count, verify=self.verify)

    def _write_app(self, entry: AppType, value: object, path: str, depth: int) -> JSONValue:
        within = Writer(self.values, self.on_refused, count=self.count, verify=False)
        refused = self.count.refused
        written = within.write(_unstructured(entry, value, path), f"{path}/v", depth)
        result: JSONObject = {"$": "app", "t": entry.name, "v": written}
        if self.verify and self.count.refused == refused:
            self._verify(result, path)
        return result

    def _verify(self, written: JSONObject, path: str) -> None:
        """Refuse an object that its class does not give back as it was."""
        try:
            back = Reader(self.values).read(written, path, 0)
            again = Writer(self.values, verify=False).write(back, path, 0)
        except InvalidDocument as exc:
            raise ValueRefused(
                "expected an object that its class can give back, found another",
                path=exc.path,
                hint=exc.hint,
            ) from exc
        changes = document.diff(written, again)
        if changes:
            raise ValueRefused(
                "expected an object that comes back as it is, found one that its class changes",
                path=path + changes[0].path,
            )


def _write_integer(value: int, path: str) -> int:
    if too_long((value,), DEFAULT_LIMITS):
        raise LimitExceeded(
            f"expected at most {DEFAULT_LIMITS.digits} digits, found a longer integer", path=path
        )
    return value


def _write_leaf(value: object, path: str) -> JSONValue:
    try:
        return leaf.WRITERS[type(value)](value)
    except ValueError as exc:
        name = type(value).__name__
        raise ValueRefused(f"expected a whole `{name}`, found {exc}", path=path) from None


def _unstructured(entry: AppType, value: object, path: str) -> object:
    try:
        return entry.unstructure(value)
    except Exception as exc:  # code of the app, which may raise anything
        raise ValueRefused(
            f"expected `{entry.name}` to come apart, found {type(exc).__name__}", path=path
        ) from exc
