"""The API's endpoints, without the network: a request in, an answer out."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from goalrunner_local.model_server.api_error import ApiError
from goalrunner_local.model_server.playing import choose_turn, digest, estimate_input_tokens, message
from goalrunner_local.model_server.script import Script, ScriptedTurn
from goalrunner_local.model_server.validation import check_request

DEFAULT_MODEL = "claude-scripted"
EPOCH = "1970-01-01T00:00:00Z"  # what the API says of a model whose date of release is unknown


@dataclass(frozen=True)
class Request:
    """One HTTP request; the names of `headers` are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    raw: bytes = b""

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def beta(self) -> bool:
        return "anthropic-beta" in self.headers or "true" in parse_qs(urlsplit(self.target).query).get("beta", [])

    def json(self) -> Any:
        try:
            return json.loads(self.raw)
        except (ValueError, RecursionError) as error:
            raise ApiError(400, f"body: The request body is not valid JSON: {error}") from error


@dataclass(frozen=True)
class Answer:
    """A successful answer: JSON, or the same message as server-sent events; `delay_s` passes before the first byte."""

    body: Mapping[str, Any]
    streamed: bool = False
    delay_s: float = 0


@dataclass(frozen=True)
class ScriptedApi:
    """Plays `script`. All it remembers is how often a request was made to fail."""

    script: Script
    _failures: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Request) -> Answer:
        """Raise `ApiError` for whatever the API or the script answers with an error."""
        routes: dict[tuple[str, str], Callable[[Request], Answer]] = {
            ("POST", "/v1/messages"): self._messages,
            ("POST", "/v1/messages/count_tokens"): self._count_tokens,
            ("GET", "/v1/models"): self._models,
            ("GET", "/"): lambda _: Answer({}),
            ("HEAD", "/"): lambda _: Answer({}),
        }
        if request.path.startswith("/v1/"):
            _authenticate(request.headers)
        route = routes.get((request.method, request.path))
        if route is None:
            raise ApiError(404, f"Not found: {request.method} {request.path}")
        return route(request)

    def _messages(self, request: Request) -> Answer:
        body = request.json()
        check_request(body, beta=request.beta)
        turn = choose_turn(self.script, body)
        self._fail_if_told(turn, request)
        said = message(turn, body, request.raw)
        return Answer(said, streamed=bool(body.get("stream")), delay_s=turn.delay_s)

    def _count_tokens(self, request: Request) -> Answer:
        check_request(request.json(), call="count_tokens", beta=request.beta)
        return Answer({"input_tokens": estimate_input_tokens(request.raw)})

    def _models(self, _: Request) -> Answer:
        models = self.script.models or (DEFAULT_MODEL,)
        entries = [
            {"type": "model", "id": id, "display_name": id, "created_at": EPOCH, "lifecycle": "active"} for id in models
        ]
        return Answer({"data": entries, "has_more": False, "first_id": models[0], "last_id": models[-1]})

    def _fail_if_told(self, turn: ScriptedTurn, request: Request) -> None:
        if turn.error is None:
            return
        with self._lock:
            self._failures[digest(request.raw)] += 1
            times = self._failures[digest(request.raw)]
        if turn.error_times is None or times <= turn.error_times:
            error = turn.error
            raise ApiError(error.status, error.message, type=error.type, retry_after=error.retry_after)


def _authenticate(headers: Mapping[str, str]) -> None:
    if not (headers.get("x-api-key") or headers.get("authorization", "").startswith("Bearer ")):
        raise ApiError(401, "x-api-key header is required")
    if not headers.get("anthropic-version"):
        raise ApiError(400, "anthropic-version: header is required")
