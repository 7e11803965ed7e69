"""The state block of a goal file: the few lines that the reporter writes, between lines that a person writes."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from goalrunner_shared.errors import InputError
from goalrunner_shared.goals.values import Instant, Usd, instant_text

BEGIN = "<!-- goalrunner:state begin (written by reporter only) -->"
END = "<!-- goalrunner:state end -->"

Outcome = Literal["done", "progressed", "failed", "waiting", "skipped", "rejected"]

_MARKER = re.compile(rb"^[ \t]*<!--[ \t]*goalrunner:state\b([^\r\n]*)", re.MULTILINE)
_BEGIN_TAIL = re.compile(rb"[ \t]+begin\b.*-->[ \t]*")
_END_TAIL = re.compile(rb"[ \t]+end[ \t]*-->[ \t]*")
_EXTRA_KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")
_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_REPAIR = "delete the state block: the next report writes it anew"


class BrokenState(InputError):
    """A state block that cannot be read; `line` counts from 1 in the whole file."""

    def __init__(self, line: int, problem: str, hint: str = _REPAIR) -> None:
        super().__init__(f"line {line}: {problem}; {hint}")
        self.line, self.problem, self.hint = line, problem, hint


class GoalState(BaseModel):
    """What the last report left behind. Keys that this version does not know are kept, as text."""

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)
    __pydantic_extra__: dict[str, str]

    last_attempt: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,63}\.[0-9TZ-]{16}\.[0-9a-f]{6}$")] | None = None
    slot: Instant | None = None
    outcome: Outcome | None = None
    spent_usd: Usd = Decimal(0)
    attempts: Annotated[int, Field(ge=0)] = 0
    failures_in_row: Annotated[int, Field(ge=0)] = 0
    no_progress_in_row: Annotated[int, Field(ge=0)] = 0
    next_due: Instant | None = None

    @model_validator(mode="after")
    def _extra_keys_are_words(self) -> "GoalState":
        for key in self.__pydantic_extra__ or ():
            if not _EXTRA_KEY.fullmatch(key):
                raise ValueError(f"{key!r} is not a key of small letters")
        return self


class Block(NamedTuple):
    """Where the state block lies in a file's bytes: from its first marker to behind its last."""

    start: int
    end: int
    lines: bytes


def find_block(content: bytes) -> Block | None:
    """The state block, or None; BrokenState where its markers do not make exactly one."""
    if b"goalrunner:state" not in content:
        return None
    markers = list(_MARKER.finditer(content))
    for index, marker in enumerate(markers):
        _check_marker(content, marker, index)
    if len(markers) == 1:
        raise BrokenState(_line(content, markers[0].start()), "the state block begins here and never ends")
    if not markers:
        return None
    first, last = markers
    return Block(first.start(), last.end(), content[first.end() : last.start()])


def _check_marker(content: bytes, marker: re.Match[bytes], index: int) -> None:
    line = _line(content, marker.start())
    if index > 1:
        raise BrokenState(line, "a second state block stands here", "delete all of its lines but the first block's")
    if not (_BEGIN_TAIL if index == 0 else _END_TAIL).fullmatch(marker[1]):
        wanted = BEGIN if index == 0 else END
        raise BrokenState(line, f"this marker of the state block is damaged: `{wanted}` belongs here")


def read_state(content: bytes) -> GoalState | None:
    """The state in a file's bytes; BrokenState with the line of what cannot be read."""
    block = find_block(content)
    return None if block is None else state_in(content, block)


def state_in(content: bytes, block: Block) -> GoalState:
    """The state that a block found by `find_block` holds."""
    first = _line(content, block.start)
    values: dict[str, object] = {}
    numbers: dict[str, int] = {}
    for number, text in enumerate(block.lines.decode("utf-8").split("\n")):
        line = text.strip()
        if not line:
            continue
        key, colon, value = line.partition(":")
        if not colon or key in values:
            raise BrokenState(first + number, f"`{line[:60]}` is not a `key: value` line of its own")
        values[key], numbers[key] = _value(value.strip(), first + number), first + number
    try:
        return GoalState.model_validate(values)
    except ValidationError as error:
        key = str((error.errors()[0]["loc"] or ("",))[0])
        raise BrokenState(
            numbers.get(key, first), f"`{key}` in the state block has a value that it cannot have"
        ) from None


def with_state(content: bytes, state: GoalState) -> bytes:
    """The same file with `state` in its block, or with a block at its end; every other byte is as it was."""
    block = find_block(content)
    windows = b"\r\n" in content if block is None else block.lines.startswith(b"\r\n")
    ending = "\r\n" if windows else "\n"
    text = ending.join((BEGIN, *_lines(state), END)).encode("utf-8")
    if block is not None:
        return content[: block.start] + text + content[block.end :]
    gap = ending if content.endswith(b"\n") or not content else ending * 2
    return content + gap.encode() + text + ending.encode()


def without_block(content: bytes) -> bytes:
    """The file without its state block; BrokenState like `find_block`."""
    block = find_block(content)
    return content if block is None else content[: block.start] + content[block.end :]


def _lines(state: GoalState) -> Iterator[str]:
    for key, value in state:
        if isinstance(value, datetime):
            yield f"{key}: {instant_text(value)}"
        elif isinstance(value, Decimal):
            yield f"{key}: {value:f}"
        elif isinstance(value, str):
            yield f"{key}: {_text(value)}"
        elif value is not None:
            yield f"{key}: {value}"


def _text(value: str) -> str:
    if _BARE.fullmatch(value) and value.lower() not in ("true", "false", "null", "yes", "no", "on", "off", "y", "n"):
        return value
    # escaped, so that no value can end the comment or begin a line
    return json.dumps(value).replace("<", "\\u003c").replace(">", "\\u003e")


def _value(text: str, line: int) -> str:
    if not text.startswith('"'):
        return text
    try:
        return str(json.loads(text))
    except ValueError:
        raise BrokenState(line, f"`{text[:60]}` is not closed with a quote") from None


def _line(content: bytes, offset: int) -> int:
    return content.count(b"\n", 0, offset) + 1
