import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalrunner_events import EVENTS
from goalrunner_events.compatibility import breaking_changes
from goalrunner_events.schemas import schema_of

Schema = dict[str, Any]

OLD: Schema = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "pattern": "^[a-z]+$"},
        "hops": {"type": "integer", "minimum": 0, "maximum": 12},
        "when": {"type": "string", "format": "date-time"},
        "kind": {"$ref": "#/$defs/Kind"},
        "version": {"const": 1, "type": "integer"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "tags": {"type": "array", "items": {"type": "string"}, "default": []},
        "pair": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "policy": {"$ref": "#/$defs/Policy", "default": {"seconds": 60}},
        "tree": {"$ref": "#/$defs/Tree"},
        "ends": {"anyOf": [{"$ref": "#/$defs/Kind"}, {"$ref": "#/$defs/Policy"}, {"$ref": "#/$defs/Tree"}]},
    },
    "required": ["id", "hops", "kind"],
    "$defs": {
        "Kind": {"enum": ["question", "approval"], "type": "string"},
        "Policy": {"type": "object", "properties": {"seconds": {"type": "integer", "default": 60}}},
        "Tree": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/Tree"}},
            },
            "required": ["name"],
        },
    },
}


def put(*path: str | int, value: Any) -> Callable[[Schema], None]:
    def edit(schema: Schema) -> None:
        place: Any = schema
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return edit


def drop(*path: str | int) -> Callable[[Schema], None]:
    def edit(schema: Schema) -> None:
        place: Any = schema
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return edit


BREAKS: dict[str, tuple[Callable[[Schema], None], str]] = {
    "a field removed": (drop("properties", "when"), "when: removed"),
    "a nested field removed": (drop("$defs", "Tree", "properties", "children"), "tree.children: removed"),
    "an optional field of a part removed": (
        drop("$defs", "Policy", "properties", "seconds"),
        "policy.seconds: removed",
    ),
    "an optional field made required": (put("required", value=["id", "hops", "kind", "when"]), "when: is now required"),
    "a required field made optional": (put("required", value=["id", "hops"]), "kind: is no longer required"),
    "a type changed": (put("properties", "hops", "type", value="string"), "hops: integer is no longer allowed"),
    "a type widened": (put("properties", "hops", "type", value=["integer", "string"]), "hops: string is now allowed"),
    "null no longer allowed": (
        put("properties", "note", "anyOf", value=[{"type": "string"}]),
        "note: null is no longer allowed",
    ),
    "null newly allowed": (
        put("properties", "when", value={"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}),
        "when: null is now allowed",
    ),
    "an enum narrowed": (put("$defs", "Kind", "enum", value=["question"]), "kind: 'approval' is no longer allowed"),
    "an enum widened": (
        put("$defs", "Kind", "enum", value=["question", "approval", "budget"]),
        "kind: 'budget' is now allowed",
    ),
    "an enum lifted": (drop("$defs", "Kind", "enum"), "kind: the values were"),
    "a constant changed": (put("properties", "version", "const", value=2), "version: 1 is no longer allowed"),
    "a pattern narrowed": (put("properties", "id", "pattern", value="^[a-f]+$"), "id: pattern was"),
    "a pattern added": (put("properties", "when", "pattern", value="Z$"), "when: pattern was None"),
    "a pattern lifted": (drop("properties", "id", "pattern"), "id: pattern was"),
    "a format changed": (put("properties", "when", "format", value="date"), "when: format was"),
    "a minimum raised": (put("properties", "hops", "minimum", value=1), "hops: minimum was 0 and is now 1"),
    "a maximum lowered": (put("properties", "hops", "maximum", value=3), "hops: maximum was 12 and is now 3"),
    "a length limited": (put("properties", "id", "maxLength", value=10), "id: maxLength was None"),
    "the type of items changed": (put("properties", "tags", "items", "type", value="integer"), "tags[]: string is no"),
    "items of any type": (drop("properties", "tags", "items"), "tags[]: was"),
    "a place of a pair changed": (
        put("properties", "pair", "prefixItems", 1, "type", value="null"),
        "pair[1]: integer",
    ),
    "a place of a pair removed": (drop("properties", "pair", "prefixItems", 1), "pair: had 2 places"),
    "the type of values changed": (
        put("properties", "labels", "additionalProperties", "type", value="integer"),
        "labels{}: string",
    ),
    "unknown fields refused": (put("additionalProperties", value=False), "was anything and is now nothing"),
    "a default changed": (put("properties", "tags", "default", value=["x"]), "tags: what it means to leave it out"),
    "a default of a part changed": (
        put("properties", "policy", "default", value={"seconds": 30}),
        "policy: what it means to leave it out",
    ),
    "a reference to something else": (put("properties", "tree", "$ref", value="#/$defs/Policy"), "tree.name: removed"),
    "a member of a union changed": (
        put("properties", "ends", "anyOf", 1, value={"type": "object", "properties": {}}),
        "ends.seconds: removed",
    ),
    "a member of a union removed": (drop("properties", "ends", "anyOf", 2), "ends: object is no longer allowed"),
}


def edited(*edits: Callable[[Schema], None]) -> Schema:
    schema = deepcopy(OLD)
    for edit in edits:
        edit(schema)
    return schema


@pytest.mark.parametrize("kind", BREAKS)
def test_every_kind_of_break_is_found_and_named(kind: str) -> None:
    edit, expected = BREAKS[kind]
    assert any(expected in found for found in breaking_changes(OLD, edited(edit))), kind


def test_a_new_required_field_is_found() -> None:
    new = edited(
        put("properties", "who", value={"type": "string"}), put("required", value=["id", "hops", "kind", "who"])
    )
    assert breaking_changes(OLD, new) == ["who: is new and required, and an older producer leaves it out"]


def test_the_same_schema_breaks_nothing() -> None:
    assert breaking_changes(OLD, deepcopy(OLD)) == []


def test_words_are_free() -> None:
    new = edited(put("title", value="Other"), put("$defs", "Kind", "description", value="Said better."))
    assert breaking_changes(OLD, new) == []


def test_a_definition_may_change_its_name() -> None:
    new = json.loads(json.dumps(OLD).replace("#/$defs/Tree", "#/$defs/Branch"))
    new["$defs"]["Branch"] = new["$defs"].pop("Tree")
    assert breaking_changes(OLD, new) == []


def test_a_new_optional_field_in_a_default_is_no_change_of_the_default() -> None:
    new = edited(
        put("$defs", "Policy", "properties", "then", value={"type": "string", "default": "block"}),
        put("properties", "policy", "default", value={"seconds": 60, "then": "block"}),
    )
    assert breaking_changes(OLD, new) == []


def test_two_breaks_are_both_reported() -> None:
    assert len(breaking_changes(OLD, edited(drop("properties", "when"), drop("properties", "tree")))) == 2


NAMES = st.text("abcdefghij", min_size=1, max_size=3)
LEAVES: st.SearchStrategy[Schema] = st.sampled_from(
    [
        {"type": "string"},
        {"type": "integer", "minimum": 0},
        {"type": "string", "enum": ["x", "y"]},
        {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
    ]
)


def objects(inside: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    def build(properties: dict[str, Schema], needed: list[bool]) -> Schema:
        required = [name for name, need in zip(properties, needed, strict=False) if need]
        return {"type": "object", "properties": properties, "required": required}

    return st.builds(build, st.dictionaries(NAMES, inside, max_size=4), st.lists(st.booleans(), max_size=4))


def arrays(inside: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    return inside.map(lambda items: {"type": "array", "items": items})


SCHEMAS = objects(st.recursive(LEAVES, lambda inside: objects(inside) | arrays(inside), max_leaves=12))


def places(schema: Schema) -> list[Schema]:
    """Every object in a schema, the schema itself first."""
    inside = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    below = [found for each in inside for found in places(each)]
    return [schema, *below] if schema.get("type") == "object" else below


@given(SCHEMAS, st.data())
def test_adding_optional_fields_anywhere_never_breaks(old: Schema, data: st.DataObject) -> None:
    new = deepcopy(old)
    for place in data.draw(st.lists(st.sampled_from(places(new)), min_size=1, max_size=4)):
        name = data.draw(NAMES.map(lambda name: f"new_{name}"))
        place["properties"][name] = deepcopy(data.draw(SCHEMAS | LEAVES))
    assert breaking_changes(old, new) == []


@given(SCHEMAS, st.data())
def test_removing_any_field_anywhere_is_always_found(old: Schema, data: st.DataObject) -> None:
    old["properties"]["last"] = {"type": "string"}
    new = deepcopy(old)
    place = data.draw(st.sampled_from([place for place in places(new) if place["properties"]]))
    name = data.draw(st.sampled_from(sorted(place["properties"])))
    del place["properties"][name]
    place["required"] = [each for each in place["required"] if each != name]
    assert any(found.endswith(f"{name}: removed") for found in breaking_changes(old, new))


@given(SCHEMAS, st.data())
def test_a_new_required_field_anywhere_is_always_found(old: Schema, data: st.DataObject) -> None:
    new = deepcopy(old)
    place = data.draw(st.sampled_from(places(new)))
    place["properties"]["new_field"] = {"type": "string"}
    place["required"] = [*place["required"], "new_field"]
    assert any("new_field: is new and required" in found for found in breaking_changes(old, new))


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_compatible_with_itself_and_with_no_other(name: str) -> None:
    mine = schema_of(EVENTS[name])
    assert breaking_changes(mine, deepcopy(mine)) == []
    other = next(each for each in EVENTS if each != name and each.partition(".")[0] != name.partition(".")[0])
    assert breaking_changes(mine, schema_of(EVENTS[other]))
