"""What every Wait must do: the fake and the real state machine are held to the same tests."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Protocol

import pytest

from goalrunner_notifier.ports import Fate, TooLate, Wait, WaitOrder

BOUND = 10.0
EXPIRED = {"meta": {"event_id": "of-the-expiry"}, "data": {"question": "abcdefghij", "step": "main"}}
ANSWERED = {"meta": {"event_id": "of-the-answer"}, "data": {"answer": 'zwei "Räume" $.x $$.y {} \\', "step": "main"}}


class Bench(Protocol):
    """A wait together with what stands round it."""

    @property
    def wait(self) -> Wait: ...

    def now(self) -> float:
        """Seconds."""

    def messages(self) -> list[dict[str, Any]]:
        """What the machine has sent to the deliver queue so far."""

    def events(self) -> list[tuple[str, dict[str, Any]]]:
        """Type and detail of what is on the bus so far."""

    def until(self, condition: Callable[[], bool], *, within: float = BOUND) -> None:
        """Let time pass until the condition holds; AssertionError when it does not in time."""


def order(question: str = "abcdefghij", *, generation: int = 1, timeout: int = 600, heartbeat: int = 300) -> WaitOrder:
    """A wait with the expiry of these tests."""
    return WaitOrder(question, generation, timeout, heartbeat, json.dumps(EXPIRED))


def begun(bench: Bench, wanted: WaitOrder) -> str:
    """Start a wait and return its token."""
    assert bench.wait.start(wanted) is Fate.RUNNING
    bench.until(lambda: bool(bench.messages()))
    return str(bench.messages()[-1]["token"])


def ended(published: str, *, generation: int = 1) -> dict[str, Any]:
    """What the machine tells the notifier at its end."""
    return {"kind": "ended", "question": "abcdefghij", "generation": generation, "published": published}


class WaitConformance:
    """What every server does."""

    @pytest.fixture
    def bench(self) -> Iterator[Bench]:
        raise NotImplementedError

    def test_a_wait_hands_over_its_token_with_question_and_generation(self, bench: Bench) -> None:
        token = begun(bench, order(generation=3))
        expected = {"kind": "wait", "token": token, "question": "abcdefghij", "generation": 3}
        assert bench.messages() == [expected]
        assert bench.wait.fate("abcdefghij-3") is Fate.RUNNING
        assert bench.events() == []

    def test_an_answer_comes_onto_the_bus_as_it_was_given(self, bench: Bench) -> None:
        bench.wait.answer(begun(bench, order()), json.dumps(ANSWERED))
        bench.until(lambda: bool(bench.events()))
        assert bench.events() == [("clarification.answered.v1", ANSWERED)]
        bench.until(lambda: bench.wait.fate("abcdefghij-1") is Fate.ANSWERED)
        bench.until(lambda: bench.messages()[1:] == [ended("answered")])

    def test_an_expiry_comes_onto_the_bus_as_it_was_ordered(self, bench: Bench) -> None:
        bench.wait.expire(begun(bench, order()))
        bench.until(lambda: bool(bench.events()))
        assert bench.events() == [("clarification.expired.v1", EXPIRED)]
        bench.until(lambda: bench.wait.fate("abcdefghij-1") is Fate.EXPIRED)
        bench.until(lambda: bench.messages()[1:] == [ended("expired")])

    def test_a_second_start_finds_the_first_running(self, bench: Bench) -> None:
        token = begun(bench, order())
        assert bench.wait.start(order()) is Fate.RUNNING
        assert bench.wait.start(order(timeout=700)) is Fate.RUNNING
        bench.wait.answer(token, json.dumps(ANSWERED))
        bench.until(lambda: bench.wait.fate("abcdefghij-1") is Fate.ANSWERED)
        assert [message["kind"] for message in bench.messages()] == ["wait", "ended"]

    def test_a_start_under_a_used_name_says_how_that_one_ended(self, bench: Bench) -> None:
        bench.wait.answer(begun(bench, order()), json.dumps(ANSWERED))
        bench.until(lambda: bench.wait.fate("abcdefghij-1") is Fate.ANSWERED)
        assert bench.wait.start(order(timeout=700)) is Fate.ANSWERED
        assert [message["kind"] for message in bench.messages()] == ["wait", "ended"]

    def test_two_generations_wait_beside_each_other(self, bench: Bench) -> None:
        begun(bench, order())
        assert bench.wait.start(order(generation=2)) is Fate.RUNNING
        bench.until(lambda: len(bench.messages()) == 2)
        assert len({message["token"] for message in bench.messages()}) == 2

    def test_a_name_that_was_never_used_is_unknown(self, bench: Bench) -> None:
        assert bench.wait.fate("neverasked-1") is Fate.UNKNOWN

    def test_a_token_that_was_used_is_too_late_for_an_answer_and_a_beat(self, bench: Bench) -> None:
        token = begun(bench, order())
        bench.wait.answer(token, json.dumps(ANSWERED))
        bench.until(lambda: bench.wait.fate("abcdefghij-1") is Fate.ANSWERED)
        _is_too_late(bench.wait, token)
        assert len(bench.events()) == 1

    def test_an_expiry_after_the_answer_changes_nothing(self, bench: Bench) -> None:
        token = begun(bench, order())
        bench.wait.answer(token, json.dumps(ANSWERED))
        bench.until(lambda: bench.wait.fate("abcdefghij-1") is Fate.ANSWERED)
        # Moto takes it and does nothing with it; the others say too late.
        with suppress(TooLate):
            bench.wait.expire(token)
        assert bench.wait.fate("abcdefghij-1") is Fate.ANSWERED
        assert bench.events() == [("clarification.answered.v1", ANSWERED)]

    def test_a_token_that_nobody_gave_is_too_late_for_everything(self, bench: Bench) -> None:
        _is_too_late(bench.wait, "AAAAKgAAAAIAAAAA")
        with pytest.raises(TooLate):
            bench.wait.expire("AAAAKgAAAAIAAAAA")

    def test_too_late_does_not_tell_the_token(self, bench: Bench) -> None:
        with pytest.raises(TooLate) as caught:
            bench.wait.expire("AAAAKgAAAAIAAAAA")
        assert "AAAAKgAAAAIAAAAA" not in str(caught.value)

    def test_a_beat_leaves_the_wait_running(self, bench: Bench) -> None:
        token = begun(bench, order())
        bench.wait.beat(token)
        assert bench.wait.fate("abcdefghij-1") is Fate.RUNNING


class SternConformance:
    """What moto does not do."""

    def test_a_token_that_was_used_is_too_late_for_an_expiry(self, bench: Bench) -> None:
        token = begun(bench, order())
        bench.wait.expire(token)
        bench.until(lambda: bench.wait.fate("abcdefghij-1") is Fate.EXPIRED)
        with pytest.raises(TooLate):
            bench.wait.expire(token)


class TimeConformance:
    """What happens when nobody says anything; not every emulator keeps this time."""

    def test_the_time_out_ends_the_wait_whatever_beats(self, bench: Bench) -> None:
        token = begun(bench, order(timeout=2, heartbeat=1))

        def over() -> bool:
            _beat(bench.wait, token)
            return bench.wait.fate("abcdefghij-1") is Fate.EXPIRED

        bench.until(over)
        assert bench.events() == [("clarification.expired.v1", EXPIRED)]
        _is_too_late(bench.wait, token)

    def test_a_wait_without_beats_ends_with_its_heartbeat(self, bench: Bench) -> None:
        token = begun(bench, order(timeout=600, heartbeat=1))
        bench.until(lambda: bench.wait.fate("abcdefghij-1") is Fate.EXPIRED)
        assert bench.events() == [("clarification.expired.v1", EXPIRED)]
        _is_too_late(bench.wait, token)

    def test_beats_keep_a_wait_alive(self, bench: Bench) -> None:
        token = begun(bench, order(timeout=600, heartbeat=2))
        began = bench.now()

        def long_enough() -> bool:
            bench.wait.beat(token)
            return bench.now() > began + 3.5

        bench.until(long_enough)
        bench.wait.answer(token, json.dumps(ANSWERED))
        bench.until(lambda: bench.wait.fate("abcdefghij-1") is Fate.ANSWERED)


def _is_too_late(wait: Wait, token: str) -> None:
    with pytest.raises(TooLate):
        wait.answer(token, json.dumps(ANSWERED))
    with pytest.raises(TooLate):
        wait.beat(token)


def _beat(wait: Wait, token: str) -> None:
    with suppress(TooLate):
        wait.beat(token)
