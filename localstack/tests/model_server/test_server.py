import http.client
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anthropic
import pytest

from goalrunner_local.model_server.script import Script
from goalrunner_local.model_server.server import MAX_BODY, ModelServer, serve

HELLO = Script.model_validate({"conversations": [{"turns": [{"content": "Hello."}]}]})
HEADERS = {"x-api-key": "sk-ant-test-not-a-key", "anthropic-version": "2023-06-01"}
BODY: dict[str, Any] = {"model": "m", "max_tokens": 50, "messages": [{"role": "user", "content": "Go."}]}


def ask(
    server: ModelServer, method: str, path: str, *, headers: dict[str, str], body: bytes | None = None
) -> tuple[int, Any, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    try:
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        raw = reply.read()
        return reply.status, json.loads(raw) if raw else None, {k.lower(): v for k, v in reply.getheaders()}
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "type"),
    [
        ("POST", "/v1/messages", {}, b"{}", 401, "authentication_error"),
        ("GET", "/v1/models", {}, None, 401, "authentication_error"),
        ("POST", "/v1/messages", {"x-api-key": "k"}, b"{}", 400, "invalid_request_error"),
        ("POST", "/v1/messages", HEADERS, b"{not json", 400, "invalid_request_error"),
        ("POST", "/v1/messages", HEADERS, b"\xff\xfe", 400, "invalid_request_error"),
        ("POST", "/v1/messages", HEADERS, b"[" * 100_000, 400, "invalid_request_error"),
        ("POST", "/v1/messages", HEADERS, b"[]", 400, "invalid_request_error"),
        ("POST", "/v1/messages", HEADERS | {"content-length": "-1"}, b"", 400, "invalid_request_error"),
        ("POST", "/v1/complete", HEADERS, b"{}", 404, "not_found_error"),
        ("GET", "/v1/messages", HEADERS, None, 404, "not_found_error"),
        ("GET", "/elsewhere", HEADERS, None, 404, "not_found_error"),
    ],
)
def test_a_bad_call_gets_an_error_in_the_shape_of_the_api(
    method: str, path: str, headers: dict[str, str], body: bytes | None, status: int, type: str
) -> None:
    with serve(HELLO) as server:
        got, error, sent = ask(server, method, path, headers=headers, body=body)
    assert (got, error["type"], error["error"]["type"]) == (status, "error", type)
    assert error["error"]["message"]
    assert error["request_id"] == sent["request-id"]


def test_a_body_over_the_limit_is_refused(connect: Callable[..., Any]) -> None:
    client, server = connect()
    with pytest.raises(anthropic.RequestTooLargeError) as error:
        client.messages.create(**BODY | {"system": "x" * MAX_BODY})
    assert error.value.status_code == 413
    assert server.requests[0].body is None


def test_the_root_answers_without_a_key() -> None:
    with serve(HELLO) as server:
        assert ask(server, "GET", "/", headers={})[:2] == (200, {})
        assert ask(server, "HEAD", "/", headers={})[:2] == (200, None)


def test_a_bearer_token_is_a_credential_too(connect: Callable[..., Any]) -> None:
    _, server = connect()
    with anthropic.Anthropic(base_url=server.url, api_key=None, auth_token="sk-ant-test-token") as client:
        assert client.messages.create(**BODY).content


def test_exchanges_are_logged_as_json_lines_without_credentials(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    with serve(HELLO, log) as server:
        ask(server, "POST", "/v1/messages?beta=true", headers=HEADERS, body=json.dumps(BODY).encode())
        ask(server, "POST", "/v1/messages", headers=HEADERS, body=b"{}")
    first, second = map(json.loads, log.read_text(encoding="utf-8").splitlines())
    assert (first["status"], first["body"], first["target"]) == (200, BODY, "/v1/messages?beta=true")
    assert first["reply"]["content"][0]["text"] == "Hello."
    assert (second["status"], second["reply"]["error"]["type"]) == (400, "invalid_request_error")
    assert HEADERS["x-api-key"] not in log.read_text(encoding="utf-8")


def test_a_closed_server_answers_no_old_connection() -> None:
    with serve(HELLO) as server:
        client = anthropic.Anthropic(base_url=server.url, api_key="sk-ant-test-not-a-key", max_retries=0)
        client.messages.create(**BODY)
    with client, pytest.raises(anthropic.APIConnectionError):
        client.messages.create(**BODY)


def test_a_closed_server_ends_its_idle_connections() -> None:
    with serve(HELLO) as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=5)
        connection.request("GET", "/")
        connection.getresponse().read()
    assert connection.sock.recv(1) == b""
    connection.close()


def test_only_loopback_is_served() -> None:
    with serve(HELLO) as server:
        assert server.server_address[0] == "127.0.0.1"
        assert server.url == f"http://127.0.0.1:{server.server_port}"
