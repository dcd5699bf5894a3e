"""How instances of app types are taken apart and put together again.

Taking apart is shallow: the fields are values like any other, and an app object inside an app
object is tagged under its own name. So a subclass in a field, or an object in a field annotated
`Any`, comes back as what it was; annotations decide nothing, they only check.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import functools
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import chain, repeat
from typing import Any, cast

import attrs
import cattrs
import msgspec
from cattrs.errors import StructureHandlerNotFoundError

from hitl.errors import ValueRefused

Unstructure = Callable[[Any], object]
Structure = Callable[[Any], object]

_SCALARS = (str, int, float, bytes)
_HINT = "give unstructure= and structure="


@attrs.frozen(kw_only=True)
class AppType:
    """One registered type.

    Attributes:
        cls: the class; its subclasses are not meant.
        name: what documents call it.
        unstructure: instance → a value of builtin types and registered types.
        structure: what `unstructure` gave → an equal instance.
    """

    cls: type
    name: str
    unstructure: Unstructure
    structure: Structure


@attrs.frozen(kw_only=True)
class _Field:
    """One field: its name, and what `__init__` calls it; None when it takes no such argument."""

    name: str
    argument: str | None


def plan(cls: type) -> tuple[Unstructure, Structure]:
    """Find out how a class comes apart and together.

    Raises:
        ValueRefused: none of the kinds known here; its owner must say how.
    """
    if issubclass(cls, enum.Enum):
        return _unstructure_enum, functools.partial(_structure_enum, cls)
    if hasattr(cls, "__pydantic_validator__") and hasattr(cls, "model_validate"):
        return functools.partial(_unstructure_pydantic, cls), cls.model_validate
    for base in _SCALARS:
        if issubclass(cls, base) and not hasattr(cls, "__attrs_attrs__"):
            return functools.partial(_unstructure_scalar, base), functools.partial(
                _structure_scalar, cls, base
            )
    fields = _fields(cls)
    if fields is None:
        message = "expected an enum or a class of attrs, dataclasses, msgspec or pydantic"
        raise ValueRefused(f"{message}, found `{cls.__name__}`", hint=_HINT)
    return functools.partial(_unstructure_fields, fields), functools.partial(
        _structure_fields, cls, fields
    )


def _fields(cls: type) -> tuple[_Field, ...] | None:
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return tuple(_Field(name=name, argument=name) for name in cls._fields)
    if issubclass(cls, (dict, list, set, frozenset, tuple, bytearray, *_SCALARS)):
        return None  # it holds more than its fields
    if attrs.has(cls):
        return tuple(
            _Field(name=each.name, argument=each.alias if each.init else None)
            for each in attrs.fields(cls)
        )
    if dataclasses.is_dataclass(cls):
        return tuple(
            _Field(name=each.name, argument=each.name if each.init else None)
            for each in dataclasses.fields(cls)
        )
    if issubclass(cls, msgspec.Struct):
        names = [each.name for each in msgspec.structs.fields(cls)]
        return tuple(_Field(name=name, argument=name) for name in names)
    return None


def _unstructure_enum(value: enum.Enum) -> object:
    return value.value


def _structure_enum(cls: type[enum.Enum], value: object) -> enum.Enum:
    member = cls(value)
    if type(member.value) is not type(value):  # True and 1.0 find the member of 1
        raise TypeError("a value of another type")
    return member


def _unstructure_scalar(base: type, value: object) -> object:
    _refuse_extras(value, ())
    if base is str:
        return str.__str__(cast("str", value))
    if base is bytes:
        return bytes.__getitem__(cast("bytes", value), slice(None))
    method = int.__int__ if base is int else float.__float__
    return cast("Callable[[object], object]", method)(value)


def _structure_scalar(cls: type, base: type, value: object) -> object:
    if type(value) is not base:
        raise TypeError("a value of another type")
    return cls(value)


def _unstructure_pydantic(cls: Any, value: Any) -> object:  # noqa: ANN401 - pydantic is not imported
    back = cls.model_validate(_dump(value))
    # Fields excluded from dumps, private attributes and subclasses in fields would be lost.
    if back != value:
        raise ValueError("a model that does not come back from its dump")
    # Validated once: a default of 0 for a float is now 0.0, which the model calls equal.
    return _dump(back)


def _dump(value: Any) -> object:  # noqa: ANN401 - pydantic is not imported
    dumped: object = value.model_dump(mode="python", round_trip=True, by_alias=True)
    return dumped


def _unstructure_fields(fields: Collection[_Field], value: object) -> dict[str, object]:
    names = [each.name for each in fields]
    _refuse_extras(value, names)
    return {name: getattr(value, name) for name in names}


def _refuse_extras(value: object, names: Collection[str]) -> None:
    for name in getattr(value, "__dict__", {}):
        cached = isinstance(getattr(type(value), name, None), functools.cached_property)
        if name not in names and not cached:
            raise ValueError("an attribute that is no field")


def _structure_fields(cls: type, fields: Collection[_Field], value: object) -> object:
    if type(value) is not dict or value.keys() - {each.name for each in fields}:
        raise TypeError("other fields")
    hints = _hints(cls)
    for name, each in value.items():
        if name in hints:
            _check_member(_converter(), each, hints[name])
    present = [each for each in fields if each.name in value]
    made = cls(**{each.argument: value[each.name] for each in present if each.argument})
    for each in present:
        if each.argument is None:
            object.__setattr__(made, each.name, value[each.name])
    return made


@functools.lru_cache(maxsize=1024)
def _hints(cls: type) -> Mapping[str, object]:
    """Give the annotations; none when a name in them exists for type checkers only."""
    try:
        return typing.get_type_hints(cls)
    except (NameError, AttributeError, TypeError, SyntaxError):
        return {}


@functools.cache
def _converter() -> cattrs.Converter:
    """Make the cattrs converter that checks values against annotations and changes nothing.

    Its own hooks coerce (`1` → `"1"`, `5.9` → `5`) and turn one container into another.
    """
    converter = cattrs.Converter(detailed_validation=False, forbid_extra_keys=True)
    check = functools.partial(_check_member, converter)
    converter.register_structure_hook_func(_is_class, _check_instance)
    converter.register_structure_hook_func(_is_container, functools.partial(_check_items, check))
    converter.register_structure_hook_func(_is_union, functools.partial(_check_union, check))
    for scalar in (str, int, float, bool, bytes):
        converter.register_structure_hook(scalar, _check_instance)
    return converter


def _is_class(hint: object) -> bool:
    origin = typing.get_origin(hint) or hint
    # None of these can be asked whether a value is one of them.
    unknowable = typing.is_typeddict(origin) or getattr(origin, "_is_protocol", False)
    return isinstance(origin, type) and origin is not Any and not unknowable


def _is_container(hint: object) -> bool:
    origin = typing.get_origin(hint)
    return isinstance(origin, type) and issubclass(origin, Collection)


def _is_union(hint: object) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _check_member(converter: cattrs.Converter, value: object, hint: object) -> None:
    # Without a handler the annotation says nothing about data: a protocol, a type variable.
    with contextlib.suppress(StructureHandlerNotFoundError):
        converter.structure(value, cast("type[Any]", hint))


def _check_instance(value: object, hint: type) -> object:
    # As in PEP 484 an int will do for a float; a bool is no number here.
    exact = {float: (float, int), int: (int,)}.get(hint)
    origin = typing.get_origin(hint) or hint
    if not (type(value) in exact if exact else isinstance(value, origin)):
        raise TypeError("a value of another type")
    return value


def _check_items(check: Callable[[object, object], None], value: object, hint: object) -> object:
    origin, arguments = cast("type", typing.get_origin(hint)), typing.get_args(hint)
    if not isinstance(value, origin):
        raise TypeError("a value of another type")
    items: Iterable[tuple[object, object]]
    if isinstance(value, Mapping):
        items = chain.from_iterable(zip(pair, arguments, strict=False) for pair in value.items())
    elif origin is tuple and Ellipsis not in arguments:
        items = zip(cast("Iterable[object]", value), arguments, strict=True)
    else:
        items = zip(cast("Iterable[object]", value), repeat(arguments[0]), strict=False)
    for each, argument in items:
        check(each, argument)
    return value


def _check_union(check: Callable[[object, object], None], value: object, hint: object) -> object:
    for member in typing.get_args(hint):
        try:
            check(value, member)
        except (TypeError, ValueError):
            continue
        return value
    raise TypeError("a value of another type")
