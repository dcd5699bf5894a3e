"""The item log: everything that grows with a run, each entry stored once, as bytes.

An entry is a `Record`: an item of the history, a model response or a guardrail result. The lists an
SDK keeps (generated items, session items, the outputs of a response) are spans over the log, so an
item that stands in four lists is stored once.

Entries stay encoded until they are read; the codec that wrote them hands in the two functions that
read and write one. Equality, pickle and repr know only the values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import overload

from attrs import evolve, frozen

from hitl.document import JSONValue
from hitl.errors import DocumentError, InvalidDocument
from hitl.model.boxes import Boxes
from hitl.model.fit import under
from hitl.model.record import Box, Item, Record, read_record


@frozen
class LogCodec:
    """How one codec reads and writes a log entry.

    Attributes:
        name: the codec's name, such as `json`.
        decode: bytes of one entry to its record.
        encode: a record to the bytes of one entry.
        tags: what an entry with a tagged value contains, one of these at least.
        parse: bytes of one entry to plain data.
        write: plain data to the bytes of one entry.
        boxes: what entries of each box begin with, as `encode` writes them.
        newer: whether a newer minor wrote the entries: what they say that is unknown is passed
            over when they are read, and kept when they are recoded.
    """

    name: str
    decode: Callable[[bytes], Record]
    encode: Callable[[Record], bytes]
    tags: tuple[bytes, ...]
    parse: Callable[[bytes], JSONValue]
    write: Callable[[JSONValue], bytes]
    boxes: tuple[tuple[bytes, Box], ...]
    newer: bool = False

    def read(self, chunk: bytes) -> Record:
        """Read one entry.

        Raises:
            DocumentError: it cannot be read.
        """
        return read_record(self.parse(chunk), newer=True) if self.newer else self.decode(chunk)

    def box(self, chunk: bytes) -> Box | None:
        """Tell what an entry is, most without parsing them; None for what this version has not.

        Raises:
            DocumentError: it cannot be parsed.
        """
        for begins, box in self.boxes:
            if chunk.startswith(begins):
                return box
        value = self.parse(chunk)
        given = value if isinstance(value, dict) else {}
        return next((box for _, box in self.boxes if given.get(box) is not None), None)


class ItemLog(Sequence[Record]):
    """An append-only sequence of records, kept as bytes and decoded when read."""

    __slots__ = ("_boxes", "_chunks", "codec")

    def __init__(self, chunks: Sequence[bytes], codec: LogCodec) -> None:
        """Hold `chunks`, each one encoded entry of `codec`."""
        self._chunks = chunks if isinstance(chunks, tuple) else tuple(chunks)
        self._boxes: Boxes | None = None
        self.codec = codec

    def extended(self, chunks: Iterable[bytes]) -> ItemLog:
        """Give the log with more entries; of the known ones nothing is looked at again."""
        longer = ItemLog((*self._chunks, *chunks), self.codec)
        longer._boxes = self.boxes + longer._boxed(len(self))
        return longer

    @property
    def boxes(self) -> Boxes:
        """Which entries are no items.

        Raises:
            DocumentError: an entry cannot be parsed.
        """
        if self._boxes is None:
            self._boxes = self._boxed(0)
        return self._boxes

    def _boxed(self, start: int) -> Boxes:
        return Boxes.of((self._box(index) for index in range(start, len(self))), start)

    def _box(self, index: int) -> Box | None:
        with _at(index):
            return self.codec.box(self._chunks[index])

    @property
    def chunks(self) -> tuple[bytes, ...]:
        """The encoded entries, as `codec` wrote them."""
        return self._chunks

    def __len__(self) -> int:
        return len(self._chunks)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | Sequence[Record]:
        """Decode the entry at `index`; the call of an approval is filled in from the log."""
        if isinstance(index, slice):
            return tuple(self[i] for i in range(*index.indices(len(self))))
        return self._expanded(index, self._record(range(len(self))[index]))

    def sized(self) -> Iterator[tuple[Record, int]]:
        """Give each record with the bytes it stands for: its own and those of its call."""
        for index, chunk in enumerate(self._chunks):
            record = self._record(index)
            item = record.item
            call = item.call if item is not None else None
            size = len(self._chunks[call]) if call is not None and 0 <= call < index else 0
            yield self._expanded(index, record), len(chunk) + size

    def _expanded(self, index: int, record: Record) -> Record:
        item = record.item
        if item is None or (item.call is None and item.text is None):
            return record
        if item.call is not None:
            item = evolve(item, raw=self._call(index, item.call), call=None)
        return evolve(record, item=item.expanded(plain=not self.tagged(index)))

    def _record(self, index: int) -> Record:
        with _at(index):
            return self.codec.read(self._chunks[index])

    def tagged(self, index: int) -> bool:
        """Tell whether the entry at `index` may hold a tag; False is certain."""
        return any(mark in self._chunks[index] for mark in self.codec.tags)

    def item(self, index: int) -> Item:
        """Give the item at `index`.

        Raises:
            InvalidDocument: there is no entry there, or it is not an item.
        """
        record = self[index] if 0 <= index < len(self) else None
        if record is None or record.item is None:
            raise InvalidDocument("expected the position of an item", path=f"/items/{index}")
        return record.item

    def _call(self, index: int, call: int) -> JSONValue:
        index = range(len(self))[index]
        target = self._record(call).item if 0 <= call < index else None
        if target is None or target.call is not None:
            message = "expected the position of an earlier call, found none there"
            raise InvalidDocument(message, path=f"/items/{index}/item/call")
        return target.raw

    def recode(self, codec: LogCodec) -> ItemLog:
        """Give the same log in another codec; decodes every entry if the codec changes."""
        if codec.name == self.codec.name:
            return self
        if self.codec.newer:
            return ItemLog([codec.write(self.codec.parse(chunk)) for chunk in self._chunks], codec)
        entries = (self._record(index) for index in range(len(self)))
        return ItemLog([codec.encode(entry) for entry in entries], codec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ItemLog):
            return NotImplemented
        if len(self) != len(other):
            return False
        same_codec = self.codec.name == other.codec.name
        return (same_codec and self._chunks == other._chunks) or all(
            mine == theirs for mine, theirs in zip(self, other, strict=True)
        )

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[object, ...]:
        return ItemLog, (self._chunks, self.codec)

    def __repr__(self) -> str:
        return f"<ItemLog of {len(self)} entries>"


@contextmanager
def _at(index: int) -> Iterator[None]:
    try:
        yield
    except DocumentError as exc:
        raise under(exc, f"/items/{index}") from exc
