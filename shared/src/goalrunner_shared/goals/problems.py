"""What is wrong with a goal file, where, and what to type: put together only once something is wrong."""

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import yaml
from pydantic import ValidationError

from goalrunner_shared.errors import InputError
from goalrunner_shared.goals.front_matter import Key, line_of
from goalrunner_shared.goals.schema import Schema, json_schema, schema_at

_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "`key: value` lines",
    "int_type": "a whole number",
    "model_type": "`key: value` lines",
    "string_type": "text",
    "tuple_type": "a list like [a, b]",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "string_too_long": "at most {max_length} characters long",
    "string_too_short": "at least {min_length} characters long",
}


class InvalidGoal(InputError):
    """A file of the goals repository that cannot be used; `line` counts from 1."""

    def __init__(self, path: str, line: int, problem: str, hint: str) -> None:
        super().__init__(f"{path}:{line}: {problem}; {hint}")
        self.path, self.line, self.problem, self.hint = path, line, problem, hint


def explain(error: ValidationError, text: str) -> tuple[int, str, str]:
    """The first problem in the order of the lines of `text`: line (0: none of its own), problem, hint."""
    schema = json_schema()
    found = [(line_of(text, item["loc"]), *_sentence(schema, item)) for item in error.errors(include_url=False)]
    return min(found, key=lambda problem: problem[0])


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` was probably meant to be."""
    return next(iter(get_close_matches(word, list(known), n=1, cutoff=0.6)), None)


def _sentence(schema: Schema, item: Mapping[str, Any]) -> tuple[str, str]:
    loc: Sequence[Key] = item["loc"]
    name = _dotted(loc)
    cause = item.get("ctx", {}).get("error")
    if item["type"] == "extra_forbidden":
        return _unknown_key(schema, loc)
    if item["type"] == "missing":
        return f'"{name}" is missing', _typed(schema, loc)
    if loc[0] == "secrets":  # a value may stand where only a name belongs: it must not get into a log or a chat
        return f"{name} must be the name of a secret and not its value", _typed(schema, loc)
    if item["type"] == "literal_error":
        return _unknown_choice(schema, loc, item["input"])
    if isinstance(cause, ValueError):
        must = str(cause)
        problem = f"{name} is {_shown(item['input'])} but {must}" if must.startswith("must") else f"{name} {must}"
        return problem, getattr(cause, "hint", None) or _typed(schema, loc)
    return f"{name} is {_shown(item['input'])} but must be {_expected(schema, item)}", _rewritten(schema, item)


def _expected(schema: Schema, item: Mapping[str, Any]) -> str:
    if item["type"] == "string_pattern_mismatch":
        return f"like {_flow(_example(schema_at(schema, item['loc'])))}"
    return _EXPECTED.get(item["type"], "something else").format_map(item.get("ctx", {}))


def _rewritten(schema: Schema, item: Mapping[str, Any]) -> str:
    key, value = item["loc"][-1], item["input"]
    if item["type"] == "string_type" and isinstance(value, int | float) and isinstance(key, str):
        return f'put it in quotes: `{key}: "{str(value).lower()}"`'
    return _typed(schema, item["loc"])


def _unknown_key(schema: Schema, loc: Sequence[Key]) -> tuple[str, str]:
    known = list(schema_at(schema, loc[:-1]).get("properties", {}))
    meant = did_you_mean(str(loc[-1]), known)
    hint = f'did you mean "{meant}"?' if meant else f"the keys here are {', '.join(known)}"
    return f'unknown key "{_dotted(loc)}"', hint


def _unknown_choice(schema: Schema, loc: Sequence[Key], value: object) -> tuple[str, str]:
    node = schema_at(schema, loc)
    choices = [str(choice) for choice in node.get("enum", [node.get("const")])]
    meant = did_you_mean(value, choices) if isinstance(value, str) else None
    problem = f"{_dotted(loc)} is {_shown(value)} but must be one of {', '.join(choices)}"
    return problem, f"write `{loc[-1]}: {meant or choices[0]}`"


def _typed(schema: Schema, loc: Sequence[Key]) -> str:
    key = next((part for part in reversed(loc) if isinstance(part, str)), "")
    depth = max(index for index, part in enumerate(loc) if part == key) + 1
    return f"write `{key}: {_flow(_example(schema_at(schema, loc[:depth])))}`"


def _example(node: Schema) -> object:
    if examples := node.get("examples"):
        return examples[0]
    if choices := node.get("enum"):
        return choices[0]
    if node.get("default") is not None:
        return node["default"]
    if node.get("type") == "array":
        return [_example(node.get("items", {}))]
    return {"integer": node.get("minimum", 1), "boolean": True}.get(str(node.get("type")), "text")


def _flow(value: object) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = "empty" if value is None else repr(value) if isinstance(value, str) else str(value).lower()
    return text if len(text) <= 60 else f"{text[:57]}..."


def _dotted(loc: Sequence[Key]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".")
