from collections.abc import Callable
from typing import Any

import anthropic
import pytest

BODY: dict[str, Any] = {
    "model": "claude-sonnet-5",
    "max_tokens": 500,
    "messages": [{"role": "user", "content": "Go."}],
}
CONTENT = [
    {"type": "thinking", "thinking": "Let me see.", "signature": "c2ln"},
    {"type": "text", "text": "Ünïcode, " * 30},
    {"type": "tool_use", "name": "shell", "input": {"argv": ["printf", "ä" * 90], "deep": {"n": [1, None]}}},
    {"type": "tool_use", "name": "noop", "input": {}},
]


def test_a_stream_adds_up_to_the_message_of_a_plain_call(connect: Callable[..., Any]) -> None:
    client, server = connect({"content": CONTENT, "usage": {"cache_read_input_tokens": 3}})
    with client.messages.stream(**BODY) as stream:
        streamed = stream.get_final_message()
        assert stream.request_id
    plain = client.messages.create(**BODY)
    said = [
        block.model_dump(include={"type", "text", "thinking", "signature", "name", "input"}) for block in plain.content
    ]
    assert said == [block.model_dump(include=set(words)) for block, words in zip(streamed.content, said, strict=True)]
    assert streamed.stop_reason == plain.stop_reason == "tool_use"
    assert streamed.usage.output_tokens == plain.usage.output_tokens
    assert streamed.usage.cache_read_input_tokens == 3
    assert server.requests[0].reply["stop_reason"] == "tool_use"


def test_events_come_in_the_order_of_the_api(connect: Callable[..., Any]) -> None:
    client, _ = connect({"content": [{"type": "text", "text": "Hi."}, CONTENT[3]]})
    with client.messages.create(**BODY, stream=True) as stream:
        events = list(stream)
    assert [event.type for event in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert events[0].message.usage.output_tokens == 1
    assert events[0].message.stop_reason is None


def test_an_error_before_the_stream_is_a_plain_error(connect: Callable[..., Any]) -> None:
    client, _ = connect({"error": {"status": 529, "message": "busy"}})
    with pytest.raises(anthropic.APIStatusError, match="busy") as error, client.messages.stream(**BODY) as stream:
        stream.get_final_message()
    assert error.value.status_code == 529
