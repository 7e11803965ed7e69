import time
from collections.abc import Callable
from typing import Any

import anthropic
import pytest

BODY: dict[str, Any] = {
    "model": "claude-sonnet-5",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "Go."}],
}


def test_an_overloaded_answer_is_retried_after_the_time_it_names(connect: Callable[..., Any]) -> None:
    busy = {"error": {"status": 529, "retry_after": 0.4}, "error_times": 2, "content": "At last."}
    client, server = connect(busy, max_retries=2)
    started = time.monotonic()
    assert client.messages.create(**BODY).content[0].text == "At last."
    # The client's own back-off would be 0.4 to 0.5 and then 0.75 to 1 seconds.
    assert 0.8 <= time.monotonic() - started < 1.15
    assert [exchange.status for exchange in server.requests] == [529, 529, 200]


def test_each_request_fails_its_own_number_of_times(connect: Callable[..., Any]) -> None:
    client, _ = connect({"error": {"status": 500}, "error_times": 1, "content": "Fine."})
    for words in ("one", "two"):
        body = BODY | {"messages": [{"role": "user", "content": words}]}
        with pytest.raises(anthropic.InternalServerError):
            client.messages.create(**body)
        assert client.messages.create(**body).content[0].text == "Fine."


@pytest.mark.parametrize(
    ("status", "type"),
    [(429, "rate_limit_error"), (500, "api_error"), (403, "permission_error"), (504, "timeout_error")],
)
def test_a_failure_has_the_type_of_its_status(connect: Callable[..., Any], status: int, type: str) -> None:
    client, _ = connect({"error": {"status": status, "message": "no"}})
    for _ in range(2):
        with pytest.raises(anthropic.APIStatusError) as error:
            client.messages.create(**BODY)
        assert isinstance(error.value.body, dict)
        assert error.value.body["error"] == {"type": type, "message": "no"}
        assert error.value.response.headers["request-id"] == error.value.body["request_id"]


def test_a_slow_answer_runs_into_the_clients_time_limit(connect: Callable[..., Any]) -> None:
    client, _ = connect({"content": "late", "delay_s": 30})
    with pytest.raises(anthropic.APITimeoutError):
        client.messages.create(**BODY, timeout=0.3)


def test_a_delay_passes_before_the_answer(connect: Callable[..., Any]) -> None:
    client, _ = connect({"content": "late", "delay_s": 0.3})
    started = time.monotonic()
    client.messages.create(**BODY)
    assert time.monotonic() - started >= 0.3
