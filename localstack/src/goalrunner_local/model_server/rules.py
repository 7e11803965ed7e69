"""What the API asks of a request beyond its types. Each rule yields its complaints, mostly in the API's words.

Consecutive messages of one role break no rule: the API combines them. Two rules are stricter than the newest API:
a first assistant message and `max_tokens: 0` (which only fills the prompt cache) are refused, since here both can
only be mistakes. One is laxer: a closing assistant message is continued, though the newest models refuse that.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, pairwise
from typing import Any

from goalrunner_local.model_server.turns import Block, Turn, read_turns

MAX_MESSAGES = 100_000
MAX_CACHE_MARKS = 4
MIN_THINKING_TOKENS = 1024
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
TOOL_USE_ID = re.compile(r"[a-zA-Z0-9_-]+")

Body = Mapping[str, Any]


def limits(body: Body) -> Iterator[str]:
    if body.get("max_tokens", 1) < 1:
        yield "max_tokens: Input should be greater than or equal to 1"
    if not body["messages"]:
        yield "messages: at least one message is required"
    if len(body["messages"]) > MAX_MESSAGES:
        yield f"messages: at most {MAX_MESSAGES} messages are allowed"


def role_order(body: Body) -> Iterator[str]:
    turns = read_turns(body["messages"])
    if turns and turns[0].role != "user":
        yield f'{turns[0].at}: first message must use the "user" role'
    for before, turn in pairwise(turns):
        if turn.role == "system" and before.role != "user":
            yield f'{turn.at}: a message of role "system" must follow one of role "user"'


def text(body: Body) -> Iterator[str]:
    last = len(body["messages"]) - 1
    for number, message in enumerate(body["messages"]):
        if not message["content"] and not (number == last and message["role"] == "assistant"):
            yield (
                f"messages.{number}: all messages must have non-empty content"
                " except for the optional final assistant message"
            )
        elif isinstance(message["content"], list):
            yield from _empty_texts(f"messages.{number}.content", message["content"])
    if isinstance(body.get("system"), list):
        yield from _empty_texts("system", body["system"])


def _empty_texts(at: str, blocks: list[dict[str, Any]]) -> Iterator[str]:
    for number, block in enumerate(blocks):
        if block["type"] == "text" and not block["text"]:
            yield f"{at}.{number}: text content blocks must be non-empty"
        elif block["type"] == "text" and not block["text"].strip():
            yield f"{at}.{number}: text content blocks must contain non-whitespace text"
        elif block["type"] == "tool_result" and isinstance(block.get("content"), list):
            yield from _empty_texts(f"{at}.{number}.tool_result.content", block["content"])


def closing_text(body: Body) -> Iterator[str]:
    turns = read_turns(body["messages"])
    if turns and turns[-1].role == "assistant" and turns[-1].blocks:
        end = turns[-1].blocks[-1]
        if end.type == "text" and end.value["text"] != end.value["text"].rstrip():
            yield f"{end.at}: final assistant content cannot end with trailing whitespace"


def block_roles(body: Body) -> Iterator[str]:
    owner = {"tool_use": "assistant", "tool_result": "user"}
    for turn in read_turns(body["messages"]):
        for block in turn.blocks:
            if owner.get(block.type, turn.role) != turn.role:
                yield f"{block.at}: `{block.type}` blocks can only be in `{owner[block.type]}` messages"


def tool_uses(body: Body) -> Iterator[str]:
    seen: set[str] = set()
    for turn in read_turns(body["messages"]):
        for block in turn.of_type("tool_use"):
            if not TOOL_USE_ID.fullmatch(block.value["id"]):
                yield f"{block.at}.tool_use.id: String should match pattern '^{TOOL_USE_ID.pattern}$'"
            if block.value["id"] in seen:
                yield f"{block.at}: `tool_use` ids must be unique: {block.value['id']}"
            seen.add(block.value["id"])


def tool_results(body: Body) -> Iterator[str]:
    turns = read_turns(body["messages"])
    for before, turn in pairwise([None, *turns, None]):
        asked = before.of_type("tool_use") if before else ()
        results = turn.of_type("tool_result") if turn else ()
        if turn and turn.blocks[: len(results)] != results:
            yield f"{_misplaced(turn).at}: `tool_result` blocks must come first in a message's content"
        yield from _pairs(before, asked, results)


def _misplaced(turn: Turn) -> Block:
    other = next(number for number, block in enumerate(turn.blocks) if block.type != "tool_result")
    return next(block for block in turn.blocks[other:] if block.type == "tool_result")


def _pairs(before: Turn | None, asked: tuple[Block, ...], results: tuple[Block, ...]) -> Iterator[str]:
    answered = Counter(result.value["tool_use_id"] for result in results)
    if before and (open_ids := [use.value["id"] for use in asked if use.value["id"] not in answered]):
        yield (
            f"{before.at}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(open_ids)}. Each `tool_use` block must have a corresponding `tool_result` block"
            " in the next message."
        )
    ids = {use.value["id"] for use in asked}
    for result in results:
        id = result.value["tool_use_id"]
        if id not in ids:
            yield (
                f"{result.at}: unexpected `tool_use_id` found in `tool_result` blocks: {id}. Each `tool_result`"
                " block must have a corresponding `tool_use` block in the previous message."
            )
        if answered[id] > 1:
            yield f"{result.at}: each tool_use must have a single result. Found multiple with id: {id}"
        if result.value.get("is_error") and not result.value.get("content"):
            yield f"{result.at}.tool_result: content cannot be empty if `is_error` is true"


def tools(body: Body) -> Iterator[str]:
    names = Counter(tool["name"] for tool in body.get("tools", ()) if "name" in tool)
    for number, tool in enumerate(body.get("tools", ())):
        if "name" in tool and not TOOL_NAME.fullmatch(tool["name"]):
            yield f"tools.{number}.custom.name: String should match pattern '^{TOOL_NAME.pattern}$'"
        if names[tool.get("name")] > 1:
            yield f"tools.{number}.name: Tool names must be unique: {tool['name']}"


def tool_choice(body: Body) -> Iterator[str]:
    choice = body.get("tool_choice")
    if not choice or choice["type"] == "none":
        return
    if not body.get("tools"):
        yield "tool_choice: tool_choice may only be specified while providing tools."
    elif choice["type"] == "tool" and choice["name"] not in [tool.get("name") for tool in body["tools"]]:
        yield f"tool_choice.tool.name: Tool '{choice['name']}' not found in provided tools"
    if choice["type"] in ("any", "tool") and _thinks(body):
        yield "tool_choice: Thinking may not be enabled when tool_choice forces tool use."


def thinking(body: Body) -> Iterator[str]:
    if not _thinks(body) or "budget_tokens" not in body["thinking"]:
        return
    budget = body["thinking"]["budget_tokens"]
    if budget < MIN_THINKING_TOKENS:
        yield f"thinking.enabled.budget_tokens: Input should be greater than or equal to {MIN_THINKING_TOKENS}"
    elif budget >= body.get("max_tokens", budget + 1):
        yield "max_tokens: `max_tokens` must be greater than `thinking.budget_tokens`."


def _thinks(body: Body) -> bool:
    return bool(body.get("thinking", {}).get("type", "disabled") != "disabled")


def cache_marks(body: Body) -> Iterator[str]:
    system = body["system"] if isinstance(body.get("system"), list) else []
    blocks = [block.value for turn in read_turns(body["messages"]) for block in turn.blocks]
    inner = chain.from_iterable(b["content"] for b in blocks if isinstance(b.get("content"), list))
    places = (body, *body.get("tools", ()), *system, *blocks, *inner)
    if (found := sum(1 for place in places if place.get("cache_control"))) > MAX_CACHE_MARKS:
        yield f"cache_control: A maximum of {MAX_CACHE_MARKS} blocks may be marked. Found {found}."


RULES: tuple[Callable[[Body], Iterator[str]], ...] = (
    limits,
    role_order,
    text,
    closing_text,
    block_roles,
    tool_uses,
    tool_results,
    tools,
    tool_choice,
    thinking,
    cache_marks,
)
