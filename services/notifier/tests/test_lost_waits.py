"""Waits that were lost, stopped, forgotten or could not publish."""

from collections.abc import Callable
from typing import Any

from goalrunner_events import QuestionState
from goalrunner_notifier.ports import Fate

QUESTION = "abcdefghij"


def test_a_question_whose_wait_was_lost_is_asked_again_under_the_next_generation(asked: Any) -> None:
    old = asked.delivered[0]
    asked.forget()
    asked.deliver({"kind": "recover"})
    asked.drain()
    assert [notice.key for notice in asked.channel.sent] == ["abcdefghij-1", "abcdefghij-2"]
    assert list(asked.alarms.pending) == ["abcdefghij-2"]
    asked.deliver(old)
    asked.deliver({"kind": "alarm", "question": QUESTION, "generation": 1})
    assert asked.question().is_open
    asked.answer("1")
    assert asked.answers() == ["One room"]


def test_an_answer_that_was_not_settled_is_settled_by_the_next_wait_without_asking(asked: Any) -> None:
    asked.wait.forget()
    asked.alarms.pending.clear()
    asked.answer("2")
    asked.drain()
    assert asked.answers() == ["Two rooms"]
    assert asked.question().generation == 2
    assert len(asked.channel.sent) == 1


def test_recovery_leaves_waits_that_run_alone(asked: Any) -> None:
    before = asked.outcome()
    asked.deliver({"kind": "recover"})
    assert asked.queue == []
    assert asked.outcome() == before


def test_a_machine_that_died_with_the_answer_in_its_hands_is_followed_by_another(asked: Any) -> None:
    asked.wait.is_slow = True
    asked.answer("2")
    assert asked.question().settled
    asked.wait.stop()
    asked.wait.is_slow = False
    asked.deliver({"kind": "recover"})
    asked.drain()
    assert asked.answers() == ["Two rooms"]
    asked.forget()
    asked.deliver({"kind": "recover"})
    asked.drain()
    assert asked.answers() == ["Two rooms"]


def test_the_machines_own_expiry_closes_the_question_and_its_message(asked: Any) -> None:
    asked.wait.run_out()
    asked.drain()
    row = asked.question()
    assert (row.state, row.published) == (QuestionState.EXPIRED, True)
    assert asked.channel.edits[-1][1].state is QuestionState.EXPIRED


def test_a_question_that_is_stuck_holds_up_no_other_recovery(asked: Any, requested: Callable[..., Any]) -> None:
    asked.wait.is_slow = True
    asked.wait.run_out()
    asked.answer("2")
    asked.hear(requested(question="zyxwvutsrq"))
    asked.queue.clear()
    del asked.wait.executions["zyxwvutsrq-1"]
    asked.deliver({"kind": "recover"})
    assert asked.wait.fate("zyxwvutsrq-1") is Fate.RUNNING


def test_a_wait_that_had_to_be_sent_again_goes_on_with_its_new_token(asked: Any) -> None:
    execution = asked.wait.executions["abcdefghij-1"]
    execution.token = "fake-token-of-the-retry"
    asked.deliver({**asked.delivered[0], "token": execution.token})
    assert len(asked.channel.sent) == 1
    asked.answer("2")
    assert asked.answers() == ["Two rooms"]


def test_a_stopped_wait_whose_alarm_rings_still_expires(asked: Any) -> None:
    asked.wait.stop()
    asked.ring()
    asked.drain()
    assert [kind for kind, _ in asked.bus] == ["clarification.expired.v1"]


def test_an_answer_that_the_bus_refused_is_published_by_the_next_generation(asked: Any) -> None:
    asked.bus_is_down = True
    asked.answer("2")
    asked.bus_is_down = False
    (ended,) = asked.queue
    asked.drain()
    asked.deliver(ended)
    asked.drain()
    assert asked.answers() == ["Two rooms"]
    assert asked.question().generation == 2


def test_what_is_on_the_bus_is_not_begun_again(asked: Any) -> None:
    asked.answer("2")
    asked.drain()
    asked.deliver({"kind": "ended", "question": QUESTION, "generation": 1, "published": "nothing"})
    assert (asked.question().generation, asked.queue) == (1, [])


def test_an_expiry_that_the_bus_refused_is_not_asked_again(asked: Any) -> None:
    asked.bus_is_down = True
    asked.wait.run_out()
    asked.bus_is_down = False
    asked.drain()
    assert [kind for kind, _ in asked.bus] == ["clarification.expired.v1"]
    assert len(asked.channel.sent) == 1


def test_a_machine_that_is_just_ending_is_asked_later(asked: Any) -> None:
    asked.wait.is_slow = True
    asked.wait.run_out()
    asked.answer("2")
    assert not asked.question().settled
    assert [message.body.text for message in asked.dead] == ["2"]
    asked.wait.is_slow = False
    asked.answer("2")
    assert asked.question().state is QuestionState.EXPIRED
    assert len(asked.bus) == 1


def test_rows_that_were_lost_do_not_take_the_name_of_an_earlier_life(asked: Any, requested: Callable[..., Any]) -> None:
    asked.answer("1")
    asked.rows.items.clear()
    asked.hear(requested())
    asked.drain()
    asked.answer("2", update="9")
    assert asked.question().generation == 2
    assert asked.answers() == ["One room", "Two rooms"]
