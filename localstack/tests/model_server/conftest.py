from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import anthropic
import pytest

from goalrunner_local.model_server.script import Script
from goalrunner_local.model_server.server import ModelServer, serve

Connect = Callable[..., tuple[anthropic.Anthropic, ModelServer]]


@pytest.fixture(autouse=True)
def _loopback(socket_enabled: None) -> None:
    """These tests are about a server."""


@pytest.fixture
def connect() -> Iterator[Connect]:
    """connect(turn, turn, ..., max_retries=0) -> (client, server): the turns, and the real client."""
    with ExitStack() as stack:

        def start(
            *turns: dict[str, Any], max_retries: int = 0, **script: Any
        ) -> tuple[anthropic.Anthropic, ModelServer]:
            script.setdefault("conversations", [{"turns": turns or [{"content": "Hello."}]}])
            server = stack.enter_context(serve(Script.model_validate(script)))
            key = "sk-ant-test-not-a-key"
            client = anthropic.Anthropic(base_url=server.url, api_key=key, max_retries=max_retries)
            return stack.enter_context(client), server

        yield start
