"""One question from the request to its end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from goalrunner_events import NotificationFailedV1, NotificationSentV1, QuestionState
from goalrunner_notifier.ports import ChannelRefused, Fate
from goalrunner_shared.errors import TransientError

QUESTION = "abcdefghij"


def test_the_human_gets_the_question_and_then_its_clock_starts(asked: Any) -> None:
    (notice,) = asked.channel.sent
    assert (notice.key, notice.text, notice.options) == ("abcdefghij-1", "How many rooms?", ("One room", "Two rooms"))
    assert (notice.default, notice.why, notice.cost_usd) == ("One room", "It decides the price", 0.12)
    row = asked.question()
    assert row.notified == "message-abcdefghij-1"
    assert row.deadline == asked.clock() + timedelta(hours=1)
    assert notice.deadline == row.deadline
    assert asked.alarms.pending == {
        "abcdefghij-1": (timedelta(hours=1), {"kind": "alarm", "question": QUESTION, "generation": 1})
    }
    (meta, sent) = asked.publisher.published[0]
    assert sent == NotificationSentV1(
        notification="abcdefghij-1",
        channel="in-memory",
        message_id="message-abcdefghij-1",
        question=QUESTION,
        attempt=row.request.attempt,
    )
    assert meta.causation_id == row.request.event_id()


def test_the_clock_does_not_start_before_the_channel_has_confirmed(world: Any, requested: Callable[..., Any]) -> None:
    world.hear(requested())
    world.seconds = 1800
    world.drain()
    assert world.question().deadline == world.clock() + timedelta(hours=1)
    world.seconds += 3600 + 15 * 60 - 1
    assert world.wait.fate("abcdefghij-1") is Fate.RUNNING
    world.seconds += 1
    assert world.wait.fate("abcdefghij-1") is Fate.EXPIRED


def test_an_answer_is_published_by_the_machine_as_a_whole_event_caused_by_the_request(asked: Any) -> None:
    asked.answer("ask me later")
    row = asked.question()
    ((kind, detail),) = asked.bus
    assert kind == "clarification.answered.v1"
    assert detail["data"] == {
        "question": QUESTION,
        "attempt": row.request.attempt,
        "goal": "lisbon-flat",
        "step": "main",
        "answer": "ask me later",
        "by": "ada",
    }
    assert detail["meta"]["causation_id"] == row.request.event_id()
    assert (detail["meta"]["hops"], detail["meta"]["trace_id"]) == (2, "t")
    assert row.settled
    shown = asked.channel.edits[-1]
    assert (shown[0], shown[1].state, shown[1].answer, shown[1].options) == (
        "message-abcdefghij-1",
        QuestionState.ANSWERED,
        "ask me later",
        (),
    )


def test_the_same_update_twice_has_one_effect_and_no_reproach(asked: Any) -> None:
    asked.answer("1")
    before = asked.outcome()
    asked.answer("1")
    assert asked.outcome() == before
    assert asked.replies() == []


def test_a_second_answer_hears_who_was_faster(asked: Any) -> None:
    asked.answer("1")
    asked.answer("2", update="2", by="bob")
    asked.answer("2", update="2", by="bob")
    assert asked.answers() == ["One room"]
    assert asked.replies() == ["Already answered by ada: One room"]


def test_an_alarm_expires_the_question_and_a_late_answer_is_kept(asked: Any) -> None:
    asked.ring()
    asked.answer("2", update="2")
    asked.answer("1", update="3")
    ((kind, detail),) = asked.bus
    assert kind == "clarification.expired.v1"
    assert detail["meta"]["occurred_at"] == "2026-01-01T11:00:00Z"
    assert asked.question().late_answer.text == "Two rooms"
    assert asked.replies() == [
        "Too late: the question has expired. Your answer is kept.",
        "Too late: the question has expired.",
    ]
    assert asked.channel.edits[-1][1].state is QuestionState.EXPIRED


def test_where_no_alarm_rang_the_machine_has_the_last_word(asked: Any) -> None:
    asked.wait.run_out()
    asked.answer("2")
    assert [kind for kind, _ in asked.bus] == ["clarification.expired.v1"]
    row = asked.question()
    assert (row.state, row.answer, row.late_answer.text, row.settled) == (
        QuestionState.EXPIRED,
        None,
        "Two rooms",
        True,
    )
    assert asked.replies() == ["Too late: the question has expired. Your answer is kept."]


def test_an_answer_to_a_question_that_was_never_asked_is_told_so_once(world: Any) -> None:
    world.answer("1", question="nosuchques")
    world.answer("1", question="nosuchques")
    assert world.replies() == ["There is no question nosuchques."]


def test_an_answer_before_the_token_waits_for_it(world: Any, requested: Callable[..., Any]) -> None:
    world.hear(requested())
    world.answer("2")
    assert world.bus == []
    world.drain()
    assert world.answers() == ["Two rooms"]
    assert [notice.kind for notice in world.channel.sent] == []


def test_a_request_heard_again_asks_nothing_again(asked: Any, requested: Callable[..., Any]) -> None:
    before = asked.outcome()
    asked.hear(requested())
    asked.drain()
    asked.answer("1")
    asked.hear(requested())
    asked.drain()
    assert asked.outcome()["sent"] == before["sent"]
    assert len(asked.bus) == 1


def test_a_token_delivered_again_sends_nothing_again(asked: Any) -> None:
    before = asked.outcome()
    asked.deliver(asked.delivered[0])
    assert asked.outcome() == before
    assert len(asked.channel.sent) == len(asked.publisher.published) == 1


def test_a_channel_that_refuses_is_said_on_the_bus_and_the_question_still_ends(
    world: Any, requested: Callable[..., Any]
) -> None:
    world.channel.failures = [ChannelRefused("blocked by the user")]
    world.hear(requested())
    world.drain()
    (failed,) = world.publisher.of(NotificationFailedV1)
    assert (failed.notification, failed.reason) == ("abcdefghij-1", "blocked by the user")
    assert world.question().deadline is None
    world.ring()
    assert [kind for kind, _ in world.bus] == ["clarification.expired.v1"]


def test_a_channel_that_is_down_is_tried_again(world: Any, requested: Callable[..., Any]) -> None:
    world.channel.failures = [TransientError("503")] * 2
    world.hear(requested())
    world.drain()
    assert len(world.channel.sent) == 1
    assert world.publisher.of(NotificationFailedV1) == []


def test_a_channel_that_stays_down_is_said_on_the_bus_at_the_last_try(
    world: Any, requested: Callable[..., Any]
) -> None:
    world.channel.failures = [TransientError("503")] * 9
    world.hear(requested())
    world.drain()
    assert [failed.reason for failed in world.publisher.of(NotificationFailedV1)] == ["503"]
    assert world.publisher.of(NotificationSentV1) == []


def test_the_cap_shortens_the_window(make_world: Any, requested: Callable[..., Any]) -> None:
    world = make_world(ask_cap=timedelta(seconds=5))
    world.hear(requested())
    world.drain()
    assert world.alarms.pending["abcdefghij-1"][0] == timedelta(seconds=5)
    order = world.wait.executions["abcdefghij-1"].order
    assert (order.heartbeat_seconds, order.timeout_seconds) == (5 + 15 * 60, 8 * 24 * 3600)


def test_the_token_is_in_no_notice_event_or_text_of_the_row(asked: Any) -> None:
    token = asked.question().token
    asked.answer("1")
    told = repr((asked.bus, asked.channel.sent, asked.channel.edits, asked.publisher.published, asked.question()))
    assert token.startswith("fake-token")
    assert token not in told
