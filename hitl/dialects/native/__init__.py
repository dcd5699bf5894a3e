"""hitl's own document: what stores keep and processes hand to each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from hitl.dialect import Repaired
from hitl.dialects.native import dump as _dump
from hitl.dialects.native import load as _load
from hitl.dialects.native import wire
from hitl.dialects.native.versions import REVISIONS
from hitl.errors import InvalidDocument
from hitl.model import Origin
from hitl.revision import Chain, Loss

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from hitl.codec import Codec
    from hitl.dialect import Source
    from hitl.model import RunState


_LEFT_OUT = "a secret is left out; the live agent supplies it again"


class Native:
    """The dialect that can say everything but secrets."""

    name = "native"
    chain = Chain("native", REVISIONS)

    def claims(self, keys: Collection[str]) -> bool:
        """Tell whether the document carries our version key."""
        return wire.VERSION_KEY in keys

    def format(self, parts: dict[str, bytes], codec: Codec) -> Origin:
        """Give the version of a document."""
        version = codec.parse(parts[wire.VERSION_KEY])
        if not isinstance(version, str):
            raise InvalidDocument("expected a version label", path=f"/{wire.VERSION_KEY}")
        return Origin(dialect=self.name, version=version)

    def load(self, source: Source) -> RunState:
        """Read a document; its log stays encoded until it is read."""
        format_ = self.format(source.parts, source.codec)
        source.codec.refuse_twice(source.data, source.parts)
        newer = self.chain.newer(format_.version, f"/{wire.VERSION_KEY}")
        state = _load.load(source.parts, source.codec, newer=newer)
        return evolve(state, newer=format_) if newer else state

    def dump(self, state: RunState, version: str, codec: Codec) -> bytes:
        """Write a document."""
        return _dump.dump(state, version, codec)

    def pack(self, state: RunState, codec: Codec) -> bytes:
        """Write everything of a run but its log, for a store that keeps the log beside it."""
        return _dump.dump(state, self.chain.newest, codec, items=False)

    def unpack(self, head: bytes, entries: Sequence[bytes], codec: Codec) -> RunState:
        """Read what `pack` wrote, and the log's entries."""
        parts = codec.split(head)
        newer = self.chain.newer(self.format(parts, codec).version, f"/{wire.VERSION_KEY}")
        state = _load.load(parts, codec, newer=newer, items=entries)
        return evolve(state, newer=self.format(parts, codec)) if newer else state

    def losses(self, state: RunState, version: str) -> tuple[Loss, ...]:
        """Secrets never leave in native form, those of runs inside neither; all else does."""
        del version
        return tuple(
            Loss(path=path, severity="info", reason=_LEFT_OUT) for path in _secrets(state, "")
        )

    def leaving(self, state: RunState) -> tuple[Loss, ...]:  # noqa: ARG002 - as every dialect has it
        """Give nothing: no SDK writes this."""
        return ()

    def handoff_name(self, agent: str) -> str | None:  # noqa: ARG002 - as every dialect has it
        """Give None: an agent SDK names handoffs."""
        return None

    def repair(self, state: RunState, version: str, names: Collection[str] = ()) -> Repaired:
        """Hold every state as it is; the format it was first written in says what it needs."""
        del version, names
        return Repaired(state=state)


def _secrets(state: RunState, path: str) -> Iterator[str]:
    yield from (path + place for place in state.secrets)
    runs = (call.run for call in (state.processed.calls if state.processed else ()) if call.run)
    for index, run in enumerate(runs):
        yield from _secrets(run, f"{path}/{wire.RUNS}/{index}")


DIALECT = Native()
