"""YAML as goal files use it: plain data, read by libyaml, with every line number at hand when something is wrong.

Only true, false, null and numbers are more than text here. That keeps YAML 1.1's traps out: `10:00` is not
the number 600, `no` is not false, and a date stays as it was written until the model reads it.
"""

import re
from collections.abc import Sequence
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as _Loader
except ImportError:  # PyYAML was built without libyaml
    from yaml import SafeLoader as _Loader  # type: ignore[assignment]

DEEPEST = 40

Key = str | int

_TEXT = "tag:yaml.org,2002:str"
_NUMBER_START = frozenset("+-.0123456789")
_WORDS = {
    word: value
    for text, value in (("true", True), ("false", False), ("null", None))
    for word in (text, text.capitalize(), text.upper())
} | {"": None, "~": None}
_INTEGER = re.compile(r"[-+]?\d{1,18}")
_DECIMAL = re.compile(r"[-+]?(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})(?:[eE][-+]?\d{1,3})?")
_NEEDS_A_LOOK = re.compile(r"[&*!]|(?:[-?:][ \t]+){8}")


class FrontMatterError(Exception):
    """Text that is not the YAML of a goal file; `line` counts from 1 within the text."""

    def __init__(self, line: int, problem: str, hint: str) -> None:
        super().__init__(problem)
        self.line, self.problem, self.hint = line, problem, hint


class PlainLoader(_Loader):
    """A loader that only composes: scalars are resolved while they are turned into data."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        return _TEXT

    def descend_resolver(self, current_node: Any, current_index: Any) -> None: ...

    def ascend_resolver(self) -> None: ...


def load_mapping(text: str, loader: type[Any] = PlainLoader) -> dict[str, Any]:
    """The mapping that `text` holds; FrontMatterError with the line of whatever is not allowed in it."""
    if _NEEDS_A_LOOK.search(text) or text.count("[") + text.count("{") > DEEPEST:
        _refuse_dangerous(text, loader)
    try:
        root = _compose(text, loader)
        if not isinstance(root, yaml.MappingNode):
            raise FrontMatterError(1, *_no_mapping(root))
        data: dict[str, Any] = _data(root)
    except RecursionError:
        raise FrontMatterError(1, "the front matter is nested too deep", "write it flatter") from None
    return data


def _no_mapping(root: Any) -> tuple[str, str]:
    kind = "empty" if root is None else "a list" if isinstance(root, yaml.SequenceNode) else "plain text"
    return f"the front matter is {kind}, not `key: value` lines", "write `title: What to reach`"


def line_of(text: str, path: Sequence[Key], loader: type[Any] = PlainLoader) -> int:
    """The line (from 1) of the deepest part of `path` that `text` really holds; 0 where it holds nothing of it."""
    node, line = _compose(text, loader), 0
    for key in path:
        found = _child(node, key)
        if found is None:
            break
        line, node = found
    return line


def _child(node: Any, key: Key) -> tuple[int, Any] | None:
    if isinstance(node, yaml.MappingNode):
        return next(((_line(name), value) for name, value in node.value if name.value == str(key)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return _line(node.value[key]), node.value[key]
    return None


def _compose(text: str, loader: type[Any]) -> Any:
    reader = None
    try:
        reader = loader(text)
        return reader.get_single_node()
    except yaml.reader.ReaderError as error:
        raise FrontMatterError(*_unreadable(text, error)) from None
    except yaml.MarkedYAMLError as error:
        raise FrontMatterError(*_broken(text, error)) from None
    finally:
        if reader is not None:
            reader.dispose()


def _unreadable(text: str, error: yaml.reader.ReaderError) -> tuple[int, str, str]:
    # libyaml counts bytes where PyYAML counts characters, so the character itself is looked up
    place = text.find(chr(error.character)) if isinstance(error.character, int) else 0
    line = text.count("\n", 0, max(place, 0)) + 1
    return line, "a character that no text file should hold stands in the front matter", "delete it and save again"


def _broken(text: str, error: yaml.MarkedYAMLError) -> tuple[int, str, str]:
    # what is never closed is noticed at the end of the text: the line where it was opened helps more
    opened = (error.context or "").startswith(("while parsing a flow", "while scanning a quoted"))
    mark = (error.context_mark if opened else None) or error.problem_mark or error.context_mark
    line = min(mark.line + 1 if mark is not None else 1, text.rstrip("\n").count("\n") + 1)
    return line, f"this is not YAML ({error.problem or error.context})", "put text with `:` or `#` in it in quotes"


def _refuse_dangerous(text: str, loader: type[Any]) -> None:
    """Walk the events, which never recurses: composing deep nesting can overflow libyaml's stack."""
    reader, depth = None, 0
    try:
        reader = loader(text)
        while reader.check_event():
            event = reader.get_event()
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            _refuse_event(event, depth)
    except yaml.reader.ReaderError as error:
        raise FrontMatterError(*_unreadable(text, error)) from None
    except yaml.MarkedYAMLError as error:
        raise FrontMatterError(*_broken(text, error)) from None
    finally:
        if reader is not None:
            reader.dispose()


def _refuse_event(event: Any, depth: int) -> None:
    if getattr(event, "anchor", None) is not None:
        sign = "alias `*" if isinstance(event, yaml.AliasEvent) else "anchor `&"
        raise FrontMatterError(
            _line(event), f"the YAML {sign}{event.anchor}` is not allowed", "write the value out, or put it in quotes"
        )
    if getattr(event, "tag", None) is not None:
        raise FrontMatterError(_line(event), f"the YAML tag `{event.tag}` is not allowed", "write the plain value")
    if depth > DEEPEST:
        raise FrontMatterError(_line(event), f"brackets are nested more than {DEEPEST} deep", "write it flatter")


def _data(node: Any) -> Any:
    kind = type(node)
    if kind is yaml.ScalarNode:
        return node.value if node.style else plain_scalar(node.value)
    if kind is yaml.SequenceNode:
        return [_data(item) for item in node.value]
    mapping = {_key(name): _data(value) for name, value in node.value}
    if len(mapping) != len(node.value):
        _refuse_duplicate(node)
    return mapping


def plain_scalar(text: str) -> Any:
    """What a scalar without quotes stands for."""
    if text[:1] in _NUMBER_START:
        if _INTEGER.fullmatch(text):
            return int(text)
        return float(text) if _DECIMAL.fullmatch(text) else text
    return _WORDS.get(text, text)


def _key(node: Any) -> str:
    if type(node) is not yaml.ScalarNode:
        raise FrontMatterError(_line(node), "a key must be a plain word, not a list or a mapping", "write `key: value`")
    key: str = node.value
    return key


def _refuse_duplicate(node: Any) -> None:
    seen: set[str] = set()
    for name, _ in node.value:
        if name.value in seen:
            raise FrontMatterError(_line(name), f'the key "{name.value}" stands here twice', "delete one of the two")
        seen.add(name.value)


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 1
