from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anthropic
import pytest
from anthropic.types import Message, MessageParam, ToolParam, ToolUseBlock

SHELL: ToolParam = {"name": "shell", "input_schema": {"type": "object"}}
MODEL = "claude-sonnet-5"


def call(name: str, **input: Any) -> dict[str, Any]:
    return {"type": "tool_use", "name": name, "input": input}


def converse(client: anthropic.Anthropic, goal: str, *, system: str = "You work.") -> list[Message]:
    """The loop of an agent: answer each call with `<name>: <input>` until the model stops calling."""
    messages: list[MessageParam] = [{"role": "user", "content": goal}]
    replies: list[Message] = []
    while not replies or replies[-1].stop_reason == "tool_use":
        reply = client.messages.create(model=MODEL, max_tokens=500, system=system, tools=[SHELL], messages=messages)
        replies.append(reply)
        calls = calls_of(reply)
        messages += [
            reply.to_param(),
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": c.id, "content": f"{c.name}: {c.input}"} for c in calls
                ],
            },
        ]
    return replies


def calls_of(reply: Message) -> list[ToolUseBlock]:
    return [block for block in reply.content if block.type == "tool_use"]


def last_text(replies: list[Message]) -> str:
    block = replies[-1].content[-1]
    assert block.type == "text"
    return block.text


def test_a_goal_is_worked_on_over_several_turns(connect: Callable[..., Any]) -> None:
    client, server = connect(
        {"content": [{"type": "text", "text": "I look."}, call("shell", argv=["ls"])]},
        {"content": [call("shell", argv=["echo", "{{last_tool_result}}"])]},
        {"content": "It said {{ answer }}."},
    )
    replies = converse(client, "Tidy up.")
    assert [reply.stop_reason for reply in replies] == ["tool_use", "tool_use", "end_turn"]
    assert calls_of(replies[1])[0].input == {"argv": ["echo", "shell: {'argv': ['ls']}"]}
    assert last_text(replies) == f"It said shell: {calls_of(replies[1])[0].input}."
    assert [exchange.status for exchange in server.requests] == [200, 200, 200]
    assert server.requests[-1].reply["content"][0]["text"] == last_text(replies)


def test_parallel_calls_get_ids_of_their_own_and_are_answered_together(connect: Callable[..., Any]) -> None:
    client, _ = connect({"content": [call("shell", n=1), call("shell", n=2)]}, {"content": "{{answer}}"})
    replies = converse(client, "Do both.")
    first, second = calls_of(replies[0])
    assert first.id != second.id
    assert last_text(replies) == "shell: {'n': 2}"


def test_after_the_last_turn_the_model_is_done(connect: Callable[..., Any]) -> None:
    client, _ = connect({"content": [call("shell")]})
    assert last_text(converse(client, "Go.")) == "done."


def test_one_server_plays_several_goals_in_parallel(connect: Callable[..., Any]) -> None:
    goals = [f"goal: g{number}." for number in range(8)]
    turns = {goal: [{"content": [call("shell", goal=goal)]}, {"content": f"{goal} {{{{answer}}}}"}] for goal in goals}
    client, _ = connect(conversations=[{"when": goal, "turns": turns[goal]} for goal in goals])
    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(lambda goal: last_text(converse(client, f"Please: {goal}")), goals))
    assert ends == [f"{goal} shell: {{'goal': '{goal}'}}" for goal in goals]


def test_a_conversation_is_found_by_the_system_prompt_and_the_first_that_fits_is_played(
    connect: Callable[..., Any],
) -> None:
    client, _ = connect(
        conversations=[
            {"when": "goal: a", "turns": [{"content": "This is a."}]},
            {"when": "goal:", "turns": [{"content": "This is another."}]},
        ]
    )
    assert last_text(converse(client, "hi", system="goal: a")) == "This is a."
    assert last_text(converse(client, "goal: b")) == "This is another."
    with pytest.raises(anthropic.BadRequestError, match="no scripted conversation fits"):
        converse(client, "hi")


def test_the_same_request_gets_the_same_answer(connect: Callable[..., Any]) -> None:
    client, _ = connect({"content": [call("shell")]}, {"content": "end"})
    assert [converse(client, "Go.")] * 2 == [converse(client, "Go."), converse(client, "Go.")]


def test_usage_grows_with_the_request_and_can_be_scripted(connect: Callable[..., Any]) -> None:
    client, _ = connect({"content": "word " * 200}, {"content": "x", "usage": {"output_tokens": 7}})
    body: dict[str, Any] = {"model": MODEL, "max_tokens": 500}
    short = client.messages.create(**body, messages=[{"role": "user", "content": "hi"}])
    long = client.messages.create(**body, messages=[{"role": "user", "content": "word " * 400}])
    assert 450 < long.usage.input_tokens - short.usage.input_tokens < 550
    assert 240 < short.usage.output_tokens < 280
    cut = client.messages.create(**body | {"max_tokens": 50}, messages=[{"role": "user", "content": "hi"}])
    assert cut.usage.output_tokens == 50
    again: list[MessageParam] = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "So:"}]
    assert client.messages.create(**body, messages=again).usage.output_tokens == 7


@pytest.mark.parametrize("reason", ["max_tokens", "refusal", "pause_turn"])
def test_a_turn_can_end_for_another_reason(connect: Callable[..., Any], reason: str) -> None:
    client, _ = connect({"content": "Well", "stop_reason": reason})
    reply = converse(client, "Go.")[-1]
    assert reply.stop_reason == reason
    assert (reply.stop_details is not None) == (reason == "refusal")


def test_a_paused_answer_is_continued_from_where_it_stopped(connect: Callable[..., Any]) -> None:
    search = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "sea"}}
    found: dict[str, Any] = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
    client, _ = connect({"content": [search, found], "stop_reason": "pause_turn"}, {"content": "Blue."})
    messages: list[MessageParam] = [{"role": "user", "content": "Colour?"}]
    paused = client.messages.create(model=MODEL, max_tokens=99, messages=messages)
    assert [block.type for block in paused.content] == ["server_tool_use", "web_search_tool_result"]
    messages.append(paused.to_param())
    assert last_text([client.messages.create(model=MODEL, max_tokens=99, messages=messages)]) == "Blue."
