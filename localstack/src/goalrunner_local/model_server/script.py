"""What the scripted model says: a YAML or JSON file.

models: [claude-sonnet-5]            # optional: any other model is unknown
conversations:
  - when: "goal: shortlist"          # found in the system prompt or in the first user message; default: always
    turns:                           # number N answers a request that already holds N assistant messages
      - content:
          - {type: text, text: "I will ask."}
          - {type: tool_use, name: ask_human, input: {question: "Red or blue?"}}
      - content: "You said {{answer}}."
      - {error: {status: 529, retry_after: 1}, error_times: 2, content: "Late, but here."}
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import pydantic
import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
PLACEHOLDERS = frozenset({"answer", "last_tool_result"})


class ScriptError(ValueError):
    """The script cannot be used; the message says where and why."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(_Frozen):
    """`{{answer}}` or `{{last_tool_result}}` stands for the text of the last tool result in the request."""

    type: Literal["text"]
    text: str = Field(min_length=1)


class ToolUse(_Frozen):
    """The placeholders of `Text` also work in the strings of `input`; without `id` one is made."""

    type: Literal["tool_use"]
    name: str
    input: dict[str, Any] = {}
    id: str | None = None


class WholeBlock(BaseModel):
    """A block that is said exactly as written, in the API's shape."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: Literal[
        "thinking",
        "redacted_thinking",
        "server_tool_use",
        "web_search_tool_result",
        "web_fetch_tool_result",
        "code_execution_tool_result",
        "bash_code_execution_tool_result",
        "text_editor_code_execution_tool_result",
    ]


class Usage(_Frozen):
    """Token counts to report instead of the estimated ones."""

    input_tokens: int | None = Field(None, ge=0)
    output_tokens: int | None = Field(None, ge=0)
    cache_creation_input_tokens: int | None = Field(None, ge=0)
    cache_read_input_tokens: int | None = Field(None, ge=0)


class Failure(_Frozen):
    """An error answer; `type` defaults to the one that the API has for `status`; `retry_after` in seconds."""

    status: int = Field(ge=400, le=599)
    type: str | None = None
    message: str = "scripted failure"
    retry_after: float | None = Field(None, ge=0)


def _blocks(content: Any) -> Any:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


Content = Annotated[
    tuple[Annotated[Text | ToolUse | WholeBlock, Field(discriminator="type")], ...], BeforeValidator(_blocks)
]
StopReason = Literal[
    "end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "model_context_window_exceeded"
]


class ScriptedTurn(_Frozen):
    """One answer. With `error`, each distinct request fails `error_times` times (without it: always) before it."""

    content: Content = ()
    stop_reason: StopReason | None = None
    usage: Usage = Usage()
    delay_s: float = Field(0, ge=0, le=600)
    error: Failure | None = None
    error_times: int | None = Field(None, ge=1)

    @pydantic.model_validator(mode="after")
    def _is_reachable_and_complete(self) -> Self:
        if self.error_times and not self.error:
            raise ValueError("error_times needs error")
        if not self.content and (not self.error or self.error_times) and self.stop_reason != "refusal":
            raise ValueError("content is missing")
        if self.content and self.error and not self.error_times:
            raise ValueError("content is never reached: say error_times")
        unknown = {name for text in _strings(self.content) for name in PLACEHOLDER.findall(text)} - PLACEHOLDERS
        if unknown:
            raise ValueError(f"unknown placeholder {sorted(unknown)}; there are {sorted(PLACEHOLDERS)}")
        return self


class Conversation(_Frozen):
    when: str = ""
    turns: tuple[ScriptedTurn, ...] = Field(min_length=1)


class Script(_Frozen):
    """The first conversation whose `when` is found is played; after its last turn the model says "done."."""

    conversations: tuple[Conversation, ...]
    models: tuple[str, ...] | None = None


def read_script(path: Path) -> Script:
    """Raise `ScriptError` when `path` is no valid script."""
    try:
        return Script.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False)[0]
        at = ".".join(map(str, first["loc"])) or "top level"
        raise ScriptError(f"{path}: {at}: {first['msg']}") from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ScriptError(f"{path}: {error}") from error


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, Text | ToolUse):
        yield from _strings(value.model_dump())
