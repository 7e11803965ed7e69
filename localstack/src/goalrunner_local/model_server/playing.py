"""Turn a request and a script into the answer. Nothing is remembered: the answer depends on the request alone."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from goalrunner_local.model_server.api_error import ApiError
from goalrunner_local.model_server.script import (
    PLACEHOLDER,
    Script,
    ScriptedTurn,
    Text,
    ToolUse,
    Usage,
    WholeBlock,
)
from goalrunner_local.model_server.turns import plain_text, read_turns

BYTES_PER_TOKEN = 4
DONE = ScriptedTurn.model_validate({"content": "done."})


def choose_turn(script: Script, body: Mapping[str, Any]) -> ScriptedTurn:
    """Raise `ApiError` 404 for an unknown model, 400 when no conversation of the script fits."""
    if script.models is not None and body["model"] not in script.models:
        raise ApiError(404, f"model: {body['model']}")
    opening = (plain_text(body.get("system")), plain_text(body["messages"][0]["content"]))
    for conversation in script.conversations:
        if any(conversation.when in text for text in opening):
            # Messages, not turns: a paused answer is followed by its continuation without a user between them.
            said = sum(message["role"] == "assistant" for message in body["messages"])
            return conversation.turns[said] if said < len(conversation.turns) else DONE
    known = ", ".join(repr(conversation.when) for conversation in script.conversations)
    raise ApiError(400, f"messages: no scripted conversation fits this request; there are: {known or 'none'}")


def digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def message(turn: ScriptedTurn, body: Mapping[str, Any], raw: bytes) -> dict[str, Any]:
    """The API's message object for `turn`; `raw` is the request as sent and gives the ids and the input's size."""
    result = _last_tool_result(body)
    content = [_block(block, result, f"{digest(raw)[:20]}{at:02}") for at, block in enumerate(turn.content)]
    called = any(block["type"] == "tool_use" for block in content)
    stop_reason = turn.stop_reason or ("tool_use" if called else "end_turn")
    return {
        "id": f"msg_{digest(raw)[:24]}",
        "type": "message",
        "role": "assistant",
        "model": body["model"],
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "stop_details": {"type": "refusal"} if stop_reason == "refusal" else None,
        "usage": _usage(turn.usage, raw=raw, content=content, max_tokens=body["max_tokens"]),
    }


def estimate_input_tokens(raw: bytes) -> int:
    return max(1, len(raw) // BYTES_PER_TOKEN)


def _usage(said: Usage, *, raw: bytes, content: list[dict[str, Any]], max_tokens: int) -> dict[str, Any]:
    output = max(1, len(json.dumps(content)) // BYTES_PER_TOKEN)
    estimated = {
        "input_tokens": estimate_input_tokens(raw),
        "output_tokens": min(output, max_tokens),
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "service_tier": "standard",
    }
    return estimated | said.model_dump(exclude_none=True)


def _block(block: Text | ToolUse | WholeBlock, result: str, suffix: str) -> dict[str, Any]:
    if isinstance(block, Text):
        return {"type": "text", "text": _fill(block.text, result), "citations": None}
    if isinstance(block, ToolUse):
        id = block.id or f"toolu_{suffix}"
        return {"type": "tool_use", "id": id, "name": block.name, "input": _fill(block.input, result)}
    return block.model_dump()


def _fill(value: Any, result: str) -> Any:
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda _: result, value)
    if isinstance(value, dict):
        return {key: _fill(inner, result) for key, inner in value.items()}
    return [_fill(inner, result) for inner in value] if isinstance(value, list) else value


def _last_tool_result(body: Mapping[str, Any]) -> str:
    results = [result for turn in read_turns(body["messages"]) for result in turn.of_type("tool_result")]
    return (plain_text(results[-1].value.get("content")) if results else "") or "(no tool result)"
