from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goalrunner_shared.clock import SLOT, floor_to_slot
from goalrunner_shared.goals.model import Goal
from goalrunner_shared.goals.parse import ParsedGoal
from goalrunner_shared.goals.schedule import Due, NotDue, due, next_due
from goalrunner_shared.goals.state import GoalState

Make = Callable[..., ParsedGoal]
TEN = datetime(2026, 1, 1, 10, tzinfo=UTC)


def goal_with(**values: object) -> Goal:
    return Goal.model_validate({"id": "a", "title": "A", **values})


def ran(slot: datetime, **values: int) -> GoalState:
    return GoalState.model_validate({"slot": slot, "attempts": 1, **values})


def test_a_goal_that_never_ran_is_due_at_once() -> None:
    goal = goal_with(schedule={"every": "7d", "around": "09:00"})
    assert due(goal, None, TEN) == Due()
    assert due(goal, GoalState(), TEN) == Due()


def test_a_goal_is_due_again_when_its_time_is_over() -> None:
    goal = goal_with(schedule={"every": "24h"})
    tomorrow = TEN + timedelta(days=1)
    assert due(goal, ran(TEN), tomorrow - SLOT) == NotDue("not due until 2026-01-02 10:00 UTC", tomorrow)
    assert due(goal, ran(TEN), tomorrow) == Due()


@pytest.mark.parametrize("status", ["draft", "waiting", "paused", "blocked", "done", "abandoned"])
def test_a_goal_that_is_not_active_is_never_due(status: str) -> None:
    assert due(goal_with(status=status, schedule={"every": "2h"}), None, TEN) == NotDue(f"status is {status}")


def test_a_manual_goal_is_never_due() -> None:
    assert due(goal_with(schedule="manual"), None, TEN) == NotDue("runs only when asked to")


def test_cron_is_not_supported_yet() -> None:
    assert due(goal_with(schedule={"cron": "0 9 * * *"}), None, TEN) == NotDue("cron schedules are not supported yet")


def test_a_goal_with_an_instant_runs_once_from_then_on() -> None:
    goal = goal_with(schedule={"at": "2026-01-01T09:30", "tz": "Europe/Berlin"})
    half_past_eight = datetime(2026, 1, 1, 8, 30, tzinfo=UTC)
    eight = half_past_eight.replace(minute=0)
    assert due(goal, None, eight) == NotDue("not due until 2026-01-01 08:30 UTC", half_past_eight)
    assert due(goal, None, TEN) == Due()
    assert due(goal, ran(eight), TEN) == Due()
    assert due(goal, ran(TEN), TEN + SLOT) == NotDue("ran once, as scheduled")


@pytest.mark.parametrize(
    ("deadline", "shown"),
    [("2026-01-01", "2026-01-01"), ("2026-01-02T05:00Z", "2026-01-02 05:00 UTC")],
)
def test_a_goal_is_not_due_after_its_deadline(deadline: str, shown: str) -> None:
    goal = goal_with(schedule={"every": "2h", "tz": "America/New_York"}, deadline=deadline)
    assert due(goal, None, datetime(2026, 1, 2, 4, tzinfo=UTC)) == Due()
    late = due(goal, None, datetime(2026, 1, 2, 6, tzinfo=UTC))
    assert late == NotDue(f"deadline {shown} has passed")


@pytest.mark.parametrize(
    ("rule", "count", "reason"),
    [
        ("max_attempts", "attempts", "stopped after 3 attempts (max_attempts: 3)"),
        ("max_failures_in_row", "failures_in_row", "stopped after 3 failures in a row (max_failures_in_row: 3)"),
        ("no_progress_runs", "no_progress_in_row", "stopped after 3 runs without progress (no_progress_runs: 3)"),
    ],
)
def test_a_stop_rule_says_which_and_after_what(rule: str, count: str, reason: str) -> None:
    goal = goal_with(schedule={"every": "2h"}, stop={rule: 3})
    assert due(goal, ran(TEN, **{count: 3}), TEN + SLOT) == NotDue(reason)
    assert due(goal, ran(TEN, **{count: 2}), TEN + SLOT) == Due()


def runs(goal: Goal, first: datetime, until: datetime) -> list[datetime]:
    slot, state, found = first, None, []
    while slot <= until:
        if due(goal, state, slot) == Due():
            found.append(slot)
            state = ran(slot)
        slot += SLOT
    return found


@pytest.mark.parametrize("around", ["00:30", "02:30", "08:30", "09:00", "09:59", "23:30"])
@pytest.mark.parametrize("first", [datetime(2026, 3, 24, tzinfo=UTC), datetime(2026, 10, 20, tzinfo=UTC)])
@pytest.mark.parametrize("tz", ["Europe/Lisbon", "America/New_York", "Asia/Kathmandu"])
def test_a_daily_goal_runs_once_a_day_at_its_hour_across_summer_time(around: str, first: datetime, tz: str) -> None:
    goal = goal_with(schedule={"every": "24h", "around": around, "tz": tz})
    zone = goal.schedule.zone
    slots = runs(goal, first, first + timedelta(days=10))
    instants = [next_due(goal.schedule, slot) for slot in slots]
    days = [instant.astimezone(zone).date() for instant in instants if instant]
    assert days == [days[0] + timedelta(days=number) for number in range(len(days))]
    assert all(
        timedelta(0) <= late < SLOT for late in (run - at for run, at in zip(slots[1:], instants, strict=False) if at)
    )


def test_nine_in_lisbon_is_another_slot_in_summer_than_in_winter() -> None:
    goal = goal_with(schedule={"every": "24h", "around": "09:00", "tz": "Europe/Lisbon"})
    spring = runs(goal, datetime(2026, 3, 27, 10, tzinfo=UTC), datetime(2026, 3, 30, 23, tzinfo=UTC))
    assert [slot.hour for slot in spring] == [10, 10, 8, 8]
    autumn = runs(goal, datetime(2026, 10, 23, 8, tzinfo=UTC), datetime(2026, 10, 26, 23, tzinfo=UTC))
    assert [slot.hour for slot in autumn] == [8, 8, 10, 10]


@pytest.mark.parametrize(("hour", "next_day"), [(6, 2), (14, 2), (22, 2), (0, 2)])
def test_a_run_at_another_hour_is_followed_by_the_next_day_at_the_right_one(hour: int, next_day: int) -> None:
    schedule = goal_with(schedule={"every": "24h", "around": "09:00"}).schedule
    last = datetime(2026, 1, 1, hour, tzinfo=UTC) if hour else datetime(2026, 1, 2, 0, tzinfo=UTC)
    assert next_due(schedule, last) == datetime(2026, 1, next_day, 9, tzinfo=UTC)


def test_hours_are_counted_on_the_local_clock() -> None:
    schedule = goal_with(schedule={"every": "24h", "around": "01:00", "tz": "America/Los_Angeles"}).schedule
    last = datetime(2026, 1, 6, 2, tzinfo=UTC)
    assert next_due(schedule, last) == datetime(2026, 1, 6, 9, tzinfo=UTC)


def test_a_weekly_goal_keeps_its_weekday() -> None:
    schedule = goal_with(schedule={"every": "7d", "around": "09:00"}).schedule
    assert next_due(schedule, datetime(2026, 1, 5, 14, tzinfo=UTC)) == datetime(2026, 1, 12, 9, tzinfo=UTC)


whole_days = st.integers(1, 30).map(lambda days: f"{days}d")
lengths = st.integers(1, 10_000).map(lambda minutes: f"{minutes}m")
around_times = st.times().map(lambda moment: f"{moment:%H:%M}")
zones = st.sampled_from(["UTC", "Europe/Lisbon", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"])
schedules = st.one_of(
    st.fixed_dictionaries({"every": lengths}),
    st.fixed_dictionaries({"every": whole_days, "around": around_times, "tz": zones}),
    st.just({"at": "2026-06-01T09:00Z"}),
)
slots = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)).map(floor_to_slot)


@given(schedules, slots)
def test_a_goal_that_just_ran_is_not_due_in_the_same_slot(schedule: dict[str, str], slot: datetime) -> None:
    assert isinstance(due(goal_with(schedule=schedule), ran(slot), slot), NotDue)


@given(schedules, st.none() | slots, slots, st.integers(0, 5000))
def test_what_is_due_stays_due(schedule: dict[str, str], last: datetime | None, slot: datetime, later: int) -> None:
    goal, state = goal_with(schedule=schedule), ran(last) if last else None
    if due(goal, state, slot) == Due():
        assert due(goal, state, slot + later * SLOT) == Due()


@given(schedules, slots)
def test_the_instant_that_is_promised_is_the_one_that_holds(schedule: dict[str, str], last: datetime) -> None:
    goal, state = goal_with(schedule=schedule), ran(last)
    when = next_due(goal.schedule, last)
    if when is not None:
        assert when > last
        assert due(goal, state, when) == Due()
        assert due(goal, state, when - timedelta(seconds=1)) == NotDue(f"not due until {when:%Y-%m-%d %H:%M} UTC", when)
