"""What a tool is: a name, a JSON schema, a function."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError


class Arguments(BaseModel):
    """What the model has to fill in; a field's description is what the model reads about it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


A = TypeVar("A", bound=Arguments)


class ToolFailed(Exception):
    """The model gets this text as an error result and may try something else."""


@dataclass(frozen=True)
class Tool:
    """`act` returns the text for the model; a `repeatable` tool does no harm when it is run once more."""

    name: str
    description: str
    arguments: type[Arguments]
    act: Callable[[Any], str]
    repeatable: bool = True

    def definition(self) -> dict[str, Any]:
        """The tool as the Messages API wants it."""
        return definition(self.name, self.description, self.arguments)

    def call(self, values: object) -> str:
        """ToolFailed where the arguments do not fit or the work cannot be done."""
        return self.act(read_arguments(self.arguments, values))


def definition(name: str, description: str, arguments: type[Arguments]) -> dict[str, Any]:
    """A tool definition of the Messages API."""
    schema = arguments.model_json_schema()
    schema.pop("description", None)
    return {"name": name, "description": description, "input_schema": _untitled(schema)}


def read_arguments(kind: type[A], values: object) -> A:
    """The arguments that the model has given; ToolFailed names the first that does not fit."""
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise ToolFailed(f"{'.'.join(map(str, first['loc'])) or 'input'}: {first['msg']}") from error


def _untitled(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: _untitled(value) for key, value in schema.items() if key != "title" or not isinstance(value, str)}
    return [_untitled(value) for value in schema] if isinstance(schema, list) else schema
