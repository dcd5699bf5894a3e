"""The RunState JSON of openai-agents, the Python SDK."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

from attrs import evolve

from hitl import schema
from hitl.dialects.openai_python import dump as _dump
from hitl.dialects.openai_python import foreign, wire
from hitl.dialects.openai_python import leaving as _leaving
from hitl.dialects.openai_python import load as _load
from hitl.dialects.openai_python import repair as _repair
from hitl.dialects.openai_python.nest import undecided
from hitl.dialects.openai_python.shape import SHAPE
from hitl.dialects.openai_python.versions import DEFINITIONS, REVISIONS
from hitl.document import encode_lenient
from hitl.errors import InvalidDocument
from hitl.model import Origin
from hitl.revision import Chain, Loss

if TYPE_CHECKING:
    from collections.abc import Collection

    from hitl.codec import Codec
    from hitl.dialect import Repaired, Source
    from hitl.dialects.openai_python.history import After, History
    from hitl.document import JSONObject, Shape
    from hitl.model import RunState


class OpenAIPython:
    """Reads and writes what `RunState.to_json` and `from_json` of the Python SDK do."""

    name = "openai-agents-python"
    chain = Chain("openai-agents-python", REVISIONS)

    def claims(self, keys: Collection[str]) -> bool:
        """Tell the Python SDK's documents from the JavaScript SDK's: by the case of the keys."""
        return wire.VERSION_KEY in keys and "currentTurn" not in keys

    def format(self, parts: dict[str, bytes], codec: Codec) -> Origin:
        """Give the schema version of a document."""
        version = codec.parse(parts[wire.VERSION_KEY], lenient=True)
        if not isinstance(version, str):
            raise InvalidDocument("expected a version label", path=f"/{wire.VERSION_KEY}")
        return Origin(dialect=self.name, version=version)

    def load(self, source: Source) -> RunState:
        """Read a document of any version."""
        origin = self.format(source.parts, source.codec)
        newer = self.chain.newer(origin.version, f"/{wire.VERSION_KEY}")
        document, plain = _parsed(source.data, source.codec, source.shape)
        _refuse_mixed(document, origin.version)
        if not newer:
            document = self.chain.upgrade(document, origin.version)
        state = _load.load(document, source.codec, origin, plain=plain)
        return evolve(state, newer=origin) if newer else state

    def follow(
        self, document: JSONObject, codec: Codec, after: After | None = None
    ) -> tuple[RunState, History]:
        """Read what the SDK wrote of a run, or of the end of one.

        Args:
            document: what `to_json` gave, of any version that hitl knows.
            codec: what encodes the log.
            after: what the log holds already; None reads a whole run.

        Returns:
            The run state, with the new entries only, and what built its log: for the next `After`.

        Raises:
            DocumentError: as `load`.
        """
        data = encode_lenient(document)
        origin = self.format(
            {wire.VERSION_KEY: json.dumps(document[wire.VERSION_KEY]).encode()}, codec
        )
        parsed, plain = _parsed(data, codec)
        parsed = self.chain.upgrade(parsed, origin.version)
        loader = _load.Loader(parsed, codec, origin, plain=plain, after=after)
        return loader.load(), loader.history

    def dump(self, state: RunState, version: str, codec: Codec) -> bytes:
        """Write a document at `version`; a newer one is written back at its own."""
        document = self._dumped(state, version).document
        if state.newer is None:
            document = self.chain.downgrade(document, version)
        return codec.encode(document, lenient=True)

    def losses(self, state: RunState, version: str) -> tuple[Loss, ...]:
        """Give what the SDK's JSON cannot hold of `state`."""
        dumped = self._dumped(state, version)
        losses = dumped.losses
        if state.origin.dialect != self.name:
            losses += tuple(foreign.losses(state))
        if state.newer is not None:
            return losses
        return losses + self.chain.losses(dumped.document, version)

    def leaving(self, state: RunState) -> tuple[Loss, ...]:
        """Give what only this SDK can say of a state of it that goes to another."""
        return tuple(_leaving.losses(state, self.name))

    def handoff_name(self, agent: str) -> str:
        """Give the name of a handoff to an agent: its own in small letters."""
        return re.sub("[^a-zA-Z0-9_]", "_", f"transfer_to_{agent}").lower()

    def repair(self, state: RunState, version: str, names: Collection[str] = ()) -> Repaired:
        """Make a state of an older version resume where `version` is read; see `Dialect`."""
        return _repair.repair(state, self.chain, version, names, self._plain)

    def _plain(self, state: RunState) -> JSONObject:
        """Write a state as it was recorded, without decisions taken since."""
        return _dump.dump(undecided(state), self.name, self.chain.newest).document

    def schema(self, version: str) -> JSONObject:
        """Give the JSON Schema of one version."""
        return schema.build(self.chain, version, DEFINITIONS, wire.VERSION_KEY)

    def _dumped(self, state: RunState, version: str) -> _dump.Dumped:
        """Write the newest version, from where the chain goes down; a newer state at its own."""
        label = self.chain.newest if state.newer is None else version
        if self.name not in state.extras:
            _repair.refuse_forged(state)
        return _dump.dump(state, self.name, label)


def _refuse_mixed(document: JSONObject, version: str) -> None:
    """Refuse a run inside that has another version than the document: no writer gives that."""
    for path, run in SHAPE.runs(document):
        if run.get(wire.VERSION_KEY) != version:
            message = "expected the version of the document around it, found another"
            raise InvalidDocument(message, path=f"{path}/{wire.VERSION_KEY}")


def _parsed(data: bytes, codec: Codec, shape: Shape | None = None) -> tuple[JSONObject, bool]:
    """Give the document, and whether nothing in it needs a tag.

    What the strict reader takes holds no NaN, no infinity and no lone surrogate; what is left to
    tag is an object with the key that marks our tags.
    """
    try:
        document = codec.parse(data, shape=shape)
    except InvalidDocument:
        document = codec.parse(data, lenient=True, shape=shape)
        return cast("JSONObject", document), False
    marked = b'"$"' in data or b"\\u0024" in data
    return cast("JSONObject", document), not marked


DIALECT = OpenAIPython()
