"""JSON Schema of each version: the definitions of the first, and what each later one added."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, cast

from hitl.errors import UnsupportedVersion

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hitl.document import JSONObject, JSONValue
    from hitl.revision import Chain

TEXT: JSONObject = {"type": "string"}
COUNT: JSONObject = {"type": "integer"}
FLAG: JSONObject = {"type": "boolean"}
TEXT_OR_NULL: JSONObject = {"type": ["string", "null"]}
COUNT_OR_NULL: JSONObject = {"type": ["integer", "null"]}
OBJECT: JSONObject = {"type": "object"}
DIGEST: JSONObject = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
ANY: JSONObject = {}


def closed(required: Mapping[str, JSONObject], **optional: JSONObject) -> JSONObject:
    """Give the schema of an object the SDK owns: these keys and no others."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(required),
        "properties": {**required, **optional},
    }


def listed(entry: JSONObject) -> JSONObject:
    """Give the schema of an array."""
    return {"type": "array", "items": entry}


def by_name(entry: JSONObject) -> JSONObject:
    """Give the schema of an object whose keys are data."""
    return {"type": "object", "additionalProperties": entry}


def ref(place: str) -> JSONObject:
    """Give the schema that is a definition."""
    return {"$ref": f"#/$defs/{place}"}


def nullable(schema: JSONObject) -> JSONObject:
    """Give the schema of a value or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def enum(*values: str) -> JSONObject:
    """Give the schema of one of some texts."""
    return {"enum": list(values)}


def build(
    chain: Chain, version: str, first: Mapping[str, JSONObject], version_key: str
) -> JSONObject:
    """Give the JSON Schema (2020-12) of one version.

    Args:
        chain: the versions and what each added.
        version: which one.
        first: the definitions of the first version.
        version_key: where a document says its version.

    Raises:
        UnsupportedVersion: the chain has no such version.
    """
    if version not in chain.versions:
        raise UnsupportedVersion(f"expected a version of {chain.dialect}, found another")
    definitions = copy.deepcopy(dict(first))
    for revision in chain.revisions[: chain.index(version) + 1]:
        for each in revision.added:
            definitions |= copy.deepcopy(dict(each.defines))
            _add(definitions[each.place], each.key, each.schema, required=each.required)
    _add(definitions["Run"], version_key, {"const": version}, required=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:hitl:schema:{chain.dialect}:{version}",
        "title": f"Run state of {chain.dialect}, version {version}",
        "$ref": "#/$defs/Run",
        "$defs": cast("JSONObject", {name: definitions[name] for name in sorted(definitions)}),
    }


def _add(definition: JSONObject, key: str, schema: JSONValue, *, required: bool) -> None:
    """Add a key to a definition; the definition is a copy of ours."""
    definition["properties"][key] = copy.deepcopy(schema)
    if required and key not in definition["required"]:
        definition["required"].append(key)
