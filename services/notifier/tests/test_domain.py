"""The pure decisions."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalrunner_events import AskPolicy
from goalrunner_notifier.domain import LONGEST_WINDOW, choose, window

ROOMS = ("One room", "Two rooms", "Three")


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("2", "Two rooms"),
        ("b", "Two rooms"),
        ("B ", "Two rooms"),
        ("two ROOMS", "Two rooms"),
        ("4", "4"),
        ("0", "0"),
        ("d", "d"),
        ("two", "two"),
        ("²", "²"),
        ("2 rooms, please", "2 rooms, please"),
    ],
)
def test_an_option_is_named_by_words_number_or_letter(text: str, chosen: str) -> None:
    assert choose(ROOMS, text) == chosen


def test_the_words_of_an_option_come_before_its_place() -> None:
    assert choose(("3", "2", "1"), "1") == "1"
    assert choose(("b", "a"), "b") == "b"


@given(text=st.text())
def test_without_options_every_text_stays_as_it_is(text: str) -> None:
    assert choose((), text) == text


@given(seconds=st.integers(min_value=-5, max_value=10**9), cap=st.none() | st.integers(min_value=1, max_value=10**7))
def test_a_window_is_never_empty_and_never_longer_than_cap_or_week(seconds: int, cap: int | None) -> None:
    limit = None if cap is None else timedelta(seconds=cap)
    found = window(AskPolicy(timeout_seconds=seconds), cap=limit)
    assert timedelta(0) < found <= min(limit or LONGEST_WINDOW, LONGEST_WINDOW)
