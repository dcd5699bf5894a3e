"""The RunState JSON of @openai/agents, the JavaScript SDK."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from attrs import evolve

from hitl import schema
from hitl.border import audit
from hitl.dialects.openai_js import dump as _dump
from hitl.dialects.openai_js import leaving as _leaving
from hitl.dialects.openai_js import losses as _losses
from hitl.dialects.openai_js import read as _read
from hitl.dialects.openai_js import repair as _repair
from hitl.dialects.openai_js import repeated, shared, wire
from hitl.dialects.openai_js.ledger import refuse_forged
from hitl.dialects.openai_js.mend import GUARDRAILS, unproved
from hitl.dialects.openai_js.shape import RUNS
from hitl.dialects.openai_js.versions import DEFINITIONS, REVISIONS
from hitl.errors import InvalidDocument
from hitl.model import Origin
from hitl.model.decide import verify
from hitl.revision import Chain, Loss

if TYPE_CHECKING:
    from collections.abc import Collection

    from hitl.codec import Codec
    from hitl.dialect import Repaired, Source
    from hitl.document import JSONObject
    from hitl.model import RunState

_BMP = "\uffff"  # what stands behind it is two units of UTF-16


class OpenAIJS:
    """Reads and writes what `RunState.toString` and `fromString` of the JavaScript SDK do."""

    name = "openai-agents-js"
    chain = Chain("openai-agents-js", REVISIONS)

    def claims(self, keys: Collection[str]) -> bool:
        """Tell the JavaScript SDK's documents from the Python SDK's: by the case of the keys."""
        return wire.VERSION_KEY in keys and wire.TURN_KEY in keys

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
        document = cast("JSONObject", source.codec.parse(source.data, lenient=True))
        texts = document.get(RUNS)
        if not newer:
            document = self.chain.upgrade(document, origin.version)
        label = origin.version if newer else self.chain.newest
        state = _read.read(document, source.codec, origin, label, texts)
        return evolve(state, newer=origin) if newer else state

    def dump(self, state: RunState, version: str, codec: Codec) -> bytes:
        """Write a document at `version`; a newer one is written back at its own."""
        verify(state)
        refuse_forged(state, self.name)
        return codec.encode(self._document(state, version), lenient=True)

    def losses(self, state: RunState, version: str) -> tuple[Loss, ...]:
        """Give what the SDK's JSON cannot hold of `state`."""
        refuse_forged(state, self.name)
        known = self.name in state.extras
        foreign: tuple[Loss, ...] = (
            *(() if known else _losses.losses(state)),
            *shared.losses(state, foreign=not known),
            *repeated.losses(state, foreign=not known),
        )
        if state.newer is not None:
            return foreign
        own = state.origin.dialect == self.name
        later = self.chain.later(state.origin.version, version) if own else ()
        if any(mend in GUARDRAILS for revision in later for mend in revision.mends):
            foreign = (*foreign, unproved())
        document = _dump.dump(state, self.name, self.chain.newest)
        return (*foreign, *audit(state), *self.chain.losses(document, version))

    def leaving(self, state: RunState) -> tuple[Loss, ...]:
        """Give what only this SDK can say of a state of it that goes to another."""
        return (
            *_leaving.losses(state, self.name),
            *shared.leaving(state),
            *repeated.leaving(state),
        )

    def handoff_name(self, agent: str) -> str:
        """Give the name of a handoff to an agent: its own, each odd UTF-16 unit a line."""
        odd = re.compile("[^a-zA-Z0-9]")
        return f"transfer_to_{odd.sub(lambda found: '_' * (1 + (found[0] > _BMP)), agent)}"

    def repair(self, state: RunState, version: str, names: Collection[str] = ()) -> Repaired:
        """Make a state of an older version resume where `version` is read; see `Dialect`."""
        return _repair.repair(state, self.chain, version, names)

    def schema(self, version: str) -> JSONObject:
        """Give the JSON Schema of one version."""
        return schema.build(self.chain, version, DEFINITIONS, wire.VERSION_KEY)

    def _document(self, state: RunState, version: str) -> JSONObject:
        label = self.chain.newest if state.newer is None else version
        document = _dump.dump(state, self.name, label)
        if state.newer is None:
            document = self.chain.downgrade(document, version)
        return _dump.with_texts(document, state, self.name)


DIALECT = OpenAIJS()
