"""The fake model: says what a test has written down, and refuses what the API refuses."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from goalrunner_executor.ports import Reply
from goalrunner_executor.spend import Tokens
from goalrunner_shared.errors import PermanentError

Turn = Reply | Exception | Callable[[dict[str, Any]], Reply] | Sequence[Reply | Exception]


def text(words: str) -> dict[str, Any]:
    """A text block."""
    return {"type": "text", "text": words}


def tool(name: str, call_id: str = "", **values: Any) -> dict[str, Any]:
    """A tool call; its id is made from its place in the conversation."""
    return {"type": "tool_use", "id": call_id, "name": name, "input": values}


def said(*blocks: dict[str, Any], stop: str | None = None, tokens: Tokens | None = None) -> Reply:
    """A reply of these blocks."""
    calls = any(block["type"] == "tool_use" for block in blocks)
    return Reply(list(blocks), stop or ("tool_use" if calls else "end_turn"), tokens or Tokens(input=1000, output=100))


@dataclass
class ScriptedModel:
    """Entry N of `turns` answers a request that holds N assistant messages; a list is used up before its last entry."""

    turns: Sequence[Turn]
    requests: list[dict[str, Any]] = field(default_factory=list)
    _used: dict[int, int] = field(default_factory=dict)

    def create(self, *, timeout: float, **request: Any) -> Reply:
        self.requests.append(copy.deepcopy(request) | {"timeout": timeout})
        _check(request)
        number = sum(message["role"] == "assistant" for message in request["messages"])
        turn = self._turn(number, request)
        if isinstance(turn, Exception):
            raise turn
        return Reply(_with_ids(turn.content, number), turn.stop_reason, turn.tokens, f"msg_{number}")

    def _turn(self, number: int, request: dict[str, Any]) -> Reply | Exception:
        turn = self.turns[number] if number < len(self.turns) else said(text("done."))
        if callable(turn):
            return turn(request)
        if isinstance(turn, Reply | Exception):
            return turn
        self._used[number] = self._used.get(number, 0) + 1
        return turn[min(self._used[number], len(turn)) - 1]


def _with_ids(content: list[dict[str, Any]], number: int) -> list[dict[str, Any]]:
    return [
        {**block, "id": block["id"] or f"toolu_{number}_{place}"} if block["type"] == "tool_use" else dict(block)
        for place, block in enumerate(content)
    ]


def _check(request: dict[str, Any]) -> None:
    """What the API would answer with 400."""
    messages = request["messages"]
    if request["max_tokens"] < 1 or not messages or messages[0]["role"] != "user":
        raise PermanentError("invalid_request_error: max_tokens or the first message")
    for number, message in enumerate(messages):
        asked = [block["id"] for block in message["content"] if block["type"] == "tool_use"]
        following = messages[number + 1]["content"] if number + 1 < len(messages) else []
        given = [block["tool_use_id"] for block in following[: len(asked)] if block["type"] == "tool_result"]
        if sorted(asked) != sorted(given):
            raise PermanentError(f"invalid_request_error: messages.{number}: tool_use without its tool_result")
        if any(block["type"] == "text" and not block["text"].strip() for block in message["content"]):
            raise PermanentError(f"invalid_request_error: messages.{number}: empty text")
