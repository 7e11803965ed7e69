"""A request's messages as the API reads them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Block:
    """One content block; `at` is its place in the request, as error messages give it."""

    at: str
    value: Mapping[str, Any]

    @property
    def type(self) -> str:
        return str(self.value["type"])


@dataclass(frozen=True)
class Turn:
    """Consecutive messages of one role, which the API combines."""

    at: str
    role: str
    blocks: tuple[Block, ...]

    def of_type(self, type: str) -> tuple[Block, ...]:
        return tuple(block for block in self.blocks if block.type == type)


def read_turns(messages: list[dict[str, Any]]) -> list[Turn]:
    """Combine consecutive messages of one role; a string as content is one text block."""
    turns: list[Turn] = []
    for number, message in enumerate(messages):
        at = f"messages.{number}"
        blocks = tuple(_blocks(at, message["content"]))
        if turns and turns[-1].role == message["role"]:
            last = turns.pop()
            turns.append(Turn(at=last.at, role=last.role, blocks=last.blocks + blocks))
        else:
            turns.append(Turn(at=at, role=message["role"], blocks=blocks))
    return turns


def plain_text(content: Any) -> str:
    """The text of a system prompt, a message or a tool result: a string, or blocks of which some are text."""
    if isinstance(content, str):
        return content
    return "\n".join(block["text"] for block in content or () if block["type"] == "text")


def _blocks(at: str, content: Any) -> Iterator[Block]:
    if isinstance(content, str):
        yield Block(at=f"{at}.content", value={"type": "text", "text": content})
        return
    for number, block in enumerate(content):
        yield Block(at=f"{at}.content.{number}", value=block)
