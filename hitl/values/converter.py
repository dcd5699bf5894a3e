"""The types an app registered, and values to tagged JSON and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar, cast

from hitl.document import DEFAULT_LIMITS
from hitl.document.tree import sound
from hitl.errors import ValueRefused
from hitl.values.app import AppType, Structure, Unstructure, plan
from hitl.values.plain import is_plain
from hitl.values.reader import Reader
from hitl.values.writer import OnRefused, Writer

if TYPE_CHECKING:
    from hitl.document import JSONValue

T = TypeVar("T")


class Values:
    """The types an app registered; a document can name these and nothing else."""

    def __init__(self) -> None:
        self._by_class: dict[type, AppType] = {}
        self._by_name: dict[str, AppType] = {}

    def __repr__(self) -> str:
        return f"<Values of {len(self._by_name)} types>"

    def register(
        self,
        cls: type[T],
        name: str | None = None,
        *,
        unstructure: Unstructure | None = None,
        structure: Structure | None = None,
    ) -> type[T]:
        """Let instances of a class be written to documents and come back as that class.

        Enums and classes of attrs, dataclasses, msgspec and pydantic need no more, nor do
        named tuples and subclasses of str, int, float and bytes. Subclasses and the classes of
        fields are registered for themselves (except models inside pydantic models). Usable as a
        decorator.

        Args:
            cls: the class.
            name: what documents call it, for as long as paused runs name it; default the
                qualified name without the module.
            unstructure: instance → a value made of builtin and registered types.
            structure: what `unstructure` gave → an equal instance.

        Raises:
            ValueRefused: not a class, a class of no known kind, or a name that is taken.
        """
        if not isinstance(cls, type):
            raise ValueRefused("expected a class to register, found something else")
        if (unstructure is None) != (structure is None):
            raise ValueRefused("expected unstructure and structure together, found one of them")
        known = name or cls.__qualname__
        self._refuse_taken(cls, known)
        if unstructure is None or structure is None:
            unstructure, structure = plan(cls)
        entry = AppType(cls=cls, name=known, unstructure=unstructure, structure=structure)
        self._by_class[cls] = self._by_name[known] = entry
        return cls

    def _refuse_taken(self, cls: type, name: str) -> None:
        holder = self._by_name.get(name)
        # The same class, loaded again, takes its own place.
        if holder and _origin(holder.cls) != _origin(cls):
            raise ValueRefused(f"expected a free name, found `{name}` taken by another class")
        entry = self._by_class.get(cls)
        if entry and entry.name != name:
            raise ValueRefused(f"expected a new class, found one registered as `{entry.name}`")

    def of_class(self, cls: type) -> AppType | None:
        """Find the entry of exactly this class."""
        return self._by_class.get(cls)

    def of_name(self, name: object) -> AppType | None:
        """Find the entry that documents call by this name."""
        return self._by_name.get(name) if isinstance(name, str) else None

    def encode(
        self, value: object, path: str = "", *, on_refused: OnRefused | None = None
    ) -> JSONValue:
        """Write a value as tagged JSON.

        Args:
            value: anything made of builtin and registered types. A value that needs no tag is
                given back as the same object, not a copy.
            path: where the value will stand in its document, for errors.
            on_refused: called with the place and the value where one is refused; what it returns
                is put there as it is.

        Raises:
            ValueRefused: a type that is not registered, or a value its type does not give back.
            LimitExceeded: nested too deeply, or within itself.
        """
        if is_plain(value):
            return cast("JSONValue", value)
        return Writer(self, on_refused).write(value, path, 0)

    def decode(self, value: JSONValue, path: str = "") -> object:
        """Read tagged JSON.

        Args:
            value: what `encode` gave, perhaps through a file. A value without tags is given back
                as the same object, not a copy.
            path: where the value stands in its document, for errors.

        Raises:
            InvalidDocument: an unknown kind, a name nobody registered, or a tag that `encode`
                does not write.
            LimitExceeded: nested too deeply.
        """
        if sound(value, DEFAULT_LIMITS, lenient=True, without="$"):
            return value
        return Reader(self).read(value, path, 0)


def _origin(cls: type) -> tuple[str, str]:
    return cls.__module__, cls.__qualname__
