"""The engine `claude-api` with the real SDK, against the scripted model server."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from goalrunner_events import Outcome
from goalrunner_executor.adapters.anthropic_model import AnthropicModel
from goalrunner_executor.adapters.prices import PublishedPrices
from goalrunner_executor.agents.claude_api import ClaudeApiEngine
from goalrunner_executor.agents.scripted import Act, Ask, Busy, Finish, Note, Shell, Write
from goalrunner_executor.bench import Bench
from goalrunner_executor.conformance import EngineConformance, MakeEngine
from goalrunner_executor.ports import ModelBusy
from goalrunner_executor.settings import ExecutorSettings
from goalrunner_executor.tools.process import Surroundings
from goalrunner_local.model_server.script import Script
from goalrunner_local.model_server.server import ModelServer, serve
from goalrunner_shared.errors import PermanentError, TransientError

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]

KEY = "sk-ant-test-0000"
MODEL = str(ExecutorSettings.model_fields["model"].default)
Serve = Callable[[Sequence[dict[str, Any]]], ModelServer]


@pytest.fixture
def served() -> Iterator[Serve]:
    """Start a server that plays these turns; it ends with the test."""
    with ExitStack() as stack:
        yield lambda turns: stack.enter_context(
            serve(Script.model_validate({"conversations": [{"when": "", "turns": turns}]}))
        )


def model_at(url: str, **options: Any) -> AnthropicModel:
    return AnthropicModel(api_key=KEY, base_url=url, **options)


def engine_at(url: str) -> ClaudeApiEngine:
    return ClaudeApiEngine(
        model=model_at(url, max_retries=0),
        prices=PublishedPrices(),
        default_model=MODEL,
        surroundings=Surroundings(),
    )


class TestClaudeApiOnTheRealSdk(EngineConformance):
    @pytest.fixture
    def make_engine(self, served: Serve) -> MakeEngine:
        return lambda acts: engine_at(served(list(_turns(acts))).url)


def _turns(acts: Sequence[Act]) -> Iterator[dict[str, Any]]:
    busy: dict[str, Any] = {}
    for act in acts:
        if isinstance(act, Busy):
            busy = {"error": {"status": 529}, "error_times": act.times}
        else:
            yield {"content": [_block(act)], **busy}
            busy = {}


def _block(act: Act) -> dict[str, Any]:
    values: dict[str, Any]
    match act:
        case Write():
            name, values = "write_file", {"path": f"out/{act.path}", "content": act.text}
        case Note():
            name, values = "write_file", {"path": f"out/{act.path}", "content": "{{answer}}"}
        case Shell():
            name, values = "shell", {"command": act.command, "timeout": act.timeout}
        case Ask():
            name, values = "ask_human", {"question": act.question, "options": [*act.options], "default": act.default}
        case Finish():
            proof = {"criterion": "AC1", "met": True, "note": "see out/"}
            name, values = "finish", {"outcome": "done", "summary": act.summary, "evidence": [proof]}
        case Busy():
            raise AssertionError("belongs to the next turn")
    return {"type": "tool_use", "name": name, "input": values}


REQUEST = {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": "hello"}]}


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (529, ModelBusy, "overloaded"),
        (429, ModelBusy, "HTTP 429"),
        (500, TransientError, "HTTP 500"),
        (400, PermanentError, "scripted failure"),
        (401, PermanentError, "HTTP 401"),
        (403, PermanentError, "HTTP 403"),
        (404, PermanentError, "HTTP 404"),
    ],
)
def test_each_refusal_is_mapped_once(served: Serve, status: int, error: type[Exception], words: str) -> None:
    server = served([{"error": {"status": status}}])
    with pytest.raises(error, match=words) as caught:
        model_at(server.url, max_retries=0).create(timeout=10, **REQUEST)
    assert type(caught.value) is error


def test_the_sdk_tries_again_as_the_server_says(served: Serve) -> None:
    server = served([{"error": {"status": 529, "retry_after": 0.01}, "error_times": 2, "content": "late"}])
    assert model_at(server.url).create(timeout=10, **REQUEST).content == [{"type": "text", "text": "late"}]
    assert len(server.requests) == 3


def test_a_model_that_hangs_leaves_its_fate_unknown(served: Serve) -> None:
    server = served([{"content": "late", "delay_s": 30}])
    with pytest.raises(TransientError) as caught:
        model_at(server.url, max_retries=0).create(timeout=0.3, **REQUEST)
    assert not isinstance(caught.value, ModelBusy)


def test_a_server_that_is_not_there_is_tried_again_later() -> None:
    with pytest.raises(TransientError):
        model_at("http://127.0.0.1:9", max_retries=0).create(timeout=2, **REQUEST)


def test_usage_and_stop_reason_come_through(served: Serve) -> None:
    usage = {"input_tokens": 7, "output_tokens": 5, "cache_read_input_tokens": 3, "cache_creation_input_tokens": 2}
    server = served([{"content": "no", "usage": usage, "stop_reason": "refusal"}])
    reply = model_at(server.url).create(timeout=10, **REQUEST)
    assert reply.stop_reason == "refusal"
    assert (reply.tokens.input, reply.tokens.output) == (7, 5)
    assert (reply.tokens.cache_read, reply.tokens.cache_write) == (3, 2)


@pytest.mark.parametrize("stop", ["max_tokens", "pause_turn"])
def test_odd_stops_give_requests_that_the_api_takes(served: Serve, tmp_path: Path, stop: str) -> None:
    proof = {"criterion": "AC1", "met": True, "note": ""}
    calls = [
        {"type": "tool_use", "name": "list_files", "input": {}},
        {"type": "tool_use", "name": "no_such_tool", "input": {}},
        {"type": "tool_use", "name": "read_file", "input": {"path": "../x"}},
    ]
    end = {"type": "tool_use", "name": "finish", "input": {"outcome": "done", "summary": "s", "evidence": [proof]}}
    thought = {"type": "thinking", "thinking": "hm", "signature": "c2ln"}
    turns: list[dict[str, Any]] = [
        {"content": "a word", "stop_reason": stop},
        {"content": [thought, *calls]},
        {"content": "silence"},
        {"content": [end]},
    ]
    world = Bench(tmp_path, {"claude-api": engine_at(served(turns).url)})
    world.deliver(world.ready())
    assert (world.result.outcome, world.result.reason) == (Outcome.DONE, None)
    assert world.result.model == MODEL
