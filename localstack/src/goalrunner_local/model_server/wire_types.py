"""The SDK's request types as the API reads them from the wire.

The SDK's TypedDicts describe what Python code may pass in: any iterable, open files, response models, keys that
nobody knows. The API sees JSON. `wire_type` rebuilds a type for that: iterables become lists (so that pydantic
reads them deeply at once), unions are chosen by their tag, unknown keys are refused, nothing is converted.
"""

import collections.abc
import functools
import os
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin

import pydantic
from typing_extensions import TypedDict, is_typeddict

_make_typed_dict: Any = TypedDict  # type checkers only know fields that are written down
_LISTS = (collections.abc.Iterable, collections.abc.Sequence, list)
_KINDS = {str: "text", bool: "boolean", int: "number", float: "number", list: "list", dict: "object"}
_HEADERS = frozenset({"betas", "user_profile_id", "workspace_id"})  # arguments that the SDK sends as headers


def wire_type(hint: Any) -> Any:
    """Return `hint` rebuilt for JSON; TypedDicts at any depth are rebuilt too."""
    origin, args = get_origin(hint), get_args(hint)
    if is_typeddict(hint):
        return _wire_dict(hint, extra="forbid")
    if origin in (Required, NotRequired):
        return origin[wire_type(args[0])]
    if origin is Annotated:
        return wire_type(args[0])
    if origin in (Union, types.UnionType):
        return _wire_union(list(_json_members(hint)))
    if origin in _LISTS:
        return list[wire_type(args[0])]  # type: ignore[misc]  # built at run time
    return hint


@functools.cache
def _wire_dict(source: Any, *, extra: Literal["forbid", "allow"]) -> Any:
    fields: dict[str, Any] = {}
    for name, hint in typing.get_type_hints(source, include_extras=True).items():
        if name in _HEADERS:
            continue
        marked = get_origin(hint) in (Required, NotRequired)
        by_class = Required if name in source.__required_keys__ else NotRequired
        fields[name] = wire_type(hint) if marked else by_class[wire_type(hint)]
    made = _make_typed_dict(source.__name__, fields)
    made.__pydantic_config__ = pydantic.ConfigDict(strict=True, extra=extra)
    return made


def _json_members(hint: Any) -> collections.abc.Iterator[Any]:
    """Flatten a union and leave out what no JSON can be: response models, files and paths."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        for member in get_args(hint):
            yield from _json_members(member)
    elif origin is Annotated:
        yield from _json_members(get_args(hint)[0])
    elif not (isinstance(hint, type) and issubclass(hint, pydantic.BaseModel)) and (
        (origin or hint) not in (typing.IO, os.PathLike)
    ):
        yield hint


def _wire_union(members: list[Any]) -> Any:
    by_kind: dict[str, list[Any]] = {}
    for member in members:
        if member is not type(None):
            by_kind.setdefault(_kind(member), []).append(member)
    kinds = {kind: _object_union(group) if kind == "object" else _plain_union(group) for kind, group in by_kind.items()}
    chosen = next(iter(kinds.values())) if len(kinds) == 1 else _tagged(kinds, _json_kind)
    return Union[chosen, None] if type(None) in members else chosen  # noqa: UP007


def _plain_union(members: list[Any]) -> Any:
    """Known strings beside `str` are only a hint to an editor."""
    return str if str in members else Union[tuple(map(wire_type, members))]  # noqa: UP007


def _object_union(members: list[Any]) -> Any:
    """One dict type, or several told apart by `role` or `type`; a bare dict beside a typed one leaves it open."""
    typed = [member for member in members if is_typeddict(member)]
    if len(typed) == 1 < len(members):
        return _wire_dict(typed[0], extra="allow")
    if len(typed) < 2:
        return wire_type(members[0])
    hints = {member: typing.get_type_hints(member) for member in typed}
    key = "role" if all("role" in hint for hint in hints.values()) else "type"
    tags = {tag: wire_type(member) for member in typed for tag in _literals(hints[member][key])}
    untagged = [_literals(hints[m][key])[0] for m in typed if type(None) in get_args(hints[m][key])]
    return _tagged(tags, functools.partial(_tag_of, key=key, default=untagged[0] if untagged else None), key)


def _tagged(choices: dict[str, Any], choose: Callable[[Any], str | None], key: str = "") -> Any:
    """A union whose error locations hold the tag; tags that the API leaves out of a location are in <>."""
    hidden = key != "type"
    name: Callable[[str], str] = "<{}>".format if hidden else str
    members = tuple(Annotated[choice, pydantic.Tag(name(tag))] for tag, choice in choices.items())

    def discriminate(value: Any) -> str | None:
        tag = choose(value)
        return None if tag is None else name(tag)

    expected = ", ".join(f"'{tag}'" for tag in choices)
    return Annotated[
        Union[members],  # noqa: UP007  # a tuple made at run time
        pydantic.Discriminator(
            discriminate,
            custom_error_type="tag",
            custom_error_message=f"Input tag{f' found using {key!r}' if key else ''} "
            f"does not match any of the expected tags: {expected}",
        ),
    ]


def _tag_of(value: Any, *, key: str, default: str | None) -> str | None:
    tag = value.get(key) if isinstance(value, dict) else None
    return tag if isinstance(tag, str) else default


def _json_kind(value: Any) -> str | None:
    return _KINDS.get(type(value))


def _kind(hint: Any) -> str:
    origin = get_origin(hint)
    if is_typeddict(hint) or origin is dict:
        return "object"
    if origin is Literal:
        return _KINDS[type(get_args(hint)[0])]
    return "list" if origin in _LISTS else _KINDS[hint]


def _literals(hint: Any) -> tuple[str, ...]:
    """The strings of a `Literal`, also inside `Optional`."""
    if get_origin(hint) is Literal:
        return tuple(get_args(hint))
    return tuple(tag for part in get_args(hint) for tag in _literals(part))
