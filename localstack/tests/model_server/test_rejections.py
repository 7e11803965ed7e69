"""Each request here is one that the real API refuses with 400 and a message that names the field."""

from collections.abc import Callable
from typing import Any

import anthropic
import pytest

HI = {"role": "user", "content": "hi"}
BASE: dict[str, Any] = {"model": "claude-sonnet-5", "max_tokens": 100, "messages": [HI]}
TOOL = {"name": "shell", "input_schema": {"type": "object", "properties": {}, "additionalProperties": False}}


def use(id: str = "toolu_1") -> dict[str, Any]:
    return {"type": "tool_use", "id": id, "name": "shell", "input": {}}


def result(id: str = "toolu_1", **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id, "content": "ok", **more}


def says(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "assistant", "content": list(blocks)}


def hears(*blocks: dict[str, Any]) -> dict[str, Any]:
    return {"role": "user", "content": list(blocks)}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def talk(*messages: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [HI, *messages]}


def without(key: str) -> dict[str, Any]:
    return {key: ...}


MARKED = text("x", cache_control={"type": "ephemeral"})

REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("max_tokens missing", without("max_tokens"), "max_tokens: Field required"),
    ("model missing", without("model"), "model: Field required"),
    ("messages missing", without("messages"), "messages: Field required"),
    ("max_tokens zero", {"max_tokens": 0}, "max_tokens: "),
    ("max_tokens as text", {"max_tokens": "100"}, "max_tokens: Input should be a valid integer"),
    ("max_tokens as truth", {"max_tokens": True}, "max_tokens: "),
    ("model a number", {"model": 5}, "model: "),
    ("no messages", {"messages": []}, "messages: at least one message"),
    ("messages no list", {"messages": "hi"}, "messages: Input should be a valid list"),
    ("message no object", {"messages": ["hi"]}, "messages.0: "),
    ("unknown key", {"temperatur": 1}, "temperatur: Extra inputs are not permitted"),
    ("unknown key in a message", {"messages": [{**HI, "name": "me"}]}, "messages.0.name: Extra inputs"),
    ("unknown key in a block", {"messages": [hears(text("x", tone="kind"))]}, "messages.0.content.0.text.tone: "),
    ("header in the body", {"betas": []}, "betas: Extra inputs"),
    ("unknown role", talk({"role": "tool", "content": "x"}), "messages.1: "),
    ("assistant first", {"messages": [says(text("x")), HI]}, "messages.0: first message"),
    ("system first", {"messages": [{"role": "system", "content": "x"}, HI]}, "messages.0: first message"),
    ("system after assistant", talk(says(text("x")), {"role": "system", "content": "y"}), "messages.2: "),
    ("content missing", {"messages": [{"role": "user"}]}, "messages.0.content: Field required"),
    ("content a number", {"messages": [{"role": "user", "content": 5}]}, "messages.0.content: "),
    ("content empty", {"messages": [{"role": "user", "content": ""}]}, "messages.0: all messages must have"),
    ("blocks empty", {"messages": [hears()]}, "messages.0: all messages must have"),
    ("assistant in the middle empty", talk(says(), HI), "messages.1: all messages must have"),
    ("block of unknown type", {"messages": [hears({"type": "video"})]}, "messages.0.content.0: Input tag 'video'"),
    ("block without type", {"messages": [hears({"text": "x"})]}, "messages.0.content.0: "),
    ("text block without text", {"messages": [hears({"type": "text"})]}, "messages.0.content.0.text.text: "),
    (
        "empty text block",
        {"messages": [hears(text(""))]},
        "messages.0.content.0: text content blocks must be non-empty",
    ),
    ("blank text block", {"messages": [hears(text(" \n"))]}, "messages.0.content.0: text content blocks must contain"),
    ("empty system block", {"system": [text("")]}, "system.0: text content blocks must be non-empty"),
    ("system a number", {"system": 5}, "system: "),
    ("closing whitespace", talk(says(text("The answer is "))), "messages.1.content.0: final assistant content"),
    ("closing whitespace in a string", talk({"role": "assistant", "content": "So\n"}), "messages.1.content: final"),
    ("tool_use never answered", talk(says(use()), hears(text("x"))), "messages.1: `tool_use` ids were found"),
    ("tool_use at the end", talk(says(use())), "messages.1: `tool_use` ids were found"),
    (
        "one of two answered",
        talk(says(use("a"), use("b")), hears(result("a"))),
        "without `tool_result` blocks immediately after: b",
    ),
    ("answered too late", talk(says(use()), HI, says(text("x")), hears(result())), "messages.1: `tool_use` ids"),
    ("result of nothing", {"messages": [hears(result())]}, "messages.0.content.0: unexpected `tool_use_id`"),
    ("result of another", talk(says(use()), hears(result(), result("b"))), "messages.2.content.1: unexpected"),
    ("result twice", talk(says(use()), hears(result(), result())), "messages.2.content.0: each tool_use must"),
    (
        "text before results",
        talk(says(use()), hears(text("x"), result())),
        "messages.2.content.1: `tool_result` blocks",
    ),
    (
        "empty error result",
        talk(says(use()), hears(result(content="", is_error=True))),
        "messages.2.content.0.tool_result: ",
    ),
    (
        "empty text in a result",
        talk(says(use()), hears(result(content=[text("")]))),
        "messages.2.content.0.tool_result.content.0: ",
    ),
    (
        "result without id",
        talk(says(use()), hears({"type": "tool_result"})),
        "messages.2.content.0.tool_result.tool_use_id: ",
    ),
    (
        "bad block in a result",
        talk(says(use()), hears(result(content=[use()]))),
        "messages.2.content.0.tool_result.content.0: ",
    ),
    ("tool_use without input", talk(says({**use(), "input": None})), "messages.1.content.0.tool_use.input: "),
    ("tool_use by the user", talk(hears(use())), "messages.1.content.0: `tool_use` blocks can only be"),
    ("tool_result by the model", talk(says(result())), "messages.1.content.0: `tool_result` blocks can only be"),
    (
        "same id twice",
        talk(says(use()), hears(result()), says(use()), hears(result())),
        "messages.3.content.0: `tool_use` ids must be unique",
    ),
    ("odd id", talk(says(use("a b")), hears(result("a b"))), "messages.1.content.0.tool_use.id: "),
    (
        "unknown tool type",
        {"tools": [{"type": "psychic_20250101", "name": "x"}]},
        "tools.0: Input tag 'psychic_20250101'",
    ),
    ("tool without schema", {"tools": [{"name": "x"}]}, "tools.0.custom.input_schema: Field required"),
    ("schema without type", {"tools": [{"name": "x", "input_schema": {}}]}, "tools.0.custom.input_schema.type: "),
    (
        "schema of a list",
        {"tools": [{"name": "x", "input_schema": {"type": "array"}}]},
        "tools.0.custom.input_schema.type: ",
    ),
    ("tool name with a space", {"tools": [{**TOOL, "name": "my tool"}]}, "tools.0.custom.name: String should match"),
    ("tool name too long", {"tools": [{**TOOL, "name": "x" * 129}]}, "tools.0.custom.name: "),
    ("tool name twice", {"tools": [TOOL, TOOL]}, "tools.0.name: Tool names must be unique"),
    ("unknown key in a tool", {"tools": [{**TOOL, "schema": {}}]}, "tools.0.custom.schema: Extra inputs"),
    (
        "wrong name of a server tool",
        {"tools": [{"type": "web_search_20250305", "name": "find"}]},
        "tools.0.web_search_20250305.name: ",
    ),
    ("tool_choice without tools", {"tool_choice": {"type": "auto"}}, "tool_choice: "),
    (
        "choice of an unknown tool",
        {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "saw"}},
        "tool_choice.tool.name: ",
    ),
    ("tool_choice as text", {"tools": [TOOL], "tool_choice": "auto"}, "tool_choice: "),
    (
        "tool_choice of no name",
        {"tools": [TOOL], "tool_choice": {"type": "tool"}},
        "tool_choice.tool.name: Field required",
    ),
    (
        "forced while thinking",
        {"tools": [TOOL], "tool_choice": {"type": "any"}, "thinking": {"type": "adaptive"}},
        "tool_choice: Thinking",
    ),
    ("little to think with", {"thinking": {"type": "enabled", "budget_tokens": 5}}, "thinking.enabled.budget_tokens: "),
    ("more thought than room", {"thinking": {"type": "enabled", "budget_tokens": 2000}}, "max_tokens: "),
    ("too many cache marks", {"messages": [hears(*[MARKED] * 5)]}, "cache_control: A maximum of 4"),
    ("unknown cache time", {"cache_control": {"type": "ephemeral", "ttl": "1d"}}, "cache_control.ttl: "),
    ("stop sequence as text", {"stop_sequences": "END"}, "stop_sequences: "),
    ("stream as text", {"stream": "yes"}, "stream: "),
]


@pytest.mark.parametrize(("change", "complaint"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_the_api_refuses_is_refused_by_name(
    connect: Callable[..., Any], change: dict[str, Any], complaint: str
) -> None:
    client, server = connect()
    body = {key: value for key, value in (BASE | change).items() if value is not ...}
    with pytest.raises(anthropic.BadRequestError) as refusal:
        client.post("/v1/messages", body=body, cast_to=object)
    error = refusal.value.body
    assert isinstance(error, dict)
    assert error["error"]["type"] == "invalid_request_error"
    assert complaint in error["error"]["message"]
    assert error["request_id"] == refusal.value.request_id
    assert [exchange.status for exchange in server.requests] == [400]


ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    ("a string as system", {"system": "Be brief."}),
    ("one role twice", {"messages": [HI, HI, says(text("x")), says(text("y")), HI]}),
    ("results over two messages", talk(says(use("a"), use("b")), hears(result("a")), hears(result("b"), text("x")))),
    ("calls over two messages", talk(says(use("a")), says(use("b")), hears(result("b"), result("a")))),
    ("an answer to go on with", talk(says(text("The answer is")))),
    ("an empty closing answer", talk({"role": "assistant", "content": ""})),
    ("a system message after the user's", talk({"role": "system", "content": "Now in French."})),
    ("an error result", talk(says(use()), hears(result(is_error=True)))),
    ("an empty result", talk(says(use()), hears(result(content="")))),
    ("a result of blocks", talk(says(use()), hears(result(content=[text("a"), text("b")])))),
    ("a tool with a full schema", {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "shell"}}),
    ("server tools", {"tools": [TOOL, {"type": "web_search_20250305", "name": "web_search", "max_uses": 2}]}),
    ("no tool at all", {"tool_choice": {"type": "none"}}),
    ("cached blocks", {"system": [MARKED], "tools": [{**TOOL, "cache_control": {"type": "ephemeral"}}]}),
    ("an adaptive thinker", {"thinking": {"type": "adaptive"}}),
    ("a model that nobody knows", {"model": "claude-of-tomorrow"}),
]


@pytest.mark.parametrize("beta", [False, True], ids=["plain", "beta"])
@pytest.mark.parametrize("change", [row[1] for row in ACCEPTED], ids=[row[0] for row in ACCEPTED])
def test_what_the_api_accepts_is_accepted(connect: Callable[..., Any], change: dict[str, Any], beta: bool) -> None:
    client, _ = connect(*[{"content": "Hello."}] * 3)
    messages = client.beta.messages if beta else client.messages
    assert messages.create(**BASE | change).content[0].text == "Hello."


def test_beta_fields_need_the_beta_call(connect: Callable[..., Any]) -> None:
    client, _ = connect()
    body = {**BASE, "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}}
    assert client.beta.messages.create(**body, betas=["context-management-2025-06-27"]).content
    with pytest.raises(anthropic.BadRequestError, match="context_management: Extra inputs"):
        client.post("/v1/messages", body=body, cast_to=object)


def test_a_request_such_as_a_coding_agent_sends_is_accepted(connect: Callable[..., Any]) -> None:
    client, server = connect()
    mark = {"cache_control": {"type": "ephemeral"}}
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": {}}
    body = {
        **BASE,
        "max_tokens": 32_000,
        "system": [text("You are a coding agent.", **mark)],
        "messages": [hears(text("<reminder>"), text("Do the thing.", **mark))],
        "tools": [{"name": "Bash", "description": "Runs it.", "input_schema": schema}],
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "high"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "metadata": {"user_id": "user_1"},
    }
    assert client.post("/v1/messages?beta=true", body=body, cast_to=object)
    assert server.requests[0].body == body


def test_message_threads_are_refused_rather_than_misread(connect: Callable[..., Any]) -> None:
    client, _ = connect()
    with pytest.raises(anthropic.BadRequestError, match="thread: "):
        client.beta.messages.create(**BASE, thread={"type": "create"}, betas=["message-threads-2026-08-12"])


def test_tokens_are_counted_for_valid_requests_only(connect: Callable[..., Any]) -> None:
    client, _ = connect()
    short = client.messages.count_tokens(model="claude-sonnet-5", messages=[HI])
    long = client.messages.count_tokens(model="claude-sonnet-5", messages=[HI, hears(text("word " * 400))])
    assert 400 < long.input_tokens - short.input_tokens < 600
    with pytest.raises(anthropic.BadRequestError, match="max_tokens: Extra inputs"):
        client.post("/v1/messages/count_tokens", body=BASE, cast_to=object)
    with pytest.raises(anthropic.BadRequestError, match="messages: at least one"):
        client.messages.count_tokens(model="claude-sonnet-5", messages=[])


def test_an_unknown_model_is_refused_only_where_the_script_names_models(connect: Callable[..., Any]) -> None:
    client, _ = connect(models=["claude-sonnet-5"])
    assert [model.id for model in client.models.list()] == ["claude-sonnet-5"]
    assert client.messages.create(**BASE).model == "claude-sonnet-5"
    with pytest.raises(anthropic.NotFoundError, match="model: claude-haiku-5-5"):
        client.messages.create(**BASE | {"model": "claude-haiku-5-5"})
