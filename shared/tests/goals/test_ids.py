from datetime import UTC, datetime, timedelta, timezone

import pytest

from goalrunner_shared.goals.attempts import attempt_of_path, attempt_path
from goalrunner_shared.goals.ids import attempt_id, question_id, split_attempt_id

SLOT = datetime(2026, 1, 1, 10, tzinfo=UTC)


def test_an_attempt_id_is_the_same_in_every_repeat_and_in_every_zone() -> None:
    name = attempt_id("lisbon-flat", SLOT, "schedule", "")
    assert name == attempt_id("lisbon-flat", SLOT.astimezone(timezone(timedelta(hours=5))), "schedule", "")
    assert name == "lisbon-flat.2026-01-01T1000Z.fc4fd3"


def test_goal_instant_trigger_and_request_make_different_attempts() -> None:
    names = {
        attempt_id("a", SLOT, "schedule", ""),
        attempt_id("b", SLOT, "schedule", ""),
        attempt_id("a", SLOT + timedelta(hours=2), "schedule", ""),
        attempt_id("a", SLOT, "manual", "r1"),
        attempt_id("a", SLOT, "manual", "r2"),
    }
    assert len(names) == 5


def test_an_attempt_id_is_taken_apart_again() -> None:
    name = attempt_id("a-1", SLOT, "manual", "r")
    assert split_attempt_id(name) == ("a-1", SLOT, name[-6:])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a.2026-01-01T1000Z",
        "A.2026-01-01T1000Z.abcdef",
        "a/b.2026-01-01T1000Z.abcdef",
        "a.2026-13-01T1000Z.abcdef",
        "a.2026-01-01T1000Z.abcdef\n",
    ],
)
def test_anything_else_is_no_attempt_id(text: str) -> None:
    with pytest.raises(ValueError, match=r"attempt id|does not match"):
        split_attempt_id(text)


def test_a_question_id_is_ten_characters_of_base32() -> None:
    names = {question_id("a", "main", 1), question_id("a", "main", 2), question_id("a", "other", 1)}
    assert len(names) == 3
    assert all(len(name) == 10 and set(name) <= set("abcdefghijklmnopqrstuvwxyz234567") for name in names)
    assert question_id("a", "main", 1) in names


def test_an_attempt_and_the_path_of_its_file_lead_to_each_other() -> None:
    name = attempt_id("lisbon-flat", SLOT, "schedule", "")
    assert attempt_path(name) == f"attempts/lisbon-flat/2026-01-01T1000Z.{name[-6:]}.md"
    assert attempt_of_path(attempt_path(name)) == name
    assert attempt_of_path("attempts/a/notes.md") is None
    with pytest.raises(ValueError, match="not an attempt id"):
        attempt_path("../x.2026-01-01T1000Z.abcdef")
