"""What free places of a run state hold: anything, or what an SDK puts there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen
from hypothesis import strategies as st

from hitl import values
from hitl.model import Context, Usage
from hitl.testing.value import json_objects, json_values, tagged_objects, tagged_values, texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from hypothesis.strategies import SearchStrategy

    from hitl.document import JSONObject

_META: JSONObject = {
    "original_type": "mapping",
    "serialized_via": "mapping",
    "requires_deserializer": False,
    "omitted": False,
}


def maybe(strategy: SearchStrategy[Any]) -> SearchStrategy[Any]:
    """Values, or None."""
    return st.none() | strategy


@frozen
class Taste:
    """What free places hold: anything, or what an SDK puts there.

    Attributes:
        portable: see `run_states`.
    """

    portable: bool

    def own(self, strategy: SearchStrategy[Any]) -> SearchStrategy[Any]:
        """Values that no other SDK has a place for."""
        return st.none() if self.portable else maybe(strategy)

    def values(self) -> SearchStrategy[Any]:
        """Values of apps and models."""
        return json_values().map(values.encode) if self.portable else tagged_values()

    def objects(self) -> SearchStrategy[Any]:
        """Objects of apps and models."""
        return json_objects().map(values.encode) if self.portable else tagged_objects()

    def several(
        self, strategy: SearchStrategy[Any], key: Callable[[Any], Any], least: int = 0
    ) -> SearchStrategy[list[Any]]:
        """Lists; an SDK tells what is in one by the key."""
        most = least + 2
        if not self.portable:
            return st.lists(strategy, min_size=least, max_size=most)
        return st.lists(strategy, min_size=least, max_size=most, unique_by=key)

    def contexts(self) -> SearchStrategy[Context]:
        """What an app keeps."""
        data = self.objects() if self.portable else self.values()
        meta: JSONObject | None = dict(_META) if self.portable else None
        return data.map(lambda each: Context(data=each, has_data=True, meta=meta))

    def traces(self) -> SearchStrategy[Any]:
        """Traces."""
        if not self.portable:
            return maybe(tagged_objects())
        named: JSONObject = {"object": "trace", "id": "trace_1", "group_id": None, "metadata": {}}
        return maybe(texts().map(lambda name: {**named, "workflow_name": name}))

    def usages(self, responses: int) -> SearchStrategy[Any]:
        """Usage of a run."""
        return counted(responses) if self.portable else maybe(_usages(responses))


def counted(responses: int) -> SearchStrategy[Usage]:
    """Usage as the SDKs write it: every count, and details by name."""
    counts = st.integers(0, 10**6)
    details = st.fixed_dictionaries({"cached_tokens": counts}).map(lambda each: [each])
    return st.builds(
        Usage,
        requests=counts,
        input_tokens=counts,
        output_tokens=counts,
        total_tokens=counts,
        input_tokens_details=details,
        output_tokens_details=details,
        entries=st.just([[0, responses]] if responses else []),
    )


def _usages(responses: int) -> SearchStrategy[Usage]:
    counts = st.integers(0, 10**6)
    folded = st.just([[0, responses]] if responses else [])
    return st.builds(
        Usage,
        requests=counts,
        input_tokens=counts,
        output_tokens=counts,
        total_tokens=counts,
        input_tokens_details=maybe(st.lists(tagged_objects(), max_size=2)),
        entries=maybe(folded | st.lists(tagged_objects(), max_size=2)),
    )
