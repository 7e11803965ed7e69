"""A message as the API streams it: server-sent events."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

TEXT_STEP = 24
JSON_STEP = 48


def server_sent_events(message: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield the stream's events as bytes, each ready to be sent."""
    usage = {**message["usage"], "output_tokens": 1}
    opened = {**message, "content": [], "stop_reason": None, "stop_details": None, "usage": usage}
    yield _event("message_start", message=opened)
    for index, block in enumerate(message["content"]):
        yield from _block_events(index, block)
        if index == 0:
            yield _event("ping")
    delta = {key: message[key] for key in ("stop_reason", "stop_sequence", "stop_details")}
    counts = {key: value for key, value in message["usage"].items() if key.endswith("_tokens")}
    yield _event("message_delta", delta=delta, usage=counts)
    yield _event("message_stop")


def _block_events(index: int, block: Mapping[str, Any]) -> Iterator[bytes]:
    start, deltas = _in_parts(block)
    yield _event("content_block_start", index=index, content_block=start)
    for delta in deltas:
        yield _event("content_block_delta", index=index, delta=delta)
    yield _event("content_block_stop", index=index)


def _in_parts(block: Mapping[str, Any]) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
    """How a block begins and what is added to it; kinds that are not listed are sent whole."""
    match block["type"]:
        case "text":
            texts = _cut(block["text"], TEXT_STEP)
            return {**block, "text": ""}, [{"type": "text_delta", "text": part} for part in texts]
        case "tool_use" | "server_tool_use":
            parts = ["", *_cut(json.dumps(block["input"]), JSON_STEP)]
            return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": p} for p in parts]
        case "thinking":
            thought = {"type": "thinking_delta", "thinking": block["thinking"]}
            signature = {"type": "signature_delta", "signature": block["signature"]}
            return {**block, "thinking": "", "signature": ""}, [thought, signature]
    return block, []


def _cut(text: str, step: int) -> list[str]:
    return [text[at : at + step] for at in range(0, len(text), step)]


def _event(type: str, **data: Any) -> bytes:
    return f"event: {type}\ndata: {json.dumps({'type': type, **data})}\n\n".encode()
