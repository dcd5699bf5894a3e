"""Schema 1.5: tool search, and tools in namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hitl.dialects.openai_python.shape import SHAPE, typed_items, without_items
from hitl.dialects.openai_python.versions.v1_0 import ITEM_TYPES as BEFORE
from hitl.revision import Added, Loss
from hitl.schema import FLAG, TEXT, closed, enum, ref

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hitl.document import JSONObject, JSONValue

_SEARCH = ("tool_search_call_item", "tool_search_output_item")
ITEM_TYPES = (*BEFORE, *_SEARCH)
_ELSEWHERE = "the tool is known by more than its bare name; another tool, or none, would be found"


def _not_bare(key: JSONValue) -> bool:
    return not isinstance(key, dict) or key.get("kind") != "bare"


ADDED = (
    Added(
        place="Item",
        key="type",
        schema=enum(*ITEM_TYPES),
        changed=True,
        new=_SEARCH.__contains__,
    ),
    Added(
        place="Item",
        key="tool_lookup_key",
        schema=ref("LookupKey"),
        severity="error",
        reason=_ELSEWHERE,
        says=_not_bare,
        defines={"LookupKey": closed({"kind": TEXT, "name": TEXT}, namespace=TEXT)},
    ),
    Added(place="Item", key="tool_namespace", schema=TEXT, severity="error", reason=_ELSEWHERE),
    Added(place="Item", key="allow_bare_name_alias", schema=FLAG),
    Added(
        place="Item",
        key="title",
        schema=TEXT,
        severity="info",
        reason="the title of a tool is forgotten",
    ),
    Added(place="FunctionTool", key="namespace", schema=TEXT),
    Added(place="FunctionTool", key="qualifiedName", schema=TEXT),
    Added(
        place="FunctionTool",
        key="lookupKey",
        schema=ref("LookupKey"),
        severity="error",
        reason=_ELSEWHERE,
        says=_not_bare,
    ),
)


def downgrade(run: JSONObject) -> JSONObject:
    """Take out the items of tool search."""
    return without_items(run, *_SEARCH)


def losses(run: JSONObject, path: str) -> Iterator[Loss]:
    """Name the items of tool search: without them the model does not know its tools."""
    for at in typed_items(run, path, *_SEARCH):
        yield Loss(path=at, severity="error", reason="the model would not know the tools it found")


REVISION = SHAPE.revision(
    version="1.5",
    parent="1.4",
    summary="tool search; tools in namespaces",
    source="openai-agents 0.11.0, agents/run_state.py",
    added=ADDED,
    downgrade=downgrade,
    unknown=(losses,),
)
