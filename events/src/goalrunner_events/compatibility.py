"""The law of change: within a version of an event optional fields are added, and nothing else."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Schema = Mapping[str, Any]

ANNOTATIONS = frozenset({"$comment", "$defs", "$id", "$schema", "deprecated", "description", "examples", "title"})
COMPARED_APART = frozenset({"$ref", "additionalProperties", "const", "default", "enum", "items", "prefixItems"})
OBJECT_KEYWORDS = frozenset({"properties", "required", "type"})
UNIONS = ("anyOf", "oneOf")


class Node(NamedTuple):
    """A schema with the document that its references point into."""

    schema: Schema
    document: Schema

    def below(self, schema: Schema) -> "Node":
        return Node(schema, self.document)

    def resolved(self) -> "Node":
        """The same node without `$ref`; what stands beside the reference wins."""
        schema = self.schema
        while "$ref" in schema:
            target: Schema = self.document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                target = target[part]
            schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
        return self.below(schema)


Seen = frozenset[tuple[str, str]]


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """What breaks for somebody who still knows only `old`, one line for each place; empty where nothing does.

    Both directions count: today's consumers read yesterday's events (redelivery, replay, the journal), and
    yesterday's consumers read today's. So a wider enum or type is a break as well as a narrower one.
    """
    return list(dict.fromkeys(_compare(Node(old, old), Node(new, new), "", frozenset())))


def _compare(old: Node, new: Node, where: str, seen: Seen) -> Iterator[str]:
    references = (str(old.schema.get("$ref")), str(new.schema.get("$ref")))
    if references in seen:
        return
    if "$ref" in old.schema and "$ref" in new.schema:
        seen = seen | {references}
    old, new = old.resolved(), new.resolved()
    yield from _default(old.schema, new.schema, where)
    before, after = _alternatives(old), _alternatives(new)
    for kind, _ in before.keys() - after.keys():
        yield f"{where or 'detail'}: {kind} is no longer allowed"
    for kind, _ in after.keys() - before.keys():
        yield f"{where or 'detail'}: {kind} is now allowed too, and an older consumer refuses it"
    for key in before.keys() & after.keys():
        yield from _compare_alternative(before[key], after[key], where, seen)


def _alternatives(node: Node) -> dict[tuple[str, int], Node]:
    """The members of a union by kind and place among those of that kind; a plain schema is a union of one."""
    plain = {key: value for key, value in node.schema.items() if key not in UNIONS}
    members: list[Schema] = next((node.schema[key] for key in UNIONS if key in node.schema), [{}])
    found: dict[tuple[str, int], Node] = {}
    count: Counter[str] = Counter()
    for member in members:
        resolved = node.below({**plain, **node.below(member).resolved().schema})
        kinds = resolved.schema.get("type", "anything")
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            found[kind, count[kind]] = node.below({**resolved.schema, "type": kind})
            count[kind] += 1
    return found


def _compare_alternative(old: Node, new: Node, where: str, seen: Seen) -> Iterator[str]:
    yield from _fields(old, new, where, seen)
    yield from _values(old.schema, new.schema, where)
    yield from _members(old, new, where, seen)
    ignored = ANNOTATIONS | COMPARED_APART | OBJECT_KEYWORDS
    for keyword in sorted((old.schema.keys() | new.schema.keys()) - ignored):
        was, becomes = old.schema.get(keyword), new.schema.get(keyword)
        if was != becomes:
            yield f"{where or 'detail'}: {keyword} was {was!r} and is now {becomes!r}"


def _fields(old: Node, new: Node, where: str, seen: Seen) -> Iterator[str]:
    before, after = old.schema.get("properties", {}), new.schema.get("properties", {})
    needed_before, needed_after = set(old.schema.get("required", ())), set(new.schema.get("required", ()))
    for name, schema in before.items():
        path = f"{where}.{name}" if where else name
        if name not in after:
            yield f"{path}: removed"
            continue
        if name in needed_after - needed_before:
            yield f"{path}: is now required, and an older producer may leave it out"
        if name in needed_before - needed_after:
            yield f"{path}: is no longer required, and an older consumer needs it"
        yield from _compare(old.below(schema), new.below(after[name]), path, seen)
    for name in after.keys() - before.keys():
        if name in needed_after:
            yield f"{f'{where}.{name}' if where else name}: is new and required, and an older producer leaves it out"


def _values(old: Schema, new: Schema, where: str) -> Iterator[str]:
    before, after = _enum(old), _enum(new)
    if before is None or after is None:
        if before != after:
            yield f"{where or 'detail'}: the values were {before or 'free'} and are now {after or 'free'}"
        return
    for value in (each for each in before if each not in after):
        yield f"{where or 'detail'}: {value!r} is no longer allowed"
    for value in (each for each in after if each not in before):
        yield f"{where or 'detail'}: {value!r} is now allowed too, and an older consumer refuses it"


def _enum(schema: Schema) -> list[Any] | None:
    return [schema["const"]] if "const" in schema else schema.get("enum")


def _members(old: Node, new: Node, where: str, seen: Seen) -> Iterator[str]:
    for keyword, sign in (("items", "[]"), ("additionalProperties", "{}")):
        yield from _either(old, new, old.schema.get(keyword, True), new.schema.get(keyword, True), where + sign, seen)
    before, after = old.schema.get("prefixItems", []), new.schema.get("prefixItems", [])
    if len(before) != len(after):
        yield f"{where}: had {len(before)} places and has now {len(after)}"
    for place, (was, becomes) in enumerate(zip(before, after, strict=False)):
        yield from _either(old, new, was, becomes, f"{where}[{place}]", seen)


def _either(old: Node, new: Node, was: Any, becomes: Any, where: str, seen: Seen) -> Iterator[str]:
    """Two subschemas, either of which may be a mere true (anything) or false (nothing)."""
    if isinstance(was, Mapping) and isinstance(becomes, Mapping):
        yield from _compare(old.below(was), new.below(becomes), where, seen)
    elif was != becomes:
        yield f"{where}: was {_said(was)} and is now {_said(becomes)}"


def _said(schema: Any) -> str:
    return {True: "anything", False: "nothing"}[schema] if isinstance(schema, bool) else f"{dict(schema)!r}"


def _default(old: Schema, new: Schema, where: str) -> Iterator[str]:
    if "default" in old and "default" in new and not _keeps(old["default"], new["default"]):
        yield f"{where}: what it means to leave it out was {old['default']!r} and is now {new['default']!r}"


def _keeps(old: Any, new: Any) -> bool:
    """Whether a default says the same; a new optional field shows up in the defaults of what it is part of."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return all(key in new and _keeps(value, new[key]) for key, value in old.items())
    return bool(old == new) and type(old) is type(new)
