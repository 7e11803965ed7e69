"""The JSON Schema of a goal's front matter, for editors and for the hints in error messages."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from datetime import timedelta
from functools import cache
from typing import Any

from goalrunner_shared.goals.values import duration_text

Schema = Mapping[str, Any]

_WORDS_FOR_MAPPINGS = {
    "Check": {"type": "string", "minLength": 1},
    "QuietHours": {"type": "string", "pattern": "^[0-9]{2}:[0-9]{2} ?(-|–|to) ?[0-9]{2}:[0-9]{2}$"},
    "Schedule": {"const": "manual"},
}


def json_schema() -> dict[str, Any]:
    """What a goal's front matter may hold (JSON Schema 2020-12), in the words that a person types: `every: 2h`."""
    return deepcopy(_goal_schema())


@cache
def _goal_schema() -> dict[str, Any]:
    from pydantic.json_schema import GenerateJsonSchema

    from goalrunner_shared.goals.model import Goal

    class AsTyped(GenerateJsonSchema):
        """A default length of time as `12m`, which validates, and not as ISO's `PT12M`, which does not."""

        def encode_default(self, dft: Any) -> Any:
            return duration_text(dft) if isinstance(dft, timedelta) else super().encode_default(dft)

    schema = Goal.model_json_schema(schema_generator=AsTyped)
    for name, word in _WORDS_FOR_MAPPINGS.items():
        mapping = schema["$defs"][name]
        schema["$defs"][name] = {"anyOf": [mapping, word]}
    _tidy(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def schema_at(schema: Schema, path: Sequence[str | int]) -> Schema:
    """The part of `schema` that speaks about `path`; empty where there is none."""
    node = _resolved(schema, schema)
    for key in path:
        node = _resolved(schema, _item(node) if isinstance(key, int) else node.get("properties", {}).get(key, {}))
    return node


def _item(node: Schema) -> Schema:
    """What a list holds; an example of the list holds one of its items."""
    items: Schema = node.get("items", {})
    return {**items, "examples": node["examples"][0]} if "examples" in node else items


def _resolved(schema: Schema, node: Schema) -> Schema:
    """The mapping or value behind references and alternatives: the first that is not null."""
    if "$ref" in node:
        target = schema["$defs"][str(node["$ref"]).rsplit("/", 1)[-1]]
        return _resolved(schema, {**target, **{key: value for key, value in node.items() if key != "$ref"}})
    for choice in node.get("anyOf", ()):
        if choice.get("type") != "null":
            return {**_resolved(schema, choice), **{key: value for key, value in node.items() if key != "anyOf"}}
    return node


def _tidy(node: Any) -> None:
    """Drop the titles that pydantic makes up from key names: editors would show them instead of the key."""
    if isinstance(node, dict):
        if isinstance(node.get("title"), str):
            del node["title"]
        for value in node.values():
            _tidy(value)
    elif isinstance(node, list):
        for value in node:
            _tidy(value)
